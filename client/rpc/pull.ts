import type { Exchange } from './caller.ts'
import { LIMITS } from './wire.ts'

/** What the consumer of a stream tells the other side. */
export interface Pull {
  readonly abort: (reason: unknown) => void
  readonly credit: (n: number) => void
}

interface Waiting {
  readonly resolve: (result: IteratorResult<unknown>) => void
  readonly reject: (error: unknown) => void
}

const OVER: IteratorResult<unknown> = { done: true, value: undefined }

/**
 * The consuming end of a stream. Nothing is asked for before the first `next`; from then on the producer may be LIMITS.credit items ahead of
 * what was taken, and no more: credit is given back for what the consumer took, half a window at a time.
 */
export class Pulled implements AsyncIterator<unknown>, Exchange {
  readonly #start: (answers: Exchange, credit: () => number) => Pull
  readonly #see: (value: unknown) => boolean
  readonly #ready: unknown[] = []
  readonly #waiting: Waiting[] = []
  #source: Pull | null = null
  #over = false
  #failure: { readonly error: unknown } | null = null
  #taken = 0
  #granted = 0

  /**
   * @param start `credit` is to be asked whenever the source begins, in another Worker too
   * @param see false for an item that is not the consumer's
   */
  constructor(start: (answers: Exchange, credit: () => number) => Pull, see: (value: unknown) => boolean = () => true) {
    this.#start = start
    this.#see = see
  }

  async next(): Promise<IteratorResult<unknown>> {
    if (!this.#source && !this.#over) this.#open()
    if (this.#ready.length > 0) {
      const value = this.#ready.shift()
      this.#took()
      return { done: false, value }
    }
    if (!this.#over) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
    const failure = this.#failure
    this.#failure = null
    if (failure) throw failure.error
    return OVER
  }

  async return(): Promise<IteratorResult<unknown>> {
    this.#ready.length = 0
    this.#source?.abort('the consumer stopped')
    this.done()
    return OVER
  }

  done(): void {
    this.#finish(null)
  }

  fail(error: unknown): void {
    this.#finish({ error })
  }

  item(value: unknown): boolean {
    if (this.#granted-- === 0) return false
    if (!this.#see(value)) {
      this.#took()
      return true
    }
    const first = this.#waiting.shift()
    if (first) {
      this.#took()
      first.resolve({ done: false, value })
    } else this.#ready.push(value)
    return true
  }

  #open(): void {
    try {
      this.#source = this.#start(this, () => this.#window())
    } catch (error) {
      this.fail(error)
    }
  }

  /** What a source that begins now may send: what the one before it sent and nobody took yet is still here. One at least, which is lent. */
  #window(): number {
    const room = LIMITS.credit - this.#ready.length
    this.#granted = Math.max(1, room)
    this.#taken = room - this.#granted
    return this.#granted
  }

  #took(): void {
    this.#taken++
    if (this.#taken < LIMITS.credit / 2 || this.#over) return
    this.#granted += this.#taken
    this.#source?.credit(this.#taken)
    this.#taken = 0
  }

  /** Whoever waits learns of a failure first; with nobody waiting it is kept for the next pull, behind the items that came before it. */
  #finish(failure: { readonly error: unknown } | null): void {
    if (this.#over) return
    this.#over = true
    const [first, ...rest] = this.#waiting.splice(0)
    if (first && failure) first.reject(failure.error)
    else first?.resolve(OVER)
    for (const other of rest) other.resolve(OVER)
    this.#failure = first ? null : failure
  }
}
