import { mayDial, readAddress } from '../../client/network/address.ts'
import { type Candidate, fixed } from '../../client/network/candidates.ts'
import type { OpenLinks } from '../../client/network/discovery/discovery.ts'
import { addressesIn, type PeerEntry } from '../../client/network/discovery/entry.ts'
import type { Host, Link } from '../../client/network/host.ts'
import { scope, sleep, whenAborted } from '../../client/network/scope.ts'
import { type Bytes, equal, toHex } from '../../client/primitives/bytes.ts'
import type { Gossip } from './gossip.ts'

/** Neighbours that a node looks for by itself; others find it. gossipsub wants six in its mesh. */
const WANTED = 8
/** Milliseconds: between two looks, for one dial, and before a peer that cannot be reached is tried again. */
const TIMES = { look: 5_000, dial: 10_000, first: 5_000, longest: 300_000 } as const

export interface NeighboursOptions {
  readonly host: Pick<Host, 'now' | 'after' | 'random' | 'log' | 'transports'>
  readonly gossip: Pick<Gossip, 'meet'>
  /** Own link key. */
  readonly peer: Bytes
  /** Multiaddrs that are dialled first, wherever they lead. */
  readonly bootstrap: readonly string[]
  /** Who else is known. */
  readonly entries: () => readonly PeerEntry[]
}

/** Keeps a node linked with others: its bootstrap list first, then whom it heard of, chosen by chance. */
export class Neighbours implements OpenLinks, AsyncDisposable {
  readonly #o: NeighboursOptions
  readonly #own = scope()
  readonly #bootstrap: readonly Candidate[]
  readonly #may: ReturnType<typeof mayDial>
  readonly #links = new Map<string, Link>()
  readonly #tries = new Map<string, { readonly atMs: number; readonly waitMs: number }>()
  readonly #listeners = new Set<() => void>()
  #running: Promise<void> = Promise.resolve()

  /** @throws AddressError */
  constructor(options: NeighboursOptions) {
    this.#o = options
    this.#bootstrap = fixed(options.bootstrap).list()
    this.#may = mayDial(options.bootstrap.map(readAddress))
  }

  /** Until it is disposed of. */
  start(): void {
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#own.signal.aborted) this.#o.host.log('error', 'no more neighbours are looked for', { problem: String(error) })
    })
  }

  get open(): readonly Link[] {
    return [...this.#links.values()]
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#own.abort(new Error('the node leaves'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { host } = this.#o
    for (;;) {
      await Promise.all(this.#next().map((candidate) => this.#meet(candidate)))
      await sleep(host, TIMES.look, this.#own.signal)
    }
  }

  /** Whom to meet now. */
  #next(): readonly Candidate[] {
    const now = this.#o.host.now()
    const isDue = ({ peer }: Candidate): boolean => {
      const key = toHex(peer)
      const { atMs = 0, waitMs = 0 } = this.#tries.get(key) ?? {}
      return !equal(peer, this.#o.peer) && !this.#links.has(key) && now - atMs >= waitMs
    }
    const missing = WANTED - this.#links.size
    if (missing <= 0) return []
    const given = this.#bootstrap.filter(isDue)
    const heard = this.#o
      .entries()
      .filter(({ peer }) => !this.#bootstrap.some((own) => equal(own.peer, peer)))
      .map((entry) => ({ peer: entry.peer, addresses: addressesIn(entry, this.#may) }))
      .filter((candidate) => candidate.addresses.length > 0 && isDue(candidate))
    return [...given, ...shuffled(heard, this.#o.host)].slice(0, missing)
  }

  async #meet({ peer, addresses }: Candidate): Promise<void> {
    const { host, gossip } = this.#o
    const key = toHex(peer)
    const own = scope(this.#own.signal)
    const cancel = host.after(TIMES.dial, () => own.abort(new Error(`no connection within ${TIMES.dial} ms`)))
    try {
      const address = addresses.find((text) => host.transports.includes(readAddress(text).transport))
      if (address === undefined) throw new Error('it has no address that can be dialled from here')
      this.#keep(key, await gossip.meet(address, { signal: own.signal }))
      this.#tries.delete(key)
    } catch (error) {
      const waitMs = Math.min(TIMES.longest, 2 * (this.#tries.get(key)?.waitMs ?? TIMES.first / 2))
      this.#tries.set(key, { atMs: host.now(), waitMs })
      host.log('debug', 'a neighbour cannot be reached', { peer: key, problem: error instanceof Error ? error.message : String(error) })
    } finally {
      cancel()
      own.end()
    }
  }

  #keep(key: string, link: Link): void {
    this.#links.set(key, link)
    this.#tell()
    whenAborted(link.closed, () => {
      if (this.#links.get(key) === link) this.#links.delete(key)
      this.#tell()
    })
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

const shuffled = <T>(items: readonly T[], { random }: Pick<Host, 'random'>): readonly T[] =>
  items
    .map((item) => ({ item, place: toHex(random(4)) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ item }) => item)
