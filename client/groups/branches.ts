import { type Bytes, toHex } from '../primitives/bytes.ts'
import type { Admission } from './admission.ts'
import type { Block } from './block.ts'
import { type Branch, type Draft, executeBlock, type Identity } from './execution.ts'
import type { Machine } from './machine.ts'

/** An executed block that is not final yet; the final head has no block of its own here. */
export interface Held<S> {
  readonly branch: Branch<S>
  readonly block: Block | null
  /** The leader's propose vote, which travels with the block. */
  readonly signature: Bytes | null
}

/** The final head and what is being built on it: one state for each unfinalised branch. */
export class Branches<S, C> {
  readonly #machine: Machine<S, C>
  readonly #identity: Identity
  readonly #admission: Admission<S, C>
  /** Whether a command id took effect in the final blocks that are remembered. */
  readonly #isFinal: (id: string) => boolean
  readonly #held = new Map<string, Held<S>>()

  constructor(
    machine: Machine<S, C>,
    identity: Identity,
    admission: Admission<S, C>,
    options: { readonly head: Branch<S>; readonly isFinal: (id: string) => boolean },
  ) {
    this.#machine = machine
    this.#identity = identity
    this.#admission = admission
    this.#isFinal = options.isFinal
    this.add(options.head, null, null)
  }

  get(hash: Bytes): Held<S> | null {
    return this.#held.get(toHex(hash)) ?? null
  }

  all(): readonly Held<S>[] {
    return [...this.#held.values()]
  }

  /** How many blocks of a view are held. */
  countOf(view: bigint): number {
    return this.all().filter(({ branch }) => branch.link.view === view).length
  }

  add(branch: Branch<S>, block: Block | null, signature: Bytes | null): void {
    this.#held.set(toHex(branch.link.hash), { branch, block, signature })
  }

  /** Executes a block on its parent. @throws BlockLimitError */
  execute(parent: Branch<S>, draft: Draft): Branch<S> {
    const seen = (id: string): boolean => this.hasTaken(parent, id)
    return executeBlock(this.#machine, this.#identity, parent, draft, seen, (command) => this.#admission.decoded(command))
  }

  /** Whether a command id took effect in a branch's last 1,024 blocks, final ones included. */
  hasTaken(branch: Branch<S>, id: string): boolean {
    for (const { branch: at } of this.chainOf(branch)) if (at.ids.has(id)) return true
    return this.#isFinal(id)
  }

  /** The blocks from `branch` down to the final head, which is left out. */
  *chainOf(branch: Branch<S>): Generator<Held<S> & { readonly block: Block }> {
    for (let at = this.get(branch.link.hash); at !== null && at.block !== null; at = this.get(at.block.header.prev))
      yield { ...at, block: at.block }
  }

  /** The head moved: what stands at or below its view, or beside it, is over. */
  settle(head: Branch<S>): void {
    for (const [name, { branch }] of this.#held) if (branch.link.view <= head.link.view) this.#held.delete(name)
    this.add({ ...head, changes: [] }, null, null)
    // What was built on another block can never become final any more.
    for (let before = -1; before !== this.#held.size; ) {
      before = this.#held.size
      for (const [name, { block }] of this.#held) if (block !== null && this.get(block.header.prev) === null) this.#held.delete(name)
    }
  }
}
