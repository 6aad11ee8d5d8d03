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

addEventListener('message', ({ data }) => {
  const port = attached(data)
  if (port) serveNetwork(port, openNetwork)
})
