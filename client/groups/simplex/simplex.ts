import { type Bytes, equal } from '../../primitives/bytes.ts'
import type { VoteKind } from '../block.ts'
import { ZEROS } from '../roster.ts'
import { Ballots, type Contradiction, type Promises, type Remembered, type Signatures, type Vote } from './ballots.ts'
import { Chain, type Link } from './chain.ts'
import { Pacing, type Patience } from './pacing.ts'

/** What a step asks of the host, in order. Everything named `record` must be on disk before any `vote` after it leaves the machine. */
export type Effect =
  | { readonly kind: 'record'; readonly remembered: Remembered }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'propose'; readonly view: bigint; readonly parent: Link }
  | { readonly kind: 'enter'; readonly view: bigint }
  /** A block, and with it its ancestors, is final by finalize votes of `view`. */
  | { readonly kind: 'final'; readonly link: Link; readonly view: bigint; readonly votes: Signatures }
  /** More finalize votes on a block that is final already. */
  | { readonly kind: 'stronger'; readonly link: Link; readonly view: bigint; readonly votes: Signatures }
  | { readonly kind: 'evidence'; readonly contradiction: Contradiction }
  /** The final chain contradicts what this member promised: more members lied than the committee withstands. It never votes again. */
  | { readonly kind: 'contradicted'; readonly view: bigint }

export interface SimplexOptions {
  readonly n: number
  readonly quorum: number
  /** Own place in the roster. */
  readonly member: number
  /** The last final block: views at or below its view are closed. */
  readonly root: Link
  readonly patience: Patience
  /** Ed25519 is deterministic, so signing is no input from outside; the key itself stays with the host. */
  readonly sign: (view: bigint, kind: VoteKind, hash: Bytes) => Bytes
}

/** How far ahead of the own view votes are counted, and how far below the last final block promises are kept in mind. */
export const VIEWS = { ahead: 64n, behind: 64n } as const

/**
 * Simplex (Chan and Pass, 2023) with the lock of PROTOCOL.md section 1. No I/O, clock or entropy: inputs are method calls, outputs
 * are the effects that `take` hands over. Safe while liars ≤ b; without the lock certificates with every signature can fork.
 *
 * It follows the votes of others from the beginning, and casts its own from `start` on.
 */
export class Simplex {
  readonly #o: SimplexOptions
  readonly #views = new Map<bigint, Ballots>()
  readonly #chain: Chain
  readonly #pacing: Pacing
  #view: bigint
  #isVoting = false
  /** The view that this member was last asked to propose in. */
  #asked = -1n
  #effects: Effect[] = []

  constructor(options: SimplexOptions) {
    this.#o = options
    this.#chain = new Chain(options.root)
    this.#view = options.root.view + 1n
    this.#pacing = new Pacing(options.n, options.quorum, options.patience)
  }

  get view(): bigint {
    return this.#view
  }

  get root(): Link {
    return this.#chain.root
  }

  /** Milliseconds that the leader of the current view is waited for, once there is something to wait for. */
  get wait(): number {
    return this.#pacing.wait(this.leader(this.#view), this.#view - this.root.view)
  }

  leader(view: bigint): number {
    return Number(view % BigInt(this.#o.n))
  }

  /** Whether a link leads to a member just now. */
  reach(member: number, isUp: boolean): void {
    this.#pacing.reach(member, isUp)
  }

  /** Puts back what the stores say: blocks (final ones too) by ascending view, and promises. Call once, before `start`. */
  restore(blocks: readonly Link[], views: readonly Remembered[]): void {
    for (const link of blocks) this.#chain.add(link)
    for (const { view: number, mine, notarized, notarizers, nullified, nullifiers } of views) {
      const view = this.#at(number)
      Object.assign(view.mine, mine)
      view.notarized = notarized
      view.nullified = nullified
      if (notarized !== null)
        for (const [member, signature] of notarizers) view.add({ view: number, kind: 'notarize', hash: notarized, member, signature })
      for (const [member, signature] of nullifiers) view.add({ view: number, kind: 'nullify', hash: ZEROS, member, signature })
      if ((notarized !== null || nullified) && number >= this.#view) this.#view = number + 1n
    }
  }

  /** From now on this member votes: first, again, what it promised before (same bytes), then on whatever is open. */
  start(): void {
    if (this.#isVoting) return
    this.#isVoting = true
    for (const [number, { mine }] of [...this.#views].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (number <= this.root.view) {
        this.#compare(number)
        continue
      }
      for (const kind of ['propose', 'notarize', 'finalize'] as const) {
        const hash = mine[kind]
        if (hash !== null) this.#count(number, kind, hash)
      }
      if (mine.nullify) this.#count(number, 'nullify', ZEROS)
      this.#finalize(number)
    }
    this.#finalizeRoot()
    this.#invite()
  }

  /** Casts nothing any more, and goes on following. */
  stop(): void {
    this.#isVoting = false
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
    this.#chain.add(link)
    const { mine } = this.#at(link.view)
    if (!this.#isVoting || mine.notarize !== null || mine.nullify || !this.#keepsPromises(link)) return false
    if (this.leader(link.view) === this.#o.member && mine.propose === null) this.#cast(link.view, 'propose', link.hash)
    this.#cast(link.view, 'notarize', link.hash)
    return true
  }

  /** A block that the host came to hold and executed after its view: finalize may still be open. */
  hold(link: Link): void {
    this.#chain.add(link)
    this.#finalize(link.view)
    this.#settle(link.view)
    this.#invite()
  }

  /** A vote of another member whose signature the host has checked. */
  vote(vote: Vote): void {
    if (vote.member !== this.#o.member && !this.isIdle(vote)) this.#tally(vote)
  }

  /** Whether a vote changes nothing: it is known, or of a view too far away. */
  isIdle({ view, kind, hash, member }: Vote): boolean {
    if (view <= this.root.view - VIEWS.behind || view >= this.#view + VIEWS.ahead) return true
    return this.#views.get(view)?.by(kind, hash).has(member) ?? false
  }

  /** The view's time is up: nullify, unless we promised to finalize in it. */
  timeout(view: bigint): void {
    if (view !== this.#view || !this.#isVoting) return
    const { mine } = this.#at(view)
    if (!mine.nullify && mine.finalize === null) this.#cast(view, 'nullify', ZEROS)
  }

  /** Final blocks that came with a certificate, oldest first, whose signatures the host has checked and which it has executed. */
  adopt(links: readonly Link[]): void {
    for (const link of links) this.#chain.add(link)
    const last = links.at(-1)
    if (last !== undefined && last.view > this.root.view) this.#moveRoot(last)
  }

  /** Notarized or finalized blocks that are not held: to be fetched, for nothing can be built on them before. */
  missing(): readonly Pick<Link, 'view' | 'hash'>[] {
    const { quorum } = this.#o
    return [...this.#views].flatMap(([view, ballots]) => {
      if (view <= this.root.view) return []
      const hashes = ballots.notarized === null ? ballots.reached('finalize', quorum) : [ballots.notarized]
      return hashes.filter((hash) => !this.#chain.has(hash)).map((hash) => ({ view, hash }))
    })
  }

  /** Every vote known of a view and those after it: what somebody who is behind needs to catch up with the views. */
  votesFrom(view: bigint): readonly Vote[] {
    const from = [...this.#views].filter(([number]) => number >= view).sort(([a], [b]) => (a < b ? -1 : 1))
    return from.flatMap(([, ballots]) => ballots.all())
  }

  /** Whether this member holds itself bound in a view: what it is told of its own newest vote is compared with this. */
  promised(view: bigint): Promises | null {
    return this.#views.get(view)?.mine ?? null
  }

  #at(number: bigint): Ballots {
    const known = this.#views.get(number)
    if (known !== undefined) return known
    const view = new Ballots(number)
    this.#views.set(number, view)
    return view
  }

  #enter(view: bigint): void {
    if (view <= this.#view) return
    this.#view = view
    this.#effects.push({ kind: 'enter', view })
    this.#invite()
  }

  /** Asks for a proposal, once a view: when it is entered, or when the parent came later. */
  #invite(): void {
    const view = this.#view
    if (!this.#isVoting || this.leader(view) !== this.#o.member || this.#asked >= view) return
    const { mine } = this.#at(view)
    const parent = mine.notarize === null && !mine.nullify ? this.#highest(view) : null
    if (parent === null) return
    this.#asked = view
    this.#effects.push({ kind: 'propose', view, parent })
  }

  /** The newest notarized block that we hold, with nullifications for every view between. */
  #highest(view: bigint): Link | null {
    for (let v = view - 1n; v > this.root.view; v--) {
      const { notarized, nullified } = this.#at(v)
      const held = notarized === null ? null : this.#chain.get(notarized)
      if (held !== null) return held
      if (!nullified) return null
    }
    return this.root
  }

  /** The parent is notarized (or final) and every view between is nullified; which of several parents is the leader's choice. */
  #extends(link: Link): boolean {
    if (link.parentView >= link.view || link.parentView < this.root.view) return false
    for (let v = link.parentView + 1n; v < link.view; v++) if (!this.#at(v).nullified) return false
    if (link.parentView === this.root.view) return equal(link.parent, this.root.hash)
    const { notarized } = this.#at(link.parentView)
    return notarized !== null && equal(notarized, link.parent)
  }

  /** The lock, forwards: nothing is notarized whose ancestor in a view that we finalized is another block. */
  #keepsPromises(link: Link): boolean {
    const standing = this.#chain.standing(link)
    for (const [number, { mine }] of this.#views) {
      if (mine.finalize === null || number >= link.view) continue
      const there = standing(number)
      if (there === undefined || (there !== null && !equal(there, mine.finalize))) return false
    }
    return true
  }

  /** The lock, backwards: nothing that we notarized later has another ancestor in this view. */
  #mayFinalize(link: Link): boolean {
    for (const [number, { mine }] of this.#views) {
      if (mine.notarize === null || number < link.view) continue
      const notarized = this.#chain.get(mine.notarize)
      // What we notarized and no longer know may stand on anything.
      if (notarized === null || !this.#chain.agrees(notarized, link.view, link.hash)) return false
    }
    return true
  }

  #finalize(number: bigint): void {
    const { notarized } = this.#at(number)
    if (notarized !== null && number > this.root.view) this.#promise(number, notarized)
  }

  /** Late finalize: the newest final block gains our signature, if our record allows it. Certificates with more of them withstand more. */
  #finalizeRoot(): void {
    const { view, hash } = this.root
    if (view > 0n) this.#promise(view, hash)
  }

  // A certificate is no reason to sign: a quorum of others may have notarized what contradicts an earlier promise of ours.
  #promise(view: bigint, hash: Bytes): void {
    const { mine } = this.#at(view)
    const link = this.#chain.get(hash)
    if (!this.#isVoting || mine.nullify || mine.finalize !== null || link === null) return
    if (this.#keepsPromises(link) && this.#mayFinalize(link)) this.#cast(view, 'finalize', hash)
  }

  #cast(view: bigint, kind: VoteKind, hash: Bytes): void {
    const { mine } = this.#at(view)
    if (kind === 'nullify') mine.nullify = true
    else mine[kind] = hash
    this.#record(view)
    this.#count(view, kind, hash)
  }

  // A copy: later steps of the same turn may close the view and forget it before the host writes.
  #record(number: bigint): void {
    const view = this.#at(number)
    const { mine, notarized, nullified } = view
    const notarizers: Signatures = notarized === null ? new Map() : new Map(view.by('notarize', notarized))
    const nullifiers: Signatures = nullified ? new Map(view.by('nullify', ZEROS)) : new Map()
    const remembered = { view: number, mine: { ...mine }, notarized, notarizers, nullified, nullifiers }
    this.#effects.push({ kind: 'record', remembered })
  }

  #count(view: bigint, kind: VoteKind, hash: Bytes): void {
    const vote = { view, kind, hash, member: this.#o.member, signature: this.#o.sign(view, kind, hash) }
    this.#effects.push({ kind: 'vote', vote })
    this.#tally(vote)
  }

  #tally(vote: Vote): void {
    const { view: number, kind, hash } = vote
    const view = this.#at(number)
    const first = view.contradicts(vote)
    if (!view.add(vote)) return
    if (first !== null) this.#effects.push({ kind: 'evidence', contradiction: { first, second: vote } })
    const votes = view.by(kind, hash)
    if (kind === 'propose' || votes.size < this.#o.quorum) return
    if (kind === 'finalize') this.#settle(number)
    else if (number <= this.root.view) return
    else if (kind === 'notarize' && view.notarized === null) this.#notarized(number, view, hash)
    else if (kind === 'nullify' && !view.nullified) this.#nullified(number, view)
  }

  #notarized(number: bigint, view: Ballots, hash: Bytes): void {
    view.notarized = hash
    this.#pacing.notarized(this.leader(number))
    this.#record(number)
    this.#finalize(number)
    this.#settle(number)
    this.#enter(number + 1n)
  }

  #nullified(number: bigint, view: Ballots): void {
    view.nullified = true
    this.#pacing.nullified(this.leader(number))
    this.#record(number)
    this.#enter(number + 1n)
  }

  /** Final once a quorum finalized a block that we hold; every ancestor is final with it. */
  #settle(number: bigint): void {
    const view = this.#views.get(number)
    for (const hash of view?.reached('finalize', this.#o.quorum) ?? []) {
      const link = this.#chain.get(hash)
      if (link === null) continue
      const votes = new Map(view?.by('finalize', hash))
      if (link.view <= this.root.view) {
        this.#effects.push({ kind: 'stronger', link, view: number, votes })
        continue
      }
      this.#effects.push({ kind: 'final', link, view: number, votes })
      this.#moveRoot(link)
      return
    }
  }

  #moveRoot(link: Link): void {
    const before = this.root.view
    this.#chain.moveRoot(link)
    for (const number of this.#views.keys()) if (number > before && number <= link.view) this.#compare(number)
    this.#finalizeRoot()
    this.#chain.forget(link.view - VIEWS.behind)
    for (const number of this.#views.keys()) if (number < link.view - VIEWS.behind) this.#views.delete(number)
    this.#enter(link.view + 1n)
  }

  /** Nothing may be added to a final chain that breaks the lock: whoever helped it on would sign two histories. */
  #compare(number: bigint): void {
    const promised = this.#views.get(number)?.mine.finalize ?? null
    if (promised === null || this.#chain.agrees(this.root, number, promised)) return
    this.#isVoting = false
    this.#effects.push({ kind: 'contradicted', view: number })
  }
}
