import type { Simplex } from '../../client/groups/simplex/index.ts'
import type { Clock } from './clock.ts'
import { PATIENCE } from './world.ts'

const RESEND_MS = { least: 100, most: 5_000 } as const
const WANT_MS = 150
const FETCH_MS = 300

/** The one timer of a member, as client/groups/schedule.ts: the end of the view, and from then on, ever more rarely, saying everything again. */
export class Pace {
  readonly #clock: Clock
  readonly #core: Simplex
  readonly #due: (due: 'end' | 'again' | null) => void
  #enteredAt: number
  #again: { readonly at: number; readonly wait: number } | null = null
  #fetchedAt = Number.NEGATIVE_INFINITY
  #cancel: () => void = () => {}

  constructor(clock: Clock, core: Simplex, due: (due: 'end' | 'again' | null) => void) {
    this.#clock = clock
    this.#core = core
    this.#due = due
    this.#enteredAt = clock.now
  }

  entered(): void {
    this.#enteredAt = this.#clock.now
    this.#again = null
  }

  /** Whether final blocks may be asked for: nobody was asked just now. */
  mayFetch(): boolean {
    if (this.#clock.now - this.#fetchedAt < FETCH_MS) return false
    this.#fetchedAt = this.#clock.now
    return true
  }

  fetched(): void {
    this.#fetchedAt = Number.NEGATIVE_INFINITY
  }

  /** Waits for what comes next. @param isLacking whether there are blocks to ask for */
  arm(isLacking: boolean): void {
    this.#cancel()
    const { now } = this.#clock
    const at = Math.min(this.#again?.at ?? this.#enteredAt + this.#core.wait, isLacking ? now + WANT_MS : Number.POSITIVE_INFINITY)
    this.#cancel = this.#clock.after(Math.max(1, at - now), () => this.#due(this.#take()))
  }

  end(): void {
    this.#cancel()
  }

  #take(): 'end' | 'again' | null {
    const { now } = this.#clock
    if (this.#again === null) {
      if (now < this.#enteredAt + this.#core.wait) return null
      this.#retry(Math.max(RESEND_MS.least, PATIENCE.viewMs))
      return 'end'
    }
    if (now < this.#again.at) return null
    this.#retry(Math.min(2 * this.#again.wait, RESEND_MS.most))
    return 'again'
  }

  #retry(wait: number): void {
    this.#again = { at: this.#clock.now + wait, wait }
  }
}
