import type { ConnectOptions, Network } from '../client/network/network.ts'
import { createNetwork } from '../client/network/open.ts'
import { serveNetwork } from '../client/rpc/serve.ts'
import { attached } from '../client/rpc/wire.ts'
import { bindings } from './bindings.ts'
import { createWorkerHost, dialable } from './host.ts'

// The published `./worker`: one self-contained module without top-level await, so that it works as `?worker`, as `?url`, by
// `new URL(…, import.meta.url)` and imported into a Worker that has other work too.

const openNetwork = async (options: ConnectOptions): Promise<Network> => {
  const bootstrap = dialable(options.bootstrap)
  const host = await createWorkerHost(bootstrap)
  try {
    const network = createNetwork(host, bindings, { ...options, bootstrap })
    return {
      open: network.open,
      evidence: network.evidence,
      [Symbol.asyncDispose]: async () => {
        await network[Symbol.asyncDispose]()
        await host.close()
      },
    }
  } catch (error) {
    await host.close()
    throw error
  }
}

/**
 * The name of a lock that is held until the Worker is gone; null where locks are not to be had (insecure contexts, sandboxed frames). Not
 * before it is held: the requests of a page and of its Worker overtake each other.
 */
const life = new Promise<string | null>((resolve) => {
  const name = `coalition ${crypto.getRandomValues(new BigUint64Array(2)).join(' ')}`
  const { locks } = navigator as Partial<WorkerNavigator>
  const hold = (): Promise<never> => {
    resolve(name)
    return new Promise(() => {})
  }
  if (locks) locks.request(name, hold).catch(() => resolve(null))
  else resolve(null)
})

addEventListener('message', ({ data }) => {
  const port = attached(data)
  if (port) serveNetwork(port, openNetwork, life)
})
