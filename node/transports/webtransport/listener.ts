import {
  type ComponentLogger,
  type Listener,
  type ListenerEvents,
  type Logger,
  type MultiaddrConnection,
  type PeerId,
  type PrivateKey,
  TypedEventEmitter,
  type Upgrader,
} from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { getThinWaistAddresses } from '@libp2p/utils'
import { CODE_CERTHASH, type Component, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { certhashOf } from './certificate.ts'
import { H3 } from './codes.ts'
import { serveHttp3 } from './http3.ts'
import { muxerFor } from './muxer.ts'
import type { Quota } from './quic/admission.ts'
import type { QuicConnection } from './quic/connection.ts'
import { Endpoint, type EndpointLimits } from './quic/endpoint.ts'
import { loadQuiche } from './quic/native.ts'
import type { Clock, Rotation, Turn } from './rotation.ts'
import type { Session } from './session.ts'
import { SessionConnection } from './session-connection.ts'
import { WebTransportStream } from './stream.ts'
import type { WireStream } from './wire.ts'

/** The parts of libp2p that a listener uses. */
export interface WebTransportComponents {
  readonly logger: ComponentLogger
  readonly peerId: PeerId
  readonly privateKey: PrivateKey
  readonly upgrader: Upgrader
}

export interface WebTransportLimits extends EndpointLimits {
  /** Milliseconds from a peer's first packet to the end of libp2p's handshake. */
  readonly handshake: number
}

export interface ListenerInit {
  readonly components: WebTransportComponents
  readonly upgrader: Upgrader
  readonly limits: WebTransportLimits
  readonly quota: Quota
  readonly clock: Clock
  /** The certificates, which the listeners of a transport share; `close` is called when this one needs them no more. */
  readonly rotation: () => Promise<Rotation>
}

const PATH = '/.well-known/libp2p-webtransport'
/** Milliseconds for sessions to take their leave when the listener closes. */
const LEAVE = 1_000

/** Listens on one address. */
export class WebTransportListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #init: ListenerInit
  readonly #log: Logger
  readonly #sessions = new Set<Session>()
  #address: Multiaddr | null = null
  #endpoint: Endpoint | null = null
  #rotation: Rotation | null = null
  #emptied = (): void => {}

  constructor(init: ListenerInit) {
    super()
    this.#init = init
    this.#log = init.components.logger.forComponent('libp2p:webtransport:listener')
  }

  /** @throws NoQuicError, Error of the system with its code, CertificateError's kin of the store */
  async listen(address: Multiaddr): Promise<void> {
    const { host, port } = hostOf(address)
    const quiche = await loadQuiche()
    const rotation = await this.#init.rotation()
    this.#rotation = rotation
    const { limits, quota, clock } = this.#init
    this.#endpoint = await Endpoint.bind(host, port, {
      quiche,
      limits,
      quota,
      identity: rotation.turn().current,
      now: clock.now,
      accept: (connection, settle) => this.#accept(connection, settle),
    })
    this.#address = address
    rotation.onChange((turn) => this.#turned(turn))
    this.safeDispatchEvent('listening')
  }

  getAddrs(): Multiaddr[] {
    if (this.#address === null || this.#endpoint === null || this.#rotation === null) return []
    const suffix = multiaddr(`/quic-v1/webtransport${certhashes(this.#rotation.turn())}`)
    return getThinWaistAddresses(this.#address, this.#endpoint.port).map((address) => address.encapsulate(suffix))
  }

  /** Adds the hashes to announced addresses that have none: whoever announces a name cannot know them. */
  updateAnnounceAddrs(addresses: Multiaddr[]): void {
    if (this.#rotation === null) return
    const { current, next } = this.#rotation.turn()
    const hashes = [current, next].map(({ hash }): Component => ({ code: CODE_CERTHASH, name: 'certhash', value: certhashOf(hash) }))
    for (const [at, address] of addresses.entries()) {
      const parts = address.getComponents()
      const last = parts.findIndex(({ name }) => name === 'webtransport')
      if (last < 0 || parts.some(({ name }) => name === 'certhash')) continue
      addresses[at] = multiaddr([...parts.slice(0, last + 1), ...hashes, ...parts.slice(last + 1)])
    }
  }

  async close(): Promise<void> {
    const endpoint = this.#endpoint
    if (endpoint === null) return
    this.#endpoint = null
    endpoint.refuse()
    for (const session of this.#sessions) session.close()
    if (this.#sessions.size > 0)
      await new Promise<void>((resolve) => {
        const cancel = this.#init.clock.after(LEAVE, resolve)
        this.#emptied = () => {
          cancel()
          resolve()
        }
      })
    await endpoint.close(H3.noError)
    this.#rotation?.close()
    this.safeDispatchEvent('close')
  }

  /** New connections get the new certificate; those that are open have no use for one any more. */
  #turned({ current }: Turn): void {
    this.#endpoint?.use(current)
    // libp2p asks for the addresses again.
    this.safeDispatchEvent('listening')
  }

  #accept(connection: QuicConnection, settle: () => void): void {
    const { clock, limits } = this.#init
    const deadline = new AbortController()
    const cancel = clock.after(limits.handshake, () => {
      deadline.abort(new Error(`no handshake within ${limits.handshake} ms`))
      // Whoever has not shown its address gets no word.
      if (connection.isEstablished) connection.close(H3.requestRejected)
      else connection.drop()
    })
    serveHttp3(connection, {
      after: clock.after,
      accepts: isOurs,
      opened: (session) => void this.#open(session, deadline.signal, settle).finally(cancel),
      closed: () => {
        cancel()
        deadline.abort(new Error('the connection is closed'))
      },
    })
  }

  /** From a session to a connection of libp2p. Never rejects: what goes wrong here ends this session. */
  async #open(session: Session, signal: AbortSignal, settle: () => void): Promise<void> {
    this.#sessions.add(session)
    session.onClosed(() => {
      this.#sessions.delete(session)
      if (this.#sessions.size === 0) this.#emptied()
    })
    try {
      await this.#upgrade(session, signal)
      settle()
    } catch (error) {
      this.#log('inbound connection failed - %e', error)
      session.abort(H3.requestRejected)
    }
  }

  async #upgrade(session: Session, signal: AbortSignal): Promise<void> {
    const { components, upgrader, limits } = this.#init
    const [wire, head] = await firstStream(session, signal)
    const log = components.logger.forComponent('libp2p:webtransport:connection')
    const handshake = new WebTransportStream({ wire, head, log, id: String(wire.id), direction: 'inbound' })
    const extensions = { webtransportCerthashes: this.#hashes() }
    const { remotePeer } = await noise({ extensions })(components).secureInbound(handshake, { signal, skipStreamMuxerNegotiation: true })
    // This side only: the dialer ends its own, and a request to stop would make its dial fail.
    await handshake.close({ signal })
    const connection: MultiaddrConnection = new SessionConnection({ session, remoteAddr: addressOf(session), direction: 'inbound', log })
    const muxerFactory = muxerFor(session, 2 * limits.streams)
    await upgrader.upgradeInbound(connection, { skipEncryption: true, skipProtection: true, remotePeer, muxerFactory, signal })
  }

  /** Every hash that an address may have that still works; a dialer breaks off when one of its own is missing. */
  #hashes(): Bytes[] {
    if (this.#rotation === null) return []
    const { current, next, previous } = this.#rotation.turn()
    return [current.hash, next.hash, ...(previous === null ? [] : [previous])]
  }
}

/** Whether a request's path is the one of libp2p (libp2p specs, webtransport, "WebTransport HTTP endpoint"). */
const isOurs = (target: string): boolean => {
  const [path, query = ''] = target.split('?', 2)
  return path === PATH && new URLSearchParams(query).get('type') === 'noise'
}

const certhashes = ({ current, next }: Turn): string => [current, next].map(({ hash }) => `/certhash/${certhashOf(hash)}`).join('')

const hostOf = (address: Multiaddr): { readonly host: string; readonly port: number } => {
  const [ip, udp] = address.getComponents()
  return { host: ip?.value ?? '', port: Number(udp?.value ?? 0) }
}

const addressOf = ({ remote: { host, port } }: Session): Multiaddr =>
  multiaddr(`/${host.includes(':') ? 'ip6' : 'ip4'}/${host.replace(/%.*$/, '')}/udp/${port}/quic-v1/webtransport`)

/** The first stream that the peer opens; those after it wait in the session. */
const firstStream = (session: Session, signal: AbortSignal): Promise<readonly [WireStream, Bytes]> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    session.onFirst((wire, head) => resolve([wire, head]))
  })
