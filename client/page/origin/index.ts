import type { Locks } from '../../rpc/meeting.ts'
import type { PageNetwork } from '../../rpc/page.ts'
import { placeOn, seatOf, spawn, workerName } from '../worker.ts'
import { type LastingOptions, lastingNetwork } from './lasting.ts'
import { Origin } from './origin.ts'

type Connect = LastingOptions['connect']

/**
 * A network in the caller's Worker, with which it ends, or in the one of the origin, and then in the next.
 * @param ended called once, when it has ended
 * @throws ConnectError, or what the Worker refuses the options with
 */
export const connectIn = (
  worker: Worker | MessagePort | undefined,
  connect: Connect,
  signal: AbortSignal,
  ended: () => void,
): Promise<PageNetwork> => {
  if (worker) return lastingNetwork({ connect, isOne: true, next: async () => placeOn(seatOf(worker)), after, ended }, signal)
  origin ??= createOrigin()
  const { enter, next } = origin
  const leave = enter()
  const closed = (): void => {
    leave()
    ended()
  }
  return lastingNetwork({ connect, next, after, ended: closed }, signal)
}

// Made on first use, so that importing this does nothing.
let origin: Origin | null = null

const createOrigin = (): Origin => {
  const { locks } = navigator as Partial<Navigator>
  const ground = {
    meeting: workerName(),
    locks: locks as Locks,
    channel: (name: string) => new BroadcastChannel(name),
    every: timer(setInterval, clearInterval),
    // biome-ignore lint/plugin: a page has no Host, and nothing but a name comes of it
    name: () => crypto.randomUUID(),
    spawn,
  }
  // Neither in an insecure context nor in an old browser.
  const made = new Origin(ground, locks !== undefined && typeof BroadcastChannel === 'function')
  addEventListener('pagehide', () => made.hide(new Promise((shown) => addEventListener('pageshow', shown, { once: true }))))
  return made
}

type Timer = (ms: number, run: () => void) => () => void

const timer =
  (set: (run: () => void, ms: number) => number, clear: (id: number) => void): Timer =>
  (ms, run) => {
    const id = set(run, ms)
    return () => clear(id)
  }

const after = /* @__PURE__ */ timer(setTimeout, clearTimeout)
