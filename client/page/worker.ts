import { CoalitionError } from '../error.ts'
import { whenAborted } from '../network/scope.ts'
import { attach, attachRtc, type Port, ShutdownError } from '../rpc/wire.ts'

/** What takes ports: a Worker, a MessagePort, or the line to a Worker of another tab. */
export interface Target {
  readonly postMessage: (message: unknown, transfer: Transferable[]) => void
  readonly addEventListener?: (type: 'error', listener: (event: Event) => void) => void
  readonly removeEventListener?: (type: 'error', listener: (event: Event) => void) => void
}

/** A way to a Worker, for any number of networks and as long as it lasts. */
export interface Seat {
  readonly target: Target
  /** Where it is, for people. */
  readonly url: string
  /** Makes the channels whose ends `target` takes. */
  readonly channel: () => { readonly port1: Port; readonly port2: Port }
  /** Aborted when it is given up or lost: with ConnectError when the Worker is of no use, with ShutdownError when it is only gone. */
  readonly gone: AbortController
  /** What it is lost with when the Worker has gone without a word. */
  readonly ended: () => Error
}

/** A port of a seat, for one network. */
export interface Place {
  readonly port: Port
  readonly channel: Seat['channel']
  /** Aborts when the Worker is lost. */
  readonly failed: AbortSignal
  /** It answered: what fails from now on is not the loading. `lost` is called once it is lost. */
  readonly loaded: (life: string | null, lost: () => void) => void
  readonly end: () => void
}

/** Milliseconds until a Worker that says nothing is given up: 230 kB over a slow line, parsed on an old phone. */
const PATIENCE = 30_000

// The published page names `./worker.js` here, in the form by which bundlers find a file (tools/worker-url.ts).
const workerUrl = (): string => new URL('../../worker/main.ts', import.meta.url).href

declare const __COALITION_VERSION__: string | undefined

/**
 * What tabs have to have in common to share a Worker: the version of the library, which says how they speak, and where its Worker lies.
 * Sources that a dev server runs have no version.
 */
export const workerName = (): string =>
  `coalition ${typeof __COALITION_VERSION__ === 'string' ? __COALITION_VERSION__ : 'source'} ${workerUrl()}`

/** A Worker of our own: the module `worker.js` that is published beside this one. @throws ConnectError */
export const spawn = (): Seat => {
  const url = workerUrl()
  try {
    const worker = new Worker(trusted(url), { type: 'module', name: 'coalition' })
    const silence = lendRtc(worker)
    const seat = seatOf(worker, url, () => new ConnectError(url, 'it has ended'))
    whenAborted(seat.gone.signal, () => {
      silence()
      worker.terminate()
    })
    return seat
  } catch (cause) {
    throw new ConnectError(url, 'the page may not start it', cause)
  }
}

/** A Worker or port of the caller's, if nothing else is said. */
export const seatOf = (
  target: Target,
  url = 'the given worker',
  ended: Seat['ended'] = () => new ShutdownError(),
  channel: Seat['channel'] = () => new MessageChannel(),
): Seat => ({ target, url, channel, ended, gone: new AbortController() })

export const placeOn = ({ target, url, channel, gone, ended }: Seat): Place => {
  const fail = (problem: string): void => gone.abort(new ConnectError(url, problem))
  const timer = setTimeout(() => fail(`it did not answer within ${PATIENCE} ms`), PATIENCE)
  const onError = (event: Event): void => fail((event as ErrorEvent).message || 'it cannot be loaded')
  target.addEventListener?.('error', onError)
  const settled = (): void => {
    clearTimeout(timer)
    target.removeEventListener?.('error', onError)
  }
  const over = new AbortController()
  return {
    port: portOf(target, channel),
    channel,
    failed: gone.signal,
    loaded: (life, lost) => {
      settled()
      whenAborted(over.signal, whenAborted(gone.signal, lost))
      // The Worker has the lock: whoever asks for it waits as long as the Worker lives.
      const dead = (): void => gone.abort(ended())
      if (life !== null) void (navigator as Partial<Navigator>).locks?.request(life, { signal: over.signal }, dead).catch(() => {})
    },
    end: () => {
      settled()
      over.abort()
    },
  }
}

const portOf = (target: Target, channel: Seat['channel']): Port => {
  if (typeof MessagePort === 'function' && target instanceof MessagePort) return target
  const { port1, port2 } = channel()
  target.postMessage(attach(port2), [port2 as unknown as Transferable])
  return port1
}

/**
 * A Worker has no RTCPeerConnection: it gets this page's, where there is one. What makes them is loaded when the Worker asks for the first:
 * most never do. The returned function ends them.
 */
const lendRtc = (worker: Worker): (() => void) => {
  if (typeof RTCPeerConnection !== 'function') return () => {}
  const { port1, port2 } = new MessageChannel()
  worker.postMessage(attachRtc(port2), [port2])
  const early: MessageEvent[] = []
  let stop = (): void => port1.close()
  port1.onmessage = (event) => {
    if (early.push(event) > 1) return
    // A Worker that hears nothing goes on to the next transport.
    import('./rtc.ts').then(({ hostRtc }) => {
      stop = hostRtc(port1)
      for (const each of early) port1.onmessage?.(each)
    }, stop)
  }
  return () => stop()
}

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

let policy: ReturnType<Policies['createPolicy']> | null = null

// Under `require-trusted-types-for 'script'` a Worker's URL has to come from a policy, which the page names in its CSP: `coalition-client`.
const trusted = (url: string): string => {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: Policies }
  if (!trustedTypes) return url
  policy ??= trustedTypes.createPolicy('coalition-client', { createScriptURL: (given) => given })
  return policy.createScriptURL(url)
}

/** The Worker that should do the work cannot be had. `url` says where it was looked for; the `worker` option is the way around. */
export class ConnectError extends CoalitionError {
  declare readonly url: string
  declare readonly problem: string

  constructor(url: string, problem: string, cause?: unknown) {
    super('Network.ConnectError', `no worker at ${url}: ${problem}`, { url, problem }, { cause })
  }
}
