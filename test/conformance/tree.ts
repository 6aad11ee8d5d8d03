// docs/wire.md, section 4, "Tree": roots by recursive split, proofs by recursion over the same split.

import { fixed, list, type Of, Refused, struct, u64 } from './bcs.ts'
import { at, type Bytes, H, same } from './hash.ts'

export const TreeProof = struct({ size: u64, position: u64, path: list(fixed(32), 64) })
export type TreeProof = Of<typeof TreeProof>

export const RangeProof = struct({ size: u64, from: u64, to: u64, left: list(fixed(32), 64), right: list(fixed(32), 126) })
export type RangeProof = Of<typeof RangeProof>

const ZERO = Uint8Array.of(0)
const ONE = Uint8Array.of(1)

type Hash = typeof H

export const leafOf = (item: Bytes): Bytes => H(ZERO, item)
const node = (left: Bytes, right: Bytes, hash: Hash = H): Bytes => hash(ONE, left, right)
export const EMPTY_TREE: Bytes = H('')

/** The largest power of two below n, for n > 1. */
function split(n: bigint): bigint {
  let k = 1n
  while (k * 2n < n) k *= 2n
  return k
}

/** Another hash is for the test only: the known answers of RFC 9162's shape are over SHA-256. */
export function treeRoot(items: Bytes[], hash: Hash = H): Bytes {
  if (items.length === 0) return hash('')
  if (items.length === 1) return hash(ZERO, at(items, 0))
  const k = Number(split(BigInt(items.length)))
  return node(treeRoot(items.slice(0, k), hash), treeRoot(items.slice(k), hash), hash)
}

/** The audit path of one item, from the leaf up. */
function auditPath(items: Bytes[], position: number): Bytes[] {
  if (items.length === 1) return []
  const k = Number(split(BigInt(items.length)))
  return position < k
    ? [...auditPath(items.slice(0, k), position), treeRoot(items.slice(k))]
    : [...auditPath(items.slice(k), position - k), treeRoot(items.slice(0, k))]
}

export function proveItem(items: Bytes[], position: number): TreeProof {
  if (position < 0 || position >= items.length) throw new Error('no such item')
  return { size: BigInt(items.length), position: BigInt(position), path: auditPath(items, position) }
}

function foldPath(leaf: Bytes, size: bigint, position: bigint, path: Bytes[]): Bytes {
  if (size === 1n) {
    if (path.length > 0) throw new Refused('path-length', `${path.length} hashes too many`)
    return leaf
  }
  const sibling = path[path.length - 1]
  if (sibling === undefined) throw new Refused('path-length', 'too short')
  const below = path.slice(0, -1)
  const k = split(size)
  return position < k ? node(foldPath(leaf, k, position, below), sibling) : node(sibling, foldPath(leaf, size - k, position - k, below))
}

/** The root that a leaf and its proof give, if the form of the proof is right. */
export function foldTree(leaf: Bytes, proof: TreeProof): Bytes {
  if (proof.position >= proof.size) throw new Refused('position', `${proof.position} of ${proof.size}`)
  return foldPath(leaf, proof.size, proof.position, proof.path)
}

/** `size` is the one that the reader knows (a surface's, or the index of the header whose log it is), never the proof's own. */
export function checkItem(root: Bytes, size: bigint, position: bigint, item: Bytes, proof: TreeProof): void {
  if (proof.size !== size) throw new Refused('size', `${proof.size}, not ${size}`)
  if (proof.position !== position) throw new Refused('position', `${proof.position}, not ${position}`)
  if (!same(foldTree(leafOf(item), proof), root)) throw new Refused('root', 'the fold is another root')
}

// --- ranges

export interface Tile {
  from: bigint
  to: bigint
}

/** cover(p, end), by the text: always the largest 2^k that divides p and does not pass end. */
export function cover(p: bigint, end: bigint): Tile[] {
  const tiles: Tile[] = []
  let here = p
  while (here < end) {
    let width = 1n
    while (here % (width * 2n) === 0n && here + width * 2n <= end) width *= 2n
    tiles.push({ from: here, to: here + width })
    here += width
  }
  return tiles
}

const tileHash = (items: Bytes[], tile: Tile): Bytes => treeRoot(items.slice(Number(tile.from), Number(tile.to)))

export function proveRange(items: Bytes[], from: number, to: number): RangeProof {
  const size = BigInt(items.length)
  return {
    size,
    from: BigInt(from),
    to: BigInt(to),
    left: cover(0n, BigInt(from)).map((tile) => tileHash(items, tile)),
    right: cover(BigInt(to), size).map((tile) => tileHash(items, tile)),
  }
}

const nameOf = (from: bigint, to: bigint): string => `${from}..${to}`

function foldTiles(tiles: Map<string, Bytes>, from: bigint, to: bigint): Bytes {
  const tile = tiles.get(nameOf(from, to))
  if (tile !== undefined) return tile
  if (to - from < 2n) throw new Error('the tiles do not cover the tree')
  const middle = from + split(to - from)
  return node(foldTiles(tiles, from, middle), foldTiles(tiles, middle, to))
}

function tilesOf(proof: RangeProof, leaves: Bytes[]): Map<string, Bytes> {
  const { size, from, to } = proof
  if (from > to || to > size) throw new Refused('range', `${from}..${to} of ${size}`)
  const left = cover(0n, from)
  const right = cover(to, size)
  if (left.length !== proof.left.length) throw new Refused('left-length', `${proof.left.length}, not ${left.length}`)
  if (right.length !== proof.right.length) throw new Refused('right-length', `${proof.right.length}, not ${right.length}`)
  if (BigInt(leaves.length) !== to - from) throw new Refused('item-count', `${leaves.length}, not ${to - from}`)
  const tiles = new Map<string, Bytes>()
  for (const [i, tile] of left.entries()) tiles.set(nameOf(tile.from, tile.to), at(proof.left, i))
  for (const [i, leaf] of leaves.entries()) tiles.set(nameOf(from + BigInt(i), from + BigInt(i) + 1n), leaf)
  for (const [i, tile] of right.entries()) tiles.set(nameOf(tile.from, tile.to), at(proof.right, i))
  return tiles
}

export function foldRange(leaves: Bytes[], proof: RangeProof): Bytes {
  const tiles = tilesOf(proof, leaves)
  return proof.size === 0n ? EMPTY_TREE : foldTiles(tiles, 0n, proof.size)
}

export function checkRange(root: Bytes, size: bigint, items: Bytes[], proof: RangeProof): void {
  if (proof.size !== size) throw new Refused('size', `${proof.size}, not ${size}`)
  if (!same(foldRange(items.map(leafOf), proof), root)) throw new Refused('root', 'the fold is another root')
}

/** The right edge after items were appended: the tree before is known by its own right edge only. */
export function appendToEdge(edge: RangeProof, items: Bytes[]): { root: Bytes; edge: RangeProof } {
  const size = edge.size + BigInt(items.length)
  const grown: RangeProof = { size, from: edge.size, to: size, left: edge.left, right: [] }
  const tiles = tilesOf(grown, items.map(leafOf))
  const left = cover(0n, size).map((tile) => foldTiles(tiles, tile.from, tile.to))
  return {
    root: size === 0n ? EMPTY_TREE : foldTiles(tiles, 0n, size),
    edge: { size, from: size, to: size, left, right: [] },
  }
}
