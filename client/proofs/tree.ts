import { hashPath } from '../../wasm/core.ts'
import { CoalitionError } from '../error.ts'
import { type Bytes, equal, toHex } from '../primitives/bytes.ts'
import { type Codec, fixed, struct, u64, vector } from '../primitives/codec.ts'
import { append, type Frontier, grow, rootOf } from './frontier.ts'

/** Audit path of one leaf, from the leaf up. The length follows from size and position (wire.md section 4). */
export interface TreeProof {
  readonly size: bigint
  readonly position: bigint
  readonly path: readonly Bytes[]
}

/** What stands left of `from` and right of `to − 1`: with the leaves between, the whole tree (wire.md section 4). */
export interface RangeProof {
  readonly size: bigint
  readonly from: bigint
  readonly to: bigint
  readonly left: readonly Bytes[]
  readonly right: readonly Bytes[]
}

const HASH = /* @__PURE__ */ fixed(32)
const HASHES = /* @__PURE__ */ vector(HASH, 64)
// A cover that starts anywhere goes up to the largest node and down again, each level at most once either way.
const UP_AND_DOWN = /* @__PURE__ */ vector(HASH, 126)

export const TreeProof: Codec<TreeProof> = /* @__PURE__ */ struct('TreeProof', { size: u64, position: u64, path: HASHES })

export const RangeProof: Codec<RangeProof> = /* @__PURE__ */ struct('RangeProof', {
  size: u64,
  from: u64,
  to: u64,
  left: HASHES,
  right: UP_AND_DOWN,
})

/** A complete node: 2^level leaves, the first of them at index · 2^level. */
export interface Place {
  readonly level: number
  readonly index: bigint
}

/**
 * The complete nodes that tile [from, end), left to right: each time the largest 2^k that divides the place reached and still fits.
 * Both sides compute it, so a proof carries hashes alone and nothing in it can claim another shape (wire.md section 4, `cover`).
 */
export const cover = (from: bigint, end: bigint): readonly Place[] => {
  const places: Place[] = []
  for (let at = from; at < end; ) {
    let level = 0
    for (let wide = 2n; (at & (wide - 1n)) === 0n && at + wide <= end; wide <<= 1n) level++
    places.push({ level, index: at >> BigInt(level) })
    at += 1n << BigInt(level)
  }
  return places
}

/**
 * A tree as a certified header has it: a surface is one; the log is `{ size: header.index, root: header.log }`. Root and size are asked
 * for together because a root alone fixes no positions: the path of leaf 4 of 5 folds like that of leaf 1 of 2.
 */
export interface TreeHead {
  readonly size: bigint
  readonly root: Bytes
}

/**
 * Holds when `leafHash` is the leaf at `proof.position` of the tree of `head`.
 *
 * @throws TreeError
 */
export const verifyItem = (head: TreeHead, proof: TreeProof, leafHash: Bytes): void => {
  const { size, position, path } = proof
  expectSize(head, size)
  if (position < 0n || position >= size) throw new TreeError('position', `below ${size}`, `${position}`)
  const sides = leftSides(size, position)
  expectCount('path', sides.length, path)
  expectHashes('leaf', [leafHash])
  expectHashes('path', path)
  expectRoot(head, hashPath(leafHash, path, sides))
}

/**
 * Holds when `leafHashes` are the leaves from … to−1, none missing, of the tree of `head`.
 *
 * @throws TreeError
 */
export const verifyRange = (head: TreeHead, proof: RangeProof, leafHashes: readonly Bytes[]): void => {
  const { size, from, to, left, right } = proof
  expectSize(head, size)
  if (from < 0n || from > to || to > size) throw new TreeError('range', `0 ≤ from ≤ to ≤ ${size}`, `${from} … ${to}`)
  const rest = cover(to, size)
  expectCount('left', cover(0n, from).length, left)
  expectCount('right', rest.length, right)
  if (to - from !== BigInt(leafHashes.length)) throw new TreeError('leaves', `${to - from} hashes`, `${leafHashes.length} hashes`)
  expectHashes('left', left)
  expectHashes('leaves', leafHashes)
  expectHashes('right', right)
  let edge = append({ size: from, edge: left }, leafHashes)
  for (const [i, { level }] of rest.entries()) edge = grow(edge, level, [right[i] as Bytes])
  expectRoot(head, rootOf(edge))
}

/**
 * The right edge that a proof with from = to = size carries: where a reader who follows the tail begins.
 *
 * It is not verified here: `verifyRange(head, proof, [])` does that.
 *
 * @throws TreeError when the proof is of another range, or not of the shape that its size gives
 */
export const frontierOf = ({ size, from, to, left, right }: RangeProof): Frontier => {
  if (from !== size || to !== size) throw new TreeError('range', `${size} … ${size}`, `${from} … ${to}`)
  expectCount('left', cover(0n, size).length, left)
  expectCount('right', 0, right)
  expectHashes('left', left)
  return { size, edge: left }
}

// For each sibling from the leaf up, whether it stands on the left. Off the right edge every level has one, on the side that the position's
// bit says; on the right edge a node without a left sibling rises a level as it is (RFC 9162 section 2.1.3.2).
const leftSides = (size: bigint, position: bigint): boolean[] => {
  const sides: boolean[] = []
  let own = position
  for (let last = size - 1n; last > 0n; last >>= 1n) {
    const isLeftSibling = (own & 1n) === 1n
    if (isLeftSibling || own !== last) sides.push(isLeftSibling)
    own >>= 1n
  }
  return sides
}

const expectCount = (path: string, count: number, hashes: readonly Bytes[]): void => {
  if (hashes.length !== count) throw new TreeError(path, `${count} hashes`, `${hashes.length} hashes`)
}

// A proof that did not come through the codec could hide two lengths in one preimage: 31 ‖ 33 bytes hash like 32 ‖ 32.
const expectHashes = (path: string, hashes: readonly Bytes[]): void => {
  for (const [i, hash] of hashes.entries()) {
    if (hash.length !== 32) throw new TreeError(`${path}[${i}]`, '32 bytes', `${hash.length} bytes`)
  }
}

const expectSize = (head: TreeHead, size: bigint): void => {
  if (size !== head.size) throw new TreeError('size', `${head.size}`, `${size}`)
}

const expectRoot = ({ root }: TreeHead, found: Bytes): void => {
  if (!equal(root, found)) throw new TreeError('root', toHex(root), toHex(found))
}

/** A proof that does not hold: `path` is the part of it that fails, `expected` what the numbers or the root demand. */
export class TreeError extends CoalitionError {
  declare readonly path: string
  declare readonly expected: string
  declare readonly found: string

  constructor(path: string, expected: string, found: string) {
    super('Proof.TreeError', `tree proof: ${path} should be ${expected}, is ${found}`, { path, expected, found })
  }
}
