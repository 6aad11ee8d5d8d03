import { StreamStateError } from '@libp2p/interface'
import { type AbstractMessageStream, AbstractStream, type AbstractStreamInit, type SendResult } from '@libp2p/utils'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { streamCode } from './codes.ts'
import type { Read } from './quic/stream.ts'
import type { WireStream } from './wire.ts'

/** What libp2p gives to send: a list of chunks. */
export type Chunks = Parameters<AbstractMessageStream['sendData']>[0]

export interface WebTransportStreamInit extends AbstractStreamInit {
  readonly wire: WireStream
  /** What was read of the stream before it was known whose it is. */
  readonly head?: Bytes
}

/** Bytes that libp2p may hold while nobody listens; beyond them the stream is not read, and QUIC tells the peer to wait. */
const READ_AHEAD = 65_536
/** libp2p has no codes of its own for streams of this kind. */
const CODE = streamCode(0)

/** One bidirectional stream of a session as a libp2p stream. Neither direction queues here: see QuicStream. */
export class WebTransportStream extends AbstractStream {
  readonly #wire: WireStream
  #head: Bytes | null
  #isEnded = false
  /** The peer's end, which waits for its last bytes to be taken. */
  #late: NodeJS.Immediate | undefined

  constructor({ wire, head, ...init }: WebTransportStreamInit) {
    super(init)
    this.#wire = wire
    this.#head = head && head.length > 0 ? head : null
    wire.attach({
      readable: () => this.#pull(),
      writable: () => this.#room(),
      closed: () => {
        if (this.#late) this.#finish()
        this.onTransportClosed()
      },
    })
    // Whoever is told of the stream listens to it in this task.
    queueMicrotask(() => this.#pull())
  }

  override addEventListener(...args: Parameters<AbstractStream['addEventListener']>): void {
    super.addEventListener(...args)
    // What was held for want of a listener has gone to it; there is room for more.
    if (args[0] === 'message') queueMicrotask(() => this.#pull())
  }

  /** @throws StreamStateError when the peer has asked for no more, which ends the stream for its writer too */
  sendData(data: Chunks): SendResult {
    if (this.#wire.isStopped) throw new StreamStateError('the peer has stopped reading')
    let sentBytes = 0
    for (const chunk of data) {
      const taken = this.#wire.write(chunk)
      sentBytes += taken
      if (taken < chunk.length) return { sentBytes, canSendMore: false }
    }
    return { sentBytes, canSendMore: true }
  }

  sendReset(): void {
    this.#isEnded = true
    this.#wire.reset(CODE)
    this.#wire.stop(CODE)
  }

  async sendCloseWrite(): Promise<void> {
    this.#wire.finish()
  }

  async sendCloseRead(): Promise<void> {
    this.#isEnded = true
    this.#wire.stop(CODE)
  }

  sendPause(): void {
    // It is enough not to read.
  }

  sendResume(): void {
    this.#pull()
  }

  #pull(): void {
    let hasGiven = false
    while (!this.#isEnded && this.readStatus === 'readable' && this.readBufferLength < READ_AHEAD) {
      const read = this.#next()
      if (read === null) return
      if (read.kind === 'data') this.onData(read.bytes)
      else this.#ended(read.kind, hasGiven)
      hasGiven = true
    }
  }

  #next(): Read | null {
    if (this.#head === null) return this.#wire.read()
    const bytes = this.#head
    this.#head = null
    return { kind: 'data', bytes }
  }

  #ended(how: 'end' | 'reset', hasGiven: boolean): void {
    this.#isEnded = true
    if (how === 'end') {
      // While a protocol is agreed on libp2p puts back what it read too much of, and notes the end of a stream whose buffer is empty just
      // then: the bytes would be lost.
      if (hasGiven) this.#late = setImmediate(() => this.#finish())
      else this.#finish()
      return
    }
    // A peer that gives up one direction has given up the exchange.
    this.#wire.reset(CODE)
    if (this.status === 'open') this.onRemoteReset()
  }

  #finish(): void {
    clearImmediate(this.#late)
    this.#late = undefined
    this.onRemoteCloseWrite()
  }

  #room(): void {
    if (this.writableNeedsDrain) this.safeDispatchEvent('drain')
  }
}
