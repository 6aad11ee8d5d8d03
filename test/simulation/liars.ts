import type { VoteKind } from '../../client/groups/block.ts'
import { ZEROS } from '../../client/groups/roster.ts'
import type { Link, Vote } from '../../client/groups/simplex/index.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import type { Actor } from './network.ts'
import type { Tap } from './observer.ts'
import { type Message, makeLink, nameOf, ROOT, signatureOf, skewed, type World, whole } from './world.ts'

/** How likely liars are to say something to one member. */
export interface Temper {
  readonly notarize: number
  readonly nullify: number
  readonly finalize: number
  /** As leader: to say nothing, and to make two blocks. */
  readonly silent: number
  readonly double: number
}

/** The worst that is known: everything is voted for and everything voted down, and finality is held back, so that nothing settles. */
export const FORKING: Temper = { notarize: 1, nullify: 1, finalize: 0, silent: 0, double: 1 }

export const temperOf = (draw: () => number): Temper => ({
  notarize: (draw() + 0.4) % 1,
  nullify: draw(),
  finalize: draw(),
  silent: draw() * 0.4,
  double: draw(),
})

/** Views below the newest in which parents are looked for. */
const DEPTH = 12n
/** Of these, as many as are chosen from. */
const NEWEST = 3
const SLOWEST_MS = 500
const JITTER_MS = 200

/**
 * Members that act as one, hear everything at once, and choose who hears them, and when. They vote twice in each view, for every block and
 * against it; as leaders they make two blocks, on whatever parents can be made to hold, or on stale ones.
 */
export class Liars implements Tap {
  readonly #world: World
  readonly #members: readonly number[]
  readonly #temper: Temper
  readonly #targets: readonly Actor<Message>[]
  readonly #links = new Map<bigint, Link[]>([[0n, [ROOT]]])
  /** Honest votes: kind, view and block, then how many. */
  readonly #counts = new Map<string, number>()
  #view = 0n

  constructor(world: World, members: readonly number[], temper: Temper) {
    this.#world = world
    this.#members = members
    this.#temper = temper
    this.#targets = [...world.network.actors]
  }

  made(link: Link): void {
    const beside = this.#links.get(link.view) ?? []
    this.#links.set(link.view, [...beside, link])
    // Together: what decides is which of two blocks everybody sees notarized first.
    const when = this.#delay()
    for (const member of this.#members) {
      this.#vote(member, 'notarize', link.view, link.hash, this.#temper.notarize, when)
      this.#vote(member, 'finalize', link.view, link.hash, this.#temper.finalize, when + this.#delay())
    }
  }

  sent({ kind, view, hash }: Vote): void {
    const key = `${kind} ${view} ${nameOf(hash)}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  entered(view: bigint): void {
    if (view <= this.#view) return
    this.#view = view
    for (const member of this.#members) this.#vote(member, 'nullify', view, ZEROS, this.#temper.nullify, this.#delay())
    const leader = Number(view % BigInt(this.#world.n))
    if (this.#members.includes(leader)) this.#lead(leader, view)
  }

  #lead(leader: number, view: bigint): void {
    const { draw } = this.#world
    if (draw() < this.#temper.silent) return
    const first = this.#make(leader, view)
    if (draw() >= this.#temper.double) {
      for (const to of this.#targets) this.#show(to, first, this.#delay())
      return
    }
    const second = this.#make(leader, view)
    for (const to of this.#targets) {
      const [sooner, later] = draw() < 0.5 ? [first, second] : [second, first]
      const delay = this.#delay()
      this.#show(to, sooner, delay)
      if (draw() < 0.7) this.#show(to, later, delay + this.#delay())
    }
  }

  #make(leader: number, view: bigint): Vote & { readonly link: Link } {
    const { draw, observer } = this.#world
    const parents = this.#parents(view)
    const link = makeLink(view, parents[whole(draw, Math.min(parents.length, NEWEST))] ?? ROOT, leader, whole(draw, 2 ** 32))
    observer.made(link)
    return { view, kind: 'propose', hash: link.hash, member: leader, signature: signatureOf(leader), link }
  }

  /** Blocks that others may be made to accept a child of in `view`; now and then any that there is. */
  #parents(view: bigint): readonly Link[] {
    const { draw, quorum } = this.#world
    const isStale = draw() < 0.1
    const found: Link[] = []
    for (let below = view - 1n; below >= 0n && below > view - DEPTH; below--) {
      for (const link of this.#links.get(below) ?? [])
        if (isStale || below === 0n || this.#count('notarize', below, link.hash) >= quorum) found.push(link)
      if (!isStale && this.#count('nullify', below, ZEROS) < quorum) break
    }
    return found
  }

  /** Votes that there can be, with those of all liars. */
  #count(kind: VoteKind, view: bigint, hash: Bytes): number {
    return (this.#counts.get(`${kind} ${view} ${nameOf(hash)}`) ?? 0) + this.#members.length
  }

  #show(to: Actor<Message>, { link, ...vote }: Vote & { readonly link: Link }, ms: number): void {
    this.#world.network.bring(vote.member, to, ms, { kind: 'block', link, vote })
  }

  #vote(member: number, kind: VoteKind, view: bigint, hash: Bytes, chance: number, ms: number): void {
    const { draw, network } = this.#world
    const vote = { view, kind, hash, member, signature: signatureOf(member) }
    for (const to of this.#targets)
      if (draw() < chance) network.bring(member, to, ms + skewed(draw, 0, JITTER_MS), { kind: 'votes', votes: [vote] })
  }

  #delay(): number {
    return skewed(this.#world.draw, 1, SLOWEST_MS)
  }
}
