import { type Log, silent } from '../client/log.ts'
import type { ConnectOptions, Network } from '../client/network/network.ts'
import { createNetwork } from '../client/network/open.ts'
import { bindings } from './bindings.ts'
import { createNodeHost } from './host.ts'
import { openFolder } from './storage/folder.ts'

export interface NodeConnectOptions extends Omit<ConnectOptions, 'storage'> {
  /** A folder to keep in what was verified, so that the next start shows it at once; nothing is kept by default. */
  readonly storage?: string | false
  /** Where to say what peers do wrong; nowhere by default. */
  readonly log?: Log
}

/** A network on a host of its own, under a key that is made for it. */
export const openNetwork = async ({ log = silent, signal, storage = false, ...options }: NodeConnectOptions): Promise<Network> => {
  signal?.throwIfAborted()
  const host = await createNodeHost({
    seed: crypto.getRandomValues(new Uint8Array(32)),
    listen: [],
    log,
    storage: storage === false ? null : openFolder(storage),
  })
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
