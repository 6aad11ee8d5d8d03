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

/** The newest items, as they were followed: whoever needs an older one reads it from a server. */
export class Recent {
  #items: Placed[] = []
  #bytes = 0
  /** Right edge of the surface before the first item; null before there was a block. */
  #before: Frontier | null = null
  readonly #commits = new Map<bigint, Bytes>()

  /** What a block appended. After one over blocks that were not followed, what was kept does not end where it begins, and goes. */
  add(block: VerifiedBlock): void {
    const { header, commit, first, before } = block
    this.#remember(header.index, commit)
    if (this.#before === null || this.#end(this.#before) !== first) {
      this.#items = []
      this.#bytes = 0
      this.#before = before
    }
    this.#items.push(...this.#place(block))
    this.#trim()
  }

  /** What was read back and ends where the items that are kept begin: whoever reads it next need not ask for it. */
  join(page: VerifiedBlock): void {
    const oldest = this.#before?.size
    if (oldest === undefined || page.first >= oldest || page.first + BigInt(page.items.length) < oldest) return
    this.#items.unshift(...this.#place({ ...page, items: page.items.slice(0, Number(oldest - page.first)) }))
    this.#before = page.before
    this.#trim()
  }

  /** The block at `index` as it was followed, or null where it was not, or too long ago. */
  commitAt(index: bigint): Bytes | null {
    return this.#commits.get(index) ?? null
  }

  /** Items from `position` on, at most `most`; null when that one is not kept. */
  from(position: bigint, most: number): readonly Placed[] | null {
    const before = this.#before
    if (before === null || position < before.size || position >= this.#end(before)) return null
    const start = Number(position - before.size)
    return this.#items.slice(start, start + most)
  }

  /** All of them as a surface of `size` items ends; null when it ends elsewhere. */
  tail(size: bigint): Tail | null {
    const before = this.#before
    return before === null || this.#end(before) !== size ? null : { before, items: this.#items.map(({ item }) => item) }
  }

  #end({ size }: Frontier): bigint {
    return size + BigInt(this.#items.length)
  }

  #place({ header, commit, first, items }: VerifiedBlock): Placed[] {
    return items.map((item, i) => {
      this.#bytes += item.length
      return { position: first + BigInt(i), item, header, commit }
    })
  }

  #trim(): void {
    let gone = 0
    while (this.#items.length - gone > KEPT.items || this.#bytes > KEPT.bytes) this.#bytes -= this.#items[gone++]?.item.length ?? 0
    if (gone === 0 || this.#before === null) return
    this.#before = frontier.append(this.#before, hashLeaves(this.#items.splice(0, gone).map(({ item }) => item)))
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
