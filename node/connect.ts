import { type Log, silent } from '../client/log.ts'
import type { ConnectOptions, Network } from '../client/network/network.ts'
import { createNetwork } from '../client/network/open.ts'
import { bindings } from './bindings.ts'
import { createNodeHost } from './host.ts'

export interface NodeConnectOptions extends ConnectOptions {
  /** Where to say what peers do wrong; nowhere by default. */
  readonly log?: Log
}

/** A network on a host of its own, under a key that is made for it. */
export const openNetwork = async ({ log = silent, signal, ...options }: NodeConnectOptions): Promise<Network> => {
  signal?.throwIfAborted()
  const host = await createNodeHost({ seed: crypto.getRandomValues(new Uint8Array(32)), listen: [], log })
  try {
    signal?.throwIfAborted()
    const network = createNetwork(host, bindings, options)
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
