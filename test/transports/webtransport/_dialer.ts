import '../../../node/polyfill.ts'
import { serviceCapabilities, type Transport, transportSymbol } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { type WebTransportOptions, webTransport } from '../../../node/transports/webtransport/index.ts'
import type { WebTransportComponents } from '../../../node/transports/webtransport/listener.ts'
import { muxerFor } from '../../../node/transports/webtransport/muxer.ts'
import type { QuicStream } from '../../../node/transports/webtransport/quic/stream.ts'
import type { Session } from '../../../node/transports/webtransport/session.ts'
import { SessionConnection } from '../../../node/transports/webtransport/session-connection.ts'
import { WebTransportStream } from '../../../node/transports/webtransport/stream.ts'
import { Client, type ClientOptions } from './_client.ts'

// A libp2p transport that dials as a browser does, on the client of these tests.

export interface Dialed {
  readonly client: Client
  /** Hashes that noise named. */
  readonly hashes: readonly Uint8Array[]
}

/** @param dialed is told of every connection once noise is done */
const dialing =
  (options: ClientOptions, dialed: (dialed: Dialed) => void) =>
  (components: WebTransportComponents): Transport => {
    const transport: Transport & { readonly [serviceCapabilities]: readonly string[] } = {
      [transportSymbol]: true,
      [Symbol.toStringTag]: 'test-dialer',
      [serviceCapabilities]: ['@libp2p/transport'],
      createListener: () => {
        throw new Error('dials only')
      },
      listenFilter: () => [],
      dialFilter: (addresses) => addresses.filter((address) => address.toString().includes('/webtransport')),
      dial: async (address, { upgrader, signal }) => {
        const [ip, udp] = address.getComponents()
        const client = await Client.connect(Number(udp?.value), { host: ip?.value ?? '', ...options })
        const log = components.logger.forComponent('test:dialer')
        const connect = await client.session()
        const wire = client.member(connect)
        const handshake = new WebTransportStream({ wire, log, id: String(wire.id), direction: 'outbound' })
        const { remotePeer, remoteExtensions } = await noise()(components).secureOutbound(handshake, {
          signal,
          skipStreamMuxerNegotiation: true,
        })
        await handshake.close()
        dialed({ client, hashes: remoteExtensions?.webtransportCerthashes ?? [] })
        const session = sessionOf(client, connect)
        const connection = new SessionConnection({ session, remoteAddr: address, direction: 'outbound', log })
        const muxerFactory = muxerFor(session, 100)
        return upgrader.upgradeOutbound(connection, { skipEncryption: true, skipProtection: true, remotePeer, muxerFactory, signal })
      },
    }
    return transport
  }

const sessionOf = (client: Client, connect: QuicStream): Session => {
  const session: Pick<Session, 'open' | 'onStream' | 'onClosed' | 'close' | 'abort'> = {
    open: async () => client.member(connect),
    onStream: (listener) => {
      client.onStream = (stream) => {
        // Streams of the server in both directions: their head is the type and the session's id, a byte or two each.
        if ((stream.id & 3) !== 1) return
        const read = stream.read()
        if (read?.kind === 'data') listener(stream, read.bytes.slice(3))
      }
    },
    onClosed: (listener) => void client.ended().then(listener),
    close: () => connect.finish(),
    abort: () => void client[Symbol.asyncDispose](),
  }
  return session as Session
}

const quiet = { connectionMonitor: { enabled: false }, connectionEncrypters: [noise()] }

/** A node that listens on `/ip4/127.0.0.1/udp/0`, and echoes on /echo/1. */
export const listenAt = async (options: WebTransportOptions, address = '/ip4/127.0.0.1/udp/0/quic-v1/webtransport'): Promise<Libp2p> =>
  createLibp2p({
    ...quiet,
    addresses: { listen: [address] },
    transports: [webTransport(options)],
    connectionManager: { inboundConnectionThreshold: 1_000, maxIncomingPendingConnections: 1_000 },
  })

export const dialFrom = async (dialed: (dialed: Dialed) => void = () => {}, options: ClientOptions = {}): Promise<Libp2p> =>
  createLibp2p({ ...quiet, transports: [dialing(options, dialed)], connectionGater: { denyDialMultiaddr: () => false } })

/** The port and the hashes of a node's only address. */
export const addressOf = (node: Libp2p): { readonly port: number; readonly hashes: readonly string[]; readonly text: string } => {
  const [address] = node.getMultiaddrs()
  const parts = address?.getComponents() ?? []
  const hashes = parts.flatMap(({ name, value }) => (name === 'certhash' && value ? [value] : []))
  return { port: Number(parts[1]?.value), hashes, text: multiaddr(address).toString() }
}
