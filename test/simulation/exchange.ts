import { type Simplex, VIEWS, type Vote } from '../../client/groups/simplex/index.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import type { Proposed } from './disk.ts'
import type { Ledger } from './ledger.ts'
import type { Actor } from './network.ts'
import type { Pace } from './pace.ts'
import { type Message, type World, whole } from './world.ts'

type MessageOf<K extends Message['kind']> = Extract<Message, { kind: K }>

export interface ExchangeOptions {
  readonly actor: Actor<Message>
  readonly world: World
  readonly core: Simplex
  readonly ledger: Ledger
  readonly pace: Pace
  /** Says something once every promise made so far is on disk: whatever may have own votes in it. */
  readonly later: (say: () => void) => void
  readonly counted: (vote: Vote) => void
  readonly held: (blocks: readonly Proposed[]) => void
  readonly adopted: (message: MessageOf<'final'>) => void
}

/** Blocks that one answer to `fetch` carries. */
const MOST_BLOCKS = 16

/** What a member and the others tell each other, beside the votes of the moment: as client/groups/commit. */
export class Exchange {
  readonly #o: ExchangeOptions

  constructor(options: ExchangeOptions) {
    this.#o = options
  }

  take(from: number, message: Message): void {
    if (message.kind === 'votes') for (const vote of message.votes) this.#count(from, vote)
    else if (message.kind === 'block') this.#block(from, message)
    else if (message.kind === 'status') this.#heard(from, message)
    else if (message.kind === 'fetch') this.#serve(from, message.from)
    else if (message.kind === 'want') this.#o.later(() => this.#wanted(from, message.hash))
    else if (message.votes.size >= this.#o.world.quorum) {
      this.#o.adopted(message)
      this.#o.pace.fetched()
      this.greet(from)
    }
  }

  /** Says where we are, and asks for what there is beyond that. */
  greet(member: number): void {
    this.#send(member, this.#status(true))
  }

  ask(): void {
    this.all(this.#status(true))
  }

  all(message: Message): void {
    this.#o.world.network.all(this.#o.actor, message)
  }

  /** Blocks that nothing goes on without. */
  lacking(): readonly Bytes[] {
    return [...this.#o.core.missing().map(({ hash }) => hash), ...this.#o.ledger.lacking()]
  }

  want(): void {
    const { n, draw } = this.#o.world
    for (const hash of this.lacking()) {
      const somebody = (this.#o.actor.member + 1 + whole(draw, Math.max(1, n - 1))) % n
      this.#send(somebody, { kind: 'want', hash })
    }
  }

  /** What may have been lost: the same bytes once more. */
  sayAgain(): void {
    const { core, ledger, actor } = this.#o
    this.ask()
    const own = core.votesFrom(core.root.view + 1n).filter(({ member }) => member === actor.member)
    const votes = own.filter(({ kind }) => kind !== 'propose')
    if (votes.length > 0) this.all({ kind: 'votes', votes })
    for (const link of ledger.of(core.view)) {
      const vote = ledger.get(link.hash)?.vote
      if (vote != null && vote.member === actor.member) this.all({ kind: 'block', link, vote })
    }
  }

  #count(from: number, vote: Vote): void {
    const { core, counted } = this.#o
    if (vote.view >= core.view + VIEWS.ahead) this.greet(from)
    if (!core.isIdle(vote)) counted(vote)
  }

  #block(from: number, { link, vote }: MessageOf<'block'>): void {
    const { core, ledger, held } = this.#o
    if (vote.member !== core.leader(link.view)) return
    this.#count(from, vote)
    if (link.view <= core.root.view || link.view >= core.view + VIEWS.ahead) return
    if (ledger.isWanted(link) || this.lacking().some((hash) => hash === link.hash)) held(ledger.hold({ link, vote }))
  }

  #heard(from: number, { height, ask }: MessageOf<'status'>): void {
    const { ledger, pace, core, later } = this.#o
    const own = ledger.log.length - 1
    if (height > own && pace.mayFetch()) this.#send(from, { kind: 'fetch', from: own + 1 })
    if (!ask) return
    this.#send(from, this.#status(false))
    if (height === own) later(() => this.#send(from, { kind: 'votes', votes: core.votesFrom(core.root.view) }))
  }

  /** As many blocks as fit, up to the last with votes of its own. */
  #serve(from: number, height: number): void {
    const { log } = this.#o.ledger
    for (let end = Math.min(log.length, height + MOST_BLOCKS); end > height; end--) {
      const votes = log[end - 1]?.votes ?? null
      if (votes === null) continue
      const links = log.slice(height, end).map(({ link }) => link)
      this.#send(from, { kind: 'final', from: height, links, votes })
      return
    }
  }

  #wanted(from: number, hash: Bytes): void {
    const held = this.#o.ledger.get(hash)
    if (held?.vote == null) this.#send(from, this.#status(false))
    else this.#send(from, { kind: 'block', link: held.link, vote: held.vote })
  }

  #status(ask: boolean): Message {
    return { kind: 'status', height: this.#o.ledger.log.length - 1, ask }
  }

  #send(to: number, message: Message): void {
    this.#o.world.network.send(this.#o.actor, to, message)
  }
}
