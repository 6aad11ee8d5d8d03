import { race, whenAborted } from '../../network/scope.ts'
import { ShutdownError } from '../../rpc/wire.ts'
import { type Place, placeOn, type Seat } from '../worker.ts'
import { type Ground, SILENT } from './ground.ts'
import { seek } from './seek.ts'

/** This page's part in the one Worker of its origin (PROTOCOL.md section 5): it has a seat as long as it has a network. */
export class Origin {
  readonly #ground: Ground
  /** Whether tabs can find each other. */
  readonly #isShared: boolean
  #seat: Promise<Seat | null> | null = null
  #search = new AbortController()
  #isSuspect = false
  #users = 0
  #shown: Promise<unknown> = Promise.resolve()

  constructor(ground: Ground, isShared: boolean) {
    this.#ground = ground
    this.#isShared = isShared
  }

  /** A network begins. The returned function is called when it has ended; with the last one the page gives up its seat. */
  readonly enter = (): (() => void) => {
    this.#users++
    return () => {
      if (--this.#users === 0) this.#leave()
    }
  }

  /** A place in the Worker of the origin. @throws ConnectError when it is for this page to start it, and it cannot; the signal's reason */
  readonly next = async (signal: AbortSignal): Promise<Place> => {
    await race(this.#shown, signal)
    if (!this.#isShared) return this.#alone()
    this.#seat ??= this.#find()
    const seat = await race(this.#seat, signal)
    return seat ? placeOn(seat) : this.#alone()
  }

  /** The page is put away until `shown`, perhaps for good: another tab has to do the work, and is not to wait for a page that does not run. */
  hide(shown: Promise<unknown>): void {
    this.#shown = shown
    this.#leave()
  }

  /** A Worker for one network. */
  #alone(): Place {
    const seat = this.#ground.spawn()
    const place = placeOn(seat)
    const end = (): void => {
      place.end()
      seat.gone.abort(new ShutdownError())
    }
    return { ...place, end }
  }

  #find(): Promise<Seat | null> {
    const { signal } = this.#search
    const finding = seek(this.#ground, this.#isSuspect, signal)
    const forget = (): void => {
      if (this.#seat === finding) this.#seat = null
    }
    finding.then((seat) => {
      if (!seat) return
      const { gone } = seat
      const keep = whenAborted(signal, () => gone.abort(new ShutdownError()))
      whenAborted(gone.signal, () => {
        keep()
        this.#isSuspect = gone.signal.reason.cause === SILENT
        forget()
      })
    }, forget)
    return finding
  }

  #leave(): void {
    this.#search.abort(new ShutdownError())
    this.#search = new AbortController()
    this.#seat = null
  }
}
