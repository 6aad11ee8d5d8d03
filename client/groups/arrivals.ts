import { type Bytes, equal, toHex } from '../primitives/bytes.ts'
import { type Block, commitHash, type Header } from './block.ts'
import type { Branches } from './branches.ts'
import type { Branch } from './execution.ts'
import type { History } from './history.ts'
import { type Simplex, VIEWS } from './simplex/index.ts'
import type { Proposal } from './vote-record.ts'

/** Blocks of one view that are executed without being asked for: the leader's, and one more where the leader signed two. */
const MOST_OF_VIEW = 2
/** Blocks whose parent is not there yet. */
const MOST_STASHED = 64

export interface ArrivalsOptions<S, C> {
  readonly branches: Branches<S, C>
  readonly history: History<S, C>
  readonly simplex: Simplex
  /** A block that hangs on one we hold and is what its commands give. */
  readonly onHeld: (branch: Branch<S>, proposal: Proposal) => void
  readonly refuse: (from: number, problem: string) => void
}

/** Blocks that others made: executed on their parent before anything is said of them, or kept until that is there. */
export class Arrivals<S, C> {
  readonly #o: ArrivalsOptions<S, C>
  /** Blocks that wait for their parent, by commit hash. */
  readonly #stash = new Map<string, { readonly from: number; readonly proposal: Proposal }>()

  /** Blocks of a view that were executed in vain. */
  readonly #refused = new Map<bigint, number>()

  constructor(options: ArrivalsOptions<S, C>) {
    this.#o = options
  }

  /** Whether a proposal is of use: near, not held, and not one too many of its view. */
  isWanted(view: bigint, hash: Bytes): boolean {
    const { simplex, branches } = this.#o
    if (view <= simplex.root.view || view >= simplex.view + VIEWS.ahead) return false
    if (branches.get(hash) !== null || this.#stash.has(toHex(hash))) return false
    const stashed = [...this.#stash.values()].filter(({ proposal }) => proposal.block.header.view === view).length
    return (
      branches.countOf(view) + stashed + (this.#refused.get(view) ?? 0) < MOST_OF_VIEW ||
      simplex.missing().some((each) => equal(each.hash, hash))
    )
  }

  /** A block that its leader signed. */
  take(from: number, proposal: Proposal): void {
    const { branches, history, refuse, onHeld } = this.#o
    const { header } = proposal.block
    const hash = commitHash(header)
    if (!this.isWanted(header.view, hash)) return
    const parent = branches.get(header.prev)
    if (parent === null) {
      if (header.index > history.newest + 1n && this.#stash.size < MOST_STASHED) this.#stash.set(toHex(hash), { from, proposal })
      return
    }
    const branch = this.execute(parent.branch, proposal.block)
    if (typeof branch === 'string') {
      this.#refused.set(header.view, (this.#refused.get(header.view) ?? 0) + 1)
      refuse(from, branch)
      return
    }
    onHeld(branch, proposal)
    this.unstash()
  }

  /** Takes what waited for a parent that is there now, and lets go of what is over. */
  unstash(): void {
    const { branches, simplex } = this.#o
    for (const [name, { from, proposal }] of this.#stash) {
      const { view, prev } = proposal.block.header
      const isOver = view <= simplex.root.view
      if (!isOver && branches.get(prev) === null) continue
      this.#stash.delete(name)
      if (!isOver) this.take(from, proposal)
    }
    for (const view of this.#refused.keys()) if (view <= simplex.root.view) this.#refused.delete(view)
  }

  /** Final blocks in a row, each executed on the one before; those that we have are left out. A text says what is wrong. */
  executeAll(blocks: readonly Block[]): readonly Branch<S>[] | string {
    const { history, branches } = this.#o
    const chain: Branch<S>[] = []
    let parent = history.head
    for (const block of blocks) {
      if (block.header.index <= history.newest) continue
      if (!equal(block.header.prev, parent.link.hash)) return `block ${block.header.index} does not stand on block ${parent.header.index}`
      const branch = this.execute(parent, block)
      if (typeof branch === 'string') return branch
      branches.add(branch, block, null)
      chain.push(branch)
      parent = branch
    }
    return chain
  }

  /** The block's own execution, or what is wrong with its header. */
  execute(parent: Branch<S>, { header, commands }: Block): Branch<S> | string {
    const { view, time_ms: timeMs, index } = header
    if (view <= parent.link.view) return `block ${index} of view ${view} stands on one of view ${parent.link.view}`
    if (timeMs < parent.header.time_ms) return `block ${index} has an earlier time than its parent`
    try {
      const branch = this.#o.branches.execute(parent, { view, timeMs, commands })
      if (equal(branch.link.hash, commitHash(header))) return branch
      return `block ${index} is not what its commands give: ${differences(branch.header, header)}`
    } catch (error) {
      return `block ${index}: ${error instanceof Error ? error.message : String(error)}`
    }
  }

  /** Blocks that nothing can go on without. */
  lacking(): readonly { readonly view: bigint; readonly hash: Bytes }[] {
    const { simplex, branches } = this.#o
    const parents = [...this.#stash.values()].map(({ proposal: { block } }) => ({ view: block.header.view, hash: block.header.prev }))
    return [...simplex.missing(), ...parents.filter(({ hash }) => branches.get(hash) === null && !this.#stash.has(toHex(hash)))]
  }
}

/** Names what differs, for whoever has to find out why. */
const differences = (ours: Header, theirs: Header): string => {
  const fields = (Object.keys(ours) as (keyof Header)[]).filter((field) => textOf(ours[field]) !== textOf(theirs[field]))
  return fields.join(', ')
}

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, found: unknown) =>
    typeof found === 'bigint' ? `${found}` : found instanceof Uint8Array ? toHex(found) : found,
  )
