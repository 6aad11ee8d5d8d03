import type { ConnectOptions, Network, OpenOptions, Progress, SurfaceName } from '../network/network.ts'
import type { Evidence } from '../verify/evidence/format.ts'
import { Caller } from './caller.ts'
import { type Opener, PageHandle } from './page-handle.ts'
import { type Port, ShutdownError } from './wire.ts'

/** What the page end needs beside what it passes on. */
export interface PageOptions extends Omit<ConnectOptions, 'signal'> {
  /** Called once, when the network has ended, from whichever side. */
  readonly closed?: () => void
  /** The port ended by itself: another is to come, by `use`. Without this the network ends with its port. */
  readonly lost?: () => void
  /** Whether nobody can see the page. */
  readonly hidden?: () => boolean
  /** Runs `run` after `ms`. Needed with `lost`. */
  readonly after?: (ms: number, run: () => void) => void
}

/** A port with a Worker at its other end. */
export interface Way {
  readonly port: Port
  /** A new channel whose ends go over `port`: `() => new MessageChannel()`. */
  readonly channel: () => { readonly port1: Port; readonly port2: Port }
}

/** A network of a page, shared by all who joined it. */
export interface PageNetwork extends Network {
  /**
   * Goes on in the Worker at the other end: connects there under the same options, opens the handles, asks what is open and lets iterations
   * go on after the last item that came. Resolves with the Web Lock that the Worker holds while it lives, if it does.
   * @throws what the Worker threw, or the signal's reason
   */
  readonly use: (way: Way, signal?: AbortSignal) => Promise<string | null>
  /** The Worker is gone. What is open waits for the next. */
  readonly lose: () => void
  /** A face of its own to the same network: `close` closes the handles that were opened through it, and only those. */
  readonly lease: () => Pick<Network, 'open'> & { readonly close: () => void }
  /** Ends it without waiting for the other side, which may have stopped answering. */
  readonly close: (cause?: unknown) => void
}

type Handles = Set<PageHandle<unknown>>

const closeAll = (handles: Handles, cause?: unknown): void => {
  for (const handle of [...handles]) handle.close(cause)
}

/** The page's end: a Network whose work is done in a Worker by `serveNetwork`, in one after another if there is `lost`. */
export const createPage = ({ closed, lost, hidden, after, onProgress, ...words }: PageOptions): PageNetwork => {
  const leases = new Set<Handles>()
  let channel: Way['channel'] | null = null
  /** What was proven in Workers that are gone. */
  const proven = new Map<string, Evidence>()
  const caller = new Caller(null, {
    push: (progress) => onProgress?.(progress as Progress),
    closed: (cause) => {
      for (const handles of leases) closeAll(handles, cause)
      closed?.()
    },
    ...(lost && { lost }),
  })
  const evidence = async (): Promise<readonly Evidence[]> => {
    for (const one of (await caller.call('evidence', [])) as readonly Evidence[]) proven.set(JSON.stringify(one), one)
    return [...proven.values()]
  }
  const opener: Opener = {
    call: (...args) => caller.call(...args),
    channel: () => {
      if (!channel) throw new ShutdownError()
      return channel()
    },
    hidden,
    again: lost && after ? (run) => after(AGAIN_MS, run) : null,
    // It is known to the Worker that has seen it, and a hand-over must not make it forgotten.
    caught: () => void evidence().catch(() => {}),
  }
  const lease: PageNetwork['lease'] = () => {
    const handles: Handles = new Set()
    leases.add(handles)
    return {
      open: <T, C>({ name }: SurfaceName<T, C>, config: C, options: OpenOptions = {}) => {
        const handle = new PageHandle<T>(opener, { name, config, options }, () => handles.delete(handle as PageHandle<never>))
        handles.add(handle as PageHandle<never>)
        return handle.open()
      },
      close: () => {
        leases.delete(handles)
        closeAll(handles)
      },
    }
  }
  return {
    open: lease().open,
    lease,
    evidence,
    use: async (way, signal) => {
      channel = way.channel
      const { bootstrap, transports, network, withstand, storage } = words
      let connecting: Promise<unknown> = Promise.resolve()
      caller.use(way.port, () => {
        connecting = caller.call('connect', [{ bootstrap, transports, network, withstand, storage }], { signal })
      })
      const life = await connecting
      return typeof life === 'string' ? life : null
    },
    lose: () => {
      caller.lose()
      for (const handles of leases) for (const handle of [...handles]) handle.lose()
    },
    close: (cause) => caller.close(cause),
    [Symbol.asyncDispose]: () => caller.dispose(),
  }
}

/** Milliseconds until a handle that could not be opened again is tried once more. */
const AGAIN_MS = 5_000
