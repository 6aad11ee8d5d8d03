import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type Bytes, concat } from '../../../client/primitives/bytes.ts'
import { FRAME, writeFrame } from '../../../node/transports/webtransport/frames.ts'
import { writeFields } from '../../../node/transports/webtransport/qpack.ts'
import { loadQuiche, type NativeConfig, type NativeConnection, type Quiche } from '../../../node/transports/webtransport/quic/native.ts'
import { QuicStream, type StreamHost } from '../../../node/transports/webtransport/quic/stream.ts'
import { writeSettings } from '../../../node/transports/webtransport/settings.ts'
import type { Field } from '../../../node/transports/webtransport/static-table.ts'
import { writeVarint } from '../../../node/transports/webtransport/varint.ts'
import { PATH } from './_wire.ts'

// The client's side of QUIC by the same library, and of HTTP/3 as far as a test needs it: Node has no WebTransport.

interface ClientConfig extends NativeConfig {
  verifyPeer(verify: boolean): void
}
interface ClientQuiche extends Omit<Quiche, 'Connection'> {
  readonly Connection: {
    connect(name: string | null, scid: Uint8Array, local: object, remote: object, config: NativeConfig): ClientNative
  }
}
interface ClientNative extends NativeConnection {
  peerError(): { readonly isApp: boolean; readonly errorCode: number } | null
  isTimedOut(): boolean
}

const quiche = (await loadQuiche()) as unknown as ClientQuiche

export interface ClientOptions {
  readonly host?: string
  /** The address that it sends from; `host` when left out. */
  readonly from?: string
  readonly window?: number
  readonly idle?: number
}

const configOf = ({ window = 1_048_576, idle = 30_000 }: ClientOptions): NativeConfig => {
  const config = quiche.Config.withBoringSslCtx(false, false, null, null as never, null as never, null) as ClientConfig
  config.verifyPeer(false)
  config.setApplicationProtos(['h3'])
  config.setMaxIdleTimeout(idle)
  config.setMaxRecvUdpPayloadSize(1_500)
  config.setMaxSendUdpPayloadSize(1_350)
  config.setInitialMaxData(window)
  config.setMaxConnectionWindow(window)
  config.setInitialMaxStreamDataBidiLocal(window / 4)
  config.setInitialMaxStreamDataBidiRemote(window / 4)
  config.setMaxStreamWindow(window / 4)
  config.setInitialMaxStreamDataUni(65_536)
  config.setInitialMaxStreamsBidi(100)
  config.setInitialMaxStreamsUni(10)
  config.enableDgram(true, 1, 1)
  return config
}

export const CONNECT: readonly Field[] = [
  [':method', 'CONNECT'],
  [':protocol', 'webtransport'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', PATH],
  ['sec-webtransport-http3-draft02', '1'],
]

/** A QUIC connection to a port of this machine. */
export class Client implements AsyncDisposable {
  readonly native: ClientNative
  readonly streams = new Map<number, QuicStream>()
  /** Retry packets that came. */
  retries = 0
  /** Calls of `stream` for streams that the server opens. */
  onStream: (stream: QuicStream) => void = () => {}
  readonly #socket = createSocket({ type: 'udp4' })
  readonly #out = new Uint8Array(2_048)
  readonly #host: StreamHost
  readonly #held = new Set<QuicStream>()
  readonly #blocked = new Set<QuicStream>()
  readonly #waiting = new Set<() => void>()
  #timer: NodeJS.Timeout | undefined
  #next: NodeJS.Immediate | undefined
  #isMuted = false
  #isDisposed = false
  #bidi = 0
  #uni = 2

  private constructor(native: ClientNative, socket: ReturnType<typeof createSocket>) {
    this.native = native
    this.#socket = socket
    this.#host = {
      native,
      shutdown: quiche.Shutdown,
      hold: (stream) => {
        this.#held.add(stream)
        this.#kick()
      },
      block: (stream) => this.#blocked.add(stream),
      done: () => {},
      kick: () => this.#kick(),
      transmit: () => this.#transmit(),
    }
  }

  /** A client that has sent its first packet. */
  static async start(port: number, options: ClientOptions = {}): Promise<Client> {
    const { host = '127.0.0.1', from = host } = options
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' })
    socket.bind(0, from)
    await once(socket, 'listening')
    const local = { host: from, port: (socket.address() as AddressInfo).port }
    const remote = { host, port }
    const native = quiche.Connection.connect('localhost', randomBytes(20), local, remote, configOf(options))
    const client = new Client(native, socket)
    socket.on('message', (datagram) => {
      if (client.#isMuted) return
      if (((datagram[0] as number) & 0xf0) === 0xf0) client.retries += 1
      try {
        native.recv(datagram, { from: remote, to: local })
      } catch {
        // What is wrong shows in the connection's state.
      }
      client.#kick()
    })
    socket.on('error', () => {})
    client.#remote = remote
    client.#flush()
    return client
  }

  #remote = { host: '', port: 0 }

  /** A client whose handshake is done. */
  static async connect(port: number, options: ClientOptions = {}): Promise<Client> {
    const client = await Client.start(port, options)
    await client.until(() => client.native.isEstablished())
    return client
  }

  /** Resolves once the condition holds; rejects when the connection ends before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.native.isClosed()) throw new Error(`the connection ended: ${JSON.stringify(this.native.peerError())}`)
      await new Promise<void>((resolve) => void this.#waiting.add(resolve))
    }
  }

  /** Resolves once the connection has ended, with the server's code; null when it was silence. */
  async ended(): Promise<number | null> {
    while (!this.native.isClosed()) await new Promise<void>((resolve) => void this.#waiting.add(resolve))
    return this.native.peerError()?.errorCode ?? null
  }

  bidi(head: Bytes = new Uint8Array(0)): QuicStream {
    const stream = this.#add(this.#bidi)
    this.#bidi += 4
    stream.begin(head)
    return stream
  }

  uni(head: Bytes): QuicStream {
    const stream = this.#add(this.#uni)
    this.#uni += 4
    stream.begin(head)
    return stream
  }

  /** Opens a session; its stream. */
  async session(fields: readonly Field[] = CONNECT): Promise<QuicStream> {
    this.uni(concat(writeVarint(0), writeFrame(FRAME.settings, writeSettings())))
    const stream = this.bidi(writeFrame(FRAME.headers, writeFields(fields)))
    const answer = await this.read(stream, 3)
    // HEADERS whose first field is the entry 25 of the static table: 200.
    if (answer[4] !== 0xd9) throw new Error(`refused: ${Buffer.from(answer).toString('hex')}`)
    return stream
  }

  /** A stream of the session that CONNECT's stream stands for. */
  member(session: QuicStream, first: Bytes = new Uint8Array(0)): QuicStream {
    return this.bidi(concat(writeVarint(0x41), writeVarint(session.id), first))
  }

  /** At least so many bytes of a stream, or all of it. */
  async read(stream: QuicStream, least: number): Promise<Bytes> {
    let found: Bytes = new Uint8Array(0)
    for (;;) {
      const next = stream.read()
      if (next?.kind === 'data') found = concat(found, next.bytes)
      else if (next !== null) return found
      else if (found.length >= least) return found
      else await new Promise<void>((resolve) => void this.#waiting.add(resolve))
    }
  }

  /** Hears and says nothing any more, like a machine that was switched off. */
  mute(): void {
    this.#isMuted = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    try {
      this.native.close(true, 0, new Uint8Array(0))
    } catch {
      // Closed already.
    }
    // The close is in the first. As long as its handshake is not confirmed quiche (0.18) has none to say it in, and gives others without end.
    this.#transmit(4)
    clearTimeout(this.#timer)
    clearImmediate(this.#next)
    this.#isMuted = true
    await new Promise<void>((resolve) => setImmediate(() => this.#socket.close(resolve)))
  }

  #add(id: number): QuicStream {
    const stream = new QuicStream(id, this.#host)
    this.streams.set(id, stream)
    return stream
  }

  #kick(): void {
    if (this.#isDisposed) return
    this.#next ??= setImmediate(() => {
      this.#next = undefined
      const held = [...this.#held]
      this.#held.clear()
      for (const stream of held) stream.release()
      this.#serve()
      this.#flush()
    })
  }

  #serve(): void {
    for (const id of this.native.readable()) {
      const known = this.streams.get(id)
      const stream = known ?? this.#add(id)
      if (!known) this.onStream(stream)
      stream.readable()
    }
    for (const stream of [...this.#blocked]) if (stream.flush()) this.#blocked.delete(stream)
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  #transmit(most = Number.POSITIVE_INFINITY): void {
    for (let sent = 0; sent < most; sent++) {
      try {
        const packet = this.native.send(this.#out)
        if (packet === null) break
        if (!this.#isMuted) this.#socket.send(Buffer.from(this.#out.subarray(0, packet[0])), this.#remote.port, this.#remote.host, () => {})
      } catch {
        break
      }
    }
  }

  #flush(): void {
    this.#transmit()
    clearTimeout(this.#timer)
    const wait = this.native.timeout()
    if (wait === null) return
    this.#timer = setTimeout(() => {
      this.native.onTimeout()
      this.#kick()
    }, wait + 1)
  }
}
