import { type Roster, thresholds } from '../../groups/roster.ts'
import { equal, toHex } from '../../primitives/bytes.ts'
import type { Candidate, Candidates } from '../candidates.ts'
import type { PeerReport, TicketReport } from '../handle.ts'
import type { Link } from '../host.ts'
import { Gate, scope, sleep, whenAborted } from '../scope.ts'
import type { Links } from './links.ts'
import { isSilence, type LookOptions, lookAgain, lookOnce } from './look.ts'
import { isLie } from './opened.ts'
import { newPeer, type Peer, reportOf, seat } from './peer.ts'
import { restAfterEnd, restAfterFault, restOf, rouse } from './rest.ts'
import type { Session } from './sync.ts'

/** Mirrors that are linked at once: they stand in for members and confirm nothing. */
const MIRRORS = 2

export interface PeersOptions extends LookOptions {
  readonly links: Links
  readonly candidates: Candidates
  readonly signal: AbortSignal
  /** The newest roster that is known; peers that stand in it go first. */
  readonly roster: () => Roster
  /** What is known of the ticket of a seat. */
  readonly ticket: (seat: number) => TicketReport | null
  /** It does not answer any more. Called before its link ends: a transport may take its time to close one. */
  readonly lost: (peer: Peer, reason: Error) => void
}

/** Who can be asked: keeps a link to every member up, asks each for its newest head and its time, and remembers who failed. */
export class Peers {
  readonly #o: PeersOptions
  readonly #look: LookOptions
  readonly #gate = new Gate()
  /** By link key in hex. One that is no longer a candidate stays until its link ends. */
  readonly #peers = new Map<string, Peer>()
  /** One for each peer that is linked. */
  readonly #sessions = new Map<Peer, Session>()
  /** Those that have to show that they live. */
  readonly #proving = new Set<Session>()
  /** Members to be linked beside those that a verdict needs, where data is saved. */
  #more = 0

  constructor(options: PeersOptions) {
    this.#o = options
    this.#look = { ...options, onChange: () => this.#changed() }
    for (const candidate of options.candidates.list()) this.#add(candidate)
  }

  get all(): readonly Peer[] {
    return [...this.#peers.values()]
  }

  /** A loop for each peer; they end with the signal. */
  start(): void {
    const { candidates, host, signal } = this.#o
    for (const peer of this.all) this.#run(peer)
    const stops = [candidates.onChange(() => this.#follow()), host.onWake(() => this.#wake())]
    for (const stop of stops) whenAborted(signal, stop)
    // Candidates may have come since the list was read.
    this.#follow()
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
      .filter((peer) => isOpen(peer) && restOf(peer, now) === 0)
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
    restAfterFault(peer, problem, host)
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

  /** Those that are linked do not confirm the head. Where data is saved, one more is. */
  widen(): void {
    if (!this.#o.host.isSaving() || this.#linked() < this.#most()) return
    this.#more += 1
    this.#changed()
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
      const wait = restOf(peer, host.now())
      if (wait > 0) await this.#rest(wait)
      else if (this.#isSpare(peer)) await this.#gate.wait(signal)
      else await this.#attend(peer)
    }
  }

  /** So long, or until something changes. */
  async #rest(ms: number): Promise<void> {
    const own = scope(this.#o.signal)
    try {
      await Promise.race([sleep(this.#o.host, ms, own.signal), this.#gate.wait(own.signal)])
    } finally {
      own.abort(RESTED)
    }
  }

  #isCandidate({ key }: Peer): boolean {
    return this.#o.candidates.list().some(({ peer }) => equal(peer, key))
  }

  /** Whether enough others are linked, or being dialled, in its place. */
  #isSpare(peer: Peer): boolean {
    const isMirror = this.#rank(peer) > 0
    const others = this.all.filter((other) => other.busy && this.#rank(other) > 0 === isMirror).length
    return isMirror ? others >= MIRRORS : this.#o.host.isSaving() && others >= this.#most()
  }

  /** Members that are linked where data is saved: b+1 confirm a head (PROTOCOL.md section 3, step 6). */
  #most(): number {
    return thresholds(this.#o.roster().members.length).b + 1 + this.#more
  }

  #linked(): number {
    return this.all.filter((peer) => peer.link !== null && this.#rank(peer) === 0).length
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
      if (!peer.faulty) restAfterEnd(peer, error instanceof Error ? error.message : String(error), this.#o.host)
    } finally {
      Object.assign(peer, { busy: false, link: null, way: null })
      this.#changed()
    }
  }

  async #listen(peer: Peer, link: Link): Promise<void> {
    const { host, signal } = this.#o
    const own = scope(signal, link.closed)
    const session = { host, link, signal: own.signal }
    this.#sessions.set(peer, session)
    try {
      await lookAgain(this.#look, peer, session)
    } catch (error) {
      this.#judge(peer, link, error)
      throw error
    } finally {
      this.#sessions.delete(peer)
      own.end()
    }
  }

  /** No link is known to live, and no wait has a reason any more. */
  #wake(): void {
    this.#more = 0
    for (const peer of this.all) {
      const session = this.#sessions.get(peer)
      if (session === undefined) rouse(peer)
      else void this.#prove(peer, session)
    }
    this.#changed()
  }

  async #prove(peer: Peer, session: Session): Promise<void> {
    // Asked twice, it would not answer sooner.
    if (this.#proving.has(session)) return
    this.#proving.add(session)
    await lookOnce(this.#look, peer, session).catch((error: unknown) => this.#judge(peer, session.link, error))
    this.#proving.delete(session)
  }

  #judge(peer: Peer, link: Link, error: unknown): void {
    if (isLie(error)) this.fault(peer, (error as Error).message)
    if (!isSilence(error)) return
    this.#o.lost(peer, error)
    // Whoever shares the link would wait as long. Closed, it is dialled again.
    void link.close().catch(() => {})
  }
}

const RESTED = new Error('it rests no more')

/** Whether there is a link to ask over, and nothing known that speaks against it. */
const isOpen = ({ link, serving, faulty }: Peer): boolean => link !== null && !link.closed.aborted && serving !== false && !faulty
