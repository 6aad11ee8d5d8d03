import type { ConnectOptions, Network } from '../client/network/network.ts'
import { createNetwork } from '../client/network/open.ts'
import { createAudience } from '../client/rpc/audience.ts'
import { ledAt } from '../client/rpc/meeting.ts'
import { attachedRtc } from '../client/rpc/rtc.ts'
import { serveNetwork } from '../client/rpc/serve.ts'
import { shareNetworks } from '../client/rpc/share.ts'
import { attached, type Port } from '../client/rpc/wire.ts'
import { bindings } from './bindings.ts'
import { createWorkerHost } from './host.ts'
import { lead } from './leader.ts'
import { installRtc } from './rtc/index.ts'

// The published `./worker`: one self-contained module without top-level await, so that it works as `?worker`, as `?url`, by
// `new URL(…, import.meta.url)` and imported into a Worker that has other work too.

const audience = createAudience(() => performance.now())

const openNetwork = async (options: ConnectOptions): Promise<Network> => {
  const host = await createWorkerHost(audience)
  try {
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

const shared = shareNetworks(openNetwork)
const serve = (port: Port): void => serveNetwork(port, shared, life, audience)
let isLeading = false

addEventListener('message', ({ data }) => {
  const [port, meeting] = [attached(data), ledAt(data)]
  const rtc = attachedRtc(data)
  if (rtc) installRtc(rtc)
  if (port) serve(port)
  if (meeting === null || isLeading) return
  isLeading = true
  lead(meeting, serve)
})
