import { CoalitionError } from '../error.ts'
import type { Host } from '../network/host.ts'
import { toHex } from '../primitives/bytes.ts'
import type { Admission } from './admission.ts'
import { isDamage } from './archive-source.ts'
import { Arrivals } from './arrivals.ts'
import type { Block, Command, Seal } from './block.ts'
import type { Branches } from './branches.ts'
import { CatchUp, type Position } from './commit/catch-up.ts'
import { Echo } from './commit/echo.ts'
import { type Desk, Ingress } from './commit/ingress.ts'
import { Mail } from './commit/mail.ts'
import type { MessageOf } from './commit/messages.ts'
import { Recall } from './commit/recall.ts'
import type { Committee } from './committee.ts'
import { factsOf, keepEvidence } from './evidence.ts'
import type { Branch, Identity } from './execution.ts'
import type { Counts, Timers } from './group.ts'
import { type History, sealOf, without } from './history.ts'
import { Listeners } from './listeners.ts'
import type { Pool } from './pool.ts'
import { Proposer } from './proposer.ts'
import type { Repair } from './repair.ts'
import { restore } from './restore.ts'
import { thresholds } from './roster.ts'
import { Schedule } from './schedule.ts'
import { type Effect, type Signatures, type Simplex, type SimplexOptions, VIEWS, type Vote } from './simplex/index.ts'
import { ContradictedError, StoppedError } from './stopped.ts'
import { Turn } from './turn.ts'
import type { Proposal, VoteRecord } from './vote-record.ts'

export interface SeatOptions<S, C> {
  readonly identity: Identity
  readonly member: number
  readonly timers: Timers
  readonly host: Pick<Host, 'now' | 'random' | 'after' | 'verify' | 'log'>
  readonly committee: Committee
  readonly history: History<S, C>
  readonly record: VoteRecord | CoalitionError
  readonly pool: Pool
  readonly admission: Admission<S, C>
  readonly branches: Branches<S, C>
  readonly simplex: Simplex
  readonly sign: SimplexOptions['sign']
  readonly repair: Repair<S, C>
  /** Nothing is voted for before this block is there again. */
  readonly floor: bigint
}

const RETRY_MS = 150
const ASK_MS = 1_000

/** One seat of a committee at work: what comes in is a step, steps end with their promises on disk, and only then anything goes out. */
export class Seat<S, C> implements AsyncDisposable {
  readonly counts: Counts = { proposed: 0, views: 0, nullified: 0, fetched: 0, refused: 0, evidence: 0 }
  readonly #o: SeatOptions<S, C>
  readonly #ingress: Ingress<S, C>
  readonly #catchUp: CatchUp<S, C>
  readonly #mail: Mail
  readonly #echo: Echo<S, C>
  readonly #recall: Recall
  readonly #proposer: Proposer<S, C>
  readonly #arrivals: Arrivals<S, C>
  readonly #schedule: Schedule<S, C>
  readonly #listeners: Listeners
  readonly #turn: Turn
  #isVoting = false
  #problem: Error | null = null
  #isHalted = false
  #cancel: () => void = () => {}

  constructor(options: SeatOptions<S, C>) {
    const { identity, member, admission, host, history, committee, simplex } = options
    const others = identity.roster.members.map((_, i) => i).filter((i) => i !== member)
    this.#o = options
    this.#listeners = new Listeners(host.log)
    this.#mail = new Mail(committee, others)
    this.#ingress = new Ingress(identity, member, admission, host, this.#desk())
    const newest = (): bigint => history.newest
    const send: Mail['to'] = (to, message) => this.#mail.to(to, message)
    this.#catchUp = new CatchUp({ archive: history.archive, host, newest, view: () => simplex.view, send, others })
    this.#echo = new Echo(options, this.#mail, this.#catchUp, () => this.#problem !== null)
    this.#recall = new Recall(identity.roster.members.length, others)
    this.#proposer = new Proposer(options)
    this.#schedule = new Schedule(options)
    this.#turn = new Turn({ settle: () => this.#drain(), rest: () => this.#arm(), fail: (error) => this.#halt(error) })
    const onHeld = (branch: Branch<S>, proposal: Proposal): void => {
      this.#keep(branch, proposal)
      simplex.hold(branch.link)
    }
    this.#arrivals = new Arrivals({ ...options, onHeld, refuse: (from, problem) => this.#refuse(from, problem) })
  }

  get problem(): Error | null {
    return this.#problem
  }

  get voting(): 'voting' | 'asking' | 'stopped' {
    if (this.#problem !== null) return 'stopped'
    return this.#isVoting ? 'voting' : 'asking'
  }

  get view(): { readonly view: bigint; readonly leader: number } {
    const { view } = this.#o.simplex
    return { view, leader: this.#o.simplex.leader(view) }
  }

  readonly positions = (): readonly Position[] => this.#catchUp.positions()
  readonly onCommit = (listener: (newest: bigint) => void): (() => void) => this.#listeners.add(listener)

  /** @throws StoppedError */
  expectRunning(): void {
    if (this.#isHalted) throw new StoppedError(this.#problem)
  }

  /** The record of what this member promised. @throws StoppedError when it promises nothing any more */
  record(): VoteRecord {
    const { record } = this.#o
    if (this.#problem !== null || record instanceof CoalitionError) throw new StoppedError(this.#problem)
    return record
  }

  /** Puts the stores' promises and blocks back on the archived head, and joins the others. */
  async start(): Promise<void> {
    const { record, committee } = this.#o
    await restore(this.#o).catch((error: unknown) => this.#stopVoting(error))
    if (record instanceof CoalitionError) this.#stopVoting(record)
    committee.start({
      receive: (from, message) => this.#ingress.receive(from, message),
      reach: (member, isUp) => void this.#turn.run(() => this.#reach(member, isUp)),
    })
    await this.#turn.run(() => this.#begin())
  }

  /** Sends one of our own commands to the others, so that whoever leads next can propose it. */
  spread(command: Command): void {
    this.#mail.spread(command)
    void this.#turn.run(() => {})
  }

  /** Asks another member for final blocks from an index on. */
  ask(index: bigint): boolean {
    return this.#catchUp.fetch(index)
  }

  /** Runs a step in turn with the commits. */
  inTurn(step: () => Promise<void>): Promise<void> {
    return this.#turn.run(step)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isHalted = true
    this.#problem ??= new StoppedError(null)
    await this.#turn.end()
    this.#cancel()
    await this.#o.committee[Symbol.asyncDispose]()
    this.#o.pool.abandon(this.#problem instanceof StoppedError ? this.#problem : new StoppedError(this.#problem))
    this.#listeners.clear()
  }

  /** Votes from now on, if enough others have said what they know of it (PROTOCOL.md section 1, "Loss"). */
  #begin(): void {
    const isBehind = this.#o.history.newest < this.#o.floor
    if (this.#isVoting || this.#problem !== null || !this.#recall.isComplete || isBehind) return
    this.#isVoting = true
    this.#schedule.entered()
    this.#o.simplex.start()
  }

  #desk(): Desk {
    const { simplex, pool } = this.#o
    const later = (step: () => void | Promise<void>): void => void this.#turn.run(step)
    return {
      isIdle: (vote, from) => this.#isIdle(vote, from),
      isWanted: ({ view }, hash) => this.#arrivals.isWanted(view, hash),
      vote: (vote) => {
        if (vote.view > simplex.root.view) this.#catchUp.seen(vote.member)
        later(() => simplex.vote(vote))
      },
      proposal: (from, proposal, proposed) =>
        later(() => {
          simplex.vote(proposed)
          this.#arrivals.take(from, proposal)
        }),
      command: (from, command) => {
        if (this.#o.history.isTaken(toHex(command.id))) return
        later(() => pool.addFrom(from, command))
      },
      status: (from, status) => later(() => this.#status(from, status)),
      fetch: (from, index) => void this.#catchUp.serve(from, index).catch((error: unknown) => this.#unserved(error)),
      blocks: (from, blocks, seal) => later(() => this.#adopt(from, blocks, seal)),
      want: (from, hash) => later(() => this.#echo.proposalTo(from, hash)),
      recall: (from) => this.#mail.recalled(from, this.#recall.newestOf(from, simplex, this.#o.history)),
      recalled: (from, votes) => later(() => this.#recalled(from, votes)),
      refused: (from, problem) => this.#refuse(from, problem),
    }
  }

  #isIdle(vote: Vote, from: number): boolean {
    const { simplex } = this.#o
    if (vote.view >= simplex.view + VIEWS.ahead) this.#catchUp.suspect(from)
    return simplex.isIdle(vote)
  }

  #refuse(from: number, problem: string): void {
    this.counts.refused += 1
    this.#o.host.log('warn', 'a message of another member was refused', { member: from, problem })
  }

  #unserved(error: unknown): void {
    if (isDamage(error)) this.#o.repair.damaged(error)
    this.#o.host.log('warn', 'blocks could not be served', { problem: error instanceof Error ? error.message : String(error) })
  }

  #reach(member: number, isUp: boolean): void {
    this.#o.simplex.reach(member, isUp)
    this.#catchUp.reach(member, isUp)
    if (isUp && this.voting === 'asking') this.#mail.to(member, { kind: 'recall', value: null })
    this.#o.host.log('info', isUp ? 'a member is connected' : 'a member is gone', { member })
  }

  #status(from: number, status: MessageOf<'status'>): void {
    this.#catchUp.heard(from, status)
    if (!status.ask) return
    this.#catchUp.answer(from)
    if (status.index === this.#o.history.newest) this.#echo.votesTo(from)
  }

  async #recalled(from: number, votes: readonly Vote[]): Promise<void> {
    const { record, simplex } = this.#o
    if (this.voting !== 'asking' || record instanceof CoalitionError) return
    const lacking = await this.#recall.heard(from, votes, simplex, record)
    if (lacking !== null) return this.#stopVoting(await record.end(lacking))
    this.#begin()
  }

  #keep(branch: Branch<S>, { block, signature }: Proposal): void {
    const { record, branches } = this.#o
    branches.add(branch, block, signature)
    if (!(record instanceof CoalitionError)) record.keep({ block, signature }, branch.link.hash)
  }

  /** Final blocks that came with a certificate. */
  async #adopt(from: number, blocks: readonly Block[], seal: Seal): Promise<void> {
    this.#o.repair.offer(blocks, seal)
    const chain = this.#arrivals.executeAll(blocks)
    if (typeof chain === 'string') this.#refuse(from, chain)
    else {
      const own = blocks.slice(blocks.length - chain.length)
      for (const [i, branch] of chain.entries()) await this.#commit(branch, own[i] as Block, i === chain.length - 1 ? seal : null)
      this.#o.simplex.adopt(chain.map(({ link }) => link))
      this.counts.fetched += chain.length
      this.#arrivals.unstash()
      this.#begin()
    }
    this.#catchUp.arrived(from)
  }

  async #drain(): Promise<void> {
    const { simplex, record } = this.#o
    for (;;) {
      this.#offerHeld()
      this.#propose()
      const effects = simplex.take()
      if (effects.length === 0) break
      if (!(record instanceof CoalitionError) && this.#problem === null) {
        for (const effect of effects) if (effect.kind === 'record') record.remember(effect.remembered)
        // A store that failed may have lost a promise: nothing of this turn leaves the machine.
        await record.flush().catch((error: unknown) => this.#stopVoting(error))
      }
      if (this.#problem === null) this.#mail.cast(effects, this.#o.branches)
      for (const effect of effects) await this.#follow(effect)
    }
    this.#echo.say()
    this.#mail.flush()
  }

  async #follow(effect: Effect): Promise<void> {
    switch (effect.kind) {
      case 'propose':
        return this.#proposer.invite(effect)
      case 'enter':
        this.counts.views += 1
        return this.#schedule.entered()
      case 'final':
        return this.#finish(effect)
      case 'stronger':
        if (this.#o.history.strengthen(effect.link.hash, effect.view, this.#lasting(effect.votes)))
          this.#listeners.tell(this.#o.history.newest)
        return
      case 'evidence':
        this.counts.evidence += 1
        this.#o.host.log('error', 'a member signed two things of which an honest one signs one', factsOf(effect.contradiction))
        return keepEvidence(this.#o.history.archive, this.#o.identity, effect.contradiction)
      case 'contradicted':
        return this.#stopVoting(new ContradictedError(effect.view))
      case 'vote':
        return
      case 'record':
        if (effect.remembered.nullified && effect.remembered.view === this.#o.simplex.view - 1n) this.counts.nullified += 1
    }
  }

  async #finish({ link, view, votes }: Extract<Effect, { kind: 'final' }>): Promise<void> {
    const { branches, identity } = this.#o
    const held = branches.get(link.hash)
    if (held === null) return
    const chain = [...branches.chainOf(held.branch)].reverse()
    const { n, quorum } = thresholds(identity.roster.members.length)
    const lasting = this.#lasting(votes)
    // Without a quorum beside ours the certificate comes from others, by catch-up.
    if (lasting.size < quorum) return
    const seal = sealOf(view, lasting, n)
    for (const [i, { branch, block }] of chain.entries()) await this.#commit(branch, block, i === chain.length - 1 ? seal : null)
  }

  // A vote of ours that a failed store may have lost must not go into a certificate.
  #lasting(votes: Signatures): Signatures {
    return this.#problem === null ? votes : without(votes, this.#o.member)
  }

  async #commit(branch: Branch<S>, block: Block, seal: Seal | null): Promise<void> {
    const { history, branches, record, pool, admission, host } = this.#o
    const { index, view } = branch.header
    const synced = await history.commit(branch, block, seal)
    if (synced && !(record instanceof CoalitionError) && this.#problem === null) await record.forget(view, index)
    branches.settle(history.head)
    admission.forget(block.commands.map(({ id }) => toHex(id)))
    for (const { command, retry } of pool.settle(block.commands, index)) {
      const again = await admission.admit({ ...command, id: host.random(16) })
      retry(again)
      this.#mail.spread(again)
    }
    this.#listeners.tell(index)
  }

  /** Offers what is held for the current view, once its time is not ahead of ours. */
  #offerHeld(): void {
    const { simplex, branches, host, timers } = this.#o
    if (!this.#isVoting || this.#problem !== null) return
    const latest = BigInt(Math.floor(host.now() + timers.skewMs))
    for (const { branch, block } of branches.all())
      if (block !== null && branch.link.view === simplex.view && branch.header.time_ms <= latest) simplex.offer(branch.link)
  }

  #propose(): void {
    const { simplex } = this.#o
    const made = this.#proposer.propose(simplex.view, this.#schedule.enteredAt)
    if (made === null) return
    const { branch, block } = made
    // Only what was promised is signed: the core may refuse, for a view whose time is up.
    if (!simplex.offer(branch.link)) return
    this.counts.proposed += 1
    // The same bytes as the vote that `offer` cast: Ed25519 is deterministic.
    this.#keep(branch, { block, signature: this.#o.sign(branch.link.view, 'propose', branch.link.hash) })
  }

  /** Voting ends for good; following and serving go on. A committee of one has nobody to follow. */
  #stopVoting(problem: unknown): void {
    if (this.#problem !== null) return
    this.#problem = problem instanceof Error ? problem : new Error(String(problem))
    this.#o.simplex.stop()
    this.#o.host.log('error', 'member stopped voting', {
      group: toHex(this.#o.identity.group),
      problem: this.#problem.message,
    })
    if (this.#o.identity.roster.members.length === 1) this.#halt(problem)
  }

  #halt(problem: unknown): void {
    this.#isHalted = true
    this.#cancel()
    this.#stopVoting(problem)
    this.#o.pool.abandon(new StoppedError(problem))
  }

  #tick(): void {
    const { simplex } = this.#o
    const due = this.#schedule.due()
    // Each time: the first may have come before this member was allowed to vote.
    if (due !== null && this.#problem === null) simplex.timeout(simplex.view)
    // What another member was shown and we were not may be all that is missing: asked for before the next view begins.
    if (due === 'end') this.#catchUp.ask()
    if (due === 'again') this.#echo.again()
    if (this.voting === 'asking') this.#mail.all({ kind: 'recall', value: null })
    this.#catchUp.want(this.#arrivals.lacking())
    this.#catchUp.next()
  }

  /** One timer for everything that comes by itself. */
  #arm(): void {
    this.#cancel()
    if (this.#isHalted) return
    const { host } = this.#o
    const times = [this.#proposer.dueAt(this.#schedule.enteredAt)]
    if (this.voting === 'asking') times.push(host.now() + ASK_MS)
    if (this.#arrivals.lacking().length > 0) times.push(host.now() + RETRY_MS)
    this.#cancel = host.after(this.#schedule.wait(times), () => void this.#turn.run(() => this.#tick()))
  }
}
