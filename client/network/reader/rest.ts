import type { Host } from '../host.ts'
import type { Peer } from './peer.ts'

// When a peer is left alone, and for how long.

/** Milliseconds: first and longest wait before an address is tried again, and how long a peer that failed a check is left alone. */
const RETRY = { first: 500, longest: 5_000, fault: 30_000 } as const
/** No peer is left alone for longer. */
const LONGEST = 30_000

/** Milliseconds for which it is not to be asked yet. A time further off than any wait is none: our own clock was set back meanwhile. */
export const restOf = ({ readyAt }: Peer, now: number): number => (readyAt > now && readyAt - now <= LONGEST ? readyAt - now : 0)

/** It could not be reached, or its link ended. */
export const restAfterEnd = (peer: Peer, problem: string, host: Pick<Host, 'now' | 'random'>): void => {
  const wait = Math.min(RETRY.longest, RETRY.first * 2 ** Math.min(peer.failures, 16))
  // Half of it by chance: readers that lost one server together do not come back to it together.
  const jitter = 0.5 + (host.random(1)[0] as number) / 512
  Object.assign(peer, { problem, failures: peer.failures + 1, readyAt: host.now() + wait * jitter })
}

/** It failed a check. */
export const restAfterFault = (peer: Peer, problem: string, host: Pick<Host, 'now'>): void =>
  void Object.assign(peer, { faulty: true, problem, failures: peer.failures + 1, readyAt: host.now() + RETRY.fault })

/** What it rested for may be over. Who failed a check rests on. */
export const rouse = (peer: Peer): void => {
  if (!peer.faulty) Object.assign(peer, { failures: 0, readyAt: 0 })
}
