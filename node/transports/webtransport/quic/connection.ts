import { CoalitionError } from '../../../../client/error.ts'
import { type Bytes, utf8 } from '../../../../client/primitives/bytes.ts'
import { H3, Http3Error } from '../codes.ts'
import type { HostPort, NativeConnection, Quiche } from './native.ts'
import { QuicStream, type StreamHost } from './stream.ts'

/** What a connection tells its owner. What one of these throws closes the connection, and nothing else. */
export interface ConnectionEvents {
  /** The handshake is done: the peer is where it says it is, and streams may be opened. */
  readonly established: () => void
  /** The peer has opened a stream. */
  readonly stream: (stream: QuicStream) => void
  /** Over, whoever ended it. Streams were told before. */
  readonly closed: () => void
}

export interface ConnectionInit {
  readonly quiche: Quiche
  readonly native: NativeConnection
  readonly local: HostPort
  readonly remote: HostPort
  /** Sends a datagram; the view is valid during the call only. */
  readonly transmit: (datagram: Uint8Array, to: HostPort) => void
  /** The peer's address is its own. */
  readonly established: () => void
  /** Told once, when nothing of the connection is left. */
  readonly gone: (connection: QuicConnection) => void
}

const NONE: ConnectionEvents = { established: () => {}, stream: () => {}, closed: () => {} }
/** One datagram on its way to the socket; quiche makes none longer than 1,350 bytes here. */
const out = new Uint8Array(2_048)
/** Client-initiated ids are even; bit 1 says unidirectional (RFC 9000 section 2.1). */
const isFromPeer = (id: number): boolean => (id & 1) === 0

/** One QUIC connection: quiche's state, its timer, its streams. Packets go in by `receive`, and out by `transmit`. */
export class QuicConnection {
  readonly remote: HostPort
  readonly #init: ConnectionInit
  readonly #native: NativeConnection
  readonly #streams = new Map<number, QuicStream>()
  readonly #held = new Set<QuicStream>()
  readonly #blocked = new Set<QuicStream>()
  readonly #done = new Set<QuicStream>()
  readonly #openers: (() => void)[] = []
  readonly #host: StreamHost
  #events = NONE
  #timer: NodeJS.Timeout | undefined
  #next: NodeJS.Immediate | undefined
  #isEstablished = false
  /** Ended by either side; quiche still answers what comes late, for three round trips or so. */
  #isOver = false
  #isDropped = false
  // Server-initiated: 1 is the first bidirectional id, 3 the first unidirectional one.
  #nextBidi = 1
  #nextUni = 3

  constructor(init: ConnectionInit) {
    this.#init = init
    this.#native = init.native
    this.remote = init.remote
    this.#host = {
      native: init.native,
      shutdown: init.quiche.Shutdown,
      hold: (stream) => {
        this.#held.add(stream)
        this.#kick()
      },
      block: (stream) => this.#blocked.add(stream),
      done: (stream) => this.#done.add(stream),
      kick: () => this.#kick(),
      transmit: () => this.#transmit(),
    }
  }

  get isEstablished(): boolean {
    return this.#isEstablished
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** How many streams are open, this end's and the peer's. */
  get streams(): number {
    return this.#streams.size
  }

  attach(events: ConnectionEvents): void {
    this.#events = events
  }

  /** A datagram that carries this connection's id. quiche decrypts it in place, so it is of no use to anybody else afterwards. */
  receive(datagram: Uint8Array, from: HostPort): void {
    if (this.#isDropped) return
    try {
      this.#native.recv(datagram, { from, to: this.#init.local })
    } catch {
      // Garbage with a known id, or a peer that breaks the protocol: for the latter quiche closes the connection by itself.
    }
    if (from.port !== this.remote.port || from.host !== this.remote.host) this.#dropPathEvents()
    this.#kick()
  }

  openUni(): QuicStream {
    const id = this.#nextUni
    this.#nextUni += 4
    return this.#add(id)
  }

  /**
   * A new stream that begins with `head`, once the peer allows one more.
   * @throws ConnectionClosedError
   */
  async openBidi(head: Bytes): Promise<QuicStream> {
    while (!this.#isOver && this.#native.peerStreamsLeftBidi() <= 0) await new Promise<void>((resolve) => void this.#openers.push(resolve))
    if (this.#isOver) throw new ConnectionClosedError()
    const id = this.#nextBidi
    this.#nextBidi += 4
    const stream = this.#add(id)
    // In this task: whoever comes next asks quiche how many are left.
    stream.begin(head)
    return stream
  }

  /** Closes with a code of the application; what is in flight is lost. */
  close(code: number, reason = ''): void {
    if (this.#isOver) return
    try {
      this.#native.close(true, code, utf8(reason.slice(0, 200)))
    } catch {
      // Closed already, by either end.
    }
    this.#tell()
    this.#kick()
  }

  /** Forgets the connection without another word to the peer. */
  drop(): void {
    if (this.#isDropped) return
    this.#isDropped = true
    clearTimeout(this.#timer)
    clearImmediate(this.#next)
    this.#tell()
    this.#init.gone(this)
  }

  /** Tells everybody that it is over. */
  #tell(): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const open of this.#openers.splice(0)) open()
    for (const stream of this.#streams.values()) this.#guard(() => stream.closed())
    this.#streams.clear()
    this.#held.clear()
    this.#blocked.clear()
    this.#done.clear()
    this.#guard(() => this.#events.closed())
    this.#events = NONE
  }

  // All packets of one turn of the event loop are answered together.
  #kick(): void {
    if (this.#isDropped || this.#next !== undefined) return
    this.#next = setImmediate(() => {
      this.#next = undefined
      this.#run()
    })
  }

  #run(): void {
    if (this.#isDropped) return
    // Those of turns before this one only: what is written below may have its end yet to come.
    const held = [...this.#held]
    this.#held.clear()
    for (const stream of held) stream.release()
    if (!this.#isOver) this.#guard(() => this.#serve())
    this.#flush()
  }

  /** Tells what has come in, and what there is room for. */
  #serve(): void {
    if (!this.#isEstablished) {
      if (!this.#native.isEstablished()) return
      this.#isEstablished = true
      this.#init.established()
      this.#events.established()
    }
    for (const id of this.#native.readable()) {
      if (this.#isOver) return
      const stream = this.#streams.get(id) ?? this.#accept(id)
      stream?.readable()
    }
    for (const stream of [...this.#blocked]) {
      // To the end of the queue: what congestion leaves goes to all in turn.
      this.#blocked.delete(stream)
      if (!stream.flush()) this.#blocked.add(stream)
    }
    this.#sweep()
    for (let left = this.#native.peerStreamsLeftBidi(); left > 0 && this.#openers.length > 0; left--) this.#openers.shift()?.()
  }

  /** Forgets streams that both ends are done with. quiche lists the others' ids again, and without an entry they would look like new ones. */
  #sweep(): void {
    for (const stream of this.#done) {
      if (!this.#native.streamFinished(stream.id)) continue
      this.#done.delete(stream)
      this.#streams.delete(stream.id)
    }
  }

  #accept(id: number): QuicStream | null {
    if (!isFromPeer(id)) return null
    const stream = this.#add(id)
    this.#events.stream(stream)
    return stream
  }

  #add(id: number): QuicStream {
    const stream = new QuicStream(id, this.#host)
    this.#streams.set(id, stream)
    return stream
  }

  /** Sends what quiche has to say, and asks when it wants to be called again. */
  #flush(): void {
    this.#transmit()
    clearTimeout(this.#timer)
    if (this.#native.isClosed()) {
      this.drop()
      return
    }
    if (this.#native.isDraining()) this.#tell()
    const wait = this.#native.timeout()
    if (wait !== null) this.#timer = setTimeout(() => this.#due(), Math.ceil(wait) + 1)
  }

  #transmit(): void {
    for (let packet = this.#packet(); packet !== null; packet = this.#packet()) this.#init.transmit(out.subarray(0, packet.size), packet.to)
  }

  #packet(): { readonly size: number; readonly to: HostPort } | null {
    try {
      const packet = this.#native.send(out)
      return packet && { size: packet[0], to: packet[1].to }
    } catch {
      // `Done`, or an error that has closed the connection.
      return null
    }
  }

  #due(): void {
    try {
      this.#native.onTimeout()
    } catch {
      // Nothing was due.
    }
    this.#run()
  }

  /** What an owner throws, whether the peer's fault or ours, ends this connection only. */
  #guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      const isPeers = error instanceof Http3Error
      this.close(isPeers ? error.code : H3.internal, isPeers ? error.message : '')
    }
  }

  /** Events of a peer whose address has changed, which nobody here reads, would pile up in quiche. */
  #dropPathEvents(): void {
    try {
      while (this.#native.pathEventNext() != null);
    } catch {
      // None left.
    }
  }
}

/** The connection has ended, so that no stream can be opened on it. */
export class ConnectionClosedError extends CoalitionError {
  constructor() {
    super('WebTransport.ConnectionClosedError', 'the QUIC connection is closed')
  }
}
