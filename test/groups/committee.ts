import type { Committee, CommitteeListener } from '../../client/groups/committee.ts'
import { Group } from '../../client/groups/group.ts'
import { type Bytes, concat, equal, toHex } from '../../client/primitives/bytes.ts'
import { hash } from '../../wasm/core.ts'
import { counter, identityOf, secretOf, type TestHost, testHost } from './counter.ts'
import { type MemoryStore, memoryStore } from './memory-store.ts'

/** Signatures without curve arithmetic: what a test of agreement needs of them is that nobody else can make them. */
const seal = (secret: Bytes, message: Bytes): Bytes => concat(hash(secret, message), hash(message, secret))

/** What a member's vote key makes of a message. */
export const signFor = (member: number, message: Bytes): Bytes => seal(secretOf(member, 'vote 0'), message)

export const TIMERS = { viewMs: 400, shortMs: 100, skewMs: 500, heartbeatMs: 1_000 } as const

interface Seat {
  readonly votes: MemoryStore
  readonly archive: MemoryStore
  readonly host: TestHost
  group: Group<bigint, never> | null
  listener: CommitteeListener | null
  /** Of the run: what was sent to an earlier one does not arrive. */
  life: number
}

/** Several members in one process, over links that deliver in order unless they are cut. */
const identities = new Map<number, ReturnType<typeof identityOf>>()
const identityFor = (n: number): ReturnType<typeof identityOf> => {
  const identity = identities.get(n) ?? identityOf(n)
  identities.set(n, identity)
  return identity
}

export class Members implements AsyncDisposable {
  readonly seats: readonly Seat[]
  readonly n: number
  /** Whether a message from one member to another is let through. */
  passes: (from: number, to: number, message: Bytes) => boolean = () => true

  constructor(n: number) {
    this.n = n
    this.seats = Array.from({ length: n }, (_, i) => ({
      votes: memoryStore(),
      archive: memoryStore(),
      host: this.#host(i),
      group: null,
      listener: null,
      life: 0,
    }))
  }

  #host(member: number): TestHost {
    const { roster } = identityFor(this.n)
    const secrets = new Map(roster.members.map(({ vote }, i) => [toHex(vote), secretOf(i, 'vote 0')]))
    const host = testHost(member + 1)
    const verify = async (signature: Bytes, message: Bytes, key: Bytes): Promise<boolean> => {
      const secret = secrets.get(toHex(key))
      return secret !== undefined && equal(signature, seal(secret, message))
    }
    return { ...host, verify }
  }

  async start(member: number): Promise<Group<bigint, never>> {
    const seat = this.#seat(member)
    seat.life += 1
    const group = await Group.open({
      machine: counter as never,
      identity: identityFor(this.n),
      timers: TIMERS,
      member,
      sign: (message) => signFor(member, message),
      votes: seat.votes,
      archive: seat.archive,
      host: seat.host,
      committee: this.#committee(member),
    })
    seat.group = group as never
    for (const [other, { group: running, listener }] of this.seats.entries()) {
      if (other === member || running === null) continue
      listener?.reach(member, true)
      seat.listener?.reach(other, true)
    }
    return group as never
  }

  startAll(): Promise<unknown> {
    return Promise.all(this.seats.map((_, i) => this.start(i)))
  }

  /** As a SIGKILL and a power cut: nothing is finished, nothing unsynced stays. */
  async crash(member: number): Promise<void> {
    const seat = this.#seat(member)
    const { group } = seat
    seat.group = null
    seat.listener = null
    seat.life += 1
    seat.votes.crash()
    seat.archive.crash()
    for (const { listener } of this.seats) listener?.reach(member, false)
    await group?.[Symbol.asyncDispose]()
    seat.votes.crash()
    seat.archive.crash()
  }

  /** A member that says nothing more by itself, and still counts as connected. */
  async silence(member: number): Promise<void> {
    const seat = this.#seat(member)
    const { group } = seat
    seat.life += 1
    seat.group = null
    seat.listener = { receive: () => {}, reach: () => {} }
    await group?.[Symbol.asyncDispose]()
  }

  /** Brings bytes to a member as if another one had sent them; a member that refuses them is not told so. */
  async deliver(from: number, to: number, message: Bytes): Promise<void> {
    await Promise.resolve(this.#seat(to).listener?.receive(from, message)).catch(() => {})
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      await settle()
      for (const { host } of this.seats) host.advance(10)
    }
    await settle()
  }

  group(member: number): Group<bigint, never> {
    const { group } = this.#seat(member)
    if (group === null) throw new Error(`member ${member} is down`)
    return group
  }

  /** Lets time pass in small steps, with everything in between delivered, until `holds` or for `most` milliseconds. */
  async until(holds: () => boolean, most = 60_000): Promise<void> {
    for (let passed = 0; passed < most; passed += 10) {
      await settle()
      if (holds()) return
      for (const { host } of this.seats) host.advance(10)
    }
    throw new Error(
      `not within ${most} ms: ${JSON.stringify(this.running().map((group) => `${group.newest}/${group.status().view}/${group.status().voting}`))}`,
    )
  }

  /** The newest block that all of these members have. */
  lowest(members: readonly number[]): bigint {
    const heads = members.map((member) => this.group(member).newest)
    return heads.sort((a, b) => Number(a - b))[0] ?? 0n
  }

  running(): readonly Group<bigint, never>[] {
    return this.seats.flatMap(({ group }) => (group === null ? [] : [group]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.running().map((group) => group[Symbol.asyncDispose]()))
  }

  #seat(member: number): Seat {
    return this.seats[member] as Seat
  }

  #committee(member: number): Committee {
    const seat = this.#seat(member)
    const { life } = seat
    return {
      start: (listener) => {
        if (seat.life === life) seat.listener = listener
      },
      send: (to, message) => {
        const target = this.#seat(to)
        const { life: meant } = target
        if (seat.life !== life || !this.passes(member, to, message)) return
        setImmediate(() => {
          if (target.life === meant && seat.life === life) void Promise.resolve(target.listener?.receive(member, message)).catch(() => {})
        })
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }
}

/** Everything that is under way arrives and is done with. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve))
}
