import type { VoteKind } from '../../client/groups/block.ts'
import { type Effect, type Link, type Simplex, VIEWS, type Vote } from '../../client/groups/simplex/index.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import type { Disk, Proposed } from './disk.ts'
import { Exchange } from './exchange.ts'
import { Ledger } from './ledger.ts'
import type { Actor } from './network.ts'
import { Pace } from './pace.ts'
import { type Habits, type Message, makeLink, PATIENCE, signatureOf, skewed, type World, whole } from './world.ts'

type Invitation = Extract<Effect, { kind: 'propose' }>

const FASTEST_SYNC_MS = 1
const THINK_MS = { least: 1, most: 60 } as const
/** Blocks between two syncs of the archive. */
const ARCHIVE_EVERY = 4

/**
 * One honest member from a start to a crash, around the core as client/groups/seat.ts: steps run one after the other, those that come while
 * the disk is written wait for it, and nothing leaves before the promises behind it are on disk. Blocks have no content here.
 */
export class Life {
  readonly ledger: Ledger
  readonly core: Simplex
  readonly #actor: Actor<Message>
  readonly #world: World
  readonly #disk: Disk
  readonly #habits: Habits
  readonly #pace: Pace
  readonly #exchange: Exchange
  #inbox: (() => void)[] = []
  /** What tells others our own votes: said once everything cast so far is on disk. */
  #later: (() => void)[] = []
  /** Blocks that the next batch writes. */
  #fresh: Proposed[] = []
  #isBusy = false
  #isOver = false
  #archiving = 0

  constructor(actor: Actor<Message>, world: World, disk: Disk, habits: Habits) {
    const { n, quorum, Core, clock } = world
    const sign = (_view: bigint, _kind: VoteKind, _hash: Bytes): Bytes => signatureOf(actor.member)
    this.#actor = actor
    this.#world = world
    this.#disk = disk
    this.#habits = habits
    this.ledger = new Ledger(disk.archive, disk.blocks.values())
    const root = this.ledger.newest
    this.core = new Core({ n, quorum, member: actor.member, root, patience: PATIENCE, sign })
    const recent = disk.archive.slice(-Number(VIEWS.behind)).map(({ link }) => link)
    const views = [...disk.views.values()].filter(({ view }) => view > root.view - VIEWS.behind)
    this.core.restore([...recent, ...this.ledger.unfinal()], views)
    this.#pace = new Pace(clock, this.core, (due) => this.step(() => this.#tick(due)))
    this.#exchange = new Exchange({
      actor,
      world,
      core: this.core,
      ledger: this.ledger,
      pace: this.#pace,
      later: (say) => void this.#later.push(say),
      counted: (vote) => this.#counted(vote),
      held: (blocks) => this.#held(blocks),
      adopted: (message) => this.#adopted(message),
    })
  }

  begin(): void {
    this.step(() => {
      this.core.start()
      this.#exchange.ask()
    })
  }

  end(): void {
    this.#isOver = true
    this.#pace.end()
  }

  step(run: () => void): void {
    if (this.#isOver) return
    this.#inbox.push(run)
    if (this.#isBusy) return
    this.#isBusy = true
    this.#settle()
  }

  reach(member: number, isUp: boolean): void {
    this.core.reach(member, isUp)
    if (isUp) this.#exchange.greet(member)
  }

  take(from: number, message: Message): void {
    this.#exchange.take(from, message)
  }

  #settle(): void {
    for (;;) {
      for (const step of this.#inbox.splice(0)) step()
      for (const link of this.ledger.of(this.core.view)) this.core.offer(link)
      const effects = this.core.take()
      for (const effect of effects) if (effect.kind === 'evidence') this.#world.observer.evidence(this, effect.contradiction)
      const views = effects.flatMap((effect) => (effect.kind === 'record' ? [effect.remembered] : []))
      const blocks = this.#fresh.splice(0)
      if (effects.length + blocks.length === 0) break
      const after = (): void => {
        this.#speak(effects)
        for (const effect of effects) this.#follow(effect)
      }
      this.#disk.write({ views, blocks })
      this.#world.clock.after(this.#syncMs(), () => {
        if (this.#isOver) return
        this.#disk.synced()
        if (this.#habits.early) return
        after()
        this.#settle()
      })
      if (!this.#habits.early) return
      after()
    }
    for (const say of this.#later.splice(0)) say()
    this.#isBusy = false
    this.#pace.arm(this.#exchange.lacking().length > 0)
  }

  #syncMs(): number {
    return skewed(this.#world.draw, FASTEST_SYNC_MS, this.#habits.syncMs)
  }

  #speak(effects: readonly Effect[]): void {
    const votes = effects.flatMap((effect) => (effect.kind === 'vote' ? [effect.vote] : []))
    for (const vote of votes) {
      this.#world.observer.sent(this.#actor, vote)
      const link = vote.kind === 'propose' ? this.ledger.get(vote.hash)?.link : undefined
      if (link !== undefined) this.#exchange.all({ kind: 'block', link, vote })
    }
    const others = votes.filter(({ kind }) => kind !== 'propose')
    if (others.length > 0) this.#exchange.all({ kind: 'votes', votes: others })
  }

  #follow(effect: Effect): void {
    const { observer, clock, draw } = this.#world
    if (effect.kind === 'propose') {
      // The time that a command takes to come.
      clock.after(skewed(draw, THINK_MS.least, THINK_MS.most), () => this.step(() => this.#propose(effect)))
    } else if (effect.kind === 'enter') {
      this.#pace.entered()
      observer.entered(this.#actor, effect.view)
    } else if (effect.kind === 'final') this.#final(this.ledger.finish(effect.link, effect.votes))
    else if (effect.kind === 'contradicted') observer.contradicted(this.#actor, effect.view)
  }

  #propose({ view, parent }: Invitation): void {
    if (this.core.view !== view) return
    const { observer, draw } = this.#world
    const link = makeLink(view, parent, this.#actor.member, whole(draw, 2 ** 32))
    observer.made(link)
    const vote = { view, kind: 'propose', hash: link.hash, member: this.#actor.member, signature: signatureOf(this.#actor.member) } as const
    this.#fresh.push(...this.ledger.hold({ link, vote }))
    this.core.offer(link)
  }

  #final(chain: readonly Link[] | null): void {
    const { log } = this.ledger
    const { observer, clock } = this.#world
    if (chain === null) observer.broken(this.#actor)
    for (const [i, link] of (chain ?? []).entries()) observer.final(this.#actor, log.length - (chain?.length ?? 0) + i, link)
    if (log.length < this.#archiving + ARCHIVE_EVERY) return
    this.#archiving = log.length
    const written = [...log]
    clock.after(this.#syncMs(), () => {
      if (!this.#isOver) this.#disk.archived(written)
    })
  }

  #counted(vote: Vote): void {
    this.#world.observer.delivered(this, this.#actor, vote)
    this.core.vote(vote)
  }

  #held(blocks: readonly Proposed[]): void {
    for (const proposed of blocks) {
      this.#fresh.push(proposed)
      this.core.hold(proposed.link)
    }
  }

  #adopted({ from, links, votes }: Extract<Message, { kind: 'final' }>): void {
    const chain = this.ledger.adopt(from, links, votes)
    if (chain === null || chain.length === 0) return
    this.#final(chain)
    this.core.adopt(chain)
    this.#held(this.ledger.unstash())
  }

  #tick(due: 'end' | 'again' | null): void {
    if (due === 'end') {
      this.core.timeout(this.core.view)
      // A liar may have shown a vote to the others alone: they go on with it, and we cannot before we have seen it.
      this.#exchange.ask()
    }
    if (due === 'again') this.#later.push(() => this.#exchange.sayAgain())
    this.#exchange.want()
  }
}
