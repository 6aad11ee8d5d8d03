import { isError } from '../../error.ts'
import type { Roster } from '../../groups/roster.ts'
import { equal, toHex } from '../../primitives/bytes.ts'
import type { GroupId } from '../../primitives/id.ts'
import type { Candidate, Candidates } from '../candidates.ts'
import type { PeerReport, TicketReport } from '../handle.ts'
import type { Host, Link } from '../host.ts'
import { Gate, scope, sleep, whenAborted } from '../scope.ts'
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

/** Beats between two looks at a peer that shows heads: what it shows confirms ours for three (PROTOCOL.md section 3, step 6). */
const LOOK = 2

export interface PeersOptions {
  readonly host: Host
  readonly links: Links
  readonly group: GroupId
  readonly candidates: Candidates
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
  /** By link key in hex. One that is no longer a candidate stays until its link ends. */
  readonly #peers = new Map<string, Peer>()

  constructor(options: PeersOptions) {
    this.#o = options
    for (const candidate of options.candidates.list()) this.#add(candidate)
  }

  get all(): readonly Peer[] {
    return [...this.#peers.values()]
  }

  /** A loop for each peer; they end with the signal. */
  start(): void {
    const { candidates, signal } = this.#o
    for (const peer of this.all) this.#run(peer)
    whenAborted(
      signal,
      candidates.onChange(() => this.#follow()),
    )
  }

  /** The candidates are others now. */
  #follow(): void {
    for (const candidate of this.#o.candidates.list()) {
      const known = this.#peers.get(toHex(candidate.peer))
      if (known === undefined) this.#run(this.#add(candidate))
      else known.addresses = candidate.addresses
    }
    this.#changed()
  }

  #add(candidate: Candidate): Peer {
    const peer = newPeer(candidate)
    this.#peers.set(toHex(peer.key), peer)
    return peer
  }

  #run(peer: Peer): void {
    const { signal } = this.#o
    // Its end is the end of the reader, or of a peer that is no candidate any more.
    const end = (): boolean => !signal.aborted && this.#peers.delete(toHex(peer.key))
    void this.#keep(peer).then(end, end)
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
    host.log('warn', 'a peer failed a check', { peer: toHex(peer.key), address: peer.way?.text ?? '', problem })
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

  reports(followed: Peer | null): readonly PeerReport[] {
    const { ticket } = this.#o
    const roster = this.#o.roster()
    return this.all.map((peer) => reportOf(peer, { roster, ticket, followed: peer === followed }))
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
    while (this.#isCandidate(peer)) {
      const wait = peer.readyAt - host.now()
      if (wait > 0) await sleep(host, wait, signal)
      else if (this.#rank(peer) > 0 && this.#mirrors() >= MIRRORS) await this.#gate.wait(signal)
      else await this.#attend(peer)
    }
  }

  #isCandidate({ key }: Peer): boolean {
    return this.#o.candidates.list().some(({ peer }) => equal(peer, key))
  }

  #mirrors(): number {
    return this.all.filter((peer) => peer.busy && this.#rank(peer) > 0).length
  }

  /** From dialling to the end of the link. Throws at the end of the reader only. */
  async #attend(peer: Peer): Promise<void> {
    const { links, signal } = this.#o
    Object.assign(peer, { busy: true, faulty: false })
    try {
      const { link, address } = await links.get({ peer: peer.key, addresses: peer.addresses }, signal)
      Object.assign(peer, { link, way: address })
      // At once: who has just been reached may be opened while it still says hello, which saves a round trip.
      this.#changed()
      await this.#listen(peer, link)
    } catch (error) {
      if (signal.aborted) throw error
      if (!peer.faulty) this.#retry(peer, error instanceof Error ? error.message : String(error))
    } finally {
      Object.assign(peer, { busy: false, link: null, way: null })
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
        await sleep(host, isQuiet(peer, host.now(), beat) ? beat : LOOK * beat, own.signal)
      }
    } catch (error) {
      if (isLie(error)) this.fault(peer, (error as Error).message)
      // Whoever shares the link would wait as long. Closed, it is dialled again.
      if (isError(error, 'Light.TimeoutError')) void link.close().catch(() => {})
      throw error
    } finally {
      own.end()
    }
  }
}
