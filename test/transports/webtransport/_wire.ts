import type { Bytes } from '../../../client/primitives/bytes.ts'
import { concat } from '../../../client/primitives/bytes.ts'
import { serveHttp3 } from '../../../node/transports/webtransport/http3.ts'
import type { Read } from '../../../node/transports/webtransport/quic/stream.ts'
import type { Session } from '../../../node/transports/webtransport/session.ts'
import type { Field } from '../../../node/transports/webtransport/static-table.ts'
import type { WireConnection, WireStream } from '../../../node/transports/webtransport/wire.ts'

// HTTP/3 and the session on streams in memory: what the peer sends is put in by hand, what is sent to it is kept.

type Events = Parameters<WireStream['attach']>[0]
const NONE: Events = { readable: () => {}, writable: () => {}, closed: () => {} }

export class MemoryStream implements WireStream {
  readonly id: number
  readonly isStopped = false
  /** What was sent on it. */
  sent: Bytes = new Uint8Array(0)
  /** The codes that it was given up with, each way; -1 for an orderly end. */
  wrote: number | null = null
  stopped: number | null = null
  #events = NONE
  readonly #in: Read[] = []
  #over: Read | null = null

  constructor(id: number) {
    this.id = id
  }

  attach(events: Events): void {
    this.#events = events
  }

  read(): Read | null {
    const next = this.#in.shift()
    if (next && next.kind !== 'data') this.#over = next
    return next ?? this.#over
  }

  write(bytes: Uint8Array): number {
    this.queue(new Uint8Array(bytes))
    return bytes.length
  }

  queue(bytes: Bytes): void {
    if (this.wrote === null) this.sent = concat(this.sent, bytes)
  }

  finish(): void {
    this.wrote ??= -1
  }

  reset(code: number): void {
    this.wrote ??= code
  }

  stop(code: number): void {
    this.stopped ??= code
    this.#over ??= { kind: 'reset' }
  }

  /** Bytes from the peer, its end or its reset. */
  arrive(...reads: readonly (Bytes | 'end' | 'reset')[]): void {
    if (this.#over !== null) return
    this.#in.push(...reads.map((read): Read => (typeof read === 'string' ? { kind: read } : { kind: 'data', bytes: read })))
    this.#events.readable()
  }

  close(): void {
    this.#events.closed()
  }
}

export class MemoryConnection implements WireConnection {
  readonly remote = { host: '192.0.2.1', port: 4_001 }
  readonly streams = new Map<number, MemoryStream>()
  /** The code that it was closed with. */
  code: number | null = null
  #events: Parameters<WireConnection['attach']>[0] | null = null
  #nextBidi = 1
  #nextUni = 3

  attach(events: Parameters<WireConnection['attach']>[0]): void {
    this.#events = events
  }

  establish(): void {
    this.#events?.established()
  }

  openUni(): MemoryStream {
    const stream = this.#add(this.#nextUni)
    this.#nextUni += 4
    return stream
  }

  async openBidi(head: Bytes): Promise<MemoryStream> {
    const stream = this.#add(this.#nextBidi)
    this.#nextBidi += 4
    stream.queue(head)
    return stream
  }

  close(code: number): void {
    if (this.code !== null) return
    this.code = code
    for (const stream of this.streams.values()) stream.close()
    this.#events?.closed()
  }

  /** What the peer does to a stream of its own; a new one is announced first. @throws what HTTP/3 throws, which closes a real connection */
  arrive(id: number, ...reads: readonly (Bytes | 'end' | 'reset')[]): void {
    if (this.code !== null) return
    const known = this.streams.get(id)
    const stream = known ?? this.#add(id)
    if (!known) this.#events?.stream(stream)
    stream.arrive(...reads)
  }

  #add(id: number): MemoryStream {
    const stream = new MemoryStream(id)
    this.streams.set(id, stream)
    return stream
  }
}

export interface Served {
  readonly connection: MemoryConnection
  /** The sessions that were opened: one at most. */
  readonly sessions: readonly Session[]
  /** Runs what waits for a time. */
  readonly pass: () => void
}

export const PATH = '/.well-known/libp2p-webtransport?type=noise'

/** What a browser asks for a session with. */
export const CONNECT: readonly Field[] = [
  [':method', 'CONNECT'],
  [':protocol', 'webtransport'],
  [':scheme', 'https'],
  [':authority', '127.0.0.1:4001'],
  [':path', PATH],
  ['sec-webtransport-http3-draft02', '1'],
  ['origin', 'https://example.org'],
]

/** HTTP/3 on an established connection in memory. */
export const serve = (opened: (session: Session) => void = () => {}): Served => {
  const connection = new MemoryConnection()
  const sessions: Session[] = []
  const waiting = new Set<() => void>()
  serveHttp3(connection, {
    accepts: (path) => path === PATH,
    opened: (session) => {
      sessions.push(session)
      opened(session)
    },
    closed: () => {},
    after: (_, run) => {
      waiting.add(run)
      return () => void waiting.delete(run)
    },
  })
  connection.establish()
  const pass = (): void => {
    for (const run of [...waiting]) {
      waiting.delete(run)
      run()
    }
  }
  return { connection, sessions, pass }
}
