import { ed25519 } from '@noble/curves/ed25519.js'
import type { Committee } from '../../client/groups/committee.ts'
import type { Identity } from '../../client/groups/execution.ts'
import { Group } from '../../client/groups/group.ts'
import type { Machine } from '../../client/groups/machine.ts'
import { type Roster, rosterId, ZEROS } from '../../client/groups/roster.ts'
import type { Store } from '../../client/groups/storage.ts'
import type { Host } from '../../client/network/host.ts'
import { type Bytes, u32le, utf8 } from '../../client/primitives/bytes.ts'
import { decode, encode, type Of, struct, text, u32, u64 } from '../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { asId, type GroupId, UNIVERSE } from '../../client/primitives/id.ts'
import { hash } from '../../wasm/core.ts'

/** The smallest machine with a surface: `add n` appends a note with the running total, indexed by its word. */
const commandCodec = struct('Add', { amount: u32, word: text(32) })
export const noteCodec = struct('Note', { total: u64, word: text(32) })
export type Note = Of<typeof noteCodec>

export const counter: Machine<bigint, Of<typeof commandCodec>> = {
  signature: 'counter@1',
  surfaces: [{ name: 'notes', kind: 'vec', item: noteCodec, by: [{ name: 'word', keys: (note: Note) => [utf8(note.word)] }] } as never],
  command: commandCodec,
  state: u64,
  genesis: 0n,
  admit: async ({ amount }) => {
    if (amount === 0) throw new RangeError('amount is zero')
  },
  apply: (total, { amount, word }) => {
    const state = total + BigInt(amount)
    return { state, append: [{ surface: 0, item: encode(noteCodec, { total: state, word }) }], blobs: [utf8(`blob of ${word}`)] }
  },
}

export const add = (amount: number, word: string): Bytes => encode(commandCodec, { amount, word })
export const note = (item: Bytes): Note => decode(noteCodec, item)

/** Keys of test members, from their number alone. */
export const secretOf = (member: number, use: string): Bytes => hash(utf8(`test ${use}`), u32le(member))
export const rosterOf = (n: number, epoch = 0): Roster => ({
  epoch,
  members: Array.from({ length: n }, (_, i) => ({
    peer: new Uint8Array(ed25519.getPublicKey(secretOf(i, 'peer'))),
    vote: new Uint8Array(ed25519.getPublicKey(secretOf(i, `vote ${epoch}`))),
    settle: hash(utf8('settle'), u32le(i)).slice(0, 20),
    operator: `operator ${i}`,
  })),
})

export const identityOf = (n: number, name = 'counter'): Identity => {
  const group: GroupId = asId(hash(utf8(name)))
  const roster = rosterOf(n)
  return { network: UNIVERSE, group, roster, rosterId: rosterId(UNIVERSE, group, ZEROS, roster) }
}

/** A committee of one: nobody to hear from. */
export const alone = (): Committee => ({ start: () => {}, send: () => {}, [Symbol.asyncDispose]: async () => {} })

/** A clock that moves when the test says so; timers run in order. */
export interface TestHost extends Pick<Host, 'now' | 'random' | 'after' | 'verify' | 'log'> {
  readonly advance: (ms: number) => void
  readonly lines: string[]
}

export const testHost = (seed = 1): TestHost => {
  let now = 1_700_000_000_000
  let drawn = 0
  const timers = new Set<{ readonly at: number; readonly run: () => void }>()
  const lines: string[] = []
  return {
    now: () => now,
    random: (n) => hash(u32le(seed), u32le(drawn++)).slice(0, n),
    after: (ms, run) => {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    verify: verifyWithNoble,
    log: (level, message) => lines.push(`${level} ${message}`),
    advance: (ms) => {
      const end = now + ms
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.run()
      }
      now = end
    },
    lines,
  }
}

export const openCounter = (
  votes: Store,
  archive: Store,
  host: TestHost,
  identity = identityOf(1),
): Promise<Group<bigint, Of<typeof commandCodec>>> =>
  Group.open({
    machine: counter,
    identity,
    timers: { viewMs: 400, shortMs: 100, skewMs: 500, heartbeatMs: 1_000 },
    committee: alone(),
    member: 0,
    sign: (message) => new Uint8Array(ed25519.sign(message, secretOf(0, 'vote 0'))),
    votes,
    archive,
    host,
  })
