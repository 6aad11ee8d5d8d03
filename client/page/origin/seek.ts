import { isError } from '../../error.ts'
import { whenAborted } from '../../network/scope.ts'
import { lead, readWord } from '../../rpc/meeting.ts'
import { type Port, ShutdownError } from '../../rpc/wire.ts'
import type { Seat } from '../worker.ts'
import { type Ground, PULSE } from './ground.ts'
import { join } from './join.ts'

/**
 * The Worker of the origin: that of the tab that leads or, when this one gets the lock, our own. A tab that holds the lock and says nothing,
 * as one that the browser froze, loses it.
 * @param isSuspect whoever led has fallen silent: it is asked once more, and then loses the lock
 * @returns null when there is none to be had: each network is to have a Worker of its own then
 * @throws ConnectError when it is for us to start the Worker, and we cannot; the signal's reason
 */
export const seek = (ground: Ground, isSuspect: boolean, signal: AbortSignal): Promise<Seat | null> =>
  new Promise((found, failed) => new Search(ground, isSuspect, found, failed).start(signal))

/** From the first question until there is a seat. */
class Search {
  readonly #ground: Ground
  readonly #found: (seat: Seat | null) => void
  readonly #failed: (error: unknown) => void
  readonly #place: Port
  /** Stands in the queue for the lock. */
  readonly #queue = new AbortController()
  #missed: number
  #joining: { readonly leader: string; readonly gone: AbortController } | null = null
  #stop: () => void = () => {}
  #isOver = false
  /** Our own Worker is being loaded. */
  #isBooting = false

  constructor(ground: Ground, isSuspect: boolean, found: (seat: Seat | null) => void, failed: (error: unknown) => void) {
    this.#ground = ground
    this.#found = found
    this.#failed = failed
    this.#place = ground.channel(ground.meeting)
    this.#missed = isSuspect ? PULSE.misses : 0
  }

  start(signal: AbortSignal): void {
    const stop = this.#ground.every(PULSE.everyMs, () => this.#look())
    const keep = whenAborted(signal, () => this.#end(() => this.#failed(signal.reason)))
    this.#stop = () => {
      stop()
      keep()
    }
    this.#place.onmessage = ({ data }: { readonly data: unknown }) => this.#hear(data)
    this.#ask({ signal: this.#queue.signal })
    this.#look()
  }

  #hear(data: unknown): void {
    const { kind, leader } = readWord(data) ?? {}
    if (kind === 'here') this.#isBooting = false
    if (kind === 'who' && this.#isBooting) this.#say('booting')
    if (kind !== 'here' && kind !== 'booting') return
    this.#missed = 0
    if (this.#isOver || !leader || (this.#joining?.leader === leader && !this.#joining.gone.signal.aborted)) return
    this.#leave()
    const { gone } = join(this.#ground, this.#place, leader, (seat) => {
      if (seat) this.#joining = null
      this.#settle(seat)
    })
    this.#joining = { leader, gone }
  }

  #look(): void {
    if (++this.#missed <= PULSE.misses + 1 || this.#queue.signal.aborted) this.#say('who')
    else {
      this.#queue.abort()
      this.#ask({ steal: true })
    }
  }

  #ask(how: { readonly signal?: AbortSignal; readonly steal?: boolean }): void {
    const { locks, meeting } = this.#ground
    let seat: Seat | null = null
    const run = (): Promise<void> | undefined => {
      if (this.#isOver) return
      seat = this.#lead()
      const { signal } = seat.gone
      this.#settle(seat)
      return new Promise((done) => whenAborted(signal, done))
    }
    locks.request(meeting, how, run).catch((error: unknown) => {
      // Another tab took the lock while the browser had this one frozen.
      if (seat) seat.gone.abort(new ShutdownError())
      else if (isError(error, 'Network.ConnectError')) this.#end(() => this.#failed(error))
      // A sandboxed frame has locks by name only.
      else if (!how.signal?.aborted) this.#settle(null)
    })
  }

  /** Starts the Worker of the origin. @throws ConnectError */
  #lead(): Seat {
    const seat = this.#ground.spawn()
    seat.target.postMessage(lead(this.#ground.meeting), [])
    whenAborted(seat.gone.signal, () => this.#place.close())
    // Those who wait learn that somebody does something about it.
    this.#isBooting = true
    this.#say('booting')
    return seat
  }

  #say(kind: 'who' | 'booting'): void {
    this.#place.postMessage({ kind })
  }

  #leave(): void {
    this.#joining?.gone.abort(new ShutdownError())
  }

  #settle(seat: Seat | null): void {
    if (this.#isOver) seat?.gone.abort(new ShutdownError())
    else this.#end(() => this.#found(seat))
  }

  #end(tell: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#stop()
    this.#queue.abort()
    this.#leave()
    if (!this.#isBooting) this.#place.close()
    tell()
  }
}
