import { type Bytes, concat } from '../../../../client/primitives/bytes.ts'
import type { NativeConnection, Quiche } from './native.ts'
import { isSettled, settling } from './settled.ts'

/** What a stream tells its owner. Nothing is told twice without a read or a write in between. */
export interface StreamEvents {
  /** There is something to read: bytes, the end or a reset. */
  readonly readable: () => void
  /** There is room again after a write that took less than it was given, or the peer wants no more. */
  readonly writable: () => void
  /** The connection is gone. */
  readonly closed: () => void
}

export type Read =
  | { readonly kind: 'data'; readonly bytes: Bytes }
  /** The peer has finished its side, and everything was read. */
  | { readonly kind: 'end' }
  /** The peer gave its side up, and what was not read is lost. */
  | { readonly kind: 'reset' }

const NONE: StreamEvents = { readable: () => {}, writable: () => {}, closed: () => {} }
const EMPTY = new Uint8Array(0)
const END: Read = { kind: 'end' }
const RESET: Read = { kind: 'reset' }

/** Read at once at most: one copy of this size exists in the process. */
const scratch = new Uint8Array(65_536)

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly native: NativeConnection
  readonly shutdown: Quiche['Shutdown']
  /** Calls `release` in the next turn of the event loop. */
  readonly hold: (stream: QuicStream) => void
  /** Asks for `flush` once the peer may take more. */
  readonly block: (stream: QuicStream) => void
  /** Both sides are done with. */
  readonly done: (stream: QuicStream) => void
  /** There may be something to send. */
  readonly kick: () => void
  /** Takes in what was acknowledged, and sends what there is room for, now. */
  readonly transmit: () => void
}

/** What is held back of a write: all of a packet's worth, the last byte of more. */
const HELD = 1_200

/**
 * One QUIC stream. It is read only when its owner reads: what nobody reads stays in quiche, up to the stream's window, and the peer is told
 * to stop by QUIC's own flow control. A write takes what congestion and the peer's window allow, and no more, so that nothing queues here.
 *
 * The end of a stream needs care. quiche 0.18 takes a stream for finished when its data are acknowledged, not when its end is: an end that
 * is sent by itself is lost when the acknowledgement of what was before it is read first, or when its packet is lost, and the peer would
 * wait for ever. So the end of every write is held back for a turn of the event loop, and an end that comes with it goes in the same frame;
 * one that comes later waits until what was before it is acknowledged.
 */
export class QuicStream {
  readonly id: number
  readonly #host: StreamHost
  #events = NONE
  #over: Read | null = null
  #isStopped = false
  #isWritten = false
  /** Taken, and not yet given to quiche. */
  #held: Bytes = EMPTY
  #finish: 'no' | 'asked' | 'done' = 'no'
  #sentAt = 0
  #timer: NodeJS.Timeout | undefined
  #isGone = false

  constructor(id: number, host: StreamHost) {
    this.id = id
    this.#host = host
  }

  /** Whether the peer has asked for no more: writes are then taken and dropped. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  attach(events: StreamEvents): void {
    this.#events = events
  }

  /** Told by the connection. */
  readable(): void {
    this.#events.readable()
  }

  /** Told by the connection. */
  closed(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#isWritten = true
    clearTimeout(this.#timer)
    this.#over ??= RESET
    this.#events.closed()
    this.#events = NONE
  }

  /** The next of what the peer sent, at most 64 KiB, or null while there is nothing. */
  read(): Read | null {
    if (this.#over !== null) return this.#over
    try {
      const found = this.#host.native.streamRecv(this.id, scratch)
      if (found === null) return null
      const [size, isLast] = found
      // Room in the window may have to be announced.
      this.#host.kick()
      if (isLast) this.#end(END)
      if (size > 0) return { kind: 'data', bytes: scratch.slice(0, size) }
      return isLast ? END : null
    } catch (error) {
      // `Done` where there is nothing: some builds of the binding throw it and some give null.
      if (messageOf(error) === 'Done') return null
      this.#end(RESET)
      return RESET
    }
  }

  /** Takes as many of `bytes` as there is room for now; `writable` is told when there is room for more. */
  write(bytes: Uint8Array): number {
    if (this.#isWritten || this.#finish !== 'no') return bytes.length
    if (!this.#drain()) {
      this.#host.block(this)
      return 0
    }
    const split = bytes.length > HELD ? bytes.length - 1 : 0
    const taken = this.#send(bytes.subarray(0, split), false)
    if (taken < split) {
      this.#host.block(this)
      return taken
    }
    this.queue(new Uint8Array(bytes.subarray(split)))
    return bytes.length
  }

  /** Sends all of `bytes` when there is room: for the few bytes of protocol that this end sends on its own. */
  queue(bytes: Bytes): void {
    if (this.#isWritten) return
    this.#held = concat(this.#held, bytes)
    this.#host.hold(this)
  }

  /** Begins a stream of this end: quiche counts it, and can be asked for what comes back, once something was sent on it. */
  begin(head: Bytes): void {
    try {
      this.#host.native.streamSend(this.id, EMPTY, false)
    } catch (error) {
      if (messageOf(error) !== 'Done') this.#lost()
    }
    this.queue(head)
  }

  /** Ends this end's side, after what was taken. */
  finish(): void {
    if (this.#isWritten || this.#finish !== 'no') return
    this.#finish = 'asked'
    if (this.#held.length === 0) this.#finishLate()
    else if (!this.#drain()) this.#host.block(this)
  }

  /** Gives this end's side up. */
  reset(code: number): void {
    if (this.#isWritten) return
    this.#shut(this.#host.shutdown.Write, code)
    this.#written()
  }

  /** Wants no more of the peer's side. */
  stop(code: number): void {
    if (this.#over !== null) return
    this.#shut(this.#host.shutdown.Read, code)
    this.#end(RESET)
  }

  /** Told by the connection: nothing more came in the turn of the last write. */
  release(): void {
    if (!this.#drain()) this.#host.block(this)
  }

  /** Told by the connection: whether nothing of this stream waits for room any more. */
  flush(): boolean {
    if (this.#isGone) return true
    if (!this.#drain()) return false
    if (this.#finish === 'asked') return this.#finishLate()
    if (!this.#hasRoom()) return false
    this.#events.writable()
    return true
  }

  /** Gives what is held to quiche, with the end when it was asked for. Whether all of it went. */
  #drain(): boolean {
    if (this.#isWritten || this.#held.length === 0) return true
    const isEnd = this.#finish === 'asked'
    this.#held = this.#held.slice(this.#send(this.#held, isEnd))
    if (this.#held.length > 0) return false
    if (isEnd) this.#finished()
    return true
  }

  /** An end without data. Whether it went: otherwise `flush` tries again, and the timer sees to it that it goes. */
  #finishLate(): boolean {
    // Acknowledgements that were not looked at yet come first.
    this.#host.transmit()
    const { native } = this.#host
    const wait = this.#sentAt + settling(native) - performance.now()
    clearTimeout(this.#timer)
    if (wait > 0 && !isSettled(native, this.id)) {
      this.#timer = setTimeout(() => this.#finishLate(), Math.ceil(wait))
      this.#host.block(this)
      return false
    }
    this.#send(EMPTY, true)
    // Its packet leaves before anything else can come in.
    this.#host.transmit()
    this.#finished()
    return true
  }

  #finished(): void {
    this.#finish = 'done'
    clearTimeout(this.#timer)
    if (!this.#isWritten) this.#written()
  }

  /** Whether a write would take anything; so it would, and drop it, on a stream that either end is done with writing on. */
  #hasRoom(): boolean {
    if (this.#isWritten) return true
    try {
      return this.#host.native.streamCapacity(this.id) > 0
    } catch {
      return true
    }
  }

  /** How many bytes quiche took. */
  #send(bytes: Uint8Array, fin: boolean): number {
    if (bytes.length === 0 && !fin) return 0
    // quiche would tell the peer each time that it has to wait, which the peer acknowledges, which is a turn to try again: for ever, with one
    // that does not read.
    if (bytes.length > 0 && !this.#hasRoom()) return 0
    try {
      const taken = this.#host.native.streamSend(this.id, bytes, fin) ?? 0
      this.#sentAt = performance.now()
      this.#host.kick()
      return taken
    } catch (error) {
      if (messageOf(error) === 'Done') return 0
      this.#lost()
      return bytes.length
    }
  }

  /** Stopped by the peer, or gone. quiche keeps its state until it is shut down here too. */
  #lost(): void {
    this.#isStopped = true
    this.#shut(this.#host.shutdown.Write, 0)
    this.#written()
  }

  #shut(direction: number, code: number): void {
    try {
      this.#host.native.streamShutdown(this.id, direction, code)
    } catch {
      // quiche has no such stream any more: then there is nothing to shut.
    }
    this.#host.kick()
  }

  #end(how: Read): void {
    this.#over = how
    if (this.#isWritten) this.#host.done(this)
  }

  #written(): void {
    this.#isWritten = true
    this.#held = EMPTY
    clearTimeout(this.#timer)
    if (this.#over !== null) this.#host.done(this)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
