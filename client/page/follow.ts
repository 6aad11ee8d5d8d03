import * as Tally from '../lattice/tally/index.ts'
import type { Handle, StateReport, Verified } from '../network/handle.ts'
import type { Bytes } from '../primitives/bytes.ts'

/** What there is to show of a question that is asked again as the log grows. Replaced, never changed. */
export interface Followed<R> {
  /** The newest answer that was verified; it stays when a later one fails. */
  readonly answer: Verified<R> | null
  readonly state: StateReport
  /** Why there is no newer answer. */
  readonly problem: Error | null
}

/** An answer that is kept current for as long as somebody listens. */
export interface Follower<R> {
  readonly current: () => Followed<R>
  /** The returned function stops it; with the last listener the work ends. */
  readonly subscribe: (changed: () => void) => () => void
}

/** How a question follows the log. */
export interface Following<T, R> {
  readonly ask: (signal: AbortSignal) => Promise<Verified<R>>
  /** What a new item makes of the answer: another one, a reason to ask again, or nothing. */
  readonly next: (item: Verified<T>) => Verified<R> | 'ask' | null
}

/** Before anything is known: what a server renders, and a page at first. */
export const NOTHING: Followed<never> = {
  answer: null,
  state: { state: 'connecting', detail: null, head: null, peers: [] },
  problem: null,
}

/** Follows a question over a handle: once when it begins, again when a new item touches it, and after the handle has come back. */
export const follow = <T, R>(handle: Handle<T>, { ask, next }: Following<T, R>): Follower<R> => {
  const listeners = new Set<() => void>()
  let now: Followed<R> = { ...NOTHING, state: handle.state }
  let end: () => void = () => {}
  const show = (change: Partial<Followed<R>>): void => {
    now = { ...now, ...change }
    for (const changed of listeners) changed()
  }
  const start = (): (() => void) => {
    const controller = new AbortController()
    const { signal } = controller
    const asking = again(async () => {
      await ask(signal).then(
        (answer) => !signal.aborted && show({ answer, problem: null }),
        (problem: Error) => !signal.aborted && show({ problem }),
      )
    })
    const items = handle[Symbol.asyncIterator]()
    const read = async (): Promise<void> => {
      for (let { done, value } = await items.next(); done !== true && !signal.aborted; { done, value } = await items.next()) {
        const found = next(value)
        if (found === 'ask') asking()
        else if (found !== null) show({ answer: found, problem: null })
      }
    }
    read().catch((problem: Error) => !signal.aborted && show({ problem }))
    const silence = handle.onState((state) => {
      const isBack = state.state === 'live' && now.state.state !== 'live'
      show({ state })
      if (isBack) asking()
    })
    asking()
    return () => {
      controller.abort()
      silence()
      void items.return?.().catch(() => {})
    }
  }
  return {
    current: () => now,
    subscribe: (changed) => {
      // A function of its own for each: one that listens twice is told twice, and stops twice.
      const listener = (): void => changed()
      if (listeners.size === 0) end = start()
      listeners.add(listener)
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) end()
      }
    },
  }
}

/** Runs one at a time; asked for during a run, once more after it. */
const again = (run: () => Promise<void>): (() => void) => {
  let state: 'idle' | 'running' | 'again' = 'idle'
  const go = async (): Promise<void> => {
    do {
      state = 'running'
      await run()
    } while ((state as string) === 'again')
    state = 'idle'
  }
  return () => {
    if (state === 'idle') void go()
    else state = 'again'
  }
}

/** The newest item of a surface. */
export const followLatest = <T>(handle: Handle<T>): Follower<T | null> =>
  follow<T, T | null>(handle, { ask: (signal) => handle.latest({ signal }), next: (item) => item })

/** Every refund that names an address, and every reversal of one, oldest first. */
export const followRefunds = (handle: Tally.Refunds, address: Bytes | string): Follower<readonly Tally.Refund[]> => {
  const wanted = typeof address === 'string' ? address.toLowerCase() : Tally.formatAddress(address)
  return follow<Tally.Refund, readonly Tally.Refund[]>(handle, {
    ask: (signal) => handle.of(address, { signal }),
    next: ({ value }) => (addressesOf(value).includes(wanted) ? 'ask' : null),
  })
}

const addressesOf = (refund: Tally.Refund): readonly string[] =>
  (refund.kind === 'attribution' ? refund.recipients.map(({ addr }) => addr) : refund.addresses).map(Tally.formatAddress)
