import { hash, hashChain } from '../../wasm/core.ts'
import { CoalitionError } from '../error.ts'
import { type Bytes, compare, equal, toHex } from '../primitives/bytes.ts'
import { bytes, type Codec, fixed, refine, struct, u16, unit, variant, vector } from '../primitives/codec.ts'

/** One entry as the map commits to it: `pathOf` its key and `valueHash` of its value, 32 bytes each. */
export interface MapLeaf {
  readonly path: Bytes
  readonly value: Bytes
}

/** Where the asked path ends: at no entry, at one, or, for a prefix, at the node of all entries below it. */
export type End =
  | { readonly kind: 'empty'; readonly value: null }
  | { readonly kind: 'leaf'; readonly value: MapLeaf }
  | { readonly kind: 'subtree'; readonly value: readonly MapLeaf[] }

/** Siblings of the asked path from the root down to `depth`, the empty ones left out, and what stands there (wire.md section 4). */
export interface MapProof {
  readonly depth: number
  readonly present: Bytes
  readonly siblings: readonly Bytes[]
  readonly end: End
}

/** A subtree of more leaves is not proven: the asker takes a longer prefix. */
export const MAX_SUBTREE = 1024

const HASH = /* @__PURE__ */ fixed(32)

export const MapLeaf: Codec<MapLeaf> = /* @__PURE__ */ struct('MapLeaf', { path: HASH, value: HASH })

export const End: Codec<End> = /* @__PURE__ */ variant('End', {
  empty: [0, unit],
  leaf: [1, MapLeaf],
  subtree: [2, /* @__PURE__ */ vector(MapLeaf, MAX_SUBTREE, 2)],
})

export const MapProof: Codec<MapProof> = /* @__PURE__ */ struct('MapProof', {
  depth: /* @__PURE__ */ refine(u16, 'depth', (depth) => (depth > 256 ? 'a path has 256 bits' : null)),
  present: /* @__PURE__ */ bytes(32),
  siblings: /* @__PURE__ */ vector(HASH, 256),
  end: End,
})

// Each kind of node hashes under a byte of its own (wire.md section 4, "Map"): without it a value could be written that hashes like a node.
const LEAF = /* @__PURE__ */ Uint8Array.of(0x02)
const BRANCH = /* @__PURE__ */ Uint8Array.of(0x03)
const KEY = /* @__PURE__ */ Uint8Array.of(0x04)
const VALUE = /* @__PURE__ */ Uint8Array.of(0x05)

/** The node of no entries: 32 zeros, the root of the empty map. Read only. */
export const EMPTY_NODE: Bytes = /* @__PURE__ */ new Uint8Array(32)

/** An entry's place in the map, from its key in canonical encoding. Hashed, so that nobody can pick keys that make the map deep. */
export const pathOf = (canonicalKey: Bytes): Bytes => hash(KEY, canonicalKey)

/** What the map commits to for a value in canonical encoding. */
export const valueHash = (canonicalValue: Bytes): Bytes => hash(VALUE, canonicalValue)

/** The node of exactly one entry: the same at every depth, so it does not move when its neighbours come and go. */
export const leafNode = ({ path, value }: MapLeaf): Bytes => hash(LEAF, path, value)

/** The node of two entries or more. */
export const branchNode = (left: Bytes, right: Bytes): Bytes => hash(BRANCH, left, right)

/** Bit `depth` of a path, most significant bit of byte 0 first: `depth` levels below the root it decides the step down, 0 to the left. */
export const bitOf = (path: Bytes, depth: number): number => ((path[depth >> 3] as number) >> (7 - (depth & 7))) & 1

/** Whether two paths agree on their first `bits` bits. */
export const agree = (a: Bytes, b: Bytes, bits: number): boolean => {
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false
  const rest = bits & 7
  return rest === 0 || ((a[whole] as number) ^ (b[whole] as number)) >> (8 - rest) === 0
}

/**
 * The first place in [from, to) whose path has a 1 at `depth`; `to` when none has. The paths ascend and agree on the bits before, so
 * those with a 0 come first.
 */
export const splitAt = (sorted: readonly MapLeaf[], from: number, to: number, depth: number): number => {
  let low = from
  let high = to
  while (low < high) {
    const middle = (low + high) >>> 1
    if (bitOf((sorted[middle] as MapLeaf).path, depth) === 1) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * The leaves under the first `bits` bits of `path` in the map of `root`, ascending by path and complete: none was left out. With 256 bits:
 * the one leaf of that path, or none, and then the key is proven absent.
 *
 * @param bits 0 … 256; what `path` says past them is not looked at
 * @throws MapError
 */
export const verifyMap = (root: Bytes, bits: number, path: Bytes, proof: MapProof): readonly MapLeaf[] => {
  expectQuestion(bits, path)
  const { depth, end } = proof
  if (!Number.isInteger(depth) || depth < 0 || depth > bits) throw new MapError('depth', `at most ${bits}`, `${depth}`)
  if (end.kind === 'subtree' && depth !== bits) throw new MapError('depth', `${bits}, where a subtree may end`, `${depth}`)
  const leaves = expectLeaves(proof, path)
  const siblings = expectSiblings(proof)
  // The asked path decides the sides, never the proof: a proof of another place folds into another root.
  const isLeft = siblings.map((_, level) => bitOf(path, level) === 1).reverse()
  const node = hashChain({ prefix: BRANCH, start: nodeOf(leaves, 0, leaves.length, depth), items: siblings.toReversed(), isLeft })
  if (!equal(node, root)) throw new MapError('root', toHex(root), toHex(node))
  return leaves.filter((leaf) => agree(leaf.path, path, bits))
}

/** @throws MapError unless `bits` is 0 … 256 and `path` 32 bytes */
export const expectQuestion = (bits: number, path: Bytes): void => {
  if (!Number.isInteger(bits) || bits < 0 || bits > 256) throw new MapError('bits', '0 … 256', `${bits}`)
  if (path.length !== 32) throw new MapError('path', '32 bytes', `${path.length} bytes`)
}

// The leaves of `end`, each of them where the proof says it is. Without the check on `depth` bits an honest leaf from elsewhere in the map
// could be shown as the neighbour that proves an absence.
const expectLeaves = ({ depth, end }: MapProof, path: Bytes): readonly MapLeaf[] => {
  if (end.kind === 'empty') return []
  const leaves = end.kind === 'leaf' ? [end.value] : end.value
  if (end.kind === 'subtree' && (leaves.length < 2 || leaves.length > MAX_SUBTREE)) {
    throw new MapError('end', `2 … ${MAX_SUBTREE} leaves`, `${leaves.length} leaves`)
  }
  for (const [i, leaf] of leaves.entries()) {
    if (leaf.path.length !== 32 || leaf.value.length !== 32) throw new MapError(`end[${i}]`, '32 bytes and 32 bytes', 'other lengths')
    if (!agree(leaf.path, path, depth)) throw new MapError(`end[${i}]`, `the asked path's first ${depth} bits`, toHex(leaf.path))
    const before = leaves[i - 1]
    if (before !== undefined && compare(before.path, leaf.path) >= 0) throw new MapError(`end[${i}]`, 'ascending paths', toHex(leaf.path))
  }
  return leaves
}

// One sibling for each level. A level without one has the empty node, and only so: 32 zeros in the list would be a second encoding.
const expectSiblings = ({ depth, present, siblings }: MapProof): readonly Bytes[] => {
  // Length and unused bits are fixed, or one proof would have many encodings and a cache or a signature over it would not hold.
  const size = Math.ceil(depth / 8)
  if (present.length !== size) throw new MapError('present', `${size} bytes`, `${present.length} bytes`)
  const last = present[size - 1] ?? 0
  if (depth % 8 !== 0 && last >> (depth % 8) !== 0) throw new MapError('present', `no bit past ${depth}`, toHex(present))
  const levels: Bytes[] = []
  let next = 0
  for (let level = 0; level < depth; level++) {
    const isPresent = ((present[level >> 3] as number) >> (level & 7)) & 1
    levels.push(isPresent === 1 ? expectSibling(siblings, next++) : EMPTY_NODE)
  }
  if (next !== siblings.length) throw new MapError('siblings', `${next} hashes`, `${siblings.length} hashes`)
  return levels
}

const expectSibling = (siblings: readonly Bytes[], i: number): Bytes => {
  const sibling = siblings[i]
  if (sibling === undefined) throw new MapError('siblings', 'one for each bit of present', `${siblings.length} hashes`)
  if (sibling.length !== 32) throw new MapError(`siblings[${i}]`, '32 bytes', `${sibling.length} bytes`)
  if (equal(sibling, EMPTY_NODE)) throw new MapError(`siblings[${i}]`, 'a node with entries', '32 zeros')
  return sibling
}

// Strictly ascending paths of 32 bytes part within 256 bits, so the recursion ends there.
const nodeOf = (leaves: readonly MapLeaf[], from: number, to: number, depth: number): Bytes => {
  if (from === to) return EMPTY_NODE
  if (to - from === 1) return leafNode(leaves[from] as MapLeaf)
  const middle = splitAt(leaves, from, to, depth)
  return branchNode(nodeOf(leaves, from, middle, depth + 1), nodeOf(leaves, middle, to, depth + 1))
}

/** A map proof that does not hold, or a map asked for what it cannot prove: `path` is the part that fails. */
export class MapError extends CoalitionError {
  declare readonly path: string
  declare readonly expected: string
  declare readonly found: string

  constructor(path: string, expected: string, found: string) {
    super('Proof.MapError', `map proof: ${path} should be ${expected}, is ${found}`, { path, expected, found })
  }
}
