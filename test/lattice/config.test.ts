import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Lattice from '../../client/lattice/config.ts'
import { struct, u32 } from '../../client/primitives/codec.ts'
import { type Folded, fingerprints, schema } from '../../client/primitives/fingerprint.ts'
import { citizenId } from '../../client/primitives/id.ts'
import { exactly, filled, hexOf, idOf, members, type Vector, vectors } from '../vectors/identity.ts'

const folded = (content: number, acl: number): Folded => ({
  content: filled<'ContentFingerprint'>(content),
  acl: filled<'AclFingerprint'>(acl),
})
const six = (entry: (place: number) => Folded) =>
  Object.fromEntries(Lattice.ORGANISMS.map((organism, i) => [organism, entry(i)])) as Record<Lattice.OrganismName, Folded>
const mainnet: Lattice.LatticeConfig = { name: 'ethereum.mainnet', chainId: 1n, ...six((i) => folded(i, 0x80 + i)) }

const fromVector = (vector: Vector): Lattice.LatticeConfig => ({
  name: String(vector.instanceName),
  chainId: BigInt(vector.chainId as number),
  ...six(() => ({ content: idOf(vector.withContentFingerprint), acl: idOf(vector.withAclFingerprint) })),
})

describe('lattice ids', () => {
  it('IDN-11 IDN-12 IDN-14 IDN-35 GAP-06 GAP-20 every vector', () => {
    const keys = [
      'instanceName',
      'chainId',
      'stableId',
      'citizenId',
      'roots',
      'withContentFingerprint',
      'withAclFingerprint',
      'committees',
      'latticeId',
    ]
    for (const vector of members(vectors, 'lattices')) {
      exactly(vector, keys)
      const lattice = fromVector(vector)
      expect(hexOf(Lattice.stableId(lattice))).toBe(vector.stableId)
      expect(hexOf(citizenId(Lattice.stableId(lattice)))).toBe(vector.citizenId)
      expect(hexOf(Lattice.contentHash(lattice))).toBe(vector.latticeId)
      const roots = vector.roots as Vector
      const committees = vector.committees as Vector
      exactly(roots, [...Lattice.ORGANISMS, 'tally_surface_refunds'])
      exactly(committees, Lattice.ORGANISMS)
      for (const organism of Lattice.ORGANISMS) {
        expect(hexOf(Lattice.root(lattice, organism))).toBe(roots[organism])
        expect(hexOf(Lattice.committee(lattice, organism))).toBe(committees[organism])
      }
      expect(hexOf(Lattice.surface(lattice, 'tally', 'refunds'))).toBe(roots.tally_surface_refunds)
    }
  })

  it('IDN-14 IDN-26 rotation of one organism moves its committee and the content hash, not the stable id nor a sibling', () => {
    for (const organism of Lattice.ORGANISMS)
      for (const rotated of [folded(0x40, 0x80 + Lattice.ORGANISMS.indexOf(organism)), folded(Lattice.ORGANISMS.indexOf(organism), 0x40)]) {
        const next = { ...mainnet, [organism]: rotated }
        expect(Lattice.stableId(next)).toEqual(Lattice.stableId(mainnet))
        expect(Lattice.contentHash(next)).not.toEqual(Lattice.contentHash(mainnet))
        for (const other of Lattice.ORGANISMS)
          expect(hexOf(Lattice.committee(next, other)) === hexOf(Lattice.committee(mainnet, other)), `${organism} ${other}`).toBe(
            other !== organism,
          )
      }
  })

  it('IDN-35 IDN-36 every field moves the content hash; the two ids differ', () => {
    const all = [
      mainnet,
      { ...mainnet, name: 'ethereum.mainnet-v2' },
      { ...mainnet, chainId: 2n },
      { ...mainnet, zipnet: mainnet.unseal, unseal: mainnet.zipnet },
    ]
    expect(new Set(all.map((lattice) => hexOf(Lattice.contentHash(lattice)))).size).toBe(all.length)
    expect(hexOf(Lattice.contentHash(mainnet))).not.toBe(hexOf(Lattice.stableId(mainnet)))
  })

  it('IDN-15 IDN-18 IDN-19 IDN-38 LAT-13 other name, chain or parameters: all committees disjoint', () => {
    const name = fc.stringMatching(/^[a-z.]{1,20}$/)
    fc.assert(
      fc.property(
        name,
        name,
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (a, b, one, two) => {
          fc.pre(a !== b && one !== two)
          const lattices = [
            { ...mainnet, name: a, chainId: one },
            { ...mainnet, name: b, chainId: one },
            { ...mainnet, name: a, chainId: two },
            { ...mainnet, ...six((i) => folded(0x20 + i, i)), name: a, chainId: one },
          ]
          const groups = lattices.flatMap((lattice) => Lattice.ORGANISMS.map((organism) => hexOf(Lattice.committee(lattice, organism))))
          expect(new Set(groups).size).toBe(groups.length)
        },
      ),
    )
  })

  it('IDN-11 name and chain cannot run into each other', () => {
    const ids = [
      { name: 'a', chainId: 11n },
      { name: 'a1', chainId: 1n },
      { name: 'a,chain=1', chainId: 1n },
    ].map((lattice) => hexOf(Lattice.stableId(lattice)))
    expect(new Set(ids).size).toBe(3)
    expect(() => Lattice.stableId({ name: 'a|chain=1', chainId: 1n })).toThrow(
      expect.objectContaining({ name: 'Identity.NameError', offset: 1 }),
    )
  })

  it('CFG-12 the chain id is a u64', () => {
    for (const chainId of [-1n, 2n ** 64n, 1 as unknown as bigint, '1' as unknown as bigint])
      expect(() => Lattice.stableId({ name: 'a', chainId })).toThrow(expect.objectContaining({ name: 'Lattice.ChainIdError' }))
    expect(Lattice.stableId({ name: 'a', chainId: 2n ** 64n - 1n })).toHaveLength(32)
  })

  it('IDN-37 an organism given by its values has the ids of its fingerprints; a new machine signature moves its group', () => {
    const codec = struct('Content', { signature: u32 })
    const shape = { content: schema('tally content@1', codec), acl: schema('tally acl@1', struct('Acl', {})) }
    const tally = (signature: number) => ({ content: { signature }, acl: {} })
    const given = { ...mainnet, tally: tally(1) }
    const prints = { ...mainnet, tally: fingerprints(tally(1), shape) }
    expect(Lattice.committee(given, 'tally', { tally: shape })).toEqual(Lattice.committee(prints, 'tally'))
    expect(Lattice.contentHash(given, { tally: shape })).toEqual(Lattice.contentHash(prints))
    expect(Lattice.organismConfig(mainnet, 'tally', tally(1), shape)).toEqual(Lattice.config(prints, 'tally'))
    expect(Lattice.committee({ ...given, tally: tally(2) }, 'tally', { tally: shape })).not.toEqual(Lattice.committee(prints, 'tally'))
    expect(() => Lattice.committee(given, 'tally')).toThrow(expect.objectContaining({ name: 'Identity.FoldError' }))
  })
})

describe('six or none', () => {
  it('VOC-03 CFG-14 a partial lattice is refused, in the types and at run time', () => {
    for (const organism of Lattice.ORGANISMS) {
      const { [organism]: _left, ...five } = mainnet
      const partial = five as Lattice.LatticeConfig
      const refusal = expect.objectContaining({ name: 'Lattice.PartialError', missing: [organism] })
      expect(() => Lattice.contentHash(partial)).toThrow(refusal)
      expect(() => Lattice.reference(partial)).toThrow(refusal)
      for (const asked of Lattice.ORGANISMS) expect(() => Lattice.committee(partial, asked)).toThrow(refusal)
    }
    const { tally: _tally, ...five } = mainnet
    // @ts-expect-error five organisms are no lattice
    expect(() => Lattice.checkLattice(five)).toThrow()
    // @ts-expect-error and there is no seventh
    expect(() => Lattice.committee(mainnet, 'sorter')).toThrow()
    expect(Lattice.ORGANISMS).toHaveLength(6)
  })

  it('CIT-01 CIT-03 a reference holds the stable id, and the content hash only when pinned', () => {
    expect(Lattice.reference(mainnet)).toEqual({ stableId: Lattice.stableId(mainnet) })
    expect(Lattice.reference(mainnet, { pin: true })).toEqual({
      stableId: Lattice.stableId(mainnet),
      contentHash: Lattice.contentHash(mainnet),
    })
  })
})

describe('published lattices', () => {
  const hex = (value: unknown): unknown => (value instanceof Uint8Array ? hexOf(value) : value)
  const published = {
    name: 'ethereum.mainnet',
    chainId: 1,
    ...Object.fromEntries(Lattice.ORGANISMS.map((o) => [o, { content: hex(mainnet[o].content), acl: hex(mainnet[o].acl), mrtds: [o] }])),
    bootstrap: ['/dns4/a.example/tcp/443'],
  }
  const fetched = (change: object): unknown => JSON.parse(JSON.stringify({ ...published, ...change }))

  it('CFG-18 from fetched JSON and from a compiled module: equal ids', () => {
    for (const chainId of [1, '1']) {
      const lattice = Lattice.parseConfig(fetched({ chainId }))
      expect(Lattice.stableId(lattice)).toEqual(Lattice.stableId(mainnet))
      expect(Lattice.contentHash(lattice)).toEqual(Lattice.contentHash(mainnet))
    }
  })

  it('CFG-17 unknown fields stay and fold nowhere', () => {
    const lattice = Lattice.parseConfig(fetched({ tomorrow: { fee: 1 } })) as unknown as {
      tomorrow: unknown
      bootstrap: unknown
      tally: { mrtds: unknown }
    } & Lattice.LatticeConfig
    expect(lattice.tomorrow).toEqual({ fee: 1 })
    expect(lattice.bootstrap).toEqual(published.bootstrap)
    expect(lattice.tally.mrtds).toEqual(['tally'])
    expect(Lattice.contentHash(lattice)).toEqual(Lattice.contentHash(mainnet))
  })

  it('a config is plain data: a structured clone of it has the same ids', () => {
    expect(Lattice.contentHash(structuredClone(mainnet))).toEqual(Lattice.contentHash(mainnet))
    expect(Lattice.contentHash(structuredClone(Lattice.parseConfig(fetched({}))))).toEqual(Lattice.contentHash(mainnet))
  })

  it('CFG-17 known fields are checked, and the error names the path', () => {
    const at = (path: string) => expect.objectContaining({ name: 'Config.ParseError', path })
    const refused: readonly (readonly [object, string])[] = [
      [{ name: 7 }, '$.name'],
      [{ name: 'a|b' }, '$.name'],
      [{ name: null }, '$.name'],
      [{ chainId: 1.5 }, '$.chainId'],
      [{ chainId: '0x1' }, '$.chainId'],
      [{ chainId: undefined }, '$.chainId'],
      [{ relay: { content: '00', acl: '00' } }, '$.relay.content'],
      [{ relay: { content: 'ab'.repeat(32) } }, '$.relay.acl'],
      [{ tally: [] }, '$.tally'],
    ]
    for (const [change, path] of refused) expect(() => Lattice.parseConfig(fetched(change)), path).toThrow(at(path))
    expect(() => Lattice.parseConfig(fetched({ relay: undefined }))).toThrow(
      expect.objectContaining({ name: 'Lattice.PartialError', missing: ['relay'] }),
    )
    expect(() => Lattice.parseConfig([])).toThrow(at('$'))
    expect(() => Lattice.parseConfig(null, '$.lattices[2]')).toThrow(at('$.lattices[2]'))
  })
})
