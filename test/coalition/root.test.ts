import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { coalitionName, moduleId, type RootInputs, rootOf, ticketsId } from '../../client/coalition/root.ts'
import { MODULES } from '../../client/confluences/config.ts'
import { committeeOf, id, type StableId } from '../../client/primitives/id.ts'
import { exactly, filled, hexOf, idOf, idOrNone, members, type Vector, vectors } from '../vectors/identity.ts'

const list = <K extends string>(value: unknown) => (value as string[]).map((hex) => idOf<K>(hex))
const inputsOf = (vector: Vector): RootInputs => ({
  name: String(vector.name),
  lattices: list(vector.lattices),
  organisms: list(vector.organisms),
  confluences: list(vector.confluences),
  ticketIssuer: idOrNone<'IssuerFingerprint'>(vector.ticketIssuer) ?? null,
})
const hexRoot = (inputs: RootInputs): string => hexOf(rootOf(inputs))

describe('ROOT and what derives from it', () => {
  it('IDN-02 IDN-08 IDN-23 IDN-24 TIX-01 GAP-03 GAP-04 GAP-05 every vector', () => {
    const keys = ['name', 'lattices', 'organisms', 'confluences', 'ticketIssuer', 'coalition', 'coalitionRoot', 'modules', 'tickets']
    for (const vector of members(vectors, 'coalitions')) {
      exactly(vector, keys)
      const root = rootOf(inputsOf(vector))
      expect(hexOf(coalitionName(String(vector.name)))).toBe(vector.coalition)
      expect(hexOf(root)).toBe(vector.coalitionRoot)
      expect(hexOf(ticketsId(root))).toBe(vector.tickets)
      const modules = vector.modules as Vector
      exactly(
        modules,
        MODULES.flatMap((name) => [name, `${name}_committee`]),
      )
      for (const name of MODULES) {
        expect(hexOf(moduleId(root, name))).toBe(modules[name])
        expect(hexOf(committeeOf(moduleId(root, name)))).toBe(modules[`${name}_committee`])
      }
    }
  })

  it('GAP-01 every collision vector: four layouts, one root', () => {
    const layouts: Readonly<Record<string, (a: string, b: string, c: string) => Omit<RootInputs, 'name'>>> = {
      'lattices=[a,b] organisms=[c]': (a, b, c) => ({
        lattices: [idOf(a), idOf(b)],
        organisms: [idOf(c)],
        confluences: [],
        ticketIssuer: null,
      }),
      'lattices=[a] organisms=[b,c]': (a, b, c) => ({
        lattices: [idOf(a)],
        organisms: [idOf(b), idOf(c)],
        confluences: [],
        ticketIssuer: null,
      }),
      'organisms=[a,b] confluences=[c]': (a, b, c) => ({
        lattices: [],
        organisms: [idOf(a), idOf(b)],
        confluences: [idOf(c)],
        ticketIssuer: null,
      }),
      'lattices=[a,b] ticketIssuer=c': (a, b, c) => ({
        lattices: [idOf(a), idOf(b)],
        organisms: [],
        confluences: [],
        ticketIssuer: idOf(c),
      }),
    }
    const seen = new Set<string>()
    for (const vector of members(vectors, 'collisions')) {
      exactly(vector, ['layout', 'a', 'b', 'c', 'name', 'coalitionRoot'])
      for (const letter of ['a', 'b', 'c']) expect(hexOf(id(letter))).toBe(vector[letter])
      const layout = layouts[String(vector.layout)]
      expect(layout, String(vector.layout)).toBeDefined()
      const inputs = layout?.(String(vector.a), String(vector.b), String(vector.c))
      expect(hexRoot({ name: String(vector.name), ...(inputs as Omit<RootInputs, 'name'>) })).toBe(vector.coalitionRoot)
      seen.add(String(vector.layout))
    }
    expect(seen.size).toBe(Object.keys(layouts).length)
  })

  it('IDN-04 IDN-05 IDN-06 IDN-09 a permutation of any list is another root; the same order is the same', () => {
    const bytes = fc.uniqueArray(fc.integer({ min: 1, max: 250 }), { minLength: 2, maxLength: 8 })
    const which = fc.constantFrom('lattices' as const, 'organisms' as const, 'confluences' as const)
    const shuffled = bytes.chain((order) => fc.tuple(fc.constant(order), fc.shuffledSubarray(order, { minLength: order.length })))
    fc.assert(
      fc.property(which, shuffled, (key, [order, permuted]) => {
        const empty: RootInputs = { name: 'x', lattices: [], organisms: [], confluences: [], ticketIssuer: null }
        const of = (each: readonly number[]) => hexRoot({ ...empty, [key]: each.map((byte) => filled(byte)) })
        expect(of(permuted) === of(order)).toBe(permuted.every((byte, i) => byte === order[i]))
      }),
      { numRuns: 500 },
    )
  })

  it('IDN-07 TIX-07 an absent issuer adds no byte, a present one 32', () => {
    const inputs: RootInputs = { name: 'x', lattices: [filled(1)], organisms: [], confluences: [], ticketIssuer: null }
    const issued = hexRoot({ ...inputs, ticketIssuer: filled(2) })
    expect(issued).not.toBe(hexRoot(inputs))
    expect(issued).toBe(hexRoot({ ...inputs, lattices: [filled(1), filled(2)] }))
    expect(issued).not.toBe(hexRoot({ ...inputs, ticketIssuer: filled(0) }))
  })

  it('IDN-32 same members, other name: other root and other modules', () => {
    const inputs: RootInputs = { name: 'x', lattices: [filled(1)], organisms: [], confluences: [], ticketIssuer: null }
    const [one, other] = [rootOf(inputs), rootOf({ ...inputs, name: 'y' })]
    expect(one).not.toEqual(other)
    for (const name of MODULES) expect(moduleId(one, name)).not.toEqual(moduleId(other, name))
  })

  it('an id of another length is refused, not folded', () => {
    const short = new Uint8Array(31) as StableId
    expect(() => rootOf({ name: 'x', lattices: [short], organisms: [], confluences: [], ticketIssuer: null })).toThrow(/32 bytes/)
  })

  it('IDN-03 another schema version moves every coalition id', async () => {
    vi.resetModules()
    vi.doMock('../../client/primitives/schema.ts', () => ({ SCHEMA_VERSION: 2 }))
    const next = await import('../../client/coalition/root.ts')
    vi.doUnmock('../../client/primitives/schema.ts')
    for (const vector of members(vectors, 'coalitions')) {
      expect(hexOf(next.coalitionName(String(vector.name)))).not.toBe(vector.coalition)
      expect(hexOf(next.rootOf(inputsOf(vector)))).not.toBe(vector.coalitionRoot)
    }
  })
})
