import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'

/** A block as finality sees it. `view` names its place; a block's parent stands in an earlier view. */
export interface Link {
  readonly hash: Bytes
  readonly view: bigint
  readonly parent: Bytes
  readonly parentView: bigint
}

/** The blocks that a member holds: what is built on the last final one, and some way down below it. */
export class Chain {
  /** By hash in hex; with the parent's, because chains are walked often. */
  readonly #links = new Map<string, { readonly link: Link; readonly parent: string }>()
  #root: Link

  constructor(root: Link) {
    this.#root = root
    this.add(root)
  }

  /** The last final block. */
  get root(): Link {
    return this.#root
  }

  add(link: Link): void {
    this.#links.set(toHex(link.hash), { link, parent: toHex(link.parent) })
  }

  has(hash: Bytes): boolean {
    return this.#links.has(toHex(hash))
  }

  get(hash: Bytes): Link | null {
    return this.#links.get(toHex(hash))?.link ?? null
  }

  moveRoot(link: Link): void {
    this.#root = link
  }

  /** Lets go of blocks below a view. */
  forget(below: bigint): void {
    for (const [name, { link }] of this.#links) if (link.view < below) this.#links.delete(name)
  }

  /**
   * What stands in each view of a link's own chain: its hash, null where the chain skips the view, undefined below what is known, because
   * what cannot be seen may be any block.
   */
  standing(link: Link): (view: bigint) => Bytes | null | undefined {
    const found = new Map<bigint, Bytes>()
    let below = link
    for (let at = this.#links.get(toHex(link.hash)) ?? { link, parent: toHex(link.parent) }; ; ) {
      below = at.link
      found.set(below.view, below.hash)
      const parent = this.#links.get(at.parent)
      if (parent === undefined) break
      at = parent
    }
    found.set(below.parentView, below.parent)
    return (view) => found.get(view) ?? (view > below.parentView ? null : undefined)
  }

  /** Whether the chain of `link` has no other block than `hash` in `view`: it has that one, or skips the view. */
  agrees(link: Link, view: bigint, hash: Bytes): boolean {
    const there = this.standing(link)(view)
    return there === null || (there !== undefined && equal(there, hash))
  }
}
