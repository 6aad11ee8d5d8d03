import type { AskOptions, Handle, StateReport, Verified } from '../network/handle.ts'
import type { ConnectOptions, Network, OpenOptions, Progress } from '../network/network.ts'
import type { Evidence } from '../verify/evidence/format.ts'
import { Caller } from './caller.ts'
import type { Port } from './wire.ts'

/** What the page end needs beside what it passes on. */
export interface PageOptions extends ConnectOptions {
  /** A new channel: `() => new MessageChannel()`. */
  readonly channel: () => { readonly port1: Port; readonly port2: Port }
  /** Called once, when the network has ended, from whichever side. */
  readonly closed?: () => void
}

/** A network of a page, shared by all who joined it. */
export interface PageNetwork extends Network {
  /** The Web Lock that the other side holds while it lives, if it does. */
  readonly life: string | null
  /** A face of its own to the same network: `close` closes the handles that were opened through it, and only those. */
  readonly lease: () => Pick<Network, 'open'> & { readonly close: () => void }
  /** Ends it without waiting for the other side, which may have stopped answering. */
  readonly close: () => void
}

type Handles = Set<{ close(): void }>

const closeAll = (handles: Handles): void => {
  for (const handle of [...handles]) handle.close()
}

/**
 * The page's end: a Network whose work is done at the other end of `port` by `serveNetwork`.
 * @throws what the other side threw, the signal's reason, or ShutdownError; the port is closed then
 */
export const connectPage = async (port: Port, { channel, closed, signal, onProgress, ...options }: PageOptions): Promise<PageNetwork> => {
  const leases = new Set<Handles>()
  const caller = new Caller(port, {
    push: (progress) => onProgress?.(progress as Progress),
    closed: () => {
      for (const handles of leases) closeAll(handles)
      closed?.()
    },
  })
  const { bootstrap, network, withstand } = options
  let life: unknown
  try {
    life = await caller.call('connect', [{ bootstrap, network, withstand }], { signal })
  } catch (error) {
    caller.close()
    throw error
  }
  const lease: PageNetwork['lease'] = () => {
    const handles: Handles = new Set()
    leases.add(handles)
    return {
      open: (surface, config, limits) => open(caller, channel(), surface, config, limits, handles),
      close: () => {
        leases.delete(handles)
        closeAll(handles)
      },
    }
  }
  const known = typeof life === 'string' ? life : null
  const evidence = () => caller.call('evidence', []) as Promise<readonly Evidence[]>
  return { open: lease().open, lease, evidence, life: known, close: () => caller.close(), [Symbol.asyncDispose]: () => dispose(caller) }
}

const open = async <T>(
  caller: Caller,
  { port1, port2 }: ReturnType<PageOptions['channel']>,
  { name }: { readonly name: string },
  config: unknown,
  { signal, timeout, withstand }: OpenOptions = {},
  handles: Handles,
): Promise<Handle<T>> => {
  try {
    const state = await caller.call('open', [name, config, { timeout, withstand }], { signal, port: port2 })
    return openHandle(port1, state as StateReport, handles)
  } catch (error) {
    port1.close()
    throw error
  }
}

const dispose = async (caller: Caller): Promise<void> => {
  try {
    await caller.call('dispose', [])
  } catch {
    // It has ended: by this call, from the other side, or by an earlier call.
  }
  caller.close()
}

// What may cross, by name: a caller's object may hold anything besides.
const worded = ({ disclose, timeout }: AskOptions): AskOptions => ({
  ...(disclose !== undefined && { disclose }),
  ...(timeout !== undefined && { timeout }),
})

const openHandle = <T>(port: Port, first: StateReport, handles: Handles): Handle<T> => {
  let state = first
  const listeners = new Set<(report: StateReport) => void>()
  const caller = new Caller(port, {
    push: (report) => {
      state = report as StateReport
      for (const listener of [...listeners]) listener(state)
    },
    closed: () => handles.delete(caller),
  })
  handles.add(caller)
  return {
    get state() {
      return state
    },
    onState: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    latest: ({ signal, ...options } = {}) => caller.call('latest', [worded(options)], { signal }) as Promise<Verified<T | null>>,
    since: (position, { signal } = {}) => caller.stream('since', [position], signal) as AsyncIterable<Verified<T>>,
    ask: <R>(question: string, argument: unknown, { signal, ...options }: AskOptions = {}) =>
      caller.call('ask', [question, argument, worded(options)], { signal }) as Promise<Verified<R>>,
    export: (subject, { signal, ...options } = {}) => caller.call('export', [subject, worded(options)], { signal }) as Promise<Evidence>,
    [Symbol.asyncIterator]: () => caller.stream('iterate', [])[Symbol.asyncIterator]() as AsyncIterator<Verified<T>>,
    [Symbol.asyncDispose]: () => dispose(caller),
  }
}
