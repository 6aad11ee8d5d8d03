import type { Host } from '../network/host.ts'
import type { Branches } from './branches.ts'
import type { Timers } from './group.ts'
import type { History } from './history.ts'
import type { Pool } from './pool.ts'
import type { Simplex } from './simplex/index.ts'

export interface ScheduleOptions<S, C> {
  readonly host: Pick<Host, 'now'>
  readonly timers: Timers
  readonly history: History<S, C>
  readonly pool: Pool
  readonly branches: Branches<S, C>
  readonly simplex: Simplex
}

const RESEND_MS = { least: 100, most: 5_000 } as const
const LONGEST_MS = 10_000

/** When a view's leader has had its time, and when what was said has to be said again. */
export class Schedule<S, C> {
  readonly #o: ScheduleOptions<S, C>
  #enteredAt: number
  /** Since when there is something to agree on; null while there is nothing. */
  #busyAt: number | null = null
  /** The current view is over its time: when to speak up next, and how long after the last time that is. */
  #again: { readonly at: number; readonly wait: number } | null = null

  constructor(options: ScheduleOptions<S, C>) {
    this.#o = options
    this.#enteredAt = options.host.now()
  }

  get enteredAt(): number {
    return this.#enteredAt
  }

  entered(): void {
    this.#enteredAt = this.#o.host.now()
    this.#again = null
  }

  /** What has come due: the end of the view, once, and from then on, ever more rarely, saying everything again. */
  due(): 'end' | 'again' | null {
    const now = this.#o.host.now()
    if (this.#again === null) {
      if (now < this.#deadline()) return null
      this.#retry(Math.max(RESEND_MS.least, this.#o.timers.viewMs))
      return 'end'
    }
    if (now < this.#again.at) return null
    this.#retry(Math.min(2 * this.#again.wait, RESEND_MS.most))
    return 'again'
  }

  /** Milliseconds until something is due. @param others times at which something else may be */
  wait(others: readonly number[]): number {
    const { host, pool, branches, simplex, timers } = this.#o
    const now = host.now()
    const unfinal = branches.all().filter(({ block }) => block !== null)
    if (pool.size === 0 && unfinal.length === 0) this.#busyAt = null
    else this.#busyAt ??= now
    const early = unfinal.filter(({ branch }) => branch.link.view === simplex.view)
    const times = [...others, ...early.map(({ branch }) => Number(branch.header.time_ms) - timers.skewMs)]
    // What is due and was not done just now waits for something else than time.
    const later = times.filter((time) => time > now)
    const wait = Math.min(this.#again?.at ?? this.#deadline(), ...later) - now
    return Math.max(1, Math.ceil(Math.min(wait, LONGEST_MS)))
  }

  // An idle group waits for the heartbeat first.
  #deadline(): number {
    const { history, timers, simplex } = this.#o
    const from = this.#busyAt ?? Number(history.head.header.time_ms) + timers.heartbeatMs
    return Math.max(this.#enteredAt, from) + simplex.wait
  }

  #retry(wait: number): void {
    this.#again = { at: this.#o.host.now() + wait, wait }
  }
}
