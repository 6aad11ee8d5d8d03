import { CoalitionError } from '../error.ts'
import type { Host } from '../network/host.ts'
import { type Bytes, toHex } from '../primitives/bytes.ts'
import { Admission } from './admission.ts'
import { Archive, ArchiveError } from './archive.ts'
import { archiveSource, isDamage } from './archive-source.ts'
import { COMMAND_WINDOW, type Command, type VoteKind, voteMessage } from './block.ts'
import { Branches } from './branches.ts'
import { signersOf } from './certificate.ts'
import { checkedStore } from './checked-store.ts'
import type { Position } from './commit/catch-up.ts'
import type { Committee } from './committee.ts'
import { evidenceIn } from './evidence.ts'
import type { Identity } from './execution.ts'
import { History } from './history.ts'
import type { Machine } from './machine.ts'
import { type Committed, Pool } from './pool.ts'
import { Repair } from './repair.ts'
import { thresholds } from './roster.ts'
import { Seat } from './seat.ts'
import { type Contradiction, Simplex } from './simplex/index.ts'
import type { Source } from './source.ts'
import type { Store } from './storage.ts'
import { VoteRecord, VoteRecordError } from './vote-record.ts'

/** Milliseconds, folded into content: every member of a group runs the same (PROTOCOL.md section 1). */
export interface Timers {
  /** How long a leader has for its view, and how long one that let its last turn pass. */
  readonly viewMs: number
  readonly shortMs: number
  /** How far ahead of the own clock a block's time may lie. */
  readonly skewMs: number
  readonly heartbeatMs: number
}

export interface GroupOptions<S, C> {
  readonly machine: Machine<S, C>
  readonly identity: Identity
  readonly timers: Timers
  /** Own place in the roster. */
  readonly member: number
  /** Signs with this epoch's vote key, which stays with the caller. */
  readonly sign: (message: Bytes) => Bytes
  /** The store of the vote record; an error where it could not be opened: the group then follows and serves, and never votes. */
  readonly votes: Store | CoalitionError
  readonly archive: Store
  readonly committee: Committee
  readonly host: Pick<Host, 'now' | 'random' | 'after' | 'verify' | 'log'>
}

/** What an operator wants to know of a member. */
export interface GroupStatus {
  /** Newest final block, and its time in milliseconds since the epoch. */
  readonly index: bigint
  readonly timeMs: bigint
  readonly view: bigint
  readonly leader: number
  /** Places in the roster of those who signed the newest certificate. */
  readonly signers: readonly number[]
  /** Commands that are not final yet. */
  readonly waiting: number
  /** `asking`: after a start, until enough others said which vote of this member they know last. */
  readonly voting: 'voting' | 'asking' | 'stopped'
  readonly problem: string | null
  readonly peers: readonly Position[]
  readonly counts: Readonly<Counts>
}

/** Since the start of the process. */
export interface Counts {
  proposed: number
  views: number
  nullified: number
  fetched: number
  refused: number
  evidence: number
}

/** A committee's log as one member runs it: commands in, signed blocks out (mosaik's Group). */
export class Group<S, C> implements AsyncDisposable {
  readonly #o: GroupOptions<S, C>
  readonly #history: History<S, C>
  readonly #pool: Pool
  readonly #admission: Admission<S, C>
  readonly #seat: Seat<S, C>
  readonly #repair: Repair<S, C>

  private constructor(options: GroupOptions<S, C>, { history, record, admission, floor }: Opened<S, C>) {
    const { identity, machine, member, timers, host } = options
    const { n, quorum } = thresholds(identity.roster.members.length)
    this.#o = options
    this.#history = history
    this.#pool = new Pool()
    this.#admission = admission
    const isFinal = (id: string): boolean => history.isTaken(id)
    const sign = (view: bigint, kind: VoteKind, hash: Bytes): Bytes => options.sign(voteMessage(identity.rosterId, view, kind, hash))
    const repair = new Repair({
      machine,
      identity,
      history,
      admission,
      host,
      ask: (index) => this.#seat.ask(index),
      inTurn: (step) => this.#seat.inTurn(step),
    })
    this.#repair = repair
    this.#seat = new Seat({
      ...options,
      history,
      record,
      floor,
      repair,
      pool: this.#pool,
      admission,
      branches: new Branches(machine, identity, admission, { head: history.head, isFinal }),
      simplex: new Simplex({ n, quorum, member, root: history.head.link, patience: timers, sign }),
      sign,
    })
  }

  /**
   * Opens both stores, finishes what a crash interrupted and starts to commit.
   * @throws ArchiveError, ArchiveOwnerError, SeatError, VoteRecordOwnerError
   */
  static async open<S, C>(options: GroupOptions<S, C>): Promise<Group<S, C>> {
    const { identity, machine, member, votes, host } = options
    const { members } = identity.roster
    const vote = members[member]?.vote
    if (vote === undefined) throw new SeatError(member, members.length)
    const record = votes instanceof CoalitionError ? votes : await VoteRecord.open(votes, identity, vote).catch(asProblem)
    const admission = new Admission(machine, identity, host.verify)
    const { archive, head } = await openArchive(options, admission)
    const floor = record instanceof CoalitionError ? 0n : await record.final()
    // What a committee of one has lost nobody else has.
    if (members.length === 1 && head.header.index < floor)
      throw new ArchiveError(`it ends at block ${head.header.index}, and block ${floor} was in it: put the folder back from a backup`)
    const history = await History.open(archive, head, members.length)
    const group = new Group(options, { history, record, admission, floor })
    await group.#seat.start()
    return group
  }

  /** The machine's state after the newest final block. */
  get state(): S {
    return this.#history.head.state
  }

  /** Index of the newest final block. */
  get newest(): bigint {
    return this.#history.newest
  }

  /** Why this member does not vote, or null. */
  get broken(): Error | null {
    return this.#seat.problem
  }

  get source(): Source {
    const onCommit: Source['onCommit'] = (listener) => this.onCommit(listener)
    return archiveSource(this.#history, this.#o.identity, { onCommit, onDamage: (error) => this.#repair.damaged(error) })
  }

  status(): GroupStatus {
    const { header } = this.#history.head
    const newest = this.#history.newestCertificate
    const { problem, voting } = this.#seat
    return {
      index: header.index,
      timeMs: header.time_ms,
      ...this.#seat.view,
      signers: newest === null ? [] : signersOf(newest.seal, this.#o.identity.roster.members.length),
      waiting: this.#pool.size,
      voting,
      problem: problem?.message ?? null,
      peers: this.#seat.positions(),
      counts: { ...this.#seat.counts },
    }
  }

  /** Calls `listener` after every final block, and when the newest one's certificate gains signatures. */
  onCommit(listener: (newest: bigint) => void): () => void {
    return this.#seat.onCommit(listener)
  }

  /** Votes of other members that contradict each other, as far as this member saw them. */
  evidence(): Promise<readonly Contradiction[]> {
    return evidenceIn(this.#history.archive)
  }

  /** Durably notes the one answer to a question about the outside; false when another one was given before. @throws StoppedError */
  async answer(question: Bytes, value: Bytes): Promise<boolean> {
    return this.#seat.record().answer(question, value)
  }

  /** The answer that this member gave to a question, or null. @throws StoppedError */
  async answered(question: Bytes): Promise<Bytes | null> {
    return this.#seat.record().answered(question)
  }

  /**
   * Brings a command of the machine into the log (mosaik's `execute`).
   * @param body canonical encoding of the machine's command
   * @throws DecodeError, or what the machine's `admit` throws; ExpiredError, PoolFullError, StoppedError
   */
  async execute(body: Bytes): Promise<Committed> {
    return this.submit({
      id: this.#o.host.random(16),
      until: this.newest + COMMAND_WINDOW,
      author: null,
      body: { kind: 'machine', value: body },
    })
  }

  /**
   * Brings a command that a client made, and perhaps signed, into the log. Once, however often it is sent.
   * @throws as `execute`; AuthorError
   */
  async submit(command: Command): Promise<Committed> {
    this.#seat.expectRunning()
    const index = this.#history.takenAt(toHex(command.id))
    if (index !== null) return { index }
    const committed = this.#pool.add(await this.#admission.admit(command))
    this.#seat.spread(command)
    return committed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#repair[Symbol.asyncDispose]()
    await this.#seat[Symbol.asyncDispose]()
  }
}

/** What a group stands on once its stores are open. */
interface Opened<S, C> {
  readonly history: History<S, C>
  readonly record: VoteRecord | CoalitionError
  readonly admission: Admission<S, C>
  /** Index of a block that was final and on disk: nothing is voted for before it is there again. */
  readonly floor: bigint
}

/** The archive, made anew from what is whole of it where it is damaged. */
const openArchive = async <S, C>({ machine, identity, archive: raw, host }: GroupOptions<S, C>, admission: Admission<S, C>) => {
  const store = checkedStore(raw)
  try {
    return await Archive.open(machine, identity, store)
  } catch (error) {
    if (!isDamage(error)) throw error
    host.log('error', 'the archive is damaged and is made anew', { problem: (error as Error).message })
    return Archive.rebuild(machine, identity, store, { admission, verify: host.verify, raw })
  }
}

// A damaged record ends this member's voting and nothing else; whatever else is wrong has to be put right before a start.
const asProblem = (error: unknown): CoalitionError => {
  if (error instanceof VoteRecordError) return error
  throw error
}

/** A seat that the roster does not have. */
export class SeatError extends CoalitionError {
  constructor(member: number, n: number) {
    super('Group.SeatError', `member ${member} is not a seat of a committee of ${n}`, { member, n })
  }
}
