import type { Bytes } from '../primitives/bytes.ts'
import { rootOf } from './frontier.ts'
import { cover, type RangeProof, TreeError, type TreeProof } from './tree.ts'

/**
 * A store of complete nodes: 2^level leaves from index · 2^level on. Only nodes that `append` once told its `onNode` are asked for.
 * A complete node never changes, so a store needs one copy for every size and can cut what it keeps by blocks.
 */
export type NodeSource = (level: number, index: bigint) => Promise<Bytes>

/**
 * The audit path of `position` in the tree of the first `size` leaves. Every node is asked for at once: a disk or a link answers in one
 * round.
 *
 * @throws TreeError when position ≥ size
 */
export const proveItem = async (source: NodeSource, size: bigint, position: bigint): Promise<TreeProof> => {
  if (position < 0n || position >= size) throw new TreeError('position', `below ${size}`, `${position}`)
  const siblings: (readonly [bigint, bigint])[] = []
  let from = 0n
  let end = size
  while (end - from > 1n) {
    const middle = from + largestBelow(end - from)
    const isLeft = position < middle
    siblings.push(isLeft ? [middle, end] : [from, middle])
    if (isLeft) end = middle
    else from = middle
  }
  const path = await Promise.all(siblings.reverse().map(([start, stop]) => nodeOver(source, start, stop)))
  return { size, position, path }
}

/**
 * What proves the leaves from … to−1 in the tree of the first `size` leaves; from = to = size gives the right edge.
 *
 * @throws TreeError unless from ≤ to ≤ size
 */
export const proveRange = async (source: NodeSource, size: bigint, from: bigint, to: bigint): Promise<RangeProof> => {
  if (from < 0n || from > to || to > size) throw new TreeError('range', `0 ≤ from ≤ to ≤ ${size}`, `${from} … ${to}`)
  const [left, right] = await Promise.all([nodesOver(source, 0n, from), nodesOver(source, to, size)])
  return { size, from, to, left, right }
}

/** The root of the first `size` leaves, whatever was appended since. */
export const rootAt = async (source: NodeSource, size: bigint): Promise<Bytes> => rootOf({ size, edge: await nodesOver(source, 0n, size) })

const nodesOver = (source: NodeSource, from: bigint, end: bigint): Promise<Bytes[]> =>
  Promise.all(cover(from, end).map(({ level, index }) => source(level, index)))

// The node over [from, end), which at the right edge is not complete and so is not in the source: it is folded from those that are.
const nodeOver = async (source: NodeSource, from: bigint, end: bigint): Promise<Bytes> => {
  return rootOf({ size: end - from, edge: await nodesOver(source, from, end) })
}

// RFC 9162 section 2.1.1: a tree of n > 1 leaves splits at the largest power of two below n.
const largestBelow = (n: bigint): bigint => {
  let power = 1n
  while (power * 2n < n) power *= 2n
  return power
}
