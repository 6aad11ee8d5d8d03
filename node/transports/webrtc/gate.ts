import { createQuota } from '../addresses.ts'
import type { HostLimits } from '../limits.ts'

// Whom a webrtc-direct listener answers. A STUN request is one datagram, whose sender address anybody can forge: until its sender has shown
// that it gets our answers, it may hold no more than a place that the next one can take from it.

export type GateLimits = Pick<HostLimits, 'connections' | 'perAddress' | 'perSecond' | 'pending'>

/** One dial that was let in. */
export interface Entry {
  /** Its sender gets what is sent to it: from now on it counts for its address. False when that one holds all that it may. */
  readonly prove: () => boolean
  readonly release: () => void
}

export type Gate = ReturnType<typeof createGate>

/** New dials a second in all, in multiples of how many may be unproven: what a flood of forged addresses costs at most. */
const RATE = 4

/**
 * @param now milliseconds of any clock that does not go back
 */
export const createGate = ({ connections, perAddress, perSecond, pending }: GateLimits, now: () => number) => {
  const quota = createQuota(perAddress)
  /** Oldest first, each with what ends it. */
  const unproven = new Map<object, () => void>()
  const second = { began: Number.NEGATIVE_INFINITY, total: 0, byOrigin: new Map<string, number>() }
  let open = 0

  const isTooFast = (origin: string): boolean => {
    const at = now()
    if (at - second.began >= 1_000) {
      second.began = at
      second.total = 0
      second.byOrigin.clear()
    }
    const own = second.byOrigin.get(origin) ?? 0
    if (own >= perSecond || second.total >= pending * RATE) return true
    second.byOrigin.set(origin, own + 1)
    second.total++
    return false
  }

  /** Makes room: the oldest that is unproven goes, not the newest, or a flood would keep everybody else out. */
  const evict = (): void => {
    const [oldest] = unproven.values()
    oldest?.()
  }

  return {
    /**
     * Lets a dial in, or answers null.
     * @param origin what one sender can be expected to hold (addresses.ts)
     * @param end called when another takes its place; has to call `release`
     */
    enter: (origin: string, end: () => void): Entry | null => {
      if (open >= connections || isTooFast(origin)) return null
      if (unproven.size >= pending) evict()
      const self = {}
      unproven.set(self, end)
      open++
      let leave: (() => void) | null = null
      let over = false
      return {
        prove: () => {
          if (over) return false
          if (!unproven.delete(self)) return true
          leave = quota.take(origin)
          return leave !== null
        },
        release: () => {
          if (over) return
          over = true
          open--
          unproven.delete(self)
          leave?.()
        },
      }
    },
    /** Dials and connections that are held. */
    size: () => open,
  }
}
