import type { Roster } from '../../groups/roster.ts'
import { toHex } from '../../primitives/bytes.ts'
import type { GroupId } from '../../primitives/id.ts'
import type { PeerReport, TicketReport } from '../handle.ts'
import type { Host, Link } from '../host.ts'
import { Gate, scope, sleep } from '../scope.ts'
import type { Links } from './links.ts'
import { isLie } from './opened.ts'
import { hello, isDue, isQuiet, newPeer, type Peer, reportOf, seat } from './peer.ts'
import type { Session } from './sync.ts'

/** Milliseconds: first and longest wait before an address is tried again, and how long a peer that failed a check is left alone. */
const RETRY = { first: 500, longest: 5_000, fault: 30_000 } as const
/** Mirrors that are linked at once: they stand in for members and confirm nothing. */
const MIRRORS = 2
/** Milliseconds between two looks at one link: a heartbeat, within these bounds. */
const BEAT = { shortest: 1_000, longest: 10_000 } as const

export interface PeersOptions {
  readonly host: Host
  readonly links: Links
  readonly group: GroupId
  readonly addresses: readonly string[]
  readonly heartbeatMs: number
  /** The newest roster that is known; peers that stand in it go first. */
  readonly roster: () => Roster
  /** What is known of the ticket of a seat. */
  readonly ticket: (seat: number) => TicketReport | null
  /** Compares the peer's head with ours. A failed check is thrown, and held against the peer. */
  readonly compare: (peer: Peer, session: Session) => Promise<void>
  readonly signal: AbortSignal
  readonly onChange: () => void
}

/** Who can be asked: keeps a link to every member up, asks each for its newest head and its time, and remembers who failed. */
export class Peers {
  readonly #o: PeersOptions
  readonly #gate = new Gate()
  readonly all: readonly Peer[]

  constructor(options: PeersOptions) {
    this.#o = options
    // An address that stands there twice is one peer: it would otherwise be dialled, and blamed, twice.
    this.all = [...new Set(options.addresses)].map(newPeer)
  }

  /** A loop for each address; they end with the signal. */
  start(): void {
    for (const peer of this.all) void this.#keep(peer).catch(() => {})
  }

  /** Whom to ask now, best first: members before mirrors, then who showed the newest head. */
  ready(): readonly Peer[] {
    const now = this.#o.host.now()
    const newest = (peer: Peer): bigint => peer.shown?.index ?? peer.said ?? 0n
    return this.all
      .filter(
        ({ link, serving, faulty, readyAt }) => link !== null && !link.closed.aborted && serving !== false && !faulty && readyAt <= now,
      )
      .sort((a, b) => this.#rank(a) - this.#rank(b) || (newest(a) > newest(b) ? -1 : newest(a) < newest(b) ? 1 : 0))
  }

  /** Whether anybody but those who failed a check may yet answer. */
  get hopeful(): boolean {
    return this.all.some(({ faulty, link, failures }) => !faulty && (link !== null || failures === 0))
  }

  saw(peer: Peer, index: bigint): void {
    peer.shown = { index, atMs: this.#o.host.now() }
  }

  /** A failed check: the link is closed, and the peer is left alone for a while. */
  fault(peer: Peer, problem: string): void {
    const { host } = this.#o
    Object.assign(peer, { faulty: true, problem, failures: peer.failures + 1, readyAt: host.now() + RETRY.fault })
    host.log('warn', 'a peer failed a check', { peer: peer.key === null ? '' : toHex(peer.key), address: peer.address, problem })
    void peer.link?.close().catch(() => {})
    this.#changed()
  }

  /** Nothing is wrong with it, but not now. */
  defer(peer: Peer, ms: number, problem: string): void {
    const { host, signal } = this.#o
    Object.assign(peer, { problem, readyAt: host.now() + ms })
    this.#changed()
    // Time alone makes it ready again, and whoever waits for a peer has to be told.
    void sleep(host, ms, signal).then(
      () => this.#changed(),
      () => {},
    )
  }

  /** It answered as it should. */
  praise(peer: Peer): void {
    Object.assign(peer, { problem: null, failures: 0, serving: true })
  }

  reports(): readonly PeerReport[] {
    return this.all.map((peer) => reportOf(this.#o.roster(), peer, this.#o.ticket))
  }

  #rank(peer: Peer): number {
    return seat(this.#o.roster(), peer) < 0 ? 1 : 0
  }

  #changed(): void {
    this.#gate.open()
    this.#o.onChange()
  }

  async #keep(peer: Peer): Promise<void> {
    const { host, signal } = this.#o
    for (;;) {
      const wait = peer.readyAt - host.now()
      if (wait > 0) await sleep(host, wait, signal)
      else if (this.#rank(peer) > 0 && this.#mirrors() >= MIRRORS) await this.#gate.wait(signal)
      else await this.#attend(peer)
    }
  }

  #mirrors(): number {
    return this.all.filter((peer) => peer.busy && this.#rank(peer) > 0).length
  }

  /** From dialling to the end of the link. Throws at the end of the reader only. */
  async #attend(peer: Peer): Promise<void> {
    const { links, signal } = this.#o
    Object.assign(peer, { busy: true, faulty: false })
    try {
      const link = await links.get(peer.address, signal)
      Object.assign(peer, { key: link.peer, link })
      // At once: who has just been reached may be opened while it still says hello, which saves a round trip.
      this.#changed()
      await this.#listen(peer, link)
    } catch (error) {
      if (signal.aborted) throw error
      if (!peer.faulty) this.#retry(peer, error instanceof Error ? error.message : String(error))
    } finally {
      Object.assign(peer, { busy: false, link: null })
      this.#changed()
    }
  }

  #retry(peer: Peer, problem: string): void {
    const { host } = this.#o
    const wait = Math.min(RETRY.longest, RETRY.first * 2 ** Math.min(peer.failures, 16))
    // Half of it by chance: readers that lost one server together do not come back to it together.
    const jitter = 0.5 + (host.random(1)[0] as number) / 512
    Object.assign(peer, { problem, failures: peer.failures + 1, readyAt: host.now() + wait * jitter })
  }

  async #listen(peer: Peer, link: Link): Promise<void> {
    const { host, group, heartbeatMs, signal, compare } = this.#o
    const beat = Math.min(BEAT.longest, Math.max(BEAT.shortest, heartbeatMs))
    const own = scope(signal, link.closed)
    const session = { host, link, signal: own.signal }
    try {
      for (;;) {
        if (isDue(peer, host.now(), beat)) await hello(peer, group, session)
        if (peer.serving && isQuiet(peer, host.now(), beat)) await compare(peer, session)
        this.#changed()
        await sleep(host, beat, own.signal)
      }
    } catch (error) {
      if (isLie(error)) this.fault(peer, (error as Error).message)
      throw error
    } finally {
      own.end()
    }
  }
}
