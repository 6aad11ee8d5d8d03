import { type Bytes, u64le } from '../../client/primitives/bytes.ts'
import { append, emptyFrontier, type Frontier } from '../../client/proofs/frontier.ts'
import type { TreeHead } from '../../client/proofs/tree.ts'
import type { NodeSource } from '../../client/proofs/tree-source.ts'
import { leafOf, refuses, treeRoot } from './reference.ts'

export const LEAVES: readonly Bytes[] = Array.from({ length: 201 }, (_, i) => leafOf(u64le(BigInt(i))))

export interface Store {
  readonly frontier: Frontier
  readonly source: NodeSource
  readonly nodes: ReadonlyMap<string, Bytes>
}

/** A tree with its nodes kept as a member keeps them. A node that was never complete is not there, and asking for it fails the test. */
export const storeOf = (leaves: readonly Bytes[], chunk = leaves.length || 1): Store => {
  const nodes = new Map<string, Bytes>()
  let frontier = emptyFrontier
  for (let i = 0; i < leaves.length; i += chunk) {
    frontier = append(frontier, leaves.slice(i, i + chunk), (level, index, hash) => {
      const key = `${level}/${index}`
      if (nodes.has(key)) throw new Error(`node ${key} was told twice`)
      nodes.set(key, hash)
    })
  }
  const source: NodeSource = async (level, index) => {
    const node = nodes.get(`${level}/${index}`)
    if (node === undefined) throw new Error(`node ${level}/${index} is not complete`)
    return node
  }
  return { frontier, source, nodes }
}

/** The first `size` leaves as a header has them, by the definition. */
export const headOf = (size: number): TreeHead => ({ size: BigInt(size), root: treeRoot(LEAVES.slice(0, size)) })
/** Fails unless the proof is refused, by the part of it at `path`. */
export const refused = (run: () => unknown, path?: string) =>
  refuses(['Proof.TreeError', 'Codec.DecodeError'], run, path === undefined ? {} : { path })
