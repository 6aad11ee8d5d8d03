import type { Clock } from '../../../node/transports/webtransport/index.ts'

/** A clock that stands until it is moved. */
export interface ManualClock extends Clock {
  /** Moves on, and runs what falls due on the way, in its order. */
  readonly pass: (ms: number) => void
  /** How many timers wait. */
  readonly waiting: () => number
}

export const manualClock = (start = Date.UTC(2026, 5, 1)): ManualClock => {
  let now = start
  const timers = new Map<object, { readonly at: number; readonly run: () => void }>()
  return {
    now: () => now,
    after: (ms, run) => {
      const key = {}
      timers.set(key, { at: now + ms, run })
      return () => void timers.delete(key)
    },
    pass: (ms) => {
      const end = now + ms
      for (;;) {
        const [key, next] = [...timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? []
        if (!key || !next || next.at > end) break
        timers.delete(key)
        now = Math.max(now, next.at)
        next.run()
      }
      now = end
    },
    waiting: () => timers.size,
  }
}
