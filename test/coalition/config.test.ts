import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import * as Coalition from '../../client/coalition/config.ts'
import { type CoalitionRoot, moduleId } from '../../client/coalition/root.ts'
import type { TicketIssuerConfig } from '../../client/coalition/tickets/config.ts'
import * as Confluence from '../../client/confluences/config.ts'
import * as Lattice from '../../client/lattice/config.ts'
import * as Organism from '../../client/organisms/reference.ts'
import { filled, hexOf, idOf, members, vectors } from '../vectors/identity.ts'

const six = (acl: number) =>
  Object.fromEntries(Lattice.ORGANISMS.map((o) => [o, { content: filled(1), acl: filled(acl) }])) as unknown as Record<
    Lattice.OrganismName,
    { content: never; acl: never }
  >
const lattice = (name: string, chainId: bigint, acl = 2): Lattice.LatticeConfig => ({ name, chainId, ...six(acl) })
const LATTICES = [lattice('ethereum.mainnet', 1n), lattice('unichain.mainnet', 130n), lattice('base.mainnet', 8453n)] as const
const EUR: Organism.OrganismConfig = { name: 'eur-price-feed', content: filled(1), acl: filled(2) }
const FOLDED = {
  content: idOf<'ContentFingerprint'>('3fba5250be9ac259c56e7250c526bc83bacb4be825f2799d3d59e5b4878dd74e'),
  acl: idOf<'AclFingerprint'>('17d944ed79646dc11d00cabdbdbde08ba1093ec6680a181b69973fc5f0584d58'),
}
const refs = LATTICES.map((each) => Lattice.reference(each))
const INTENTS: Confluence.ConfluenceConfig = { name: 'intents', lattices: refs, organisms: [], ...FOLDED }
const LEDGER: Confluence.ConfluenceConfig = { ...INTENTS, name: 'ledger' }
const MODULE = (name: Confluence.ModuleName): Confluence.ConfluenceConfig => ({ name, lattices: [], organisms: [], ...FOLDED })
const ISSUER: TicketIssuerConfig = { name: 'tickets', keys: [new Uint8Array(32).fill(1)], acl: filled(3) }

const superchain: Coalition.CoalitionConfig = {
  name: 'ethereum.superchain',
  lattices: LATTICES,
  organisms: [Organism.reference(EUR, 'oracle')],
  confluences: [INTENTS, LEDGER],
}
const hexRoot = (config: Coalition.CoalitionConfig): string => hexOf(Coalition.root(config))

describe('coalitions', () => {
  it('COA-14 CFG-01 CFG-18 GAP-10 the demo composition built from configs has the root of its vector, from references too', () => {
    const vector = members(vectors, 'coalitions')[0]
    expect(hexRoot(superchain)).toBe(vector?.coalitionRoot)
    expect(hexRoot({ ...superchain, lattices: refs })).toBe(vector?.coalitionRoot)
    expect(hexRoot({ ...superchain, lattices: [refs[0] as Lattice.LatticeRef, LATTICES[1], LATTICES[2]] })).toBe(vector?.coalitionRoot)
    expect(hexOf(Coalition.coalition(superchain))).toBe(vector?.coalition)
  })

  it('CFG-34 an empty coalition, organisms alone and lattices alone are coalitions', () => {
    const empty = { name: 'empty', lattices: [], organisms: [], confluences: [] }
    const find = (name: string) => members(vectors, 'coalitions').find((each) => each.name === name)?.coalitionRoot
    expect(hexRoot(empty)).toBe(find('empty'))
    const attest = { name: 'attest.eu-west', content: filled<'ContentFingerprint'>(1), acl: filled<'AclFingerprint'>(2) }
    const signals = {
      ...empty,
      name: 'signals.euro-fx',
      organisms: [Organism.reference(EUR, 'oracle'), Organism.reference(attest, 'attestation')],
    }
    expect(hexRoot(signals)).toBe(find('signals.euro-fx'))
    expect(hexRoot({ ...empty, name: 'two-lattices', lattices: [LATTICES[0], LATTICES[2]] })).toBe(find('two-lattices'))
  })

  it('IDN-27 CIT-02 ten citizens that rotate every month leave ROOT and every module where they are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 3, max: 250 }), { minLength: 12, maxLength: 12 }), (months) => {
        const at = (acl: number): Coalition.CoalitionConfig => ({
          name: 'ten',
          lattices: Array.from({ length: 5 }, (_, i) => lattice(`lattice-${i}`, 1n, acl)),
          organisms: Array.from({ length: 5 }, (_, i) =>
            Organism.reference({ ...EUR, name: `feed-${i}`, acl: filled(acl) }, 'oracle', { pin: true }),
          ),
          confluences: [MODULE('chronicle')],
        })
        const roots = new Set(months.map((acl) => hexRoot(at(acl))))
        expect([...roots]).toEqual([hexRoot(at(2))])
        expect(hexOf(Lattice.contentHash(lattice('lattice-0', 1n, 3)))).not.toBe(hexOf(Lattice.contentHash(lattice('lattice-0', 1n, 2))))
      }),
      { numRuns: 5 },
    )
  })

  it('IDN-28 IDN-29 IDN-30 the retirement of a citizen moves ROOT and every module, and only those confluences that span it', () => {
    const retired = { ...EUR, name: 'eur-price-feed-v2' }
    const over = (feed: Organism.OrganismConfig): Confluence.ConfluenceConfig => ({
      ...LEDGER,
      name: 'correlate',
      lattices: [refs[0] as Lattice.LatticeRef],
      organisms: [Organism.reference(feed, 'oracle')],
    })
    const before = { ...superchain, confluences: [INTENTS, over(EUR), MODULE('atlas')] }
    const after = {
      ...superchain,
      organisms: [Organism.reference(retired, 'oracle')],
      confluences: [INTENTS, over(retired), MODULE('atlas')],
    }
    expect(hexRoot(after)).not.toBe(hexRoot(before))
    expect(Coalition.moduleOf(after, 'atlas')?.id).not.toEqual(Coalition.moduleOf(before, 'atlas')?.id)
    expect(Coalition.moduleOf(after, 'atlas')?.committee).not.toEqual(Coalition.moduleOf(before, 'atlas')?.committee)
    const [intentsBefore, correlateBefore] = Coalition.rootInputs(before).confluences
    const [intentsAfter, correlateAfter] = Coalition.rootInputs(after).confluences
    expect(intentsAfter).toEqual(intentsBefore)
    expect(correlateAfter).not.toEqual(correlateBefore)
  })

  it('GAP-21 a confluence or module that changes its own content or ACL moves ROOT and every module', () => {
    const base = { ...superchain, confluences: [INTENTS, MODULE('atlas'), MODULE('chronicle')] }
    const changed = [
      { ...base, confluences: [{ ...INTENTS, acl: filled<'AclFingerprint'>(9) }, MODULE('atlas'), MODULE('chronicle')] },
      { ...base, confluences: [INTENTS, { ...MODULE('atlas'), content: filled<'ContentFingerprint'>(9) }, MODULE('chronicle')] },
    ]
    for (const config of changed) {
      expect(hexRoot(config)).not.toBe(hexRoot(base))
      for (const name of ['atlas', 'chronicle'] as const)
        expect(Coalition.moduleOf(config, name)?.id).not.toEqual(Coalition.moduleOf(base, name)?.id)
    }
  })

  it('IDN-10 IDN-21 IDN-39 CIT-07 CIT-09 CIT-12 CNF-07 a citizen or confluence in none, one or three coalitions keeps its ids', () => {
    const ids = () => [
      ...LATTICES.flatMap((each) => Lattice.ORGANISMS.map((o) => hexOf(Lattice.committee(each, o)))),
      hexOf(Confluence.committee(INTENTS)),
      hexOf(Organism.committee(EUR)),
    ]
    const before = ids()
    const frozen = JSON.stringify(superchain, (_, value) => (typeof value === 'bigint' ? String(value) : value))
    const three = ['a', 'b', 'c'].map((name) => ({ ...superchain, name }))
    expect(new Set(three.map(hexRoot)).size).toBe(3)
    for (const config of three)
      expect(hexOf(Coalition.rootInputs(config).confluences[0] as Uint8Array)).toBe(hexOf(Confluence.confluenceId(INTENTS)))
    expect(ids()).toEqual(before)
    expect(JSON.stringify(superchain, (_, value) => (typeof value === 'bigint' ? String(value) : value))).toBe(frozen)
  })

  it('X-36 COA-12 set, order, name and issuer each move ROOT', () => {
    const all: readonly Coalition.CoalitionConfig[] = [
      superchain,
      { ...superchain, name: 'ethereum.superchain-v2' },
      { ...superchain, lattices: [...LATTICES].reverse() },
      { ...superchain, lattices: LATTICES.slice(0, 2) },
      { ...superchain, organisms: [] },
      { ...superchain, confluences: [LEDGER, INTENTS] },
      { ...superchain, ticketIssuer: ISSUER },
      { ...superchain, ticketIssuer: { ...ISSUER, acl: filled(4) } },
    ]
    expect(new Set(all.map(hexRoot)).size).toBe(all.length)
  })

  it('IDN-33 a pure function: the same for a structured clone', () => {
    expect(hexRoot(structuredClone({ ...superchain, ticketIssuer: ISSUER }))).toBe(hexRoot({ ...superchain, ticketIssuer: ISSUER }))
  })
})

describe('modules', () => {
  it('CFG-19 GAP-03 the accessors return the config or nothing, and never throw', () => {
    const accessors = { atlas: Coalition.atlas, almanac: Coalition.almanac, chronicle: Coalition.chronicle, compute: Coalition.compute }
    for (const name of Confluence.MODULES) {
      expect(accessors[name](superchain)).toBeUndefined()
      const config = MODULE(name)
      expect(accessors[name]({ ...superchain, confluences: [INTENTS, config] })).toBe(config)
      expect(Coalition.moduleOf(superchain, name)).toBeUndefined()
      expect(accessors[name]({ ...superchain, name: '|', confluences: [config, config] })).toBe(config)
    }
  })

  it('GAP-02 IDN-23 a module folds into ROOT by its coalition-free id and lives under ROOT', () => {
    const config = { ...superchain, confluences: [INTENTS, MODULE('atlas')] }
    const live = Coalition.moduleOf(config, 'atlas')
    expect(Coalition.rootInputs(config).confluences[1]).toEqual(Confluence.confluenceId(MODULE('atlas')))
    expect(live?.id).toEqual(moduleId(Coalition.root(config), 'atlas'))
    expect(live?.id).not.toEqual(Confluence.confluenceId(MODULE('atlas')))
    expect(live?.surface('cards')).toHaveLength(32)
  })

  it('TIX-01 TIX-02 without an issuer there is no ticket id, and no citizen id depends on one', () => {
    expect(Coalition.tickets(superchain)).toBeUndefined()
    expect(Coalition.tickets({ ...superchain, ticketIssuer: ISSUER })).toHaveLength(32)
    const [plain, issued] = [Coalition.rootInputs(superchain), Coalition.rootInputs({ ...superchain, ticketIssuer: ISSUER })]
    expect({ ...issued, ticketIssuer: null }).toEqual(plain)
  })
})

describe('what the builder refuses', () => {
  const twice = (first: string, second: string) => expect.objectContaining({ name: 'Coalition.DuplicateError', first, second })

  it('GAP-01 an id given twice, in one list or in two', () => {
    const ref = refs[0] as Lattice.LatticeRef
    const asOrganism = { role: 'x', stableId: ref.stableId }
    const posing = { role: 'x', stableId: Confluence.confluenceId(INTENTS) as never }
    expect(() => hexRoot({ ...superchain, lattices: [...LATTICES, LATTICES[1]] })).toThrow(twice('lattices[1]', 'lattices[3]'))
    expect(() => hexRoot({ ...superchain, lattices: [...LATTICES, ref] })).toThrow(twice('lattices[0]', 'lattices[3]'))
    expect(() => hexRoot({ ...superchain, organisms: [asOrganism] })).toThrow(twice('lattices[0]', 'organisms[0]'))
    expect(() => hexRoot({ ...superchain, organisms: [posing] })).toThrow(twice('organisms[0]', 'confluences[0]'))
    expect(() => hexRoot({ ...superchain, confluences: [INTENTS, { ...INTENTS }] })).toThrow(twice('confluences[0]', 'confluences[1]'))
    const issuer = Coalition.rootInputs({ ...superchain, ticketIssuer: ISSUER }).ticketIssuer as never
    expect(() => hexRoot({ ...superchain, organisms: [{ role: 'x', stableId: issuer }], ticketIssuer: ISSUER })).toThrow(
      twice('organisms[0]', 'ticketIssuer'),
    )
  })

  it('VOC-05 a module twice by name, even with another content', () => {
    const other = { ...MODULE('atlas'), content: filled<'ContentFingerprint'>(9) }
    expect(() => hexRoot({ ...superchain, confluences: [MODULE('atlas'), INTENTS, other] })).toThrow(
      twice('confluences[0]', 'confluences[2]'),
    )
    expect(hexRoot({ ...superchain, confluences: [LEDGER, { ...LEDGER, content: filled<'ContentFingerprint'>(9) }] })).toHaveLength(64)
  })

  it('CFG-14 a partial lattice, CFG-02 a bad name, VOC-04 a confluence of one', () => {
    const { relay: _relay, ...five } = LATTICES[0]
    expect(() => hexRoot({ ...superchain, lattices: [five as Lattice.LatticeConfig] })).toThrow(
      expect.objectContaining({ name: 'Lattice.PartialError' }),
    )
    expect(() => hexRoot({ ...superchain, name: 'a|b' })).toThrow(expect.objectContaining({ name: 'Identity.NameError' }))
    expect(() => hexRoot({ ...superchain, confluences: [{ ...INTENTS, lattices: refs.slice(0, 1) }] })).toThrow(
      expect.objectContaining({ name: 'Confluence.SpanError' }),
    )
  })

  it('HVY-01 HVY-02 HVY-03 HVY-04 HVY-05 COA-01 COA-15 no field constrains a citizen, and none is a signature', () => {
    expectTypeOf<keyof Coalition.CoalitionConfig>().toEqualTypeOf<'name' | 'lattices' | 'organisms' | 'confluences' | 'ticketIssuer'>()
    // @ts-expect-error heavy-coalition: a policy is no field
    const heavy: Coalition.CoalitionConfig = { ...superchain, policy: { minimumBond: 1n } }
    expect(hexRoot(heavy)).toBe(hexRoot(superchain))
  })

  it('THR-18 the types accept ROOT nowhere a citizen, an ACL or a network is asked for', () => {
    const root: CoalitionRoot = Coalition.root(superchain)
    // @ts-expect-error no stable id
    const citizen: Lattice.LatticeRef = { stableId: root }
    // @ts-expect-error no ACL
    const acl: TicketIssuerConfig = { ...ISSUER, acl: root }
    // @ts-expect-error no network
    const network: Organism.OrganismName = { name: 'x', network: root }
    expect([citizen.stableId, acl.acl, network.network]).toEqual([root, root, root])
  })
})

describe('published coalitions', () => {
  const hex = (value: unknown): unknown => (value instanceof Uint8Array ? hexOf(value) : typeof value === 'bigint' ? String(value) : value)
  const published = JSON.parse(
    JSON.stringify({ ...superchain, confluences: [INTENTS, MODULE('atlas')], ticketIssuer: ISSUER }, (_, value) => hex(value)),
  )

  it('CFG-18 CFG-17 from fetched JSON and from a compiled module: equal ids, unknown fields kept and folded nowhere', () => {
    const compiled = { ...superchain, confluences: [INTENTS, MODULE('atlas')], ticketIssuer: ISSUER }
    const fetched = Coalition.parseConfig({
      ...published,
      pinning: 'all',
      lattices: [{ stableId: hex(refs[0]?.stableId), note: 1 }, ...published.lattices.slice(1)],
    })
    expect(hexRoot(fetched)).toBe(hexRoot(compiled))
    expect(fetched).toMatchObject({ pinning: 'all' })
    expect(fetched.lattices[0]).toMatchObject({ note: 1 })
    expect(Coalition.atlas(fetched)?.name).toBe('atlas')
    expect(hexRoot(structuredClone(fetched))).toBe(hexRoot(compiled))
    expect(hexRoot(Coalition.parseConfig({ name: 'empty' }))).toBe(hexRoot({ name: 'empty', lattices: [], organisms: [], confluences: [] }))
    expect(Coalition.parseConfig({ name: 'x', ticketIssuer: null }).ticketIssuer).toBeUndefined()
  })

  it('CFG-17 known fields are checked strictly, and the error names the path', () => {
    const refused: readonly (readonly [object, string])[] = [
      [{ name: undefined }, '$.name'],
      [{ lattices: {} }, '$.lattices'],
      [{ lattices: [published.lattices[0], { ...published.lattices[1], chainId: -1 }] }, '$.lattices[1].chainId'],
      [{ lattices: [{ ...published.lattices[0], tally: { content: 'x', acl: 'y' } }] }, '$.lattices[0].tally.content'],
      [{ organisms: [{ role: 'oracle', stableId: '00' }] }, '$.organisms[0].stableId'],
      [{ confluences: [{ ...published.confluences[0], lattices: [{ stableId: 1 }] }] }, '$.confluences[0].lattices[0].stableId'],
      [{ confluences: ['intents'] }, '$.confluences[0]'],
      [{ ticketIssuer: { name: 'x', keys: ['00'], acl: '00' } }, '$.ticketIssuer.keys[0]'],
      [{ ticketIssuer: { name: 'x', keys: [], acl: '00' } }, '$.ticketIssuer.acl'],
      [{ ticketIssuer: 'x' }, '$.ticketIssuer'],
    ]
    for (const [change, path] of refused)
      expect(() => Coalition.parseConfig({ ...published, ...change }), path).toThrow(
        expect.objectContaining({ name: 'Config.ParseError', path }),
      )
  })
})
