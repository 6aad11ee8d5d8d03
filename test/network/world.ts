import { type Log, silent } from '../../client/log.ts'
import { TRANSPORTS, type TransportName } from '../../client/network/address.ts'
import { CATALOG_PROTOCOL } from '../../client/network/discovery/messages.ts'
import type { ByteStream, Host, Link } from '../../client/network/host.ts'
import type { Storage } from '../../client/network/keep/storage.ts'
import type { StreamHandler } from '../../client/network/light/server.ts'
import { type Bytes, copy } from '../../client/primitives/bytes.ts'
import { type Verify, verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { createEcdsa } from '../../client/verify/collateral/index.ts'

// Hosts, links and streams without a socket or a sleep: time moves when nothing else can, so a test of minutes takes milliseconds.

/** What a writer may have under way before it has to wait: less than a frame, so that back-pressure is met in every test. */
const HIGH_WATER = 65_536

/** One direction of a stream. */
class Pipe implements AsyncIterable<Bytes> {
  readonly #chunks: Bytes[] = []
  #waiting: (() => void)[] = []
  #size = 0
  #ended = false
  #error: Error | null = null
  /** Most bytes that ever lay here. */
  peak = 0

  get size(): number {
    return this.#size
  }

  async write(chunk: Bytes): Promise<void> {
    if (this.#error) throw this.#error
    if (this.#ended) throw new Error('written after the end')
    this.#chunks.push(copy(chunk))
    this.#size += chunk.length
    this.peak = Math.max(this.peak, this.#size)
    this.#wake()
    while (this.#size > HIGH_WATER && !this.#error) await this.#news()
    this.#check()
  }

  #check(): void {
    if (this.#error) throw this.#error
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  fail(error: Error): void {
    if (this.#ended && this.#chunks.length === 0) return
    this.#error ??= error
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void, undefined> {
    for (;;) {
      if (this.#error) throw this.#error
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) {
        this.#size -= chunk.length
        this.#wake()
        yield chunk
      } else if (this.#ended) return
      else await this.#news()
    }
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** Both ends of a stream, and a hook on what the server writes. */
export const streamPair = (onServerChunk: (chunk: Bytes) => Bytes = (chunk) => chunk) => {
  const up = new Pipe()
  const down = new Pipe()
  const end = (own: Pipe, other: Pipe, write: (chunk: Bytes) => Promise<void>): ByteStream => ({
    write,
    chunks: other,
    finish: async () => own.end(),
    abort: (reason) => {
      own.fail(new Error('the other side reset the stream'))
      other.fail(reason)
    },
  })
  const client = end(up, down, (chunk) => up.write(chunk))
  const server = end(down, up, (chunk) => down.write(onServerChunk(chunk)))
  return { client, server, up, down }
}

interface Timer {
  readonly at: number
  readonly run: () => void
}

/** A server that a link leads to. */
export interface Place {
  readonly key: Bytes
  readonly handler: StreamHandler
  /** What else it answers, by protocol; `handler` is the light one. */
  readonly others?: { readonly [protocol: string]: StreamHandler }
  /** Changes or drops what this server writes; `stream` counts the streams of the place. */
  tamper?: ((chunk: Bytes, stream: number) => Bytes) | undefined
  /** Sees what this server is sent. */
  tap?: ((chunk: Bytes) => void) | undefined
  /** Refuses dials while set. */
  down?: boolean
  /** Never answers a dial while set. */
  silent?: boolean
  /** Milliseconds that a dial takes. */
  dialMs?: number
  /** Links to it do not end when they are closed, as over a path that is dead. */
  clings?: boolean
}

export class World {
  #now = 1_700_000_000_000
  // One for all hosts: a host that restarts must not draw again what it drew before.
  #seed = 1
  readonly #timers = new Set<Timer>()
  readonly #sleepers = new Set<() => void>()
  readonly #places = new Map<string, Place>()
  readonly #links = new Map<string, Set<() => void>>()
  /** Streams that are not done with, and how many bytes servers wrote. */
  openStreams = 0
  bytesDown = 0
  streamsOpened = 0
  /** What the hosts say of data and of who looks. */
  isSaving = false
  isUnseen = false

  get now(): number {
    return this.#now
  }

  get pendingTimers(): number {
    return this.#timers.size
  }

  host(
    options: {
      readonly clockOffsetMs?: number
      readonly verify?: Verify
      readonly key?: Bytes
      readonly transports?: readonly TransportName[]
      readonly storage?: Storage | null
      readonly log?: Log
    } = {},
  ): Host {
    const {
      clockOffsetMs = 0,
      verify = verifyWithNoble,
      key = new Uint8Array(32).fill(9),
      transports = TRANSPORTS,
      storage = null,
      log = silent,
    } = options
    return {
      now: () => this.#now + clockOffsetMs,
      random: (n) =>
        Uint8Array.from({ length: n }, () => {
          this.#seed = (this.#seed * 48_271) % 2_147_483_647
          return this.#seed & 255
        }),
      after: (ms, run) => {
        const timer = { at: this.#now + ms, run }
        this.#timers.add(timer)
        return () => this.#timers.delete(timer)
      },
      onWake: (listener) => {
        const own = (): void => listener()
        this.#sleepers.add(own)
        return () => this.#sleepers.delete(own)
      },
      isSaving: () => this.isSaving,
      isUnseen: () => this.isUnseen,
      verify,
      ecdsa: createEcdsa(undefined),
      log,
      storage,
      transports,
      dial: (address, { signal }) => this.#dial(address, key, signal),
    }
  }

  serve(address: string, place: Place): Place {
    this.#places.set(address, place)
    return place
  }

  /** Breaks every link to an address. */
  cut(address: string): void {
    for (const close of [...(this.#links.get(address) ?? [])]) close()
  }

  get openLinks(): number {
    return [...this.#links.values()].reduce((sum, links) => sum + links.size, 0)
  }

  async #dial(address: string, clientKey: Bytes, signal: AbortSignal): Promise<Link> {
    const place = this.#places.get(address)
    if (place?.silent) return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    if (place?.dialMs !== undefined)
      await new Promise<void>((resolve) => this.#timers.add({ at: this.#now + (place.dialMs ?? 0), run: resolve }))
    if (place === undefined || place.down) throw new Error(`connection refused: ${address}`)
    return this.#link(address, place, clientKey)
  }

  #link(address: string, place: Place, clientKey: Bytes): Link {
    const closed = new AbortController()
    const streams = new Set<ByteStream>()
    const bytes = { received: 0, sent: 0 }
    const close = (): void => {
      links.delete(close)
      closed.abort(new Error('the link was closed'))
      for (const stream of streams) stream.abort(new Error('the link was closed'))
    }
    const links = this.#links.get(address) ?? new Set()
    this.#links.set(address, links.add(close))
    return {
      peer: place.key,
      address,
      bytes,
      closed: closed.signal,
      close: async () => (place.clings ? undefined : close()),
      stream: async (protocol) => {
        if (closed.signal.aborted) throw new Error('the link is closed')
        const handler = protocol === CATALOG_PROTOCOL ? place.others?.[protocol] : place.handler
        if (handler === undefined) throw new Error(`the peer does not speak ${protocol}`)
        const number = this.streamsOpened++
        const { client, server } = streamPair((chunk) => {
          this.bytesDown += chunk.length
          bytes.received += chunk.length
          return place.tamper?.(chunk, number) ?? chunk
        })
        this.openStreams += 1
        streams.add(client)
        void handler(server, clientKey).finally(() => {
          this.openStreams -= 1
          streams.delete(client)
        })
        return {
          ...client,
          write: (chunk) => {
            place.tap?.(chunk)
            bytes.sent += chunk.length
            return client.write(chunk)
          },
        }
      },
    }
  }

  /** Lets everything run that needs no time. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Moves time on, timer by timer. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.settle()
    while (this.#step(end)) await this.settle()
    this.#now = end
    await this.settle()
  }

  #step(end: number): boolean {
    const [next] = [...this.#timers].sort((a, b) => a.at - b.at)
    if (next === undefined || next.at > end) return false
    this.#timers.delete(next)
    this.#now = Math.max(this.#now, next.at)
    next.run()
    return true
  }

  /** Time passes and nothing runs: a device that sleeps. */
  jump(ms: number): void {
    this.#now += ms
  }

  /** Hosts learn that they were away. */
  wake(): void {
    for (const listener of [...this.#sleepers]) listener()
  }

  get sleepers(): number {
    return this.#sleepers.size
  }

  /** The outcome of a promise, time moving on as far as it takes. */
  async run<T>(promise: Promise<T>, withinMs = 120_000): Promise<T> {
    let done = false
    const end = this.#now + withinMs
    const settled = promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    void settled.then(() => {
      done = true
    })
    await this.settle()
    while (!done) {
      if (!this.#step(end)) throw new Error(`nothing came within ${withinMs} ms of virtual time`)
      await this.settle()
    }
    const outcome = await settled
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }
}
