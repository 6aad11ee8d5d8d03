import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { race, type Scope } from '../scope.ts'
import type { Ticket } from '../tickets/ticket.ts'
import { Ended, type Exchange } from './exchange.ts'
import type { PublisherOptions } from './publish.ts'

/** The longest that a timer takes, in seconds: what lasts longer is looked at again then. */
const LONGEST = 2_147_483
/** What a subscriber asks for. */
const VERB = 'watch'

/** How long a subscriber's tickets last. */
export class Lease {
  readonly #o: PublisherOptions
  readonly #peer: Bytes
  readonly #own: Scope
  #cancel: () => void = () => {}

  constructor(options: PublisherOptions, peer: Bytes, own: Scope) {
    this.#o = options
    this.#peer = peer
    this.#own = own
  }

  /** Takes tickets that admit: the subscription then ends with them. @throws Ended for others */
  async admit(exchange: Exchange, tickets: readonly Ticket[]): Promise<void> {
    const { validator, component, surface, host } = this.#o
    const at = Math.floor(host.now() / 1_000)
    const bearer = { peer: this.#peer, component, surface, verb: VERB, at }
    const entry = validator === null ? ({ isAdmitted: true, expires: null } as const) : await validator.check(tickets, bearer)
    if (!entry.isAdmitted) {
      host.log('debug', 'a subscriber was refused', { peer: toHex(this.#peer), surface, problem: entry.problem })
      throw new Ended('ticket')
    }
    this.#expireAt(entry.expires)
    const expires = entry.expires === null ? null : BigInt(entry.expires)
    await race(exchange.send({ kind: 'accepted', value: { expires } }), this.#own.signal)
  }

  end(): void {
    this.#cancel()
  }

  #expireAt(expires: number | null): void {
    const { host } = this.#o
    this.#cancel()
    if (expires === null) return
    const left = expires - host.now() / 1_000
    if (left <= 0) this.#own.abort(new Ended('ticket'))
    else this.#cancel = host.after(1_000 * Math.min(left, LONGEST), () => this.#expireAt(expires))
  }
}
