import { createPending } from '../../pending.ts'

/** What is let in. */
export interface AdmissionLimits {
  /** Connections in all, those that are just ending included. */
  readonly connections: number
  /** Connections whose peer has not yet said who it is: one more ends the oldest of whoever has the most. */
  readonly pending: number
  /** Of those pending, how many may have an address that nobody has checked yet; more have to answer a Retry first. */
  readonly unchecked: number
  /** New connections of one origin in a second. */
  readonly perSecond: number
}

/** Counts what each address holds; `take` gives the function that lets go, or null at the limit. */
export interface Quota {
  /** The host that an address stands for: itself, or the /64 of an IPv6 address. */
  readonly originOf: (address: string) => string
  readonly take: (origin: string) => (() => void) | null
}

export interface Place {
  /** The peer's address is its own: the handshake is done. */
  readonly check: () => void
  /** The peer has said who it is. */
  readonly settle: () => void
  /** The connection is gone. */
  readonly release: () => void
}

export interface Admission {
  /**
   * What becomes of a first packet: a place, `retry` for one that has to show its address first, `full` for one that is not answered.
   * @param isChecked whether it brought a token that was sent to this address
   * @param end called when its place is given to another before it is settled
   */
  readonly ask: (address: string, isChecked: boolean, end: () => void) => Place | 'retry' | 'full'
}

const SECOND = 1_000

/**
 * Who gets in. A first packet's address may be anybody's: whoever sends many under foreign names would fill this end with half-open
 * connections, and use up the share of the address that it names. So a few unchecked ones are let in, one an origin, for the sake of the
 * round trip that a Retry costs every honest dial; beyond that a peer has to bring back a token, which costs this end one HMAC and no
 * memory. Only checked ones can use up an origin's share.
 */
export const createAdmission = (limits: AdmissionLimits, quota: Quota, now: () => number): Admission => {
  const unchecked = new Set<string>()
  const recent = new Map<string, number>()
  let second = 0
  let connections = 0
  const pending = createPending(limits.pending)

  const isTooFast = (origin: string): boolean => {
    const at = Math.floor(now() / SECOND)
    if (at !== second) recent.clear()
    second = at
    const count = recent.get(origin) ?? 0
    recent.set(origin, count + 1)
    return count >= limits.perSecond
  }

  const place = (origin: string, isChecked: boolean, release: () => void, end: () => void): Place => {
    const key = {}
    connections += 1
    pending.enter(key, origin, end)
    if (!isChecked) unchecked.add(origin)
    const check = once(() => {
      if (!isChecked) unchecked.delete(origin)
    })
    const settle = (): void => pending.leave(key)
    return {
      check,
      settle,
      release: once(() => {
        check()
        settle()
        connections -= 1
        release()
      }),
    }
  }

  return {
    ask: (address, isChecked, end) => {
      if (connections >= limits.connections) return 'full'
      const origin = quota.originOf(address)
      if (!isChecked && (unchecked.size >= limits.unchecked || unchecked.has(origin))) return 'retry'
      // Of unchecked ones at most `unchecked` at a time come here, so that the table stays as small as what is let in.
      if (isTooFast(origin)) return 'full'
      const release = quota.take(origin)
      return release === null ? 'full' : place(origin, isChecked, release, end)
    },
  }
}

const once = (act: () => void): (() => void) => {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    act()
  }
}
