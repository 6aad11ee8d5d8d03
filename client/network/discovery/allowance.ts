import { type Bytes, toHex } from '../../primitives/bytes.ts'
import type { Host } from '../host.ts'

const MINUTE_MS = 60_000
/** Names that are remembered: old ones are let go of first. New names are free, and must not fill the memory. */
const NAMES = 4_096

interface Spent {
  readonly since: number
  offers: number
  faults: number
}

/** What each peer has cost in its minute. A minute begins with the first thing that comes from a peer. */
export class Allowance {
  readonly #host: Pick<Host, 'now'>
  readonly #limits: { readonly offers: number; readonly faults: number }
  readonly #spent = new Map<string, Spent>()

  constructor(host: Pick<Host, 'now'>, limits: { readonly offers: number; readonly faults: number }) {
    this.#host = host
    this.#limits = limits
  }

  /** Whether the peer may cost that much more now; counted if so. */
  take(peer: Bytes, amount = 1): boolean {
    const spent = this.#of(peer)
    if (spent.faults >= this.#limits.faults || spent.offers + amount > this.#limits.offers) return false
    spent.offers += amount
    return true
  }

  blame(peer: Bytes): void {
    this.#of(peer).faults += 1
  }

  isCutOff(peer: Bytes): boolean {
    return this.#of(peer).faults >= this.#limits.faults
  }

  #of(peer: Bytes): Spent {
    const name = toHex(peer)
    const now = this.#host.now()
    const known = this.#spent.get(name)
    // A minute that lies ahead is over too: the clock was set back.
    if (known !== undefined && known.since <= now && now - known.since < MINUTE_MS) return known
    const fresh: Spent = { since: now, offers: 0, faults: 0 }
    // Taken out first, so that the order of the map is the order of the minutes.
    this.#spent.delete(name)
    if (this.#spent.size >= NAMES) this.#spent.delete(this.#spent.keys().next().value as string)
    this.#spent.set(name, fresh)
    return fresh
  }
}
