import type { Host } from './host.ts'

/** A signal of one's own that is aborted with any of its parents. */
export interface Scope {
  readonly signal: AbortSignal
  readonly abort: (reason: Error) => void
  /** Lets go of the parents. Whoever makes a scope ends it. */
  readonly end: () => void
}

/**
 * `AbortSignal.any` with an end: there the parents keep every signal ever derived from them, and a reader derives one for each exchange of
 * its whole life.
 */
export const scope = (...parents: readonly (AbortSignal | undefined)[]): Scope => {
  const controller = new AbortController()
  const leave: (() => void)[] = []
  const end = (): void => {
    for (const stop of leave.splice(0)) stop()
  }
  for (const parent of parents) {
    if (parent === undefined) continue
    const follow = (): void => {
      end()
      controller.abort(parent.reason)
    }
    if (parent.aborted) {
      follow()
      break
    }
    parent.addEventListener('abort', follow, { once: true })
    leave.push(() => parent.removeEventListener('abort', follow))
  }
  const abort = (reason: Error): void => {
    end()
    controller.abort(reason)
  }
  return { signal: controller.signal, abort, end }
}

/** Runs `run` when the signal is aborted, at once if it is already. The returned function takes that back. */
export const whenAborted = (signal: AbortSignal, run: () => void): (() => void) => {
  if (signal.aborted) {
    run()
    return () => {}
  }
  signal.addEventListener('abort', run, { once: true })
  return () => signal.removeEventListener('abort', run)
}

/** The promise's own outcome, or the signal's reason if that comes first. */
export const race = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise<T>((resolve, reject) => {
    const stop = whenAborted(signal, () => reject(signal.reason))
    promise.then(
      (value) => {
        stop()
        resolve(value)
      },
      (error: unknown) => {
        stop()
        reject(error)
      },
    )
  })

/** Resolves after `ms`; rejects with the signal's reason, and takes its timer with it. */
export const sleep = async (host: Pick<Host, 'after'>, ms: number, signal: AbortSignal): Promise<void> => {
  let cancel = (): void => {}
  try {
    await race(
      new Promise<void>((resolve) => {
        cancel = host.after(ms, resolve)
      }),
      signal,
    )
  } finally {
    cancel()
  }
}

/** The most that a timer takes: a longer one would fire at once (HTML, timers: a signed 32-bit number). */
const LONGEST_MS = 0x7fff_ffff

/**
 * A deadline as a caller gave it, in milliseconds; Infinity is the longest there is.
 *
 * @throws RangeError for what is no length of time
 */
export const deadlineOf = (given: unknown, otherwise: number): number => {
  const ms = given ?? otherwise
  if (typeof ms !== 'number' || !(ms >= 0))
    throw new RangeError(`a timeout is a number of milliseconds, ${typeof ms === 'number' ? ms : typeof ms} is none`)
  return Math.min(ms, LONGEST_MS)
}

/** A place to wait for news. Look first, then wait: nothing happens between the two, and whoever waits looks again afterwards. */
export class Gate {
  #waiting = new Set<() => void>()

  open(): void {
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const wake of waiting) wake()
  }

  async wait(signal: AbortSignal): Promise<void> {
    let wake = (): void => {}
    try {
      await race(
        new Promise<void>((resolve) => {
          wake = resolve
          this.#waiting.add(resolve)
        }),
        signal,
      )
    } finally {
      this.#waiting.delete(wake)
    }
  }
}
