import { hashLeaves } from '../../../wasm/core.ts'
import type { Header } from '../../groups/block.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import { type Frontier, frontier } from '../../proofs/index.ts'
import type { VerifiedBlock } from './advance.ts'

/** An item of the surface that was verified, and the block that it stands in or was proven under. */
export interface Placed {
  readonly position: bigint
  readonly item: Bytes
  readonly header: Header
  readonly commit: Bytes
}

/** Items up to the surface's last, and its right edge before the first of them: what proves them under the head. */
export interface Tail {
  readonly before: Frontier
  readonly items: readonly Bytes[]
}

/** Bounds of what is kept for consumers: a tail that everybody who keeps up reads from, not a queue for those who do not. */
export const KEPT = { items: 256, bytes: 2_097_152, commits: 64 } as const

/** Items that follow each other, and the surface's right edge before the first of them. */
interface Run {
  readonly before: Frontier
  readonly items: readonly Placed[]
}

/** The newest items, as they were followed: whoever needs an older one reads it from a server. */
export class Recent {
  /** Null before there was a block. */
  #run: Run | null = null
  /** What was kept before blocks that were not followed, as after a reload: it goes on being of use once what lies between was read. */
  #earlier: Run | null = null
  readonly #commits = new Map<bigint, Bytes>()

  /** What a block appended. */
  add(block: VerifiedBlock): void {
    const { header, commit, first, before } = block
    this.#remember(header.index, commit)
    if (this.#run === null || endOf(this.#run) !== first) {
      if (this.#run !== null && this.#run.items.length > 0) this.#earlier = this.#run
      this.#run = { before, items: [] }
    }
    this.#set({ before: this.#run.before, items: [...this.#run.items, ...placed(block)] })
  }

  /** What was read back and ends where the items that are kept begin: whoever reads it next need not ask for it. */
  join(page: VerifiedBlock): void {
    if (this.#run === null) return
    const oldest = this.#run.before.size
    if (page.first >= oldest || page.first + BigInt(page.items.length) < oldest) return
    this.#set(joined({ before: page.before, items: placed(page) }, this.#run))
  }

  /** The block at `index` as it was followed, or null where it was not, or too long ago. */
  commitAt(index: bigint): Bytes | null {
    return this.#commits.get(index) ?? null
  }

  /** Items from `position` on, at most `most`; null when that one is not kept. */
  from(position: bigint, most: number): readonly Placed[] | null {
    if (this.#run === null || position < this.#run.before.size || position >= endOf(this.#run)) return null
    const start = Number(position - this.#run.before.size)
    return this.#run.items.slice(start, start + most)
  }

  /** All of them as a surface of `size` items ends; null when it ends elsewhere. */
  tail(size: bigint): Tail | null {
    if (this.#run === null || endOf(this.#run) !== size) return null
    return { before: this.#run.before, items: this.#run.items.map(({ item }) => item) }
  }

  #set(run: Run): void {
    const { size } = run.before
    const isWhole = this.#earlier !== null && this.#earlier.before.size < size && endOf(this.#earlier) >= size
    this.#run = trimmed(this.#earlier !== null && isWhole ? joined(this.#earlier, run) : run)
    // What is older than all that may be kept is of no use any more.
    if (isWhole || this.#run.items.length === KEPT.items) this.#earlier = null
  }

  // What was jumped over is unknown; what was known before stays in the same history.
  #remember(index: bigint, commit: Bytes): void {
    this.#commits.set(index, commit)
    for (const oldest of this.#commits.keys()) {
      if (this.#commits.size <= KEPT.commits) return
      this.#commits.delete(oldest)
    }
  }
}

const endOf = ({ before, items }: Run): bigint => before.size + BigInt(items.length)

const placed = ({ header, commit, first, items }: VerifiedBlock): readonly Placed[] =>
  items.map((item, i) => ({ position: first + BigInt(i), item, header, commit }))

/** An earlier run as far as a later one begins, and then that. */
const joined = (earlier: Run, later: Run): Run => ({
  before: earlier.before,
  items: [...earlier.items.slice(0, Number(later.before.size - earlier.before.size)), ...later.items],
})

const trimmed = ({ before, items }: Run): Run => {
  let bytes = 0
  let from = items.length
  for (; from > 0 && items.length - from < KEPT.items; from--) {
    bytes += items[from - 1]?.item.length ?? 0
    if (bytes > KEPT.bytes) break
  }
  if (from === 0) return { before, items }
  return { before: frontier.append(before, hashLeaves(items.slice(0, from).map(({ item }) => item))), items: items.slice(from) }
}
