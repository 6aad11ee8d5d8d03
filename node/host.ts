import './polyfill.ts'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { PrivateKey } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p, type Libp2pOptions } from 'libp2p'
import type { Log } from '../client/log.ts'
import { readAddress } from '../client/network/address.ts'
import type { ByteStream, Host } from '../client/network/host.ts'
import type { Storage } from '../client/network/keep/storage.ts'
import { asByteStream, type Dials, dialLink, peerKey } from '../client/network/link.ts'
import { STREAMS, sparingNoise, sparingYamux } from '../client/network/sparing.ts'
import { wakes } from '../client/network/wake.ts'
import type { Bytes } from '../client/primitives/bytes.ts'
import { createVerify } from '../client/primitives/ed25519.ts'
import { createEcdsa, type SubtleEcdsa } from '../client/verify/collateral/index.ts'
import { CLOCK } from './clock.ts'
import { type Gossip, gossipOf, gossipService } from './discovery/gossip.ts'
import { nodeSubtle } from './ed25519.ts'
import { createQuota, originOf } from './transports/addresses.ts'
import { type HostLimits, LIMITS } from './transports/limits.ts'
import { checkListen, listenError, passedOver } from './transports/listening.ts'
import { createPending } from './transports/pending.ts'
import { type Certificates, type ListenersInit, socketsOf } from './transports/sockets.ts'

export interface NodeHostOptions {
  /** 32 bytes: the link key's Ed25519 seed. A member's is in its roster; a reader makes a new one. */
  readonly seed: Bytes
  /** Multiaddrs to listen on, e.g. `/ip4/127.0.0.1/tcp/0/ws`; none for a reader. */
  readonly listen: readonly string[]
  readonly log: Log
  readonly limits?: Partial<HostLimits>
  /** Where readers keep what they verified; nowhere by default. */
  readonly storage?: Storage | null
  /** The topic on which this node gossips; none for a reader. */
  readonly gossip?: string | null
  /** Where the certificates of its listeners are kept: a restart without them has other addresses. */
  readonly certificates?: Certificates
  /** tcp and WebSocket by default; `transportsOf` of transports/listeners.ts has WebTransport and webrtc-direct too. */
  readonly transports?: Transports
}

type Transports = (init: ListenersInit) => NonNullable<Libp2pOptions['transports']>

/** One exchange that a peer opened: its stream, its link key, and the connection it shares with its other exchanges. */
export type Handler = (stream: ByteStream, peer: Bytes, connection: string) => Promise<void>

export interface NodeHost extends Host {
  /** The own link key, 32 bytes. */
  readonly peer: Bytes
  /** Signs with the link key. */
  readonly sign: (message: Bytes) => Promise<Bytes>
  /** Multiaddrs that others may dial, each with the peer id. */
  readonly addresses: () => readonly string[]
  /** Answers a protocol. A handler that throws resets its stream. */
  readonly handle: (protocol: string, handler: Handler) => Promise<void>
  /** Connections that are open, and exchanges of a protocol that others opened. */
  readonly load: (protocol: string) => { readonly connections: number; readonly streams: number }
  /** Null for a host that was given no topic. */
  readonly gossip: Gossip | null
  /** Closes listeners and connections. */
  readonly close: () => Promise<void>
}

/**
 * A Host on Node: libp2p over TCP and WebSocket, and for whoever dials it over WebTransport and webrtc-direct; noise, yamux.
 * @throws ListenError
 */
export const createNodeHost = async ({
  seed,
  listen,
  log,
  limits: given = {},
  storage = null,
  gossip = null,
  certificates,
  transports = socketsOf,
}: NodeHostOptions): Promise<NodeHost> => {
  const limits = { ...LIMITS, ...given }
  checkListen(listen)
  const privateKey = await generateKeyPairFromSeed('Ed25519', seed)
  const node = await createNode(privateKey, listen, transports({ limits, log, certificates }), { limits, topic: gossip }).catch(
    (error: unknown) => {
      throw listenError(listen, error)
    },
  )
  for (const address of passedOver(listen, node.getMultiaddrs().map(String)))
    log('warn', `not listening on ${address}: this machine has no such address, or its port is in use`)
  const open = new Map<string, number>()
  // Every tab is a peer of its own; without this the store would keep them all.
  node.addEventListener('peer:disconnect', ({ detail }) => void node.peerStore.delete(detail).catch(() => {}))
  const peer = node.peerId.publicKey?.raw
  if (peer === undefined) throw new Error('libp2p did not take the Ed25519 key')
  return {
    ...CLOCK,
    random: (n) => crypto.getRandomValues(new Uint8Array(n)),
    onWake: wakes(CLOCK),
    isSaving: () => false,
    isUnseen: () => false,
    verify: await createVerify(nodeSubtle),
    ecdsa: createEcdsa(crypto.subtle as unknown as SubtleEcdsa),
    log,
    storage,
    transports: ['tcp', 'ws', 'wss'],
    dial: async (address, { signal }) => dialLink(node.services.dials, multiaddr(readAddress(address).text), address, signal),
    peer: new Uint8Array(peer),
    sign: async (message) => new Uint8Array(await privateKey.sign(message)),
    addresses: () => node.getMultiaddrs().map(String),
    handle: (protocol, handler) => handle(node, protocol, counted(open, protocol, handler), limits, log),
    load: (protocol) => ({ connections: node.getConnections().length, streams: open.get(protocol) ?? 0 }),
    gossip: gossip === null ? null : gossipOf(node as never, gossip, log),
    close: async () => node.stop(),
  }
}

const createNode = async (
  privateKey: PrivateKey,
  listen: readonly string[],
  transports: ReturnType<Transports>,
  { limits, topic }: { readonly limits: HostLimits; readonly topic: string | null },
) => {
  const quota = createQuota(limits.perAddress, limits.proxies)
  const pending = createPending(limits.pending)
  return createLibp2p({
    privateKey,
    addresses: { listen: [...listen] },
    transports,
    connectionEncrypters: [sparingNoise(noise())],
    streamMuxers: [sparingYamux(yamux({ maxInboundStreams: limits.streams, ...STREAMS }))],
    // Answered for others; nothing here depends on what they would say, so they are not asked.
    services: {
      identify: identify({ runOnConnectionOpen: false }),
      ping: ping(),
      // Not the manager itself: as a service it would be started twice.
      dials: ({ transportManager }: { readonly transportManager: Dials<Multiaddr> }): Dials<Multiaddr> => ({
        dial: (address, options) => transportManager.dial(address, options),
      }),
      ...(topic !== null && { gossip: gossipService(topic) }),
    },
    nodeInfo: { userAgent: 'coalition' },
    // A silent peer costs a socket; a committee that stops is told by its missing commits, with or without pings.
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: limits.connections,
      inboundConnectionThreshold: limits.perSecond,
      // Not this one's to refuse: see createPending.
      maxIncomingPendingConnections: limits.connections,
      // The default resolves dnsaddr names. A member's address is written out, and a resolver could name another.
      resolvers: {},
    },
    connectionGater: {
      denyInboundConnection: (connection) => {
        const ip = connection.remoteAddr.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6')
        const origin = originOf(ip?.value ?? '')
        const release = quota.take(origin)
        if (release === null) return true
        connection.addEventListener('close', () => {
          release()
          pending.leave(connection)
        })
        pending.enter(connection, origin, () => connection.abort(new Error('too many handshakes are under way')))
        return false
      },
      denyInboundUpgradedConnection: (_, connection) => {
        pending.leave(connection)
        return false
      },
    },
  })
}

/** Keeps in `open` how many exchanges of the protocol there are. */
const counted = (open: Map<string, number>, protocol: string, handler: Handler): Handler => {
  const add = (change: number): void => void open.set(protocol, (open.get(protocol) ?? 0) + change)
  return async (...exchange) => {
    add(1)
    try {
      await handler(...exchange)
    } finally {
      add(-1)
    }
  }
}

const handle = (node: Libp2p, protocol: string, handler: Handler, { streams }: HostLimits, log: Log): Promise<void> =>
  node.handle(
    protocol,
    async (stream, connection) => {
      const bytes = asByteStream(stream)
      try {
        await handler(bytes, peerKey(connection), connection.id)
      } catch (error) {
        log('debug', 'an exchange failed', { protocol, error: String(error) })
        bytes.abort(error instanceof Error ? error : new Error(String(error)))
      }
    },
    { maxInboundStreams: streams, maxOutboundStreams: streams },
  )
