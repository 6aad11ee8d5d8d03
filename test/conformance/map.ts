// docs/wire.md, section 4, "Map": roots by recursive partition of the entry set, proofs for one key or a prefix of paths.

import { atMost, bytes, fixed, list, type Of, Refused, struct, u16, unit, variant } from './bcs.ts'
import { at, type Bytes, bit, bitmap, compare, H, same, ZERO32 } from './hash.ts'

export const MapLeaf = struct({ path: fixed(32), value: fixed(32) })
export type MapLeaf = Of<typeof MapLeaf>

export const End = variant({ empty: [0, unit], leaf: [1, MapLeaf], subtree: [2, list(MapLeaf, 1_024, 2)] })
export type End = Of<typeof End>

export const MapProof = struct({ depth: atMost(u16, 256), present: bytes(32), siblings: list(fixed(32), 256), end: End })
export type MapProof = Of<typeof MapProof>

const TWO = Uint8Array.of(2)
const THREE = Uint8Array.of(3)

/** The path of a key, and the value's hash, both from canonical bytes. */
export const pathOf = (key: Bytes): Bytes => H(Uint8Array.of(4), key)
export const valueHash = (value: Bytes): Bytes => H(Uint8Array.of(5), value)

/** canonical(key) and canonical(value). */
export interface Entry {
  key: Bytes
  value: Bytes
}
export const leavesOf = (entries: Entry[]): MapLeaf[] => entries.map(({ key, value }) => ({ path: pathOf(key), value: valueHash(value) }))

/** A path is read from the most significant bit of byte 0: the other order than in `present`. */
export const pathBit = (path: Bytes, d: number): boolean => Math.floor(at([...path], Math.floor(d / 8)) / 2 ** (7 - (d % 8))) % 2 === 1

export function agrees(a: Bytes, b: Bytes, bits: number): boolean {
  for (let d = 0; d < bits; d++) if (pathBit(a, d) !== pathBit(b, d)) return false
  return true
}

/** "the path's bits past it are zero" */
export function cutPath(path: Bytes, bits: number): Bytes {
  let kept = 0
  return path.map((byte) => {
    const take = Math.max(0, Math.min(8, bits - kept))
    kept += 8
    return byte - (byte % 2 ** (8 - take))
  })
}

/** The node of these leaves, which agree on their first `depth` bits. */
export function mapNode(leaves: MapLeaf[], depth: number): Bytes {
  if (leaves.length === 0) return ZERO32
  if (leaves.length === 1) {
    const leaf = at(leaves, 0)
    return H(TWO, leaf.path, leaf.value)
  }
  if (depth === 256) throw new Error('two leaves of one path')
  const left = leaves.filter((leaf) => !pathBit(leaf.path, depth))
  const right = leaves.filter((leaf) => pathBit(leaf.path, depth))
  return H(THREE, mapNode(left, depth + 1), mapNode(right, depth + 1))
}

export const mapRoot = (leaves: MapLeaf[]): Bytes => mapNode(leaves, 0)

/** The proof for the first `bits` bits of `path`; 256 bits are one key. */
export function proveMap(leaves: MapLeaf[], path: Bytes, bits: number): MapProof {
  let here = leaves
  const levels: Bytes[] = []
  while (here.length > 1 && levels.length < bits) {
    const depth = levels.length
    const side = pathBit(path, depth)
    const other = here.filter((leaf) => pathBit(leaf.path, depth) !== side)
    levels.push(mapNode(other, depth + 1))
    here = here.filter((leaf) => pathBit(leaf.path, depth) === side)
  }
  const present = levels.map((sibling, d) => ({ sibling, d })).filter(({ sibling }) => !same(sibling, ZERO32))
  const sorted = [...here].sort((a, b) => compare(a.path, b.path))
  return {
    depth: levels.length,
    present: bitmap(
      present.map(({ d }) => d),
      levels.length,
    ),
    siblings: present.map(({ sibling }) => sibling),
    end:
      sorted.length === 0
        ? { is: 'empty', value: null }
        : sorted.length === 1
          ? { is: 'leaf', value: at(sorted, 0) }
          : { is: 'subtree', value: sorted },
  }
}

const endLeaves = (end: End): MapLeaf[] => (end.is === 'empty' ? [] : end.is === 'leaf' ? [end.value] : end.value)

/** Everything that the page asks of a proof before it is folded. */
export function checkMapForm(path: Bytes, bits: number, proof: MapProof): void {
  const { depth, present, siblings, end } = proof
  if (depth > bits) throw new Refused('depth', `${depth} > ${bits}`)
  if (present.length !== Math.ceil(depth / 8)) throw new Refused('present-length', `${present.length} bytes for ${depth} levels`)
  let count = 0
  for (let i = 0; i < 8 * present.length; i++) {
    if (!bit(present, i)) continue
    if (i >= depth) throw new Refused('present-extra', `bit ${i} of ${depth} levels`)
    count++
  }
  if (siblings.length !== count) throw new Refused('sibling-count', `${siblings.length} for ${count} bits`)
  if (siblings.some((sibling) => same(sibling, ZERO32))) throw new Refused('sibling-zero', 'a listed sibling of 32 zeros')
  if (end.is === 'subtree') {
    // "a subtree only at depth = bits" stands under prefixes; for one key the page allows an empty end or a leaf.
    if (bits === 256 || depth !== bits) throw new Refused('subtree', `at depth ${depth} of ${bits} bits`)
    for (const [i, leaf] of end.value.entries()) {
      const before = end.value[i - 1]
      if (before !== undefined && compare(before.path, leaf.path) >= 0) throw new Refused('subtree-order', `leaf ${i}`)
    }
  }
  for (const leaf of endLeaves(end)) if (!agrees(leaf.path, path, depth)) throw new Refused('end-path', 'a leaf off the asked path')
}

export function foldMap(path: Bytes, bits: number, proof: MapProof): Bytes {
  checkMapForm(path, bits, proof)
  let hash = mapNode(endLeaves(proof.end), proof.depth)
  let next = proof.siblings.length
  for (let d = proof.depth - 1; d >= 0; d--) {
    const sibling = bit(proof.present, d) ? at(proof.siblings, --next) : ZERO32
    hash = pathBit(path, d) ? H(THREE, sibling, hash) : H(THREE, hash, sibling)
  }
  return hash
}

/** The leaves that a proof shows under the first `bits` bits of `path`: all of them. */
export function checkMap(root: Bytes, path: Bytes, bits: number, proof: MapProof): MapLeaf[] {
  if (!same(foldMap(path, bits, proof), root)) throw new Refused('root', 'the fold is another root')
  return endLeaves(proof.end).filter((leaf) => agrees(leaf.path, path, bits))
}
