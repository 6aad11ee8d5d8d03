import { commitHash } from '../../../client/groups/block.ts'
import type { Committee, CommitteeListener } from '../../../client/groups/committee.ts'
import type { Group, GroupOptions } from '../../../client/groups/group.ts'
import { type Bytes, concat, equal, toHex, u32le, utf8 } from '../../../client/primitives/bytes.ts'
import { hash } from '../../../wasm/core.ts'
import { add, counter, identityOf, note, secretOf } from '../../groups/counter.ts'
import type { Clock } from '../clock.ts'
import type { Actor, Network } from '../network.ts'
import { skewed } from '../world.ts'
import { Platter } from './store.ts'
import type { Witness } from './witness.ts'

export type Engine = Pick<typeof Group, 'open'>

/** What everything in a run of engines shares. */
export interface Hall {
  readonly n: number
  readonly clock: Clock
  readonly draw: () => number
  readonly network: Network<Bytes>
  readonly witness: Witness
  readonly syncMs: number
  readonly Engine: Engine
}

const EPOCH_MS = 1_700_000_000_000
const TIMERS = { viewMs: 400, shortMs: 100, skewMs: 500, heartbeatMs: 1_000 } as const

/** Signatures without curve arithmetic: agreement needs of them only that nobody else can make them. */
const seal = (secret: Bytes, message: Bytes): Bytes => concat(hash(secret, message), hash(message, secret))

const identities = new Map<number, ReturnType<typeof identityOf>>()
const identityFor = (n: number): ReturnType<typeof identityOf> => {
  const identity = identities.get(n) ?? identityOf(n)
  identities.set(n, identity)
  return identity
}

/** A member's process between a start and a crash. */
interface Process {
  isOver: boolean
  group: Group<bigint, unknown> | null
  listener: CommitteeListener | null
}

/** One seat: two disks that stay, and the real engine on them between starts and crashes. */
export class EngineSeat implements Actor<Bytes> {
  readonly place: number
  readonly member: number
  readonly #hall: Hall
  readonly #votes: Platter
  readonly #archive: Platter
  #process: Process | null = null
  #drawn = 0

  constructor(hall: Hall, member: number) {
    const { clock, draw, syncMs, network } = hall
    this.#hall = hall
    this.member = member
    this.place = network.actors.length
    network.actors.push(this)
    this.#votes = new Platter(clock, () => skewed(draw, 1, syncMs))
    this.#archive = new Platter(clock, () => skewed(draw, 1, syncMs))
  }

  get isUp(): boolean {
    return this.#process !== null
  }

  get group(): Group<bigint, unknown> | null {
    return this.#process?.group ?? null
  }

  receive(from: number, message: Bytes): void {
    const received = this.#process?.listener?.receive(from, message)
    void Promise.resolve(received).catch((error: unknown) =>
      this.#hall.witness.problem(`member ${this.member} refused bytes: ${String(error)}`),
    )
  }

  reach(member: number, isUp: boolean): void {
    this.#process?.listener?.reach(member, isUp)
  }

  start(): void {
    if (this.#process !== null) return
    this.#hall.witness.note(`${this.member} starts`)
    const process: Process = { isOver: false, group: null, listener: null }
    this.#process = process
    const opened = this.#hall.Engine.open(this.#options(process))
    void opened.then(
      (group) => {
        process.group = group
        group.onCommit((index) => void this.#committed(process, group, index))
      },
      (error: unknown) => this.#hall.witness.problem(`member ${this.member} does not open: ${String(error)}`),
    )
  }

  /** As a SIGKILL and a power cut in one: the process is not asked, and nothing unsynced stays. */
  crash(): void {
    if (this.#process === null) return
    const { draw, witness } = this.#hall
    witness.note(`${this.member} crashes`)
    this.#process.isOver = true
    this.#process = null
    this.#votes.crash(draw() < 0.5)
    this.#archive.crash(draw() < 0.5)
  }

  /** Executes a command; `onFinal` hears when it is acknowledged. */
  execute(word: string, onFinal: (index: bigint) => void): void {
    const process = this.#process
    void process?.group?.execute(add(1, word)).then(
      ({ index }) => {
        if (!process.isOver) onFinal(index)
      },
      (error: unknown) => this.#hall.witness.problem(`member ${this.member} refused ${word}: ${String(error)}`),
    )
  }

  /** Every word in the log of this member, in order. */
  async words(): Promise<readonly string[]> {
    const { group } = this
    const found: string[] = []
    for (let index = 1n; group !== null && index <= group.newest; index++)
      for (const item of (await group.source.appended(index))?.[0] ?? []) found.push(note(item).word)
    return found
  }

  async #committed(process: Process, group: Group<bigint, unknown>, index: bigint): Promise<void> {
    const header = await group.source.header(index)
    if (header !== null && !process.isOver) this.#hall.witness.final(this.member, index, commitHash(header))
  }

  #options(process: Process): GroupOptions<bigint, unknown> {
    return {
      machine: counter as never,
      identity: identityFor(this.#hall.n),
      timers: TIMERS,
      member: this.member,
      sign: (message) => seal(secretOf(this.member, 'vote 0'), message),
      votes: this.#votes.open(),
      archive: this.#archive.open(),
      committee: this.#committee(process),
      host: this.#host(process),
    }
  }

  #committee(process: Process): Committee {
    return {
      start: (listener) => {
        process.listener = listener
        for (const { member } of this.#hall.network.actors) if (member !== this.member) listener.reach(member, true)
      },
      send: (to, message) => {
        if (process.isOver) return
        this.#hall.witness.sent(this.member, message, (key) => this.#votes.synced(key))
        this.#hall.network.send(this, to, message)
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }

  #host(process: Process): GroupOptions<bigint, unknown>['host'] {
    const { clock, n } = this.#hall
    const secrets = new Map(identityFor(n).roster.members.map(({ vote }, i) => [toHex(vote), secretOf(i, 'vote 0')]))
    return {
      // Clocks of members differ, by less than what is tolerated.
      now: () => EPOCH_MS + Math.floor(clock.now) + 40 * this.member,
      random: (length) => hash(utf8('entropy'), u32le(this.member), u32le(this.#drawn++)).slice(0, length),
      after: (ms, run) =>
        clock.after(ms, () => {
          if (!process.isOver) run()
        }),
      verify: async (signature, message, key) => {
        const secret = secrets.get(toHex(key))
        return secret !== undefined && equal(signature, seal(secret, message))
      },
      log: () => {},
    }
  }
}
