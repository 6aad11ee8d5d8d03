import type { ConnectOptions, Network, Progress } from '../network/network.ts'
import { race } from '../network/scope.ts'
import { networkKey } from '../rpc/key.ts'
import type { PageNetwork } from '../rpc/page.ts'
import { ShutdownError } from '../rpc/wire.ts'
import { connectIn } from './origin/index.ts'
import { ConnectError } from './worker.ts'

export interface PageConnectOptions extends ConnectOptions {
  /**
   * Instead of the Worker that is spawned: one that runs `coalition-client/worker`, or a MessagePort whose other end such a Worker was
   * handed by `worker.postMessage({ coalition: 'attach/1', port }, [port])`. It stays the caller's: disposing closes the network, not the
   * Worker. A port carries one network.
   */
  readonly worker?: Worker | MessagePort
}

interface Shared {
  readonly network: Promise<PageNetwork>
  readonly controller: AbortController
  /** Of all who joined. */
  readonly listeners: Set<(progress: Progress) => void>
  users: number
}

// By Worker, then by options. Made on first use, so that importing this does nothing.
let places: WeakMap<object, Map<string, Shared>> | null = null
/** Stands for the spawned Worker. */
const OWN = {}

/**
 * Connects to a network: one universe, one set of connections, verified in a Worker. A second call with the same options joins the first, and
 * the network ends when all who joined have disposed of it. Resolves when handles can be opened, not when anything is synced.
 * @throws ConnectError when the Worker cannot be loaded, MessageError for options that are none, AddressError for a bad address,
 *   TransportsError where none of the transports can be used
 */
export const connect = async (options: PageConnectOptions): Promise<Network> => {
  const { signal, worker, onProgress } = options
  signal?.throwIfAborted()
  onProgress?.(BOOTING)
  places ??= new WeakMap()
  const place = worker ?? OWN
  const here = places.get(place) ?? new Map<string, Shared>()
  places.set(place, here)
  const key = networkKey(options)
  if (here.size > 0 && !here.has(key) && typeof MessagePort === 'function' && worker instanceof MessagePort)
    throw new ConnectError('the given port', 'it carries a network of other options already')
  const shared = here.get(key) ?? start(options, here, key)
  shared.users++
  // A function of its own for each: two who share one are told twice, and stop one by one.
  const listener = (progress: Progress): void => onProgress?.(progress)
  shared.listeners.add(listener)
  const leave = (): Promise<void> | undefined => {
    if (!shared.listeners.delete(listener) || --shared.users > 0) return
    if (here.get(key) === shared) here.delete(key)
    shared.controller.abort(new ShutdownError())
    return shared.network.then(dispose)
  }
  try {
    return lease(await (signal ? race(shared.network, signal) : shared.network), leave)
  } catch (error) {
    void leave()?.catch(() => {})
    throw error
  }
}

const BOOTING: Progress = { stage: 'booting', surface: null, group: null, reached: 0, peers: 0, detail: null }

/** Milliseconds for a Worker to close its connections; one that hangs is ended without. */
const GRACE = 2_000

const dispose = async (network: PageNetwork): Promise<void> => {
  const timer = setTimeout(network.close, GRACE)
  await network[Symbol.asyncDispose]()
  clearTimeout(timer)
}

const hidden = (): boolean => document.hidden

const start = (options: PageConnectOptions, here: Map<string, Shared>, key: string): Shared => {
  const controller = new AbortController()
  const listeners: Shared['listeners'] = new Set()
  const onProgress = (progress: Progress): void => {
    for (const tell of listeners) tell(progress)
  }
  const ended = (): void => {
    // A later call may have started anew under the same options.
    if (here.get(key) === shared) here.delete(key)
  }
  const { worker, signal: _, ...words } = options
  const open = (): Promise<PageNetwork> => connectIn(worker, { ...words, onProgress, hidden }, controller.signal, ended)
  // Later than here, since `open` may fail at once and then looks for it.
  const shared: Shared = { network: Promise.resolve().then(open), controller, listeners, users: 0 }
  here.set(key, shared)
  return shared
}

const lease = (network: PageNetwork, leave: () => Promise<void> | undefined): Network => {
  const { open, close } = network.lease()
  let over = false
  return {
    open: async (surface, config, options) => {
      if (over) throw new ShutdownError()
      // As it is now: it is opened again when another Worker takes over.
      return open(surface, structuredClone(config), options)
    },
    evidence: () => network.evidence(),
    [Symbol.asyncDispose]: async () => {
      over = true
      close()
      await leave()
    },
  }
}
