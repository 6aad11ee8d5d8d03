import { randomBytes } from 'node:crypto'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Bytes } from '../../../../client/primitives/bytes.ts'
import { type Admission, type AdmissionLimits, createAdmission, type Place, type Quota } from './admission.ts'
import { type ConnectionLimits, configFor, type Identity } from './config.ts'
import { QuicConnection } from './connection.ts'
import type { HostPort, NativeConfig, NativeConnection, Quiche } from './native.ts'
import { CID_BYTES, INITIAL_BYTES, keyOf, type LongPacket, readPacket } from './packet.ts'
import { createRetryTokens, type RetryTokens } from './token.ts'

export interface EndpointLimits extends AdmissionLimits, ConnectionLimits {}

export interface EndpointInit {
  readonly quiche: Quiche
  readonly limits: EndpointLimits
  readonly quota: Quota
  readonly identity: Identity
  /** Milliseconds of any clock. */
  readonly now: () => number
  /** A peer has sent its first packet. `settle` is called once it has said who it is: until then it counts as pending. */
  readonly accept: (connection: QuicConnection, settle: () => void) => void
}

/** Asked of the system, which gives what it allows: a browser's burst has to wait somewhere while this process does something else. */
const SOCKET_BUFFER = 4 * 1024 * 1024

/** A UDP socket and the QUIC connections on it. A datagram that belongs to none of them costs a look at its first bytes. */
export class Endpoint {
  readonly #init: EndpointInit
  readonly #socket: Socket
  readonly #routes = new Map<string, QuicConnection>()
  readonly #connections = new Map<QuicConnection, { readonly keys: readonly string[]; readonly release: () => void }>()
  readonly #admission: Admission
  readonly #tokens: RetryTokens
  readonly #out = new Uint8Array(INITIAL_BYTES)
  #config: NativeConfig
  #local: HostPort = { host: '', port: 0 }
  #isClosing = false

  private constructor(init: EndpointInit, socket: Socket) {
    this.#init = init
    this.#socket = socket
    this.#config = configFor(init.quiche, init.identity, init.limits)
    this.#admission = createAdmission(init.limits, init.quota, init.now)
    this.#tokens = createRetryTokens(init.now)
  }

  /** @throws Error of the system, with its code: EADDRINUSE, EACCES, EADDRNOTAVAIL */
  static async bind(host: string, port: number, init: EndpointInit): Promise<Endpoint> {
    const type = host.includes(':') ? 'udp6' : 'udp4'
    // Addresses only: the default would ask the resolver for each datagram.
    const lookup = (address: string, _: unknown, done: (error: null, address: string, family: number) => void): void =>
      done(null, address, type === 'udp6' ? 6 : 4)
    const sizes = { recvBufferSize: SOCKET_BUFFER, sendBufferSize: SOCKET_BUFFER }
    const socket = createSocket({ type, lookup: lookup as never, ipv6Only: type === 'udp6', ...sizes })
    const endpoint = new Endpoint(init, socket)
    try {
      // With a lookup that answers at once the socket is bound before `bind` returns.
      const listening = once(socket, 'listening')
      socket.bind(port, host)
      await listening
    } catch (error) {
      socket.close()
      throw error
    }
    endpoint.#local = { host, port: socket.address().port }
    socket.on('message', (datagram, from) => endpoint.#receive(datagram, from))
    // Errors that ICMP brings back are about one peer, and it is told apart by its silence.
    socket.on('error', () => {})
    return endpoint
  }

  get port(): number {
    return this.#local.port
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Another certificate for the connections that come from now on. */
  use(identity: Identity): void {
    this.#config = configFor(this.#init.quiche, identity, this.#init.limits)
  }

  /** Takes no new connections. */
  refuse(): void {
    this.#isClosing = true
  }

  /** Ends every connection with `code`, and the socket. */
  async close(code: number): Promise<void> {
    this.#isClosing = true
    for (const connection of this.#connections.keys()) connection.close(code)
    // Their last packets leave in the turn after this one.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    for (const connection of [...this.#connections.keys()]) connection.drop()
    await new Promise<void>((resolve) => this.#socket.close(resolve))
  }

  #receive(datagram: Buffer, { address, port }: RemoteInfo): void {
    const packet = readPacket(datagram)
    if (packet === null) return
    const from = { host: address, port }
    const connection = this.#routes.get(packet.key)
    if (connection !== undefined) {
      connection.receive(datagram, from)
      return
    }
    if (packet.kind === 'long' && !this.#isClosing && datagram.length >= INITIAL_BYTES) this.#first(packet, datagram, from)
  }

  /** A packet of no connection that is long enough to be a client's first. */
  #first(packet: LongPacket, datagram: Buffer, from: HostPort): void {
    if (packet.version !== 0 && !this.#init.quiche.versionIsSupported(packet.version)) {
      this.#negotiate(packet, from)
      return
    }
    // RFC 9000 section 7.2: a client's first id has at least 8 bytes.
    if (packet.token === null || packet.dcid.length < 8) return
    const isValidated = packet.token.length > 0
    const odcid = isValidated ? this.#tokens.open(packet.token, from, packet.dcid) : null
    // We give tokens in Retry only, and a client takes one Retry: this one is late, forged or another host's, and no answer would help it.
    if (isValidated && odcid === null) return
    let connection: QuicConnection | null = null
    const verdict = this.#admission.ask(from.host, isValidated, () => connection?.drop())
    if (verdict === 'retry') this.#retry(packet, from)
    else if (verdict !== 'full') connection = this.#accept(packet, odcid, datagram, from, verdict)
  }

  #accept(packet: LongPacket, odcid: Bytes | null, datagram: Buffer, from: HostPort, place: Place): QuicConnection | null {
    // After a Retry the client already uses an id that this end gave it.
    const scid = odcid === null ? new Uint8Array(randomBytes(CID_BYTES)) : packet.dcid
    const native = this.#native(scid, odcid, from)
    if (native === null) {
      place.release()
      return null
    }
    const connection = new QuicConnection({
      quiche: this.#init.quiche,
      native,
      local: this.#local,
      remote: from,
      transmit: (bytes, to) => this.#send(bytes, to),
      established: place.check,
      gone: (gone) => this.#forget(gone),
    })
    const keys = odcid === null ? [keyOf(scid), packet.key] : [packet.key]
    for (const key of keys) this.#routes.set(key, connection)
    this.#connections.set(connection, { keys, release: place.release })
    this.#init.accept(connection, place.settle)
    connection.receive(datagram, from)
    return connection
  }

  #native(scid: Bytes, odcid: Bytes | null, from: HostPort): NativeConnection | null {
    try {
      return this.#init.quiche.Connection.accept(scid, odcid, this.#local, from, this.#config)
    } catch {
      return null
    }
  }

  #forget(connection: QuicConnection): void {
    const held = this.#connections.get(connection)
    if (held === undefined) return
    for (const key of held.keys) this.#routes.delete(key)
    this.#connections.delete(connection)
    held.release()
  }

  #retry(packet: LongPacket, to: HostPort): void {
    const scid = new Uint8Array(randomBytes(CID_BYTES))
    const token = this.#tokens.make(to, packet.dcid, scid)
    this.#answer(to, (out) => this.#init.quiche.retry(packet.scid, packet.dcid, scid, token, packet.version, out))
  }

  #negotiate(packet: LongPacket, to: HostPort): void {
    this.#answer(to, (out) => this.#init.quiche.negotiateVersion(packet.scid, packet.dcid, out))
  }

  #answer(to: HostPort, write: (out: Uint8Array) => number): void {
    try {
      this.#send(this.#out.subarray(0, write(this.#out)), to)
    } catch {
      // quiche takes no such ids: then there is no answer.
    }
  }

  #send(bytes: Uint8Array, to: HostPort): void {
    // The socket keeps the bytes until the system has taken them; a datagram that it does not take is lost, as any may be.
    this.#socket.send(Buffer.from(bytes), to.port, to.host, () => {})
  }
}
