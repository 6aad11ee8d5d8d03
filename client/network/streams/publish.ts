import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { decode } from '../../primitives/codec.ts'
import type { Id, UniqueId } from '../../primitives/id.ts'
import type { Host } from '../host.ts'
import { race, scope } from '../scope.ts'
import type { Ticket } from '../tickets/ticket.ts'
import type { TicketValidator } from '../tickets/validator.ts'
import { Ended, type Exchange } from './exchange.ts'
import { Lease } from './lease.ts'
import { STREAM_LIMITS, type StreamEnd, streamRequestCodec } from './messages.ts'
import { Queue } from './queue.ts'

export interface PublisherOptions {
  readonly host: Pick<Host, 'now' | 'after' | 'log'>
  readonly network: UniqueId
  /** The component whose surface it is, 32 bytes. */
  readonly component: Id
  readonly surface: string
  /** Who may subscribe; null for a public surface. */
  readonly validator: TicketValidator | null
  /** Subscriptions in all, and of one link key. */
  readonly most?: { readonly all: number; readonly each: number }
}

const MOST = { all: 1_024, each: 8 } as const

/**
 * A link stream: what is published goes to whoever is subscribed now, in order, as far as each keeps up. It says nothing of what was published
 * before, and nothing of it is certified: subscribers get `Unverified` items (PROTOCOL.md section 4).
 */
export class Publisher implements AsyncDisposable {
  readonly #o: PublisherOptions
  readonly #scope = scope()
  readonly #queues = new Map<Queue, string>()
  readonly #serving = new Set<Promise<never>>()

  constructor(options: PublisherOptions) {
    this.#o = options
  }

  /** Subscriptions that are open. */
  get subscribers(): number {
    return this.#queues.size
  }

  isOf({ network, component, surface }: { readonly network: Bytes; readonly component: Bytes; readonly surface: string }): boolean {
    return equal(network, this.#o.network) && equal(component, this.#o.component) && surface === this.#o.surface
  }

  /** Hands an item of at most 64 kB to every subscriber. Never waits: a subscriber that is too far behind loses its subscription. @throws RangeError */
  publish(item: Bytes): void {
    if (item.length > STREAM_LIMITS.item) throw new RangeError(`an item of ${item.length} bytes, at most ${STREAM_LIMITS.item}`)
    for (const queue of this.#queues.keys()) queue.offer(item)
  }

  /** Attends to one subscription until it ends, and says why it did. */
  async attend(exchange: Exchange, peer: Bytes, tickets: readonly Ticket[]): Promise<StreamEnd> {
    const name = toHex(peer)
    const { all, each } = this.#o.most ?? MOST
    const own = [...this.#queues.values()].filter((other) => other === name).length
    if (this.#queues.size >= all || own >= each) return 'busy'
    const attended = this.#attend(exchange, peer, tickets)
    this.#serving.add(attended)
    try {
      return await attended
    } catch (error) {
      if (error instanceof Ended) return error.end
      throw error
    } finally {
      this.#serving.delete(attended)
    }
  }

  async #attend(exchange: Exchange, peer: Bytes, tickets: readonly Ticket[]): Promise<never> {
    const own = scope(this.#scope.signal, exchange.signal)
    const lease = new Lease(this.#o, peer, own)
    const queue = new Queue(() => own.abort(new Ended('slow')))
    // From the first ticket on: what is published while it is checked is not lost.
    this.#queues.set(queue, toHex(peer))
    try {
      await lease.admit(exchange, tickets)
      // What is wrong with a renewal ends the subscription, whether or not there is anything to send.
      void this.#renew(exchange, lease).catch((error: unknown) => own.abort(error as Error))
      for (;;) await race(exchange.send({ kind: 'items', value: await queue.take(own.signal) }), own.signal)
    } finally {
      this.#queues.delete(queue)
      lease.end()
      own.end()
    }
  }

  async #renew(exchange: Exchange, lease: Lease): Promise<void> {
    for await (const request of exchange.requests) {
      const { kind, value } = decode(streamRequestCodec, request)
      if (kind !== 'renew') throw new Ended('request')
      await lease.admit(exchange, value.tickets)
    }
    throw new Error('the subscriber left')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#scope.abort(new Ended('shutdown'))
    await Promise.allSettled(this.#serving)
  }
}
