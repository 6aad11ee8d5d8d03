import { describe, expect, it } from 'vitest'
import { type Bytes, compare, u64le } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { fromEntries, prove, rootOf } from '../../client/proofs/map.ts'
import { branchNode, type End, leafNode, type MapLeaf, MapProof, pathOf, valueHash, verifyMap } from '../../client/proofs/map-proof.ts'
import { flips, nth, refuses, under } from './reference.ts'

// Proofs as somebody would make them who wants to be believed: each is one step away from an honest one, or honest under a root of its own.

const ENTRIES = Array.from({ length: 200 }, (_, i) => ({ path: pathOf(u64le(BigInt(i))), value: valueHash(u64le(BigInt(i))), data: null }))
const MAP = fromEntries(ENTRIES)
const ROOT = rootOf(MAP)
const THERE = nth(ENTRIES, 7).path
const ABSENT = pathOf(u64le(9_999n))
const ZEROS = new Uint8Array(32)
const BITS = 5

const refused = (bits: number, path: Bytes, proof: MapProof, fact?: string, root = ROOT) =>
  refuses(['Proof.MapError'], () => verifyMap(root, bits, path, proof), fact === undefined ? {} : { path: fact })

const bucket = prove(MAP, BITS, THERE)
const leavesOf = (end: End): readonly MapLeaf[] => (end.kind === 'subtree' ? end.value : [])
const withLeaves = (leaves: readonly MapLeaf[]): MapProof => ({ ...bucket, end: { kind: 'subtree', value: leaves } })

describe('a changed map proof', () => {
  it('GAP-18 is refused with any one byte changed: presence, absence, prefix', () => {
    for (const [bits, path] of [
      [256, THERE],
      [256, ABSENT],
      [BITS, THERE],
      [8, ABSENT],
    ] as const) {
      const encoded = encode(MapProof, prove(MAP, bits, path))
      verifyMap(ROOT, bits, path, decode(MapProof, encoded))
      for (const changed of flips(encoded)) {
        refuses(['Proof.MapError', 'Codec.DecodeError'], () => verifyMap(ROOT, bits, path, decode(MapProof, changed)))
      }
    }
  })

  it('proves nothing of another root, path or value', () => {
    const proof = prove(MAP, 256, THERE)
    refused(256, THERE, proof, 'root', rootOf(fromEntries(ENTRIES.slice(1))))
    refused(256, THERE, { ...proof, end: { kind: 'leaf', value: { path: THERE, value: ABSENT } } }, 'root')
    refused(256, ABSENT, proof)
  })
})

describe('siblings', () => {
  const proof = prove(MAP, 256, THERE)

  it('are as many as the bitmap says', () => {
    refused(256, THERE, { ...proof, siblings: [...proof.siblings, ABSENT] }, 'siblings')
    refused(256, THERE, { ...proof, siblings: proof.siblings.slice(1) }, 'siblings')
    refused(256, THERE, { ...proof, siblings: [] }, 'siblings')
  })

  it('are never 32 zeros: that node is said by the bitmap', () => {
    const [a, b] = [new Uint8Array(32), new Uint8Array(32)]
    b[31] = 1
    const map = fromEntries([a, b].map((path) => ({ path, value: ABSENT, data: null })))
    const deep = prove(map, 256, a)
    expect(deep).toMatchObject({ depth: 256, siblings: [leafNode({ path: b, value: ABSENT })] })
    verifyMap(rootOf(map), 256, a, deep)
    // The same fold with the first empty level spelled out.
    const spelled = { ...deep, present: deep.present.with(0, 1), siblings: [ZEROS, ...deep.siblings] }
    refused(256, a, spelled, 'siblings[0]', rootOf(map))
  })

  it('stand where the path says, not where they would fit', () => {
    const [left, right] = [
      { path: new Uint8Array(32), value: ABSENT },
      { path: new Uint8Array(32).fill(255), value: THERE },
    ]
    const root = branchNode(leafNode(left), leafNode(right))
    const at: MapProof = { depth: 1, present: Uint8Array.of(1), siblings: [leafNode(right)], end: { kind: 'leaf', value: left } }
    expect(verifyMap(root, 256, left.path, at)).toEqual([left])
    refused(256, left.path, at, 'root', branchNode(leafNode(right), leafNode(left)))
    refused(256, right.path, at, 'end[0]', root)
  })

  it('are 32 bytes each', () => {
    refused(256, THERE, { ...proof, siblings: proof.siblings.with(0, nth(proof.siblings, 0).slice(1)) }, 'siblings[0]')
  })
})

describe('depth and bitmap', () => {
  const proof = prove(MAP, 256, THERE)

  it('agree in length, and no bit stands past the depth', () => {
    refused(256, THERE, { ...proof, present: new Uint8Array([...proof.present, 0]) }, 'present')
    refused(256, THERE, { ...proof, present: proof.present.slice(0, -1) }, 'present')
    expect(proof.depth % 8).not.toBe(0)
    const past = proof.present.with(-1, nth([...proof.present], -1) | 0x80)
    refused(256, THERE, { ...proof, present: past, siblings: [...proof.siblings, ABSENT] }, 'present')
    refused(256, THERE, { ...proof, present: past }, 'present')
  })

  it('stay within the bits asked for', () => {
    refused(BITS - 1, THERE, bucket, 'depth')
    for (const depth of [-1, 257, 0.5, Number.NaN]) refused(256, THERE, { ...proof, depth }, 'depth')
  })

  it('one empty level more makes another root', () => {
    refused(
      256,
      THERE,
      { ...proof, depth: proof.depth + 1, present: new Uint8Array([...proof.present, 0]).slice(0, Math.ceil((proof.depth + 1) / 8)) },
      'root',
    )
  })
})

describe('a subtree', () => {
  const leaves = leavesOf(bucket.end)

  it('is the whole bucket', () => {
    expect(leaves.length).toBeGreaterThan(3)
    expect(verifyMap(ROOT, BITS, THERE, bucket)).toEqual(under(ENTRIES, BITS, THERE).map(({ path, value }) => ({ path, value })))
    refused(BITS, THERE, withLeaves(leaves.slice(1)), 'root')
    refused(BITS, THERE, withLeaves(leaves.slice(0, -1)), 'root')
  })

  it('has its leaves in order, each once', () => {
    refused(BITS, THERE, withLeaves(leaves.toReversed()), 'end[1]')
    refused(BITS, THERE, withLeaves([nth(leaves, 0), ...leaves]), 'end[1]')
    refused(BITS, THERE, withLeaves([...leaves, nth(leaves, -1)]), `end[${leaves.length}]`)
  })

  it('has no leaf of another prefix', () => {
    const foreign = ENTRIES.find(
      ({ path }) => compare(path, nth(leaves, -1).path) > 0 && under([{ path, value: path }], BITS, THERE).length === 0,
    )
    expect(foreign).toBeDefined()
    if (foreign !== undefined) refused(BITS, THERE, withLeaves([...leaves, foreign]), `end[${leaves.length}]`)
  })

  it('has two leaves or more: one is a leaf, none is empty', () => {
    refused(BITS, THERE, withLeaves(leaves.slice(0, 1)), 'end')
    refused(BITS, THERE, withLeaves([]), 'end')
  })

  it('has 1,024 leaves at most', () => {
    const many = Array.from({ length: 1025 }, (_, i) => ({ path: pathOf(u64le(BigInt(i))), value: ABSENT, data: null }))
    const all = many.toSorted((a, b) => compare(a.path, b.path))
    const proof: MapProof = { depth: 0, present: new Uint8Array(0), siblings: [], end: { kind: 'subtree', value: all } }
    refused(0, THERE, proof, 'end', rootOf(fromEntries(many)))
  })

  it('stands at the depth asked for and nowhere above', () => {
    const higher = prove(MAP, BITS - 1, THERE)
    refused(BITS, THERE, higher, 'depth')
    refused(256, THERE, higher, 'depth')
  })

  it('has leaves of 32 and 32 bytes', () => {
    const [first, ...rest] = leaves
    const path = first?.path ?? ZEROS
    // Cut elsewhere the two still hash as they did.
    const [short, long] = [path.slice(0, 31), new Uint8Array([...path.slice(31), ...(first?.value ?? ZEROS)])]
    refused(BITS, THERE, withLeaves([{ path: short, value: long }, ...rest]), 'end[0]')
    refused(BITS, THERE, withLeaves([{ path: short, value: THERE }, ...rest]), 'end[0]')
    refused(BITS, THERE, withLeaves([{ path, value: THERE.slice(1) }, ...rest]), 'end[0]')
  })
})

describe('absence', () => {
  it('is not shown by a leaf from elsewhere in the map', () => {
    const proof = prove(MAP, 256, ABSENT)
    const elsewhere = ENTRIES.find(({ path }) => (nth([...path], 0) ^ nth([...ABSENT], 0)) >= 0x80)
    expect(proof.depth).toBeGreaterThan(1)
    if (elsewhere !== undefined) refused(256, ABSENT, { ...proof, end: { kind: 'leaf', value: elsewhere } }, 'end[0]')
  })

  it('is not shown by an empty place in a node’s stead', () => {
    const proof = prove(MAP, 256, THERE)
    refused(256, THERE, { ...proof, end: { kind: 'empty', value: null } }, 'root')
    const empty: MapProof = { depth: 0, present: new Uint8Array(0), siblings: [], end: { kind: 'empty', value: null } }
    refused(256, THERE, empty, 'root')
    expect(verifyMap(ZEROS, 256, THERE, empty)).toEqual([])
  })

  it('is shown by the one other leaf on the way, and that leaf is not taken for an answer', () => {
    const single = fromEntries([nth(ENTRIES, 0)])
    const proof = prove(single, 256, ABSENT)
    expect(proof.end.kind).toBe('leaf')
    expect(verifyMap(rootOf(single), 256, ABSENT, proof)).toEqual([])
    expect(verifyMap(rootOf(single), 0, ABSENT, prove(single, 0, ABSENT))).toHaveLength(1)
  })
})
