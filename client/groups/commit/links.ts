import { peerOf } from '../../network/address.ts'
import type { ByteStream, Host } from '../../network/host.ts'
import { frame, frames } from '../../network/light/frame.ts'
import { type Scope, scope, sleep, whenAborted } from '../../network/scope.ts'
import { type Bytes, concat, equal } from '../../primitives/bytes.ts'
import { decode, encode } from '../../primitives/codec.ts'
import type { Committee, CommitteeListener } from '../committee.ts'
import type { Identity } from '../execution.ts'
import { seatOf } from '../roster.ts'
import { COMMIT_LIMITS, COMMIT_PROTOCOL, joinCodec } from './messages.ts'
import { Outbox } from './outbox.ts'

/** A host that also answers: libp2p in a full node. */
export interface CommitHost extends Pick<Host, 'after' | 'dial' | 'log'> {
  readonly handle: (protocol: string, handler: (stream: ByteStream, peer: Bytes, connection: string) => Promise<void>) => Promise<void>
}

export interface JoinOptions {
  readonly identity: Pick<Identity, 'network' | 'group' | 'roster' | 'rosterId'>
  /** Own place in the roster. */
  readonly member: number
  /** Multiaddrs of the others, each with its peer id: every member dials every other one, and sends on the stream that it opened. */
  readonly addresses: readonly string[]
  /** Where else a member says that it is now, by its place: tried in turn with what stands in `addresses`. */
  readonly learned?: (member: number) => readonly string[]
}

/** A key that stands in no roster: it is of small order. */
const NOBODY = new Uint8Array(32)
const BACKOFF_MS = { first: 100, most: 5_000 } as const
/** For a dial and the opening of a stream. */
const DIAL_MS = 10_000

/** Joins a committee over `/coalition/commit/1`: one stream a direction, between members of the roster and nobody else. */
export const joinCommittee = async (host: CommitHost, options: JoinOptions): Promise<Committee> => {
  const links = new Links(host, options)
  await host.handle(COMMIT_PROTOCOL, (stream, peer) => links.accept(stream, peer))
  return links
}

class Links implements Committee {
  readonly #host: CommitHost
  readonly #o: JoinOptions
  readonly #own: Scope = scope()
  readonly #outboxes = new Map<number, Outbox>()
  readonly #inbound = new Map<number, ByteStream>()
  readonly #up = new Set<number>()
  #listener: CommitteeListener | null = null

  constructor(host: CommitHost, options: JoinOptions) {
    this.#host = host
    this.#o = options
    options.identity.roster.members.forEach((_, member) => {
      if (member !== options.member) this.#outboxes.set(member, new Outbox())
    })
  }

  start(listener: CommitteeListener): void {
    this.#listener = listener
    const { addresses, learned = () => [] } = this.#o
    const seats = addresses.map((address) => seatOf(this.#o.identity.roster, peerOf(address) ?? NOBODY))
    for (const [i, address] of addresses.entries()) void this.#keepDialing(() => [address, ...learned(seats[i] as number)])
    for (const member of this.#outboxes.keys()) if (!seats.includes(member)) void this.#keepDialing(() => learned(member))
  }

  send(to: number, message: Bytes): void {
    if (this.#up.has(to)) this.#outboxes.get(to)?.add(frame(message, COMMIT_LIMITS.frame))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#own.abort(new Error('the committee was left'))
    this.#listener = null
  }

  /** A stream that somebody opened: refused unless it is a member's, and for this committee. */
  async accept(stream: ByteStream, peer: Bytes): Promise<void> {
    const from = seatOf(this.#o.identity.roster, peer)
    if (from < 0 || from === this.#o.member) throw new Error('no member of this committee')
    const payloads = frames(stream.chunks, COMMIT_LIMITS.frame)
    const first = await payloads.next()
    if (first.done || !this.#isOurs(first.value)) throw new Error('a stream for another committee')
    // One stream a member: a new one means that the old one is dead, or that somebody fills us with streams.
    this.#inbound.get(from)?.abort(new Error('another stream took its place'))
    this.#inbound.set(from, stream)
    const stop = whenAborted(this.#own.signal, () => stream.abort(this.#own.signal.reason as Error))
    try {
      for await (const payload of payloads) await this.#listener?.receive(from, payload)
    } finally {
      stop()
      if (this.#inbound.get(from) === stream) this.#inbound.delete(from)
    }
  }

  #isOurs(payload: Bytes): boolean {
    const { network, group, rosterId } = this.#o.identity
    const join = decode(joinCodec, payload)
    return equal(join.network, network) && equal(join.group, group) && equal(join.roster, rosterId)
  }

  /** One member; which of its addresses is good may change. */
  async #keepDialing(addresses: () => readonly string[]): Promise<void> {
    const { signal } = this.#own
    for (let [wait, turn]: [number, number] = [BACKOFF_MS.first, 0]; !signal.aborted; wait = Math.min(2 * wait, BACKOFF_MS.most)) {
      const known = [...new Set(addresses())]
      const address = known[turn % known.length]
      const wasUp = address !== undefined && (await this.#hold(address).catch((error: unknown) => this.#failed(address, error)))
      if (wasUp) wait = BACKOFF_MS.first
      else turn += 1
      await sleep(this.#host, wait, signal).catch(() => {})
    }
  }

  #failed(address: string, error: unknown): false {
    this.#host.log('debug', 'a member cannot be reached', { address, problem: String(error) })
    return false
  }

  /** Dials a member and sends what is for it, until the link breaks. True when there was a link. */
  async #hold(address: string): Promise<boolean> {
    const own = scope(this.#own.signal)
    const cancel = this.#host.after(DIAL_MS, () => own.abort(new Error('no answer in time')))
    try {
      const link = await this.#host.dial(address, { signal: own.signal })
      const member = seatOf(this.#o.identity.roster, link.peer)
      const outbox = this.#outboxes.get(member)
      if (outbox === undefined) throw new Error('the address is of no other member')
      const stream = await link.stream(COMMIT_PROTOCOL, { signal: own.signal })
      cancel()
      await this.#serve(stream, outbox, member, link.closed)
      return true
    } finally {
      cancel()
      own.end()
    }
  }

  async #serve(stream: ByteStream, outbox: Outbox, member: number, closed: AbortSignal): Promise<void> {
    const own = scope(this.#own.signal, closed)
    const stop = whenAborted(own.signal, () => stream.abort(new Error('the link was closed')))
    const { network, group, rosterId } = this.#o.identity
    try {
      outbox.clear()
      await stream.write(frame(encode(joinCodec, { network, group, roster: rosterId })))
      this.#tell(member, true)
      // Nothing comes back on this stream; that it ends says that the other side let go of it.
      void this.#drop(stream, own)
      for (;;) await stream.write(concat(...(await outbox.take(own.signal))))
    } catch (error) {
      this.#host.log('debug', 'a link to a member broke', { member, problem: String(error) })
    } finally {
      this.#tell(member, false)
      stop()
      own.end()
    }
  }

  #tell(member: number, isUp: boolean): void {
    if (isUp) this.#up.add(member)
    else this.#up.delete(member)
    this.#listener?.reach(member, isUp)
  }

  async #drop(stream: ByteStream, own: Scope): Promise<void> {
    try {
      for await (const _ of stream.chunks) throw new Error('bytes on a stream that carries none back')
    } catch {
      // Told below, like an end.
    }
    own.abort(new Error('the other side ended the stream'))
  }
}
