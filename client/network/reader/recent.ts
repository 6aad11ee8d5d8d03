import type { Header } from '../../groups/block.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import type { VerifiedBlock } from './advance.ts'

/** An item of the surface that was verified, and the block that it stands in or was proven under. */
export interface Placed {
  readonly position: bigint
  readonly item: Bytes
  readonly header: Header
  readonly commit: Bytes
}

/** Bounds of what is kept for consumers: a tail that everybody who keeps up reads from, not a queue for those who do not. */
const KEPT = { items: 256, bytes: 2_097_152, commits: 64 } as const

/** The newest items, as they were followed: whoever needs an older one reads it from a server. */
export class Recent {
  #items: Placed[] = []
  #bytes = 0
  readonly #commits = new Map<bigint, Bytes>()

  add({ header, commit, first, items }: VerifiedBlock): void {
    this.#remember(header.index, commit)
    items.forEach((item, i) => {
      this.#items.push({ position: first + BigInt(i), item, header, commit })
      this.#bytes += item.length
    })
    let gone = 0
    while (this.#items.length - gone > KEPT.items || this.#bytes > KEPT.bytes) this.#bytes -= this.#items[gone++]?.item.length ?? 0
    if (gone > 0) this.#items.splice(0, gone)
  }

  /** After a jump over blocks that were not followed: what was kept no longer ends where the surface does. */
  clear(): void {
    this.#items = []
    this.#bytes = 0
  }

  /** The block at `index` as it was followed, or null where it was not, or too long ago. */
  commitAt(index: bigint): Bytes | null {
    return this.#commits.get(index) ?? null
  }

  // Not forgotten by `clear`: what was jumped over is unknown, what was known before stays in the same history.
  #remember(index: bigint, commit: Bytes): void {
    this.#commits.set(index, commit)
    for (const oldest of this.#commits.keys()) {
      if (this.#commits.size <= KEPT.commits) return
      this.#commits.delete(oldest)
    }
  }

  /** Items from `position` on, at most `most`; null when that one is not kept. */
  from(position: bigint, most: number): readonly Placed[] | null {
    const first = this.#items[0]?.position
    if (first === undefined || position < first || position >= first + BigInt(this.#items.length)) return null
    const start = Number(position - first)
    return this.#items.slice(start, start + most)
  }
}
