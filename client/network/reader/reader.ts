import { isError } from '../../error.ts'
import type { HeadHint } from '../discovery/heads.ts'
import type { StateReport } from '../handle.ts'
import type { Kept } from '../keep/keeping.ts'
import { Gate, type Scope, scope, sleep } from '../scope.ts'
import type { Advance, VerifiedBlock } from './advance.ts'
import { caught, refuse, type Standing } from './assurance.ts'
import { Attestation } from './attest.ts'
import { everyBeat } from './beat.ts'
import { confirm, heed } from './compare.ts'
import { ConvictedError, Convicts } from './convicts.ts'
import { follow } from './follow.ts'
import { EquivocationError } from './fork.ts'
import { type Freshness, freshnessOf } from './freshness.ts'
import { Lag } from './lag.ts'
import { isLie } from './opened.ts'
import type { Following, ReaderOptions } from './options.ts'
import type { Peer } from './peer.ts'
import { Peers } from './peers.ts'
import { Recent } from './recent.ts'
import { pauseFor, Reports, ShutdownError, StallError, stateOf } from './state.ts'
import type { Session } from './sync.ts'
import { type CheckError, type Ground, type Trusted, trustGenesis } from './trust.ts'

const NOTHING: Kept = { head: null, fork: null }
/**
 * Milliseconds that a peer may take to its first verified head while another one is there to be asked: one of the liars that a reader
 * withstands may drip its answers for ever. Doubled with each peer that takes longer, for the line may be slow, not they.
 */
const PATIENCE = { first: 3_000, longest: 24_000 } as const

/** Milliseconds for a page to show what was kept before anybody is dialled. */
const HEAD_START_MS = 100

/** What ends a reader, whoever brings it. */
const ENDS: ReadonlySet<string> = new Set(['Network.EquivocationError', 'Network.ConvictedError', 'Group.WithstandError'])

/**
 * A reader who trusts nobody: follows one surface of one group over whatever servers there are, and holds the newest head that it has
 * verified from genesis on. Nothing reaches `trusted` or `recent` but through `sync` and `advance`.
 */
export class Reader {
  readonly options: ReaderOptions
  readonly #scope: Scope = scope()
  readonly #gate = new Gate()
  /** Where following begins: genesis, or the head that was kept. */
  #base: Trusted
  /** Null where the group has no gate. */
  readonly #attestation: Attestation | null
  /** Asks for certificates that hold enough signatures beside those of members that do not count. */
  #isStrict = false
  readonly #running: Promise<void>
  readonly peers: Peers
  readonly recent = new Recent()
  readonly reports: Reports
  readonly #convicts = new Convicts()
  #trusted: Trusted | null = null
  /** What `#base` is where it was kept. */
  #stored: Standing['stored'] | null = null
  /** Index of the first head that was verified: what came after it is known to go on from it. */
  #first = 0n
  #following: Following | null = null
  /** Whom `#follow` attends to, from its first question on. */
  #followed: Peer | null = null
  #patienceMs: number = PATIENCE.first
  #lie: Error | null = null
  #end: Error | null = null
  readonly #lag: Lag
  readonly #stopBeat: () => void

  /** @throws RosterError, WithstandError */
  constructor(options: ReaderOptions) {
    const { host, links, ground, candidates, rollback } = options
    this.options = options
    this.reports = new Reports(host)
    this.#base = trustGenesis(ground)
    this.#attestation = ground.identified.gate === undefined ? null : new Attestation(ground, host, rollback)
    const { group, heartbeatMs } = ground.identified
    this.peers = new Peers({
      host,
      links,
      group,
      candidates,
      heartbeatMs,
      roster: () => (this.#trusted ?? this.#base).next.roster,
      ticket: (seat) => this.#attestation?.report(seat) ?? null,
      compare: (peer, session) => this.#compare(peer, session),
      lost: (peer, reason) => this.#lose(peer, reason),
      signal: this.#scope.signal,
      onChange: () => this.#changed(),
    })
    this.#lag = new Lag({
      host,
      // Alone, whoever is behind may be all there is.
      isBehind: (index) => this.#following !== null && (this.#trusted?.header.index ?? index) < index && this.peers.ready().length > 1,
      leave: () => this.#following?.leave(new StallError('another peer shows newer blocks')),
    })
    // A head grows old without any news.
    this.#stopBeat = everyBeat(host, heartbeatMs, () => this.#beat())
    this.#running = this.#run().catch(() => {})
  }

  get trusted(): Trusted | null {
    return this.#trusted
  }

  /** Whom to ask now; null between two servers. */
  get following(): Following | null {
    const now = this.#following
    return now === null || now.session.signal.aborted ? null : now
  }

  /** The proof against the committee, once it signed two histories. */
  get equivocation(): EquivocationError | null {
    return this.#end instanceof EquivocationError ? this.#end : null
  }

  get report(): StateReport {
    const [trusted, lie, end, peers] = [this.#trusted, this.#lie, this.#end, this.peers.reports(this.following?.peer ?? null)]
    const [{ heartbeatMs }, following] = [this.options.ground.identified, this.following !== null]
    const isKept = trusted !== null && trusted === this.#base
    const told = peers.map((peer) => this.#convicts.told(peer))
    return stateOf({ trusted, freshness: trusted && this.#fresh(trusted), following, isKept, end, lie, heartbeatMs, peers: told })
  }

  /** What a verdict under `trusted` stands on, as of now. */
  standing(trusted: Trusted): Standing {
    const { ground, who } = this.options
    const [attested, stored] = [this.#attestation?.check(trusted), this.#stored]
    const freshness = this.#fresh(trusted)
    return { ground, trusted, first: this.#first, freshness, who, ...(stored && { stored }), ...(attested && { attested }) }
  }

  /**
   * The first value of `look` that is not null. Looks again after every change.
   *
   * @throws EvidenceError when nobody is left but servers that failed a check; what wedged or closed the reader; the signal's reason
   */
  async until<T>(look: () => T | null, signal: AbortSignal): Promise<T> {
    for (;;) {
      if (this.#end !== null) throw this.#end
      if (signal.aborted) throw signal.reason
      const value = look()
      if (value !== null) return value
      if (this.#lie !== null && !this.peers.hopeful) throw this.#lie
      await this.#gate.wait(signal)
    }
  }

  /** A peer's answer was no good: what follows for the peer, and for those who wait. Others than lies cost it a pause only. */
  judge(peer: Peer, error: unknown): void {
    if (this.#end !== null) return
    const problem = error instanceof Error ? error.message : String(error)
    // Proof is proof, whoever brought it.
    if (error instanceof EquivocationError) this.#convict(error)
    else if (peer.faulty) return
    else if (isError(error, 'Group.WithstandError') || error instanceof ConvictedError) this.#finish(error)
    else if (isLie(error)) this.#blame(peer, error as Error, problem)
    else this.peers.defer(peer, pauseFor(error, this.options.ground.identified.heartbeatMs), problem)
  }

  #convict(error: EquivocationError): void {
    this.options.host.log('error', 'the committee signed two histories', { problem: error.message })
    this.options.keeping?.keepFork(error.fork)
    this.#finish(caught(error, this.#trusted && this.standing(this.#trusted)))
  }

  /**
   * A head that was told by somebody who need not serve it. Without its certificate it says nothing that the peers are not asked for anyway;
   * with it, it shows that there is a newer head than we are shown, or that the committee signed two histories.
   */
  async hear({ certificate }: HeadHint): Promise<void> {
    if (certificate === null || this.#end !== null) return
    try {
      const index = await heed(this, certificate)
      if (index !== null) this.#lag.notice(index)
    } catch (error) {
      // A certificate that is none was made by anybody: nobody is to blame that could be named.
      if (this.#end === null && error instanceof EquivocationError) this.#convict(error)
    }
  }

  #blame(peer: Peer, error: Error, problem: string): void {
    const standing = this.#trusted && this.standing(this.#trusted)
    this.#lie = isError(error, 'Network.CheckError') ? refuse(standing, error as CheckError) : error
    this.#lose(peer, this.#lie)
    this.peers.fault(peer, problem)
  }

  // At once: a link may take its time to close, and nobody is to be asked there meanwhile.
  #lose(peer: Peer, reason: Error): void {
    if (this.#following?.peer === peer) this.#following.leave(reason)
  }

  #beat(): void {
    if (this.#trusted === null || !this.#fresh(this.#trusted).isConfirmed) this.peers.widen()
    this.#changed()
  }

  /** Ends every loop, stream and timer, and whoever waits. */
  async close(): Promise<void> {
    this.#finish(new ShutdownError())
    await this.#running
    await this.options.keeping?.close()
    this.reports.clear()
  }

  #finish(error: Error): void {
    this.#end ??= error
    this.#stopBeat()
    this.#lag.end()
    this.#scope.abort(error)
    this.#changed()
  }

  /**
   * From what was kept, verified again: its head and items are shown at once, with their age, and whatever a server shows has to go on from
   * there. In a gated group a head counts by its signers' tickets, which are not kept: there it is only what servers are held against.
   */
  async #begin(): Promise<void> {
    const { keeping, host } = this.options
    const { head, fork } = (await keeping?.load(this.#base, this.#scope.signal)) ?? NOTHING
    if (head !== null) {
      const { trusted, tail } = head
      this.#base = trusted
      this.#stored = { index: trusted.header.index, ageMs: host.now() - Number(trusted.header.time_ms) }
      this.recent.add(tail)
      if (this.#attestation === null) this.#trust(trusted)
    }
    if (fork !== null) this.#finish(caught(new EquivocationError(fork), this.#trusted && this.standing(this.#trusted)))
    this.#changed()
  }

  async #run(): Promise<void> {
    await this.#begin()
    // Where there is something to show that comes first: to dial is a tenth of a second's work for a page that was just loaded.
    if (this.#trusted !== null) await sleep(this.options.host, HEAD_START_MS, this.#scope.signal)
    this.peers.start()
    for (;;) {
      const peer = await this.until(() => this.peers.ready()[0] ?? null, this.#scope.signal).catch(async (error: unknown) => {
        // A lie is raised to whoever asks; the loop itself waits for the next chance.
        if (error !== this.#lie) throw error
        await this.#gate.wait(this.#scope.signal)
        return null
      })
      if (peer !== null) await this.#follow(peer).catch((error: unknown) => this.judge(peer, error))
    }
  }

  async #follow(peer: Peer): Promise<void> {
    const { host, ground } = this.options
    if (peer.link === null) return
    this.#followed = peer
    const own = scope(this.#scope.signal, peer.link.closed)
    const session = { host, link: peer.link, signal: own.signal }
    const hurry = this.#hurry(peer, own)
    try {
      for await (const step of follow(this.#asking(ground), session, this.#trusted ?? this.#base)) {
        await this.#attest(session, step.trusted)
        this.#following ??= { peer, session, leave: own.abort }
        this.#accept(peer, step)
      }
    } finally {
      hurry()
      // Nothing was taken with this many signatures asked for: the next try asks for the other number.
      if (this.#following === null) this.#isStrict = !this.#isStrict
      this.#following = null
      this.#followed = null
      // Questions under way go to the next server; a ShutdownError would tell them that the reader is gone.
      own.abort(new StallError('the server was left'))
      this.#changed()
    }
  }

  #asking(ground: Ground): Ground {
    if (this.#attestation === null || !this.#isStrict) return ground
    return { ...ground, asks: this.#attestation.asks((this.#trusted ?? this.#base).next) }
  }

  /**
   * A head of a gated group is taken once enough members signed it whose tickets hold. A certificate may lack one of theirs and hold one that
   * does not count: then another one is asked for, with more signatures, and without them again should there be none.
   */
  async #attest(session: Session, trusted: Trusted): Promise<void> {
    if (this.#attestation === null) return
    await this.#attestation.refresh(session, trusted.committee)
    if (this.#attestation.isEnough(trusted)) return
    throw new StallError('its certificate has too few attested signers')
  }

  /** Leaves a peer that shows no head in time for one that may. */
  #hurry(peer: Peer, own: Scope): () => void {
    const patienceMs = this.#patienceMs
    let cancel: () => void = () => {}
    const wait = (): void => {
      cancel = this.options.host.after(patienceMs, () => {
        if (this.#following !== null) return
        // Nobody else to ask: whoever is slow may be all there is.
        if (!this.peers.ready().some((other) => other !== peer)) return wait()
        this.#patienceMs = Math.min(2 * patienceMs, PATIENCE.longest)
        own.abort(new StallError(`no verified head within ${patienceMs} ms`))
      })
    }
    wait()
    return () => cancel()
  }

  /** A member that is not followed confirms the head, shows a newer one, or shows that the committee signed two histories. */
  async #compare(peer: Peer, session: Session): Promise<void> {
    this.#indict(peer, session)
    if (this.#followed === peer) return
    try {
      const index = await confirm(this, session, this.#base)
      if (index === null) return
      this.peers.saw(peer, index)
      this.#lag.notice(index)
    } catch (error) {
      if (!ENDS.has((error as Error).name)) throw error
      this.judge(peer, error)
    }
  }

  /** What the peer knows of liars in the committee. Nobody waits for it: most have nothing to tell. */
  #indict(peer: Peer, session: Session): void {
    if (this.#trusted === null) return
    void this.#convicts.ask(session, this.options.ground, this.#trusted.next).catch((error: Error) => {
      if (isLie(error) || ENDS.has(error.name)) this.judge(peer, error)
    })
  }

  #accept(peer: Peer, { trusted, blocks }: Advance): void {
    for (const block of blocks) this.recent.add(block)
    this.#trust(trusted)
    this.#note()
    this.#patienceMs = PATIENCE.first
    this.#lie = null
    this.peers.saw(peer, trusted.header.index)
    this.peers.praise(peer)
    this.#changed()
  }

  #trust(trusted: Trusted): void {
    const { index } = trusted.header
    if (this.#trusted === null) this.#first = this.#stored?.index ?? index
    this.#trusted = trusted
  }

  /** What was read back of the surface: kept for the next reader, and for the next start. */
  join(page: VerifiedBlock): void {
    this.recent.join(page)
    this.#note()
  }

  #note(): void {
    this.options.keeping?.note(() => {
      const trusted = this.#trusted
      return trusted && { trusted, tail: this.recent.tail(trusted.edge.size) }
    })
  }

  #fresh({ header, next }: Trusted): Freshness {
    const { host, ground } = this.options
    const head = { index: header.index, timeMs: Number(header.time_ms) }
    return freshnessOf({ peers: this.peers.all, roster: next.roster, head, heartbeatMs: ground.identified.heartbeatMs, now: host.now() })
  }

  #changed(): void {
    this.#gate.open()
    this.reports.tell(() => this.report)
  }
}
