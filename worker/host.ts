import './polyfill.ts'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { atLeast, type Log } from '../client/log.ts'
import type { Host } from '../client/network/host.ts'
import { asLink, dialError, LinkError, MAX_WINDOW } from '../client/network/link.ts'
import { createVerify, type SubtleVerify } from '../client/primitives/ed25519.ts'
import { createEcdsa, type SubtleEcdsa } from '../client/verify/collateral/index.ts'

export interface WorkerHost extends Host {
  readonly close: () => Promise<void>
}

/**
 * The addresses that a browser can dial: a member publishes its others for nodes.
 * @throws LinkError when some are given and none is left
 */
export const dialable = (addresses: readonly string[]): readonly string[] => {
  const sockets = addresses.filter((address) => /\/wss?(?:\/|$)/.test(address))
  if (sockets.length === 0 && addresses.length > 0) throw new LinkError(addresses.join(', '), 'a browser reaches WebSocket addresses only')
  return sockets
}

/**
 * A Host in a Worker: libp2p over WebSocket, noise, yamux, under a key that lives as long as the Worker and never leaves it.
 * @param bootstrap the addresses that may be dialled, each ending in /p2p/PEER
 * @throws LinkError for an address that is none
 */
export const createWorkerHost = async (bootstrap: readonly string[]): Promise<WorkerHost> => {
  const named = new Map(bootstrap.map((address) => [address, parse(address)]))
  const node = await createNode([...named.values()])
  return {
    now: () => Date.now(),
    random: (n) => crypto.getRandomValues(new Uint8Array(n)),
    after: (ms, run) => {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
    // Without a secure context there is no WebCrypto; signatures are then checked by @noble/curves.
    verify: await createVerify((crypto as Partial<Crypto>).subtle as unknown as SubtleVerify | undefined),
    ecdsa: createEcdsa((crypto as Partial<Crypto>).subtle as unknown as SubtleEcdsa | undefined),
    log,
    dial: async (address, { signal }) => {
      const target = named.get(address) ?? parse(address)
      const connection = await node.dial(target, { signal }).catch((error: unknown) => {
        signal.throwIfAborted()
        throw dialError(address, error)
      })
      return asLink(connection)
    },
    close: async () => node.stop(),
  }
}

const createNode = (named: readonly Multiaddr[]): Promise<Libp2p> => {
  const allowed = new Set(named.map(String))
  return createLibp2p({
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: MAX_WINDOW } })],
    services: { identify: identify({ runOnConnectionOpen: false }) },
    // The default sends the browser's own user agent to every peer.
    nodeInfo: { userAgent: 'coalition' },
    connectionMonitor: { enabled: false },
    connectionManager: {
      // One address of a peer is tried at a time, and the caller's signal says for how long.
      addressDialTimeout: 15_000,
      // The default resolves dnsaddr names at Google and Cloudflare.
      resolvers: {},
    },
    // Whoever wrote the page chose these, private and loopback ones included; what peers say of themselves is not dialled, so that no peer
    // can make a browser knock on doors of its own network.
    connectionGater: { denyDialMultiaddr: (address) => !allowed.has(address.toString()) },
  })
}

const parse = (address: string): Multiaddr => {
  try {
    const parsed = multiaddr(address)
    if (parsed.getComponents().at(-1)?.name === 'p2p') return parsed
  } catch (cause) {
    throw new LinkError(address, 'is no multiaddr', cause)
  }
  // Without it whoever answers would be believed to be the peer.
  throw new LinkError(address, 'ends in no peer id')
}

const log: Log = atLeast('warn', (level, message, facts) => console[level](message, facts ?? {}))
