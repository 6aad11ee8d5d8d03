import { MessageChannel as NodeChannel } from 'node:worker_threads'
import type { Handle, StateReport, Verified } from '../../client/network/handle.ts'
import type { Network } from '../../client/network/network.ts'
import { createPage, type PageNetwork, type PageOptions, type Way } from '../../client/rpc/page.ts'
import { serveNetwork } from '../../client/rpc/serve.ts'
import type { Port } from '../../client/rpc/wire.ts'
import { verdict } from '../../client/verify/verdict.ts'

/** A real channel: values are cloned and delivered in later tasks, as between a page and its Worker. */
export const channel = (): { readonly port1: Port; readonly port2: Port } => {
  const { port1, port2 } = new NodeChannel()
  return { port1: port1 as unknown as Port, port2: port2 as unknown as Port }
}

/** A network in one Worker, which ends with its port. */
export const connectPage = async (
  port: Port,
  { channel, signal, ...options }: PageOptions & Pick<Way, 'channel'> & { readonly signal?: AbortSignal },
): Promise<PageNetwork> => {
  const page = createPage(options)
  try {
    await page.use({ port, channel }, signal)
    return page
  } catch (error) {
    page.close()
    throw error
  }
}

export const report = (detail: string | null = null): StateReport => ({ state: 'live', detail, head: null, peers: [] })

export const verified = <T>(value: T): Verified<T> => ({
  value,
  ref: { group: 'aa', surface: 'refunds', position: '1', index: '2', commit: 'bb' },
  verdict: verdict({ checks: [], assumes: 'nothing', disclosed: 'nothing', at: null }),
})

/** A handle whose every answer a test may replace, and that counts how often it was disposed of. */
export const fakeHandle = (given: Partial<Handle<unknown>> = {}) => {
  const listeners = new Set<(report: StateReport) => void>()
  const handle = {
    disposed: 0,
    state: report(),
    onState: (listener: (report: StateReport) => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    latest: async () => verified(1n),
    since: (position: bigint) => count(position),
    ask: async <R>(question: string, argument: unknown) => verified([question, argument] as R),
    export: async (subject: unknown) => ({ subject }) as never,
    [Symbol.asyncIterator]: () => count(0n)[Symbol.asyncIterator](),
    [Symbol.asyncDispose]: async () => {
      handle.disposed++
    },
    ...given,
    tell: (report: StateReport) => {
      for (const listener of listeners) listener(report)
    },
    listeners,
  }
  return handle
}

async function* count(from: bigint): AsyncGenerator<Verified<bigint>> {
  for (let i = from; ; i++) yield verified(i)
}

/** A network of fake handles behind `serveNetwork`, and the page's end of it. */
export const connected = async (open: Network['open'] = async () => fakeHandle() as never) => {
  const { port1, port2 } = channel()
  const served = { disposed: 0, options: null as unknown }
  serveNetwork(port2, async (options) => {
    served.options = options
    return {
      open,
      evidence: async () => [{ kind: 'equivocation' }] as never,
      [Symbol.asyncDispose]: async () => {
        served.disposed++
      },
    }
  })
  const network: PageNetwork = await connectPage(port1, { bootstrap: ['/ip4/127.0.0.1/tcp/1/ws'], channel })
  return { network, served, port1, port2 }
}

/** A page's handle on `handle`, and the network it is of. */
export const opened = async (handle: Partial<Handle<unknown>> = {}) => {
  const fake = fakeHandle(handle)
  const page = await connected(async () => fake as never)
  return { ...page, fake, handle: await page.network.open<unknown, unknown>({ name: 'tally.refunds' }, { any: 1n }) }
}

/** A promise and its ends, for Node 20. */
export const deferred = <T = void>() => {
  let resolve = (_: T): void => {}
  let reject = (_: unknown): void => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** What a promise was rejected with; null when it was not. */
export const thrown = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )
