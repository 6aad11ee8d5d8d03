import type { Block } from './block.ts'
import { BlockLimitError, type Branch, fitting } from './execution.ts'
import type { SeatOptions } from './seat.ts'
import type { Effect } from './simplex/index.ts'

type Invitation = Extract<Effect, { kind: 'propose' }>

/** As many commands as are worth a block of their own. */
const MANY = 1_024

/** Makes a block when it is our turn and there is something to say: commands, the heartbeat, or a parent that is not final yet. */
export class Proposer<S, C> {
  readonly #o: Pick<SeatOptions<S, C>, 'branches' | 'pool' | 'history' | 'host' | 'timers'>
  #invitation: Invitation | null = null

  constructor(options: Pick<SeatOptions<S, C>, 'branches' | 'pool' | 'history' | 'host' | 'timers'>) {
    this.#o = options
  }

  invite(invitation: Invitation): void {
    this.#invitation = invitation
  }

  /** The block to propose in `view`, executed; null when there is none to make now. */
  propose(view: bigint, enteredAt: number): { readonly branch: Branch<S>; readonly block: Block } | null {
    const { branches, pool, host } = this.#o
    const invitation = this.#invitation
    const parent = invitation?.view === view ? branches.get(invitation.parent.hash) : null
    if (parent === null) return null
    if (pool.size < MANY && host.now() < this.#gatheredAt(parent.branch, enteredAt)) return null
    const waiting = pool.take(parent.branch.header.index + 1n, (id) => branches.hasTaken(parent.branch, id))
    if (waiting.length === 0 && host.now() < this.dueAt(enteredAt)) return null
    this.#invitation = null
    return this.#make(parent.branch, view, waiting.slice(0, fitting(waiting)))
  }

  /** When a block is made, sooner if the parent becomes final: with the commands that wait by then, or without any. */
  dueAt(enteredAt: number): number {
    const { branches, history, timers, pool, host } = this.#o
    if (this.#invitation === null) return Number.POSITIVE_INFINITY
    const parent = branches.get(this.#invitation.parent.hash)?.branch
    if (parent === undefined) return Number.POSITIVE_INFINITY
    const gathered = this.#gatheredAt(parent, enteredAt)
    if (pool.size > 0 && host.now() < gathered) return gathered
    const heartbeat = Number(parent.header.time_ms) + timers.heartbeatMs
    // Votes on its child are votes on the parent: what the first round of votes left open the next block closes.
    return parent.header.index === history.newest ? heartbeat : Math.min(heartbeat, enteredAt + timers.viewMs / 2)
  }

  /**
   * Until when commands are gathered: a block costs the committee about as much whether one command is in it or a hundred, so while the
   * one before is being voted on the next one waits for it, a little. A member alone with one command waits for nothing.
   */
  #gatheredAt(parent: Branch<S>, enteredAt: number): number {
    const { history, timers } = this.#o
    return parent.header.index === history.newest ? enteredAt : enteredAt + timers.viewMs / 8
  }

  #make(parent: Branch<S>, view: bigint, waiting: Block['commands']): { readonly branch: Branch<S>; readonly block: Block } {
    const now = BigInt(Math.floor(this.#o.host.now()))
    const timeMs = now > parent.header.time_ms ? now : parent.header.time_ms
    for (let commands = waiting; ; ) {
      try {
        const branch = this.#o.branches.execute(parent, { view, timeMs, commands })
        return { branch, block: { header: branch.header, commands } }
      } catch (error) {
        if (!(error instanceof BlockLimitError) || error.position === 0) throw error
        commands = commands.slice(0, error.position)
      }
    }
  }
}
