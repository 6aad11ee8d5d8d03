import type { Link, Signatures } from '../../client/groups/simplex/index.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import type { Final, Proposed } from './disk.ts'
import { nameOf } from './world.ts'

/** Blocks of one view that are taken in without being asked for, as client/groups/arrivals.ts has it. */
const MOST_OF_VIEW = 2

/** The blocks of one member: the final ones in a row, those that hang on them, and those whose parent is not there. */
export class Ledger {
  readonly log: Final[]
  readonly #held = new Map<string, Proposed>()
  readonly #byView = new Map<bigint, Link[]>()
  readonly #stash = new Map<string, Proposed>()

  constructor(archive: readonly Final[], blocks: Iterable<Proposed>) {
    this.log = [...archive]
    for (const { link } of archive) this.#put({ link, vote: null })
    const ascending = [...blocks].sort((a, b) => (a.link.view < b.link.view ? -1 : 1))
    for (const proposed of ascending) if (this.#held.has(nameOf(proposed.link.parent))) this.#put(proposed)
  }

  get newest(): Link {
    return (this.log.at(-1) as Final).link
  }

  get(hash: Bytes): Proposed | null {
    return this.#held.get(nameOf(hash)) ?? null
  }

  of(view: bigint): readonly Link[] {
    return this.#byView.get(view) ?? []
  }

  /** Every block held of a view later than that of the newest final one, ascending. */
  unfinal(): readonly Link[] {
    const above = [...this.#byView].filter(([view]) => view > this.newest.view).sort(([a], [b]) => (a < b ? -1 : 1))
    return above.flatMap(([, links]) => links)
  }

  /** Whether a block of a view is of use that nobody asked for. */
  isWanted({ view, hash }: Link): boolean {
    if (this.#held.has(nameOf(hash)) || this.#stash.has(nameOf(hash))) return false
    const waiting = [...this.#stash.values()].filter(({ link }) => link.view === view).length
    return this.of(view).length + waiting < MOST_OF_VIEW
  }

  /** Takes a block in; says which blocks are held by that: none while its parent is missing. */
  hold(proposed: Proposed): readonly Proposed[] {
    const { link } = proposed
    if (this.#held.has(nameOf(link.hash))) return []
    if (!this.#held.has(nameOf(link.parent))) {
      this.#stash.set(nameOf(link.hash), proposed)
      return []
    }
    this.#put(proposed)
    return [proposed, ...this.unstash()]
  }

  /** What waited for a parent that is there now. */
  unstash(): readonly Proposed[] {
    const taken: Proposed[] = []
    for (const [name, proposed] of this.#stash) {
      const isOver = proposed.link.view <= this.newest.view
      if (!isOver && !this.#held.has(nameOf(proposed.link.parent))) continue
      this.#stash.delete(name)
      if (!isOver) taken.push(...this.hold(proposed))
    }
    return taken
  }

  /** Parents that stashed blocks wait for. */
  lacking(): readonly Bytes[] {
    return [...this.#stash.values()].map(({ link }) => link.parent).filter((hash) => !this.#stash.has(nameOf(hash)))
  }

  /** A block and its ancestors are final. What that adds to the log, oldest first, or null where it does not stand on it. */
  finish(link: Link, votes: Signatures): readonly Link[] | null {
    // A certificate was faster.
    if (this.log.some((final) => final.link.hash === link.hash)) return []
    const chain: Link[] = []
    const { newest } = this
    for (let at: Link | undefined = link; at?.hash !== newest.hash; at = this.get(at.parent)?.link) {
      if (at === undefined || at.view <= newest.view) return null
      chain.unshift(at)
    }
    this.#append(chain, votes)
    return chain
  }

  /** Final blocks of somebody else, from a height on. What they add, or null where they do not stand on the log. */
  adopt(from: number, links: readonly Link[], votes: Signatures): readonly Link[] | null {
    const fresh = links.slice(Math.max(0, this.log.length - from))
    const [first] = fresh
    if (first === undefined) return []
    if (from > this.log.length || nameOf(first.parent) !== nameOf(this.newest.hash)) return null
    for (const link of fresh) if (!this.#held.has(nameOf(link.hash))) this.#put({ link, vote: null })
    this.#append(fresh, votes)
    return fresh
  }

  #append(chain: readonly Link[], votes: Signatures): void {
    chain.forEach((link, i) => {
      this.log.push({ link, votes: i === chain.length - 1 ? votes : null })
    })
  }

  #put(proposed: Proposed): void {
    const { link } = proposed
    this.#held.set(nameOf(link.hash), proposed)
    const beside = this.#byView.get(link.view)
    if (beside === undefined) this.#byView.set(link.view, [link])
    else beside.push(link)
  }
}
