import { CoalitionError } from '../error.ts'
import type { Bytes } from '../primitives/bytes.ts'
import type { ByteStream, Link, LinkBytes } from './host.ts'
import { scope } from './scope.ts'

// From a multiplexed connection of js-libp2p 3 to the Host's Link, once for both hosts. The shapes below are what is used of libp2p's
// own interfaces, so that nothing of it is imported here.

/** @libp2p/interface `Stream`. */
export interface MuxedStream {
  readonly status: string
  readonly readStatus: string
  readonly remoteWriteStatus: string
  readonly readableEnded: boolean
  readonly writableNeedsDrain: boolean
  send(data: Uint8Array): boolean
  pause(): void
  resume(): void
  close(): Promise<void>
  abort(error: Error): void
  addEventListener(type: string, listener: (event: unknown) => void): void
}

/** @libp2p/interface `Connection`. */
export interface MuxedConnection {
  readonly id: string
  readonly status: string
  readonly remotePeer: { readonly type: string; readonly publicKey?: { readonly raw: Uint8Array } | undefined }
  readonly remoteAddr: { toString(): string }
  newStream(protocols: string[], options: { readonly signal: AbortSignal }): Promise<MuxedStream>
  close(): Promise<void>
  abort(error: Error): void
  addEventListener(type: string, listener: (event: unknown) => void): void
}

/**
 * Bytes that may wait for a slow reader before the peer is told to stop. Yamux then lets it send one window more, so the window has to stay
 * below libp2p's read buffer (4 MiB), which resets the stream when it overflows.
 */
const READ_AHEAD = 256 * 1024
/** Largest yamux window for the hosts' configuration: 1 MiB keeps 80 Mbit/s busy over 100 ms. */
export const MAX_WINDOW = 1024 * 1024

/**
 * The peer's link key.
 * @throws LinkError for a peer id of another kind: rosters name Ed25519 keys only (docs/wire.md section 2).
 */
export const peerKey = ({ remotePeer, remoteAddr }: MuxedConnection): Bytes => {
  const raw = remotePeer.publicKey?.raw
  if (remotePeer.type !== 'Ed25519' || raw?.length !== 32)
    throw new LinkError(remoteAddr.toString(), `the peer's key is ${remotePeer.type}, not Ed25519`)
  return new Uint8Array(raw)
}

/** @throws LinkError for a peer without an Ed25519 key; the connection is closed then. */
export const asLink = (connection: MuxedConnection): Link => {
  const address = connection.remoteAddr.toString()
  const closed = new AbortController()
  const end = (): void => closed.abort(new LinkError(address, 'the connection was closed'))
  const tally = { received: 0, sent: 0 }
  connection.addEventListener('close', end)
  if (connection.status !== 'open') end()
  try {
    return {
      peer: peerKey(connection),
      address,
      closed: closed.signal,
      bytes: tally,
      stream: async (protocol, { signal }) => {
        const stream = await connection.newStream([protocol], { signal })
        return asByteStream(stream, tally)
      },
      // Gracefully, or at least for good: over a path that is dead, a close waits for its deadline and leaves the connection as it is.
      close: () => connection.close().catch((error: unknown) => connection.abort(error as Error)),
    }
  } catch (error) {
    connection.abort(error as Error)
    throw error
  }
}

/** Dials by a transport of libp2p, below its queue, which would put dials of one peer together. */
export interface Dials<A> {
  dial(address: A, options: { readonly signal: AbortSignal }): Promise<MuxedConnection>
}

/**
 * A link over exactly this address.
 *
 * @param text the address, for the error
 * @throws LinkError, or the signal's reason; nothing is left open then
 */
export const dialLink = async <A>(dials: Dials<A>, address: A, text: string, signal: AbortSignal): Promise<Link> => {
  signal.throwIfAborted()
  // One of its own, which ends with the dial: @libp2p/tcp hands it to the socket, and an abort years later would destroy that.
  const own = scope(signal)
  const connection = await dials
    .dial(address, { signal: own.signal })
    .catch((error: unknown) => {
      signal.throwIfAborted()
      throw dialError(text, error)
    })
    .finally(own.end)
  // A transport that did not look at the signal in the end.
  if (signal.aborted) connection.abort(signal.reason as Error)
  signal.throwIfAborted()
  return asLink(connection)
}

/** What a dial failed with, in one form: browsers reject with an Event, libp2p with errors of many kinds. */
const dialError = (address: string, cause: unknown): LinkError =>
  new LinkError(address, cause instanceof Error ? cause.message : 'nobody answers there', cause instanceof Error ? cause : undefined)

type Tally = { -readonly [K in keyof LinkBytes]: number }

/**
 * A ByteStream over a muxed stream. Takes its events from now on: call it in the task that opened or received the stream.
 * Unlike libp2p's own iterator it pauses the peer when the reader is slow, and tells a connection that broke from an end.
 * @param tally where its bytes are added
 */
export const asByteStream = (stream: MuxedStream, tally: Tally = { received: 0, sent: 0 }): ByteStream => {
  const writer = createWriter(stream, tally)
  return { ...writer, chunks: new Reader(stream, tally), finish: () => stream.close(), abort: (reason) => stream.abort(reason) }
}

/** Why a stream was closed; undefined when nothing went wrong. */
const errorOf = (event: unknown): Error | undefined => (event as { readonly error?: Error }).error

const createWriter = (stream: MuxedStream, tally: Tally) => {
  const waiting = new Set<{ readonly resolve: () => void; readonly reject: (error: Error) => void }>()
  const flush = (error?: Error): void => {
    for (const { resolve, reject } of waiting) error ? reject(error) : resolve()
    waiting.clear()
  }
  stream.addEventListener('drain', () => flush())
  stream.addEventListener('close', (event) => flush(errorOf(event) ?? new LinkError('', 'the stream was closed')))
  return {
    // Not stream.onDrain(): it keeps its first promise (@libp2p/utils 7.4), so from the second time on it does not wait.
    write: async (chunk: Bytes): Promise<void> => {
      stream.send(chunk)
      tally.sent += chunk.length
      // A drained connection may leave the stream's own window exhausted, hence the loop.
      while (stream.writableNeedsDrain && stream.status === 'open')
        await new Promise<void>((resolve, reject) => waiting.add({ resolve, reject }))
    },
  }
}

const OVER: IteratorResult<Bytes> = { done: true, value: undefined }

/** One reader a stream: every iteration takes from the same chunks. */
class Reader implements AsyncIterable<Bytes>, AsyncIterator<Bytes> {
  readonly #stream: MuxedStream
  readonly #tally: Tally
  readonly #ready: Bytes[] = []
  readonly #waiting: { readonly resolve: (result: IteratorResult<Bytes>) => void; readonly reject: (error: Error) => void }[] = []
  #size = 0
  /** The peer said that it has finished, which a connection that breaks does not say. */
  #finished: boolean
  #over: boolean
  #failure: Error | null = null

  constructor(stream: MuxedStream, tally: Tally) {
    this.#stream = stream
    this.#tally = tally
    this.#finished = stream.status === 'open' && stream.remoteWriteStatus === 'closed'
    this.#over = this.#finished && stream.readableEnded
    stream.addEventListener('message', (event) => {
      // One piece, whether it was a list of them or not.
      this.#take((event as { readonly data: { subarray(): Bytes } }).data.subarray())
    })
    stream.addEventListener('remoteCloseWrite', () => {
      this.#finished = stream.status === 'open'
    })
    stream.addEventListener('end', () => this.#finished && this.#end(null))
    stream.addEventListener('close', (event) => {
      const error = errorOf(event)
      // After a lawful end that this reader was too slow to see, what is paused is still to be read.
      if (error || !this.#finished) this.#end(error ?? new LinkError('', 'the connection broke'))
    })
    // Reset before anybody listened: no event says so any more.
    if (stream.status === 'reset' || stream.status === 'aborted') this.#end(new LinkError('', `the stream was ${stream.status}`))
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Bytes>> {
    const value = this.#ready.shift()
    if (value) {
      this.#size -= value.length
      if (this.#size < READ_AHEAD / 2 && this.#stream.readStatus === 'paused') this.#stream.resume()
      return { done: false, value }
    }
    if (!this.#over) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
    const failure = this.#failure
    this.#failure = null
    if (failure) throw failure
    return OVER
  }

  /** What is still to come is left with the peer: behind a closed window it costs nothing here. */
  async return(): Promise<IteratorResult<Bytes>> {
    if (this.#stream.readStatus === 'readable') this.#stream.pause()
    this.#ready.length = 0
    this.#end(null)
    return OVER
  }

  #take(chunk: Bytes): void {
    this.#tally.received += chunk.length
    const first = this.#waiting.shift()
    if (first) first.resolve({ done: false, value: chunk })
    else {
      this.#ready.push(chunk)
      this.#size += chunk.length
      if (this.#size >= READ_AHEAD && this.#stream.readStatus === 'readable') this.#stream.pause()
    }
  }

  #end(error: Error | null): void {
    if (this.#over) return
    this.#over = true
    this.#failure = this.#waiting.length > 0 ? null : error
    for (const { resolve, reject } of this.#waiting.splice(0)) error ? reject(error) : resolve(OVER)
  }
}

/** A connection that could not be opened, or not be kept. `address` is empty where only a stream is known. */
export class LinkError extends CoalitionError {
  declare readonly address: string
  declare readonly problem: string

  constructor(address: string, problem: string, cause?: unknown) {
    super('Network.LinkError', address === '' ? problem : `${address}: ${problem}`, { address, problem }, { cause })
  }
}
