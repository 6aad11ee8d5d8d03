import { type Address, TRANSPORTS, type TransportName } from './address.ts'
import type { Host } from './host.ts'

// In which order the ways to a peer are tried.

/** Ways to one peer that are tried, and of them over one transport: a peer's entry may list more, and each costs a socket or a connection. */
const MOST = { ways: 8, each: 3 } as const
/** Milliseconds for which a transport that worked goes first, and for which one that failed goes last, doubled with each failure. */
const MEMORY = { worked: 600_000, failed: 5_000, longest: 300_000 } as const
/** Peers of whom it is remembered; who was dialled longest ago is forgotten. */
const REMEMBERED = 1_024

/** How a transport went last with a peer: it worked when there are no failures since. */
interface Outcome {
  readonly atMs: number
  readonly failures: number
}

/** What is remembered of each peer's transports. */
export class Past {
  readonly #host: Pick<Host, 'now'>
  /** By link key in hex. */
  readonly #peers = new Map<string, ReadonlyMap<TransportName, Outcome>>()

  constructor(host: Pick<Host, 'now'>) {
    this.#host = host
  }

  /** Least first: one that worked lately, then as the host prefers them, then those that failed lately. */
  rank(peer: string, transport: TransportName, preference: number): number {
    const last = this.#peers.get(peer)?.get(transport)
    if (last === undefined) return preference
    const { atMs, failures } = last
    const ageMs = this.#host.now() - atMs
    // A clock that was set back makes a memory old.
    const isWithin = (ms: number): boolean => ageMs >= 0 && ageMs < ms
    if (failures === 0) return isWithin(MEMORY.worked) ? -1 : preference
    return isWithin(Math.min(MEMORY.longest, MEMORY.failed * 2 ** Math.min(failures - 1, 16))) ? TRANSPORTS.length + preference : preference
  }

  remember(peer: string, transport: TransportName, worked: boolean): void {
    const known = new Map(this.#peers.get(peer))
    known.set(transport, { atMs: this.#host.now(), failures: worked ? 0 : (known.get(transport)?.failures ?? 0) + 1 })
    // Taken out and put in again, so that the map's first entry is the one to forget.
    this.#peers.delete(peer)
    this.#peers.set(peer, known)
    const [oldest] = this.#peers.keys()
    if (this.#peers.size > REMEMBERED && oldest !== undefined) this.#peers.delete(oldest)
  }
}

/**
 * By rank, but one way of each transport before the second of any: a peer with three addresses of one kind is reached over another kind soon.
 *
 * @param ways in the order in which the peer gave them
 */
export const order = (ways: readonly Address[], rank: (transport: TransportName) => number): readonly Address[] => {
  const counts = new Map<TransportName, number>()
  const placed = ways.map((way) => {
    const place = counts.get(way.transport) ?? 0
    counts.set(way.transport, place + 1)
    return { way, place, rank: rank(way.transport) }
  })
  return placed
    .filter(({ place }) => place < MOST.each)
    .sort((a, b) => a.place - b.place || a.rank - b.rank)
    .slice(0, MOST.ways)
    .map(({ way }) => way)
}
