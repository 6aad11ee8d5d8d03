import {
  type CreateListenerOptions,
  InvalidParametersError,
  type Listener,
  serviceCapabilities,
  type Transport,
  transportSymbol,
} from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { CLOCK } from '../../clock.ts'
import { createQuota, originOf } from '../addresses.ts'
import { type WebTransportComponents, type WebTransportLimits, WebTransportListener } from './listener.ts'
import type { Quota } from './quic/admission.ts'
import { type CertificateStore, type Clock, openRotation, type Rotation } from './rotation.ts'

export type { WebTransportLimits } from './listener.ts'
export type { Quota } from './quic/admission.ts'
export type { CertificateStore, Clock } from './rotation.ts'

export interface WebTransportOptions {
  /** Where certificates are kept; without it a restart has other ones, and so other addresses. */
  readonly certificates?: CertificateStore
  readonly limits?: Partial<WebTransportLimits>
  /** Counts connections by origin; 32 each when left out. */
  readonly quota?: Quota
  readonly clock?: Clock
}

/** A member on a small machine: at most 1,024 × 256 KiB of what nobody has read yet, which is 256 MiB. */
const LIMITS: WebTransportLimits = {
  connections: 1_024,
  pending: 64,
  unchecked: 16,
  perSecond: 32,
  streams: 64,
  window: 262_144,
  idle: 30_000,
  handshake: 10_000,
}
const PER_ORIGIN = 32

/**
 * A libp2p transport for Node that listens on WebTransport, as browsers dial it. js-libp2p's own transport of that name only dials; this
 * one only listens, so that both can stand side by side.
 *
 * ```ts
 * const node = await createLibp2p({
 *   addresses: { listen: ['/ip4/0.0.0.0/udp/4001/quic-v1/webtransport'] },
 *   transports: [webTransport({ certificates: { load: () => readFile(path).catch(() => null), store: (bytes) => writeFile(path, bytes) } })],
 *   connectionEncrypters: [noise()],
 * })
 * ```
 *
 * Below is QUIC by Cloudflare's quiche (`@matrixai/quic`, loaded when the first address is listened on); HTTP/3, QPACK, the session of
 * draft-ietf-webtrans-http3-02 and libp2p's handshake are here. From the outside in:
 * - `quic/` has the socket, who gets in (limits, Retry), connections and streams;
 * - `http3.ts` and what it imports read what a peer sends: every length is bounded, and what is wrong closes that peer's connection;
 * - `session.ts` is the session, `muxer.ts` and `stream.ts` are its streams as libp2p's, `listener.ts` puts all of it together;
 * - `rotation.ts` and `certificate.ts` keep two certificates of under 14 days that overlap, whose hashes are in the addresses and in noise.
 *
 * Nothing queues on the way: a stream is read as fast as its reader reads, a write takes what the peer's window and the network take.
 *
 * @see libp2p specs, webtransport/README.md
 */
export const webTransport =
  (options: WebTransportOptions = {}) =>
  (components: WebTransportComponents): Transport => {
    const { certificates = null, clock = CLOCK, quota = { ...createQuota(PER_ORIGIN), originOf } } = options
    const limits = { ...LIMITS, ...options.limits }
    const log = components.logger.forComponent('libp2p:webtransport')
    const warn = (error: unknown): void => log.error('certificates - %e', error)
    const rotation = shared(() => openRotation({ store: certificates, clock, warn }))
    const transport: Transport & { readonly [serviceCapabilities]: readonly string[] } = {
      [transportSymbol]: true,
      [Symbol.toStringTag]: 'webtransport-listener',
      [serviceCapabilities]: ['@libp2p/transport'],
      dial: async () => {
        throw new InvalidParametersError('this transport only listens')
      },
      dialFilter: () => [],
      listenFilter: (addresses: Multiaddr[]) => addresses.filter(isListenable),
      createListener: ({ upgrader }: CreateListenerOptions): Listener =>
        new WebTransportListener({ components, upgrader, limits, quota, clock, rotation }),
    }
    return transport
  }

/** `/ip4|ip6/ADDRESS/udp/PORT/quic-v1/webtransport`, and nothing behind it: the hashes are ours to add. */
const isListenable = (address: Multiaddr): boolean =>
  /^ip[46] udp quic-v1 webtransport$/.test(
    address
      .getComponents()
      .map(({ name }) => name)
      .join(' '),
  )

/** One rotation for all listeners, closed with the last of them. */
const shared = (open: () => Promise<Rotation>): (() => Promise<Rotation>) => {
  let opened: Promise<Rotation> | null = null
  let users = 0
  return async () => {
    opened ??= open()
    users += 1
    const rotation = await opened.catch((error: unknown) => {
      opened = null
      users -= 1
      throw error
    })
    const close = (): void => {
      users -= 1
      if (users > 0) return
      rotation.close()
      opened = null
    }
    return { ...rotation, close }
  }
}
