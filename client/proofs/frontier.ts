import { hash, hashNodes, hashPath } from '../../wasm/core.ts'
import type { Bytes } from '../primitives/bytes.ts'

/**
 * Right edge of a tree: the complete nodes that tile [0, size), largest first, one for each bit set in `size`. It is all that is
 * needed to append and to know the root: at most 64 hashes for any history (PROTOCOL.md section 3, "A watcher keeps the right edge").
 */
export interface Frontier {
  readonly size: bigint
  readonly edge: readonly Bytes[]
}

/** Told of each node that became complete, leaves (level 0) included: these nodes never change again and may be stored. */
export type OnNode = (level: number, index: bigint, hash: Bytes) => void

export const emptyFrontier: Frontier = { size: 0n, edge: [] }

/**
 * The frontier after `leafHashes` (32 bytes each, see `hashLeaf`). Node by node in levels, so that n leaves cost n hashes whatever the size.
 * `onNode` sees the nodes level by level from the leaves up, ascending within a level.
 */
export const append = (frontier: Frontier, leafHashes: readonly Bytes[], onNode?: OnNode): Frontier => grow(frontier, 0, leafHashes, onNode)

/**
 * Appends whole nodes of 2^level leaves each. The size before must be a multiple of 2^level: otherwise the nodes would not stand where
 * a tree has nodes. Callers walk a `cover`, which keeps to that.
 */
export const grow = (frontier: Frontier, level: number, nodes: readonly Bytes[], onNode?: OnNode): Frontier => {
  const edge = [...frontier.edge]
  const kept: Bytes[] = []
  // How many nodes of the current level stand before the new ones.
  let before = frontier.size >> BigInt(level)
  let row = nodes
  for (let at = level; row.length > 0; at++) {
    if (onNode !== undefined) tell(onNode, at, before, row)
    const waiting = (before & 1n) === 1n ? edge.pop() : undefined
    if (waiting !== undefined) row = [waiting, ...row]
    if (row.length % 2 === 1) kept.push(row[row.length - 1] as Bytes)
    row = hashNodes(row)
    before >>= 1n
  }
  return { size: frontier.size + (BigInt(nodes.length) << BigInt(level)), edge: edge.concat(kept.reverse()) }
}

/** The tree's root: the edge folded from its small end, `H("")` for no items (wire.md section 4, "Tree"). */
export const rootOf = ({ edge }: Frontier): Bytes => {
  const [first, ...larger] = edge.toReversed()
  if (first === undefined) return hash()
  return hashPath(
    first,
    larger,
    larger.map(() => true),
  )
}

const tell = (onNode: OnNode, level: number, from: bigint, row: readonly Bytes[]): void => {
  for (const [i, node] of row.entries()) onNode(level, from + BigInt(i), node)
}
