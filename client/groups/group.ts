import { CoalitionError } from '../error.ts'
import type { Host } from '../network/host.ts'
import { type Bytes, toHex } from '../primitives/bytes.ts'
import { decode } from '../primitives/codec.ts'
import { Archive } from './archive.ts'
import { archiveSource } from './archive-source.ts'
import { type Block, COMMAND_WINDOW, type Command, type Seal, type VoteKind, voteMessage } from './block.ts'
import { BlockLimitError, type Branch, type Draft, executeBlock, fitting, type Identity } from './execution.ts'
import type { Machine } from './machine.ts'
import { type Committed, Pool } from './pool.ts'
import { thresholds } from './roster.ts'
import { type Effect, Simplex } from './simplex.ts'
import type { Source } from './source.ts'
import type { Store } from './storage.ts'
import { VoteRecord } from './vote-record.ts'

/** Milliseconds, folded into content: every member of a group runs the same (PROTOCOL.md section 1). */
export interface Timers {
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
  readonly votes: Store
  readonly archive: Store
  readonly host: Pick<Host, 'now' | 'random' | 'after' | 'verify' | 'log'>
}

/** How many blocks may be final without a synced archive: until then they are also in the vote record. */
const SYNC_EVERY = 64

/** A committee's log as one member runs it: commands in, signed blocks out (mosaik's Group). */
export class Group<S, C> implements AsyncDisposable {
  readonly #o: GroupOptions<S, C>
  readonly #archive: Archive<S, C>
  readonly #votes: VoteRecord
  readonly #simplex: Simplex
  readonly #pool = new Pool()
  readonly #listeners = new Set<(newest: bigint) => void>()
  /** Final ids of the last 1,024 blocks with the block that took them. */
  readonly #recent = new Map<string, bigint>()
  /** The final head and what is being built on it, by hash. */
  readonly #branches = new Map<string, { readonly branch: Branch<S>; readonly block: Block | null }>()
  readonly #decoded = new WeakMap<Command, C>()
  #head: Branch<S>
  #seal: Seal | null
  #turn: Promise<void> = Promise.resolve()
  #proposal: Extract<Effect, { kind: 'propose' }> | null = null
  #cancel: () => void = () => {}
  #broken: unknown = null

  private constructor(options: GroupOptions<S, C>, archive: Archive<S, C>, votes: VoteRecord, head: Branch<S>, seal: Seal | null) {
    const { n, quorum } = thresholds(options.identity.roster.members.length)
    this.#o = options
    this.#archive = archive
    this.#votes = votes
    this.#head = head
    this.#seal = seal
    const sign = (view: bigint, kind: VoteKind, hash: Bytes): Bytes =>
      options.sign(voteMessage(options.identity.rosterId, view, kind, hash))
    this.#simplex = new Simplex({ n, quorum, member: options.member, root: head.link, sign })
    this.#branches.set(toHex(head.link.hash), { branch: head, block: null })
  }

  /**
   * Opens both stores, finishes what a crash interrupted and starts to commit.
   * @throws ArchiveError, VoteRecordError
   */
  static async open<S, C>(options: GroupOptions<S, C>): Promise<Group<S, C>> {
    const { identity, machine, member } = options
    const vote = identity.roster.members[member]?.vote
    if (vote === undefined) throw new SeatError(member, identity.roster.members.length)
    const votes = await VoteRecord.open(options.votes, identity, vote)
    const { archive, head, seal } = await Archive.open(machine, identity, options.archive)
    const group = new Group(options, archive, votes, head, seal)
    await group.#recall()
    await group.#run(() => group.#simplex.start())
    return group
  }

  /** The machine's state after the newest final block. */
  get state(): S {
    return this.#head.state
  }

  /** Index of the newest final block. */
  get newest(): bigint {
    return this.#head.header.index
  }

  /** Why this member stopped voting, or null. */
  get broken(): unknown {
    return this.#broken
  }

  get source(): Source {
    const onCommit: Source['onCommit'] = (listener) => this.onCommit(listener)
    return archiveSource(this.#archive, this.#o.identity, { header: () => this.#head.header, seal: () => this.#seal, onCommit })
  }

  onCommit(listener: (newest: bigint) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Durably notes the one answer to a question about the outside; false when another one was given before. */
  answer(question: Bytes, value: Bytes): Promise<boolean> {
    return this.#votes.answer(question, value)
  }

  /**
   * Brings a command of the machine into the log (mosaik's `execute`).
   * @param body canonical encoding of the machine's command
   * @throws DecodeError, or what the machine's `admit` throws; ExpiredError, PoolFullError, StoppedError
   */
  async execute(body: Bytes): Promise<Committed> {
    if (this.#broken !== null) throw new StoppedError(this.#broken)
    const command: Command = {
      id: this.#o.host.random(16),
      until: this.newest + COMMAND_WINDOW,
      author: null,
      body: { kind: 'machine', value: body },
    }
    await this.#admit(command)
    const committed = this.#pool.add(command)
    this.#wake()
    return committed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopped = new StoppedError(null)
    this.#broken ??= stopped
    this.#cancel()
    await this.#turn
    this.#pool.abandon(stopped)
    this.#listeners.clear()
  }

  /** Decodes and checks a command once; `apply` later gets the same decoded value. */
  async #admit(command: Command): Promise<void> {
    const { machine, identity, host } = this.#o
    const decoded = decode(machine.command, command.body.value)
    await machine.admit(decoded, { ...identity, verify: host.verify })
    this.#decoded.set(command, decoded)
  }

  /** Puts the vote record's promises and blocks back on the archived head. */
  async #recall(): Promise<void> {
    const first = this.newest - COMMAND_WINDOW + 1n
    for (let index = first > 1n ? first : 1n; index <= this.newest; index++)
      for (const id of await this.#archive.taken(index)) this.#recent.set(id, index)
    const { views, blocks } = await this.#votes.load()
    const root = this.#head.link.view
    for (const block of blocks.filter(({ header }) => header.view > root)) {
      for (const command of block.commands) await this.#admit(command)
      const parent = this.#branches.get(toHex(block.header.prev))?.branch
      if (parent === undefined) continue
      this.#hold(this.#execute(parent, { view: block.header.view, timeMs: block.header.time_ms, commands: block.commands }), block.commands)
    }
    this.#simplex.restore(
      [...this.#branches.values()].map(({ branch }) => branch.link),
      views.filter(({ view }) => view > root),
    )
  }

  #wake(): void {
    void this.#run(() => {})
  }

  /** Steps run one after the other: a step ends when its promises are on disk and its final blocks archived. */
  #run(step: () => void): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      if (this.#broken !== null) return
      try {
        step()
        await this.#drain()
        while (this.#propose()) await this.#drain()
        this.#arm()
      } catch (error) {
        this.#stop(error)
      }
    })
    return this.#turn
  }

  /** A store that failed may have lost a promise: this member is done voting until somebody looks (PROTOCOL.md, "Engine"). */
  #stop(error: unknown): void {
    this.#broken = error
    this.#cancel()
    this.#pool.abandon(new StoppedError(error))
    this.#o.host.log('error', 'member stopped voting', {
      group: toHex(this.#o.identity.group),
      problem: error instanceof Error ? error.message : String(error),
    })
  }

  async #drain(): Promise<void> {
    for (let effects = this.#simplex.take(); effects.length > 0; effects = this.#simplex.take()) {
      for (const effect of effects) if (effect.kind === 'record') this.#votes.remember(effect.remembered)
      await this.#votes.flush()
      for (const effect of effects) {
        if (effect.kind === 'propose') this.#proposal = effect
        if (effect.kind === 'final') await this.#finish(effect)
      }
    }
  }

  async #finish({ link, view, votes }: Extract<Effect, { kind: 'final' }>): Promise<void> {
    const chain: { readonly branch: Branch<S>; readonly block: Block }[] = []
    for (let at = this.#branches.get(toHex(link.hash)); at?.block != null; at = this.#branches.get(toHex(at.block.header.prev)))
      chain.unshift({ branch: at.branch, block: at.block })
    const seal = sealOf(view, votes, this.#o.identity.roster.members.length)
    for (const { branch, block } of chain) await this.#commit(branch, block, seal)
  }

  async #commit(branch: Branch<S>, block: Block, seal: Seal): Promise<void> {
    const { index, view } = branch.header
    const sync = this.#archive.unsynced + 1 >= SYNC_EVERY
    await this.#archive.commit(branch, block, seal, sync)
    if (sync) await this.#votes.forget(view)
    for (const id of branch.ids) this.#recent.set(id, index)
    for (const [id, at] of this.#recent) {
      if (at > index - COMMAND_WINDOW) break
      this.#recent.delete(id)
    }
    this.#head = { ...branch, changes: [] }
    this.#seal = seal
    for (const [hash, held] of this.#branches) if (held.branch.link.view <= view) this.#branches.delete(hash)
    this.#branches.set(toHex(branch.link.hash), { branch: this.#head, block: null })
    this.#pool.settle(block.commands, index)
    for (const listener of this.#listeners) this.#tell(listener, index)
  }

  /** A listener's mistake is its own: it must not end this member's voting. */
  #tell(listener: (newest: bigint) => void, index: bigint): void {
    try {
      listener(index)
    } catch (error) {
      this.#o.host.log('error', 'a commit listener failed', { index, problem: String(error) })
    }
  }

  /** Proposes if it is our turn and there is something to say: commands, or the heartbeat. True when a block was offered. */
  #propose(): boolean {
    const proposal = this.#proposal
    const parent = proposal === null ? undefined : this.#branches.get(toHex(proposal.parent.hash))?.branch
    if (proposal === null || parent === undefined || !this.#due(parent)) return false
    const now = BigInt(Math.floor(this.#o.host.now()))
    const timeMs = now > parent.header.time_ms ? now : parent.header.time_ms
    const waiting = this.#pool.take(parent.header.index + 1n)
    let commands = waiting.slice(0, fitting(waiting))
    for (;;) {
      try {
        const branch = this.#execute(parent, { view: proposal.view, timeMs, commands })
        this.#proposal = null
        this.#votes.keep(this.#hold(branch, commands))
        return this.#simplex.offer(branch.link)
      } catch (error) {
        if (!(error instanceof BlockLimitError) || error.position === 0) throw error
        commands = commands.slice(0, error.position)
      }
    }
  }

  #due(parent: Branch<S>): boolean {
    return this.#pool.size > 0 || this.#o.host.now() >= Number(parent.header.time_ms) + this.#o.timers.heartbeatMs
  }

  #execute(parent: Branch<S>, draft: Draft): Branch<S> {
    const seen = (id: string): boolean => {
      for (
        let at: { branch: Branch<S>; block: Block | null } | undefined = this.#branches.get(toHex(parent.link.hash));
        at?.block != null;
      )
        if (at.branch.ids.has(id)) return true
        else at = this.#branches.get(toHex(at.block.header.prev))
      return this.#recent.has(id)
    }
    return executeBlock(this.#o.machine, this.#o.identity, parent, draft, seen, (command) => this.#decoded.get(command) as C)
  }

  #hold(branch: Branch<S>, commands: readonly Command[]): Block {
    const block = { header: branch.header, commands }
    this.#branches.set(toHex(branch.link.hash), { branch, block })
    return block
  }

  /** Wakes for the next heartbeat; commands wake by themselves. */
  #arm(): void {
    this.#cancel()
    const wait = Number(this.#head.header.time_ms) + this.#o.timers.heartbeatMs - this.#o.host.now()
    this.#cancel = this.#o.host.after(Math.max(1, Math.min(wait, this.#o.timers.heartbeatMs)), () => this.#wake())
  }
}

const sealOf = (view: bigint, votes: ReadonlyMap<number, Bytes>, n: number): Seal => {
  const signers = new Uint8Array(Math.ceil(n / 8))
  const members = [...votes.keys()].sort((a, b) => a - b)
  for (const member of members) signers[member >> 3] = (signers[member >> 3] as number) | (1 << (member & 7))
  return { view, signers, signatures: members.map((member) => votes.get(member) as Bytes) }
}

export class SeatError extends CoalitionError {
  constructor(member: number, n: number) {
    super('Group.SeatError', `member ${member} is not a seat of a committee of ${n}`, { member, n })
  }
}

export class StoppedError extends CoalitionError {
  constructor(cause: unknown) {
    super(
      'Group.StoppedError',
      cause === null ? 'this member was stopped' : 'this member stopped voting',
      {},
      cause === null ? {} : { cause },
    )
  }
}
