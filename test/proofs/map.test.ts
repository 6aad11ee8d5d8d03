import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bytes, u64le } from '../../client/primitives/bytes.ts'
import { decode } from '../../client/primitives/codec.ts'
import {
  emptyMap,
  fromEntries,
  get,
  insert,
  leavesUnder,
  type MapEntry,
  type MapTree,
  prove,
  rootOf,
  size,
} from '../../client/proofs/map.ts'
import { MapError, MapProof, pathOf, valueHash, verifyMap } from '../../client/proofs/map-proof.ts'
import { mapRoot, nth, type Pair, refuses, under } from './reference.ts'

const ENTRIES: readonly MapEntry<number>[] = Array.from({ length: 600 }, (_, i) => ({
  path: pathOf(u64le(BigInt(i))),
  value: valueHash(u64le(BigInt(i * i))),
  data: i,
}))

// Paths that share most of their bits, which hashes do not: they make the long one-sided branches.
const close = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 255 }))
  .map(([a, b, c]) => {
    const path = new Uint8Array(32)
    path[0] = a << 6
    path[17] = 1 << b
    path[31] = c
    return path
  })
const spread = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes))
const entriesOf = (path: fc.Arbitrary<Bytes>) =>
  fc.uniqueArray(fc.record({ path, value: spread, data: fc.nat() }), { maxLength: 24, selector: ({ path: own }) => own.join() })
const some = fc.oneof(entriesOf(close), entriesOf(spread))

const grown = <D>(entries: readonly MapEntry<D>[], from: MapTree<D> = emptyMap): MapTree<D> =>
  entries.reduce((map, { path, value, data }) => insert(map, path, value, data), from)

const bare = (entries: readonly Pair[]) => entries.map(({ path, value }) => ({ path, value }))

describe('a map’s root', () => {
  it('MSK-03 depends on the set of entries alone: any order, one by one or in bulk, gives the recursive definition', () => {
    fc.assert(
      fc.property(some, fc.infiniteStream(fc.nat()), (entries, keys) => {
        const root = mapRoot(entries)
        const shuffled = entries.map((entry) => ({ entry, key: keys.next().value })).sort((a, b) => a.key - b.key)
        expect(rootOf(grown(entries))).toEqual(root)
        expect(rootOf(grown(shuffled.map(({ entry }) => entry)))).toEqual(root)
        expect(rootOf(fromEntries(entries))).toEqual(root)
        expect(size(fromEntries(entries))).toBe(entries.length)
      }),
    )
  })

  it('follows a replaced value and forgets the old one', () => {
    fc.assert(
      fc.property(some, spread, fc.nat(), (first, value, every) => {
        const second = first.filter((_, i) => i % 3 !== every % 3).map(({ path }, data) => ({ path, value, data }))
        const map = grown(second, grown(first))
        const latest = new Map([...first, ...second].map((entry) => [entry.path.join(), entry]))
        expect(latest.size).toBe(first.length)
        expect(rootOf(map)).toEqual(mapRoot([...latest.values()]))
        expect(size(map)).toBe(latest.size)
        for (const entry of latest.values()) expect(get(map, entry.path)).toEqual(entry)
      }),
    )
  })

  it('of no entries is 32 zeros', () => {
    expect(rootOf(emptyMap)).toEqual(new Uint8Array(32))
    expect(rootOf(fromEntries([]))).toEqual(new Uint8Array(32))
  })

  it('does not change under the holder of an older map', () => {
    const before = grown(ENTRIES.slice(0, 50))
    const unhashed = grown(ENTRIES.slice(50, 60), before)
    expect(rootOf(grown(ENTRIES.slice(60, 90), unhashed))).toEqual(mapRoot(ENTRIES.slice(0, 90)))
    expect(rootOf(before)).toEqual(mapRoot(ENTRIES.slice(0, 50)))
    expect(rootOf(unhashed)).toEqual(mapRoot(ENTRIES.slice(0, 60)))
    expect(get(before, nth(ENTRIES, 55).path)).toBe(null)
  })

  it('refuses one path twice in a bulk, and paths of another length', () => {
    const [entry] = [nth(ENTRIES, 0)]
    expect(() => fromEntries([entry, nth(ENTRIES, 1), { ...entry, data: 9 }])).toThrow(MapError)
    expect(() => fromEntries([{ ...entry, path: entry.path.slice(1) }])).toThrow(MapError)
    expect(() => insert(emptyMap, entry.path.slice(1), entry.value, 0)).toThrow(MapError)
  })
})

describe('leaves under a prefix', () => {
  it('come complete, in path order, with their data', () => {
    fc.assert(
      fc.property(some, spread, fc.integer({ min: 0, max: 256 }), (entries, path, bits) => {
        const map = fromEntries(entries)
        for (const asked of [path, ...entries.map((entry) => entry.path)]) {
          expect(leavesUnder(map, bits, asked, 24)).toEqual(under(entries, bits, asked))
        }
      }),
    )
  })

  it('are refused and not cut when there are more than the limit', () => {
    const map = fromEntries(ENTRIES)
    expect(leavesUnder(map, 0, new Uint8Array(32), 600)).toHaveLength(600)
    expect(() => leavesUnder(map, 0, new Uint8Array(32), 599)).toThrow(MapError)
  })
})

describe('a map’s proof', () => {
  it('GAP-18 shows a key that is there, and that another is not', () => {
    fc.assert(
      fc.property(some, spread, close, (entries, far, near) => {
        const map = fromEntries(entries)
        for (const { path, value } of entries) expect(verifyMap(rootOf(map), 256, path, prove(map, 256, path))).toEqual([{ path, value }])
        for (const path of [far, near]) {
          expect(verifyMap(rootOf(map), 256, path, prove(map, 256, path))).toEqual(bare(under(entries, 256, path)))
        }
      }),
    )
  })

  it('GAP-18 shows all leaves under a prefix of any length, none left out', () => {
    const entries = ENTRIES.slice(0, 70)
    const map = fromEntries(entries)
    const root = rootOf(map)
    for (let bits = 0; bits <= 256; bits++) {
      for (const path of [nth(entries, 0).path, nth(entries, 31).path, nth(ENTRIES, 500).path, new Uint8Array(32)]) {
        const proof = prove(map, bits, path)
        expect(proof.depth).toBeLessThanOrEqual(bits)
        expect(verifyMap(root, bits, path, proof)).toEqual(bare(under(entries, bits, path)))
      }
    }
  })

  it('shows prefixes among paths that share nearly all of their bits', () => {
    fc.assert(
      fc.property(entriesOf(close), close, fc.integer({ min: 0, max: 256 }), (entries, path, bits) => {
        const map = grown(entries)
        expect(verifyMap(rootOf(map), bits, path, prove(map, bits, path))).toEqual(bare(under(entries, bits, path)))
      }),
    )
  })

  it('shows 1,024 leaves and not one more', () => {
    const many = Array.from({ length: 1025 }, (_, i) => ({ path: pathOf(u64le(BigInt(i))), value: valueHash(u64le(0n)), data: null }))
    const path = new Uint8Array(32)
    const full = fromEntries(many.slice(1))
    expect(verifyMap(rootOf(full), 0, path, prove(full, 0, path))).toHaveLength(1024)
    const over = fromEntries(many)
    expect(() => prove(over, 0, path)).toThrow(MapError)
    expect(verifyMap(rootOf(over), 4, path, prove(over, 4, path))).toEqual(bare(under(many, 4, path)))
  })

  it('refuses a question that is none', () => {
    const map = fromEntries(ENTRIES)
    const path = new Uint8Array(32)
    const proof = prove(map, 256, path)
    for (const bits of [-1, 257, 1.5, Number.NaN]) {
      expect(() => prove(map, bits, path)).toThrow(MapError)
      expect(() => verifyMap(rootOf(map), bits, path, proof)).toThrow(MapError)
      expect(() => leavesUnder(map, bits, path, 10)).toThrow(MapError)
    }
    expect(() => prove(map, 8, path.slice(1))).toThrow(MapError)
    expect(() => verifyMap(rootOf(map), 256, path.slice(1), proof)).toThrow(MapError)
  })
})

describe('the codec of proofs', () => {
  const refusedBytes = (bytes: readonly number[], path: string) =>
    refuses(['Codec.DecodeError'], () => decode(MapProof, new Uint8Array(bytes)), { path })

  it('refuses a depth past the path’s bits and a subtree of fewer than two leaves', () => {
    expect(decode(MapProof, new Uint8Array([0, 1, 0, 0, 0]))).toEqual({
      depth: 256,
      present: new Uint8Array(0),
      siblings: [],
      end: { kind: 'empty', value: null },
    })
    refusedBytes([1, 1, 0, 0, 0], 'MapProof.depth')
    refusedBytes([0, 0, 0, 0, 2, 0], 'MapProof.end.subtree')
    refusedBytes([0, 0, 0, 0, 2, 1, ...new Uint8Array(64)], 'MapProof.end.subtree')
    refusedBytes([0, 0, 0, 0, 3], 'MapProof.end')
  })
})
