import { CoalitionError } from '../../../client/error.ts'
import { type Bytes, concat, utf8 } from '../../../client/primitives/bytes.ts'
import { H3, Http3Error } from './codes.ts'
import { CAPSULE, FRAME, FrameReader, writeFrame } from './frames.ts'
import type { HostPort } from './quic/native.ts'
import { writeVarint } from './varint.ts'
import type { WireConnection, WireStream } from './wire.ts'

// A WebTransport session over HTTP/3 (draft-ietf-webtrans-http3-02): the stream of its CONNECT carries capsules, the others begin with a
// type and the session's id.

/** What a bidirectional stream of a session begins with, before the session's id. */
export const STREAM_TYPE = 0x41n
/** And a unidirectional one. */
export const UNI_STREAM_TYPE = 0x54n

/** A code of 32 bits and at most 1,024 bytes of reason (section 5 of the draft). */
const CLOSE_BYTES = 4 + 1_024
/** Milliseconds for a peer to take its leave. */
const LEAVE = 1_000

export type StreamListener = (stream: WireStream, head: Bytes) => void

export interface SessionInit {
  readonly connection: WireConnection
  /** The stream of the CONNECT, whose bytes HTTP/3 reads. */
  readonly stream: WireStream
  /** Calls once after so many milliseconds; the function that it gives calls it off. */
  readonly after: (ms: number, run: () => void) => () => void
}

/** One session; there is one on a connection, and both end together. */
export class Session {
  readonly id: bigint
  readonly #init: SessionInit
  readonly #early: [WireStream, Bytes][] = []
  readonly #onClosed: (() => void)[] = []
  readonly #capsules: FrameReader
  #listener: StreamListener | null = null
  #cancel = (): void => {}
  #state: 'open' | 'closing' | 'closed' = 'open'

  constructor(init: SessionInit) {
    this.id = BigInt(init.stream.id)
    this.#init = init
    const known: readonly bigint[] = Object.values(CAPSULE)
    this.#capsules = new FrameReader({ place: 'capsules', rule: (type) => (known.includes(type) ? CLOSE_BYTES : 'drop') })
  }

  get remote(): HostPort {
    return this.#init.connection.remote
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** The first stream that the peer opens; those behind it wait for `onStream`. */
  onFirst(listener: StreamListener): void {
    const [first] = this.#early.splice(0, 1)
    if (first) {
      listener(...first)
      return
    }
    this.#listener = (stream, head) => {
      this.#listener = null
      listener(stream, head)
    }
  }

  /** The streams that the peer opens, those that waited included. */
  onStream(listener: StreamListener): void {
    this.#listener = listener
    for (const [stream, head] of this.#early.splice(0)) listener(stream, head)
  }

  /** Told once, when neither end can send any more. */
  onClosed(listener: () => void): void {
    if (this.#state === 'closed') listener()
    else this.#onClosed.push(listener)
  }

  /** A new stream to the peer, once it allows one more. @throws SessionClosedError, ConnectionClosedError */
  async open(): Promise<WireStream> {
    if (this.#state !== 'open') throw new SessionClosedError()
    return this.#init.connection.openBidi(concat(writeVarint(STREAM_TYPE), writeVarint(this.id)))
  }

  /** Ends the session: says so, and gives the peer a second to take what is on its way. @param code 32 bits */
  close(code = 0, reason = ''): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    const payload = concat(Uint8Array.of(code >>> 24, (code >> 16) & 0xff, (code >> 8) & 0xff, code & 0xff), utf8(reason).slice(0, 1_024))
    this.#init.stream.queue(writeFrame(FRAME.data, writeFrame(CAPSULE.close, payload)))
    this.#init.stream.finish()
    this.#cancel = this.#init.after(LEAVE, () => this.abort())
  }

  /** Ends the session and its connection at once. */
  abort(code: number = H3.noError): void {
    this.#init.connection.close(code)
  }

  /** Told by HTTP/3: the peer has opened a stream of this session. `head` is what was read of it. */
  accept(stream: WireStream, head: Bytes): void {
    if (this.#state !== 'open') {
      stream.stop(H3.sessionGone)
      stream.reset(H3.sessionGone)
      return
    }
    // As many as QUIC's limit of streams lets the peer have open.
    if (this.#listener === null) this.#early.push([stream, head])
    else this.#listener(stream, head)
  }

  /**
   * Told by HTTP/3: bytes of the DATA frames of the CONNECT.
   * @throws Http3Error for capsules that are none
   */
  receive(bytes: Uint8Array): void {
    for (const piece of this.#capsules.push(bytes)) {
      if (piece.kind !== 'whole' || piece.type !== CAPSULE.close) continue
      if (piece.payload.length < 4) throw new Http3Error(H3.message, 'capsules', this.#capsules.offset, 'a close without a code')
      this.finished()
      return
    }
  }

  /** Told by HTTP/3: the peer sends no more on the CONNECT, which ends a session too (section 5 of the draft). */
  finished(): void {
    if (this.#state === 'open' && this.#capsules.isInside)
      throw new Http3Error(H3.message, 'capsules', this.#capsules.offset, 'end in the middle of one')
    this.#init.stream.finish()
    this.abort()
  }

  /** Told by HTTP/3: the connection is gone. */
  closed(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#cancel()
    this.#early.length = 0
    for (const listener of this.#onClosed.splice(0)) listener()
  }
}

/** The session has ended, so that no stream can be opened in it. */
export class SessionClosedError extends CoalitionError {
  constructor() {
    super('WebTransport.SessionClosedError', 'the WebTransport session is closed')
  }
}
