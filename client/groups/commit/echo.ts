import type { Bytes } from '../../primitives/bytes.ts'
import type { SeatOptions } from '../seat.ts'
import type { Vote } from '../simplex/index.ts'
import type { CatchUp } from './catch-up.ts'
import type { Mail } from './mail.ts'

/**
 * What a member says once more, to one who asks or because a view does not end. The core counts its own votes before they are on disk, so
 * whatever may repeat one waits for the end of the turn: a vote that left and was then lost with the power would be signed against.
 */
export class Echo<S, C> {
  readonly #o: SeatOptions<S, C>
  readonly #mail: Mail
  readonly #catchUp: CatchUp<S, C>
  readonly #isStopped: () => boolean
  #waiting: (() => void)[] = []

  constructor(options: SeatOptions<S, C>, mail: Mail, catchUp: CatchUp<S, C>, isStopped: () => boolean) {
    this.#o = options
    this.#mail = mail
    this.#catchUp = catchUp
    this.#isStopped = isStopped
  }

  /** Every vote known from the last final view on. */
  votesTo(member: number): void {
    this.#waiting.push(() => this.#mail.votesTo(member, this.#known(this.#o.simplex.root.view)))
  }

  /** A block that is not final yet, with its leader's vote; where it is held no more, how far we are. */
  proposalTo(member: number, hash: Bytes): void {
    this.#waiting.push(() => {
      const held = this.#o.branches.get(hash)
      const isOurs = held !== null && this.#o.simplex.leader(held.branch.link.view) === this.#o.member
      if (held?.block == null || held.signature === null || (isOurs && this.#isStopped())) return this.#catchUp.answer(member)
      this.#mail.to(member, { kind: 'proposal', value: { block: held.block, signature: held.signature } })
    })
  }

  /** A view does not end: what others have is asked for, and whatever of ours may have been lost is sent once more. The same bytes. */
  again(): void {
    this.#catchUp.ask()
    this.#waiting.push(() => {
      const { simplex, pool, branches, member } = this.#o
      for (const command of pool.own()) this.#mail.spread(command)
      const own = this.#known(simplex.root.view + 1n).filter((vote) => vote.member === member)
      this.#mail.votes(own.filter(({ kind }) => kind !== 'propose'))
      if (this.#isStopped() || simplex.leader(simplex.view) !== member) return
      for (const { branch, block, signature } of branches.all())
        if (block !== null && signature !== null && branch.link.view === simplex.view)
          this.#mail.all({ kind: 'proposal', value: { block, signature } })
    })
  }

  /** Called when everything that was cast is on disk. */
  say(): void {
    for (const each of this.#waiting.splice(0)) each()
  }

  /** What a store that failed may have lost of ours is not passed on. */
  #known(view: bigint): readonly Vote[] {
    const votes = this.#o.simplex.votesFrom(view)
    return this.#isStopped() ? votes.filter(({ member }) => member !== this.#o.member) : votes
  }
}
