import type { Host } from './host.ts'

/** Milliseconds between two looks at the clock, and by how much one has to be late for the host to have been away. */
const LOOK = { everyMs: 1_000, lateMs: 10_000 } as const

/** What a platform knows besides. */
export interface Signs {
  readonly isOnline?: () => boolean
  /** Begins to call `tell`, and returns what ends that. */
  readonly news?: (tell: () => void) => () => void
}

/**
 * `Host.onWake` of a platform that does not tell of sleep. Timers stop while a device sleeps or a tab is frozen, and its clock does not: one
 * that is far too late by the clock tells of it. A clock that is set forward looks the same. That is one wake too many for each time it is
 * set, and never more than one a look.
 */
export const wakes = (
  { now, after }: Pick<Host, 'now' | 'after'>,
  { isOnline = () => true, news = () => () => {} }: Signs = {},
): Host['onWake'] => {
  const listeners = new Set<() => void>()
  let stop = (): void => {}
  const tell = (): void => {
    for (const listener of [...listeners]) listener()
  }
  const start = (): void => {
    let cancel = (): void => {}
    const look = (): void => {
      const due = now() + LOOK.everyMs
      const wasOffline = !isOnline()
      cancel = after(LOOK.everyMs, () => {
        const isBack = now() - due > LOOK.lateMs || (wasOffline && isOnline())
        // Before anybody is told, who may stop it.
        look()
        if (isBack) tell()
      })
    }
    look()
    const silence = news(tell)
    stop = () => {
      cancel()
      silence()
    }
  }
  return (listener) => {
    // Each its own entry, even of one function that listens twice.
    const own = (): void => listener()
    if (listeners.size === 0) start()
    listeners.add(own)
    return () => {
      if (listeners.delete(own) && listeners.size === 0) stop()
    }
  }
}
