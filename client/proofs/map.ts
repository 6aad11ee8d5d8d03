import { type Bytes, compare, equal } from '../primitives/bytes.ts'
import {
  agree,
  bitOf,
  branchNode,
  EMPTY_NODE,
  type End,
  expectQuestion,
  leafNode,
  MAX_SUBTREE,
  MapError,
  type MapLeaf,
  type MapProof,
  splitAt,
} from './map-proof.ts'

/** A leaf with what its owner keeps beside it: the value itself, a run's positions, or `null`. `data` is not committed to. */
export interface MapEntry<D> extends MapLeaf {
  readonly data: D
}

/**
 * An immutable map. A change makes a new one that shares all nodes off the changed path, so each unfinalised branch of the log holds its
 * own at the cost of its own changes.
 */
export interface MapTree<D> {
  readonly top: Node<D> | null
}

// `hash` is filled in when a root is asked for: of a thousand inserts in a block only the last version of a shared parent is ever hashed.
interface Leaf<D> {
  readonly entry: MapEntry<D>
  hash: Bytes | null
}

// Both kinds have an `entry` so that they are told apart by one field read.
interface Branch<D> {
  readonly entry: null
  readonly left: Node<D> | null
  readonly right: Node<D> | null
  // Kept, so that a bucket too large for a proof is refused without a walk over it.
  readonly count: number
  hash: Bytes | null
}

type Node<D> = Leaf<D> | Branch<D>

export const emptyMap: MapTree<never> = { top: null }

/** The map with this entry; one of the same path is replaced. `path` and `value` are hashes: see `pathOf` and `valueHash`. */
export const insert = <D>(map: MapTree<D>, path: Bytes, value: Bytes, data: D): MapTree<D> => {
  expectQuestion(256, path)
  return { top: put(map.top, { entry: { path, value, data }, hash: null }, 0) }
}

/**
 * A map of many entries at once, in any order: one pass over the sorted paths instead of a walk for each.
 *
 * @throws MapError for a path that stands there twice: which value was meant is not for us to guess
 */
export const fromEntries = <D>(entries: Iterable<MapEntry<D>>): MapTree<D> => {
  const sorted = [...entries].sort((a, b) => compare(a.path, b.path))
  for (const [i, entry] of sorted.entries()) {
    expectQuestion(256, entry.path)
    const before = sorted[i - 1]
    if (before !== undefined && equal(before.path, entry.path)) throw new MapError('entries', 'distinct paths', 'one path twice')
  }
  return { top: build(sorted, 0, sorted.length, 0) }
}

/** The map's root: it depends on the set of entries alone, not on the order they came in. */
export const rootOf = <D>(map: MapTree<D>): Bytes => hashOf(map.top)

/** How many entries it holds. */
export const size = <D>(map: MapTree<D>): number => countOf(map.top)

export const get = <D>(map: MapTree<D>, path: Bytes): MapEntry<D> | null => {
  const { node } = descend(map.top, 256, path)
  return node?.entry != null && equal(node.entry.path, path) ? node.entry : null
}

/**
 * All entries under the first `bits` bits of `path`, ascending by path.
 *
 * @throws MapError when there are more than `limit`: a cut list would look like a complete one
 */
export const leavesUnder = <D>(map: MapTree<D>, bits: number, path: Bytes, limit: number): readonly MapEntry<D>[] => {
  expectQuestion(bits, path)
  const { node } = descend(map.top, bits, path)
  if (countOf(node) > limit) throw new MapError('leaves', `at most ${limit}`, `${countOf(node)}`)
  const found: MapEntry<D>[] = []
  collect(node, found)
  return found.filter((entry) => agree(entry.path, path, bits))
}

/**
 * The proof of everything under the first `bits` bits of `path`; 256 bits ask for one key (wire.md section 4, "MapProof").
 *
 * @throws MapError when there are more than 1,024 entries: ask for a longer prefix
 */
export const prove = <D>(map: MapTree<D>, bits: number, path: Bytes): MapProof => {
  expectQuestion(bits, path)
  const { node, siblings } = descend(map.top, bits, path)
  const depth = siblings.length
  const present = new Uint8Array(Math.ceil(depth / 8))
  for (const [level, sibling] of siblings.entries()) {
    if (sibling !== null) present[level >> 3] = (present[level >> 3] as number) | (1 << (level & 7))
  }
  return { depth, present, siblings: siblings.filter((sibling) => sibling !== null).map(hashOf), end: endOf(node) }
}

// A leaf counts as the end wherever it stands: its node is the same at every depth.
const endOf = <D>(node: Node<D> | null): End => {
  if (node === null) return { kind: 'empty', value: null }
  if (node.entry !== null) return { kind: 'leaf', value: { path: node.entry.path, value: node.entry.value } }
  if (node.count > MAX_SUBTREE) throw new MapError('subtree', `at most ${MAX_SUBTREE} leaves`, `${node.count}`)
  const leaves: MapEntry<D>[] = []
  collect(node, leaves)
  return { kind: 'subtree', value: leaves.map(({ path, value }) => ({ path, value })) }
}

// Down the path until `bits` are spent or fewer than two entries are left, with the sibling of each step.
const descend = <D>(top: Node<D> | null, bits: number, path: Bytes) => {
  const siblings: (Node<D> | null)[] = []
  let node = top
  while (node !== null && node.entry === null && siblings.length < bits) {
    const isLeft = bitOf(path, siblings.length) === 0
    siblings.push(isLeft ? node.right : node.left)
    node = isLeft ? node.left : node.right
  }
  return { node, siblings }
}

// In path order: left is the lower bit.
const collect = <D>(node: Node<D> | null, into: MapEntry<D>[]): void => {
  if (node === null) return
  if (node.entry !== null) {
    into.push(node.entry)
    return
  }
  collect(node.left, into)
  collect(node.right, into)
}

// Copies the branches on the way and nothing else; their hashes are left open until a root is asked for.
const put = <D>(node: Node<D> | null, leaf: Leaf<D>, depth: number): Node<D> => {
  if (node === null) return leaf
  if (node.entry !== null) return equal(node.entry.path, leaf.entry.path) ? leaf : join(node, leaf, depth)
  return bitOf(leaf.entry.path, depth) === 0
    ? branch(put(node.left, leaf, depth + 1), node.right)
    : branch(node.left, put(node.right, leaf, depth + 1))
}

// Two leaves of different paths under one node: branches with one empty side down to the bit where they part.
const join = <D>(a: Leaf<D>, b: Leaf<D>, depth: number): Branch<D> => {
  const side = bitOf(a.entry.path, depth)
  if (side !== bitOf(b.entry.path, depth)) return side === 0 ? branch(a, b) : branch(b, a)
  const below = join(a, b, depth + 1)
  return side === 0 ? branch(below, null) : branch(null, below)
}

// The paths ascend, so each branch takes two neighbouring stretches: no entry is moved, and none walked to twice.
const build = <D>(sorted: readonly MapEntry<D>[], from: number, to: number, depth: number): Node<D> | null => {
  if (from === to) return null
  if (to - from === 1) return { entry: sorted[from] as MapEntry<D>, hash: null }
  const middle = splitAt(sorted, from, to, depth)
  return branch(build(sorted, from, middle, depth + 1), build(sorted, middle, to, depth + 1))
}

const branch = <D>(left: Node<D> | null, right: Node<D> | null): Branch<D> => ({
  entry: null,
  left,
  right,
  count: countOf(left) + countOf(right),
  hash: null,
})

const countOf = <D>(node: Node<D> | null): number => {
  if (node === null) return 0
  return node.entry !== null ? 1 : node.count
}

// At most 256 deep, as the paths are. A node that has its hash is not entered, so the cost is that of what changed.
const hashOf = <D>(node: Node<D> | null): Bytes => {
  if (node === null) return EMPTY_NODE
  if (node.hash === null) node.hash = node.entry !== null ? leafNode(node.entry) : branchNode(hashOf(node.left), hashOf(node.right))
  return node.hash
}
