import fc from 'fast-check'
import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import * as Confluence from '../../client/confluences/config.ts'
import * as Lattice from '../../client/lattice/config.ts'
import type { CitizenRef, OrganismRef } from '../../client/organisms/reference.ts'
import * as Organism from '../../client/organisms/reference.ts'
import { struct, u32 } from '../../client/primitives/codec.ts'
import { schema } from '../../client/primitives/fingerprint.ts'
import { exactly, filled, hexOf, idOf, idOrNone, members, type Vector, vectors } from '../vectors/identity.ts'

const reference = (vector: Vector): CitizenRef => {
  exactly(vector, ['stableId', 'contentHash'])
  return { stableId: idOf(vector.stableId), contentHash: idOrNone(vector.contentHash) }
}
const fromVector = (vector: Vector): Confluence.ConfluenceConfig => ({
  name: String(vector.name),
  lattices: (vector.lattices as Vector[]).map(reference),
  organisms: (vector.organisms as Vector[]).map((each) => ({ role: 'any', ...reference(each) })),
  content: idOf(vector.contentFingerprint),
  acl: idOf(vector.aclFingerprint),
})
const citizen = (byte: number, pin?: number): CitizenRef => ({
  stableId: filled(byte),
  ...(pin !== undefined && { contentHash: filled(pin) }),
})
const organism = (byte: number, pin?: number): OrganismRef => ({ role: 'any', ...citizen(byte, pin) })
const ledger: Confluence.ConfluenceConfig = {
  name: 'ledger',
  lattices: [citizen(1), citizen(2)],
  organisms: [organism(3)],
  content: filled(4),
  acl: filled(5),
}
const hexId = (confluence: Confluence.ConfluenceConfig): string => hexOf(Confluence.confluenceId(confluence))

describe('confluence ids', () => {
  it('IDN-20 IDN-22 IDN-34 CFG-08 CFG-09 GAP-09 every vector', () => {
    const keys = ['name', 'lattices', 'organisms', 'contentFingerprint', 'aclFingerprint', 'confluenceId', 'committee']
    for (const vector of members(vectors, 'confluences')) {
      exactly(vector, keys)
      expect(hexId(fromVector(vector))).toBe(vector.confluenceId)
      expect(hexOf(Confluence.committee(fromVector(vector)))).toBe(vector.committee)
    }
  })

  it('IDN-09 CNF-02 every order of references is an id of its own', () => {
    const lists = fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 2, maxLength: 6 })
    fc.assert(
      fc.property(lists, fc.nat(5), fc.nat(5), (bytes, from, to) => {
        const [i, j] = [from % bytes.length, to % bytes.length]
        const swapped = [...bytes]
        swapped[i] = bytes[j] as number
        swapped[j] = bytes[i] as number
        const of = (list: readonly number[]) => hexId({ ...ledger, lattices: list.map((byte) => citizen(byte)), organisms: [] })
        expect(of(swapped) === of(bytes)).toBe(i === j)
      }),
    )
  })

  it('CFG-10 CFG-11 CIT-03 CIT-05 every field, every pin and the list that a reference stands in moves the id', () => {
    const all: readonly Confluence.ConfluenceConfig[] = [
      ledger,
      { ...ledger, name: 'market' },
      { ...ledger, content: filled(6) },
      { ...ledger, acl: filled(6) },
      { ...ledger, content: ledger.acl as never, acl: ledger.content as never },
      { ...ledger, lattices: [citizen(1, 7), citizen(2)] },
      { ...ledger, lattices: [citizen(1, 8), citizen(2)] },
      { ...ledger, lattices: [citizen(1), citizen(2, 7)] },
      { ...ledger, organisms: [organism(3, 7)] },
      { ...ledger, lattices: [citizen(1)], organisms: [organism(2), organism(3)] },
      { ...ledger, lattices: [citizen(1), citizen(2), citizen(3)], organisms: [] },
    ]
    expect(new Set(all.map(hexId)).size).toBe(all.length)
  })

  it('CIT-04 CIT-05 IDN-29 an upstream rotation moves the confluence that pins it and no other; its retirement moves both', () => {
    const six = (acl: number) =>
      Object.fromEntries(Lattice.ORGANISMS.map((o) => [o, { content: filled(1), acl: filled(acl) }])) as Record<Lattice.OrganismName, never>
    const lattice = { name: 'base.mainnet', chainId: 8453n, ...six(2) }
    const rotated = { ...lattice, ...six(3) }
    const retired = { ...lattice, name: 'base.mainnet-v2' }
    const over = (of: Lattice.LatticeConfig, pin: boolean) => hexId({ ...ledger, lattices: [Lattice.reference(of, { pin })] })
    expect(over(rotated, false)).toBe(over(lattice, false))
    expect(over(rotated, true)).not.toBe(over(lattice, true))
    expect(over(retired, false)).not.toBe(over(lattice, false))
    expect(over(retired, true)).not.toBe(over(lattice, true))
  })

  it('CFG-10 values, parameters and fingerprint of one content are one id', () => {
    const shape = {
      content: schema('ledger content@1', struct('Content', { cadence: u32 })),
      acl: schema('ledger acl@1', struct('Acl', { n: u32 })),
    }
    const given = { ...ledger, content: { cadence: 1 }, acl: { n: 2 } }
    expect(hexOf(Confluence.confluenceId(given, shape))).not.toBe(
      hexOf(Confluence.confluenceId({ ...given, content: { cadence: 2 } }, shape)),
    )
    expect(() => Confluence.confluenceId(given)).toThrow(expect.objectContaining({ name: 'Identity.FoldError' }))
  })

  it('a role is folded nowhere', () => {
    expect(hexId({ ...ledger, organisms: [{ ...organism(3), role: 'other' }] })).toBe(hexId(ledger))
  })

  it('the surface derives from CONFLUENCE', () => {
    expect(Confluence.surface(ledger, 'refunds')).not.toEqual(Confluence.surface(ledger, 'attestations'))
  })

  it('IDN-03 another schema version moves every confluence id', async () => {
    vi.resetModules()
    vi.doMock('../../client/primitives/schema.ts', () => ({ SCHEMA_VERSION: 2 }))
    const next = await import('../../client/confluences/config.ts')
    vi.doUnmock('../../client/primitives/schema.ts')
    for (const vector of members(vectors, 'confluences')) expect(hexOf(next.confluenceId(fromVector(vector)))).not.toBe(vector.confluenceId)
  })
})

describe('the span', () => {
  const refusal = expect.objectContaining({ name: 'Confluence.SpanError' })

  it('VOC-04 CNF-02 fewer than two citizens are refused, except for a module', () => {
    for (const spans of [
      { lattices: [], organisms: [] },
      { lattices: [citizen(1)], organisms: [] },
      { lattices: [], organisms: [organism(1)] },
    ]) {
      expect(() => hexId({ ...ledger, ...spans })).toThrow(refusal)
      for (const name of Confluence.MODULES) expect(hexId({ ...ledger, ...spans, name })).toHaveLength(64)
    }
    expect(hexId({ ...ledger, lattices: [citizen(1)] })).toHaveLength(64)
  })

  it('CNF-02 one citizen twice is not two citizens, whatever list or pin', () => {
    expect(() => hexId({ ...ledger, lattices: [citizen(1), citizen(1)], organisms: [] })).toThrow(refusal)
    expect(() => hexId({ ...ledger, lattices: [citizen(1), citizen(1, 9)], organisms: [] })).toThrow(refusal)
    expect(() => hexId({ ...ledger, lattices: [citizen(1), citizen(2)], organisms: [organism(2)] })).toThrow(refusal)
    expect(() => hexId({ ...ledger, name: 'atlas', lattices: [citizen(1), citizen(1)], organisms: [] })).toThrow(refusal)
  })

  it('VOC-05 GAP-03 there are four modules', () => {
    expect(Confluence.MODULES).toEqual(['atlas', 'almanac', 'chronicle', 'compute'])
    expect(Confluence.isModule('compute')).toBe(true)
    expect(Confluence.isModule('Atlas')).toBe(false)
  })

  it('IDN-21 no field of a confluence names a coalition', () => {
    expectTypeOf<keyof Confluence.ConfluenceConfig>().toEqualTypeOf<'name' | 'lattices' | 'organisms' | 'content' | 'acl'>()
  })
})

describe('published confluences', () => {
  const hex = 'ab'.repeat(32)
  const published = {
    name: 'intents',
    lattices: [{ stableId: '01'.repeat(32) }, { stableId: '02'.repeat(32), contentHash: hex }],
    content: hex,
    acl: hex,
  }

  it('CFG-17 CFG-18 reads what an operator publishes', () => {
    const compiled: Confluence.ConfluenceConfig = {
      name: 'intents',
      lattices: [{ stableId: filled(1) }, { stableId: filled(2), contentHash: filled(0xab) }],
      organisms: [],
      content: filled(0xab),
      acl: filled(0xab),
    }
    const fetched = Confluence.parseConfig(JSON.parse(JSON.stringify({ ...published, notes: ['x'] })))
    expect(hexId(fetched)).toBe(hexId(compiled))
    expect(hexId(structuredClone(fetched))).toBe(hexId(compiled))
    expect(fetched).toMatchObject({ notes: ['x'] })
    expect(Organism.parseReference({ value: { role: 'r', stableId: hex }, path: '$' }).role).toBe('r')
  })

  it('CFG-17 names what it refuses', () => {
    const refused: readonly (readonly [object, string])[] = [
      [{ lattices: {} }, '$.lattices'],
      [{ lattices: [{}] }, '$.lattices[0].stableId'],
      [{ lattices: [published.lattices[0], { stableId: hex, contentHash: 'x' }] }, '$.lattices[1].contentHash'],
      [{ organisms: [{ stableId: hex }] }, '$.organisms[0].role'],
      [{ content: null }, '$.content'],
      [{ name: '' }, '$.name'],
    ]
    for (const [change, path] of refused)
      expect(() => Confluence.parseConfig({ ...published, ...change }), path).toThrow(
        expect.objectContaining({ name: 'Config.ParseError', path }),
      )
  })
})
