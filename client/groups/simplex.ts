import { type Bytes, equal, toHex } from '../primitives/bytes.ts'
import type { VoteKind } from './block.ts'
import { ZEROS } from './roster.ts'

/** A block as finality sees it. `view` names its place; a block's parent stands in an earlier view. */
export interface Link {
  readonly hash: Bytes
  readonly view: bigint
  readonly parent: Bytes
  readonly parentView: bigint
}

export interface Vote {
  readonly view: bigint
  readonly kind: VoteKind
  readonly hash: Bytes
  readonly member: number
  readonly signature: Bytes
}

/** What this member has promised in one view. It only ever grows. */
export interface Promises {
  propose: Bytes | null
  notarize: Bytes | null
  nullify: boolean
  finalize: Bytes | null
}

/** What a step asks of the host, in order. Everything named `record` must be on disk before any `vote` after it leaves the machine. */
export type Effect =
  | { readonly kind: 'record'; readonly remembered: Remembered }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'propose'; readonly view: bigint; readonly parent: Link }
  | { readonly kind: 'enter'; readonly view: bigint }
  | { readonly kind: 'final'; readonly link: Link; readonly view: bigint; readonly votes: ReadonlyMap<number, Bytes> }

interface View {
  readonly notarize: Map<string, Map<number, Bytes>>
  readonly nullify: Map<number, Bytes>
  readonly finalize: Map<string, Map<number, Bytes>>
  readonly mine: Promises
  notarized: Bytes | null
  nullified: boolean
}

export interface SimplexOptions {
  readonly n: number
  readonly quorum: number
  /** Own place in the roster. */
  readonly member: number
  /** The last final block: views at or below its view are closed. */
  readonly root: Link
  /** Ed25519 is deterministic, so signing is no input from outside; the key itself stays with the host. */
  readonly sign: (view: bigint, kind: VoteKind, hash: Bytes) => Bytes
}

/** What a member knows of a view after a restart, from its synced store. */
export interface Remembered {
  readonly view: bigint
  readonly mine: Promises
  readonly notarized: Bytes | null
  readonly nullified: boolean
}

const none = (): Promises => ({ propose: null, notarize: null, nullify: false, finalize: null })

/**
 * Simplex (Chan and Pass, 2023) with the lock of PROTOCOL.md section 1. No I/O, clock or entropy: inputs are method calls, outputs
 * are the effects that `take` hands over. Safe while liars ≤ b; without the lock certificates with every signature can fork.
 */
export class Simplex {
  readonly #o: SimplexOptions
  readonly #views = new Map<bigint, View>()
  readonly #links = new Map<string, Link>()
  #root: Link
  #view: bigint
  #effects: Effect[] = []

  constructor(options: SimplexOptions) {
    this.#o = options
    this.#root = options.root
    this.#view = options.root.view
    this.#links.set(toHex(options.root.hash), options.root)
  }

  get view(): bigint {
    return this.#view
  }

  get root(): Link {
    return this.#root
  }

  leader(view: bigint): number {
    return Number(view % BigInt(this.#o.n))
  }

  // A copy: later steps of the same turn may close the view and forget it before the host writes.
  #record(view: bigint): void {
    const { mine, notarized, nullified } = this.#at(view)
    this.#effects.push({ kind: 'record', remembered: { view, mine: { ...mine }, notarized, nullified } })
  }

  /** Puts back what the synced store says, blocks first. Call once, before `start`. */
  restore(blocks: readonly Link[], views: readonly Remembered[]): void {
    for (const link of blocks) this.#links.set(toHex(link.hash), link)
    for (const known of views) {
      const view = this.#at(known.view)
      Object.assign(view.mine, known.mine)
      view.notarized = known.notarized
      view.nullified = known.nullified
      if ((known.notarized !== null || known.nullified) && known.view > this.#view) this.#view = known.view
    }
  }

  /** Enters the first open view, votes again what was promised (same bytes), and asks for a proposal if it is our turn. */
  start(): void {
    this.#enter(this.#view + 1n)
    for (const [number, { mine }] of [...this.#views].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (number <= this.#root.view) continue
      for (const kind of ['propose', 'notarize', 'finalize'] as const) {
        const hash = mine[kind]
        if (hash !== null) this.#count(number, kind, hash)
      }
      if (mine.nullify) this.#count(number, 'nullify', ZEROS)
      this.#finalize(number)
    }
  }

  /** The effects since the last call. */
  take(): readonly Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  /** A block of the current view that the host holds and has executed: ours as leader, or the leader's. False when it may not be voted for. */
  offer(link: Link): boolean {
    if (link.view !== this.#view || !this.#extends(link)) return false
    const { mine } = this.#at(link.view)
    this.#links.set(toHex(link.hash), link)
    const ours = this.leader(link.view) === this.#o.member
    if (mine.notarize !== null || mine.nullify || !this.#keepsPromises(link)) return false
    if (ours && mine.propose === null) this.#cast(link.view, 'propose', link.hash)
    this.#cast(link.view, 'notarize', link.hash)
    return true
  }

  /** A block that the host came to hold and executed after its view: finalize may still be open. */
  hold(link: Link): void {
    this.#links.set(toHex(link.hash), link)
    this.#finalize(link.view)
    this.#settle(link.view)
  }

  /** A vote of another member whose signature the host has checked. */
  vote(vote: Vote): void {
    if (vote.member !== this.#o.member && vote.view > this.#root.view && vote.view < this.#view + 64n) this.#tally(vote)
  }

  /** The view's time is up: nullify, unless we promised to finalize in it. */
  timeout(view: bigint): void {
    if (view !== this.#view) return
    const { mine } = this.#at(view)
    if (!mine.nullify && mine.finalize === null) this.#cast(view, 'nullify', ZEROS)
  }

  #at(number: bigint): View {
    let view = this.#views.get(number)
    if (view === undefined) {
      view = { notarize: new Map(), nullify: new Map(), finalize: new Map(), mine: none(), notarized: null, nullified: false }
      this.#views.set(number, view)
    }
    return view
  }

  #enter(view: bigint): void {
    if (view <= this.#view) return
    this.#view = view
    this.#effects.push({ kind: 'enter', view })
    if (this.leader(view) !== this.#o.member || this.#at(view).mine.notarize !== null || this.#at(view).mine.nullify) return
    const parent = this.#highest(view)
    if (parent !== null) this.#effects.push({ kind: 'propose', view, parent })
  }

  /** The newest notarized block that we hold, with nullifications for every view between. */
  #highest(view: bigint): Link | null {
    for (let v = view - 1n; v > this.#root.view; v--) {
      const { notarized, nullified } = this.#at(v)
      if (notarized !== null) return this.#links.get(toHex(notarized)) ?? null
      if (!nullified) return null
    }
    return this.#root
  }

  /** The parent is notarized (or final) and every view between is nullified; which of several parents is the leader's choice. */
  #extends(link: Link): boolean {
    if (link.parentView >= link.view || link.parentView < this.#root.view) return false
    for (let v = link.parentView + 1n; v < link.view; v++) if (!this.#at(v).nullified) return false
    if (link.parentView === this.#root.view) return equal(link.parent, this.#root.hash)
    const { notarized } = this.#at(link.parentView)
    return notarized !== null && equal(notarized, link.parent)
  }

  /** The block that stands in `view` among the ancestors of a link, itself included; null where its chain skips that view. */
  #ancestor(link: Link, view: bigint): Bytes | null {
    let at: Link | undefined = link
    while (at !== undefined && at.view > view && at.view > this.#root.view) at = this.#links.get(toHex(at.parent))
    return at !== undefined && at.view === view ? at.hash : null
  }

  /** The lock, forwards: nothing is notarized whose ancestor in a view that we finalized is another block. */
  #keepsPromises(link: Link): boolean {
    for (const [number, { mine }] of this.#views) {
      if (mine.finalize === null || number >= link.view || number <= this.#root.view) continue
      const ancestor = this.#ancestor(link, number)
      if (ancestor !== null && !equal(ancestor, mine.finalize)) return false
    }
    return true
  }

  /** The lock, backwards: nothing that we notarized later has another ancestor in this view. */
  #mayFinalize(link: Link): boolean {
    for (const [number, { mine }] of this.#views) {
      if (mine.notarize === null || number < link.view) continue
      const notarized = this.#links.get(toHex(mine.notarize))
      const ancestor = notarized === undefined ? null : this.#ancestor(notarized, link.view)
      if (ancestor !== null && !equal(ancestor, link.hash)) return false
    }
    return true
  }

  #finalize(number: bigint): void {
    const { notarized, mine } = this.#at(number)
    if (notarized === null || mine.nullify || mine.finalize !== null || number <= this.#root.view) return
    const link = this.#links.get(toHex(notarized))
    // A certificate is no reason to sign: a quorum of others may have notarized what contradicts an earlier promise of ours.
    if (link !== undefined && this.#keepsPromises(link) && this.#mayFinalize(link)) this.#cast(number, 'finalize', notarized)
  }

  #cast(view: bigint, kind: VoteKind, hash: Bytes): void {
    const { mine } = this.#at(view)
    if (kind === 'nullify') mine.nullify = true
    else mine[kind] = hash
    this.#record(view)
    this.#count(view, kind, hash)
  }

  #count(view: bigint, kind: VoteKind, hash: Bytes): void {
    const vote = { view, kind, hash, member: this.#o.member, signature: this.#o.sign(view, kind, hash) }
    this.#effects.push({ kind: 'vote', vote })
    this.#tally(vote)
  }

  #tally({ view: number, kind, hash, member, signature }: Vote): void {
    if (kind === 'propose') return
    const view = this.#at(number)
    const votes = kind === 'nullify' ? view.nullify : (view[kind].get(toHex(hash)) ?? new Map<number, Bytes>())
    if (kind !== 'nullify') view[kind].set(toHex(hash), votes)
    if (votes.has(member)) return
    votes.set(member, signature)
    if (votes.size < this.#o.quorum) return
    if (kind === 'notarize' && view.notarized === null) this.#notarized(number, view, hash)
    else if (kind === 'nullify' && !view.nullified) this.#nullified(number, view)
    else if (kind === 'finalize') this.#settle(number)
  }

  #notarized(number: bigint, view: View, hash: Bytes): void {
    view.notarized = hash
    this.#record(number)
    this.#finalize(number)
    this.#settle(number)
    this.#enter(number + 1n)
  }

  #nullified(number: bigint, view: View): void {
    view.nullified = true
    this.#record(number)
    this.#enter(number + 1n)
  }

  /** Final once a quorum finalized a block that we hold; every ancestor is final with it. */
  #settle(number: bigint): void {
    for (const [name, votes] of this.#views.get(number)?.finalize ?? []) {
      const link = this.#links.get(name)
      if (votes.size < this.#o.quorum || link === undefined || link.view <= this.#root.view) continue
      this.#root = link
      this.#effects.push({ kind: 'final', link, view: number, votes: new Map(votes) })
      for (const [hash, { view }] of this.#links) if (view < link.view) this.#links.delete(hash)
      for (const view of this.#views.keys()) if (view < link.view) this.#views.delete(view)
      this.#enter(link.view + 1n)
      return
    }
  }
}
