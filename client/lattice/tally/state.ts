import type { Bytes } from '../../primitives/bytes.ts'
import { fixed, type Of, option, struct, u8, u32, u64, vector } from '../../primitives/codec.ts'
import { blockFactsCodec } from './payment.ts'
import { LIMITS } from './refund.ts'

// What the machine keeps from block to block: docs/wire.md section 6, "State". It is on no wire; a member's snapshot holds it.

/** Most agreed blocks that wait for their proofs. Past it nothing more is agreed on: a log that nobody attributes must not grow. */
export const MAX_PENDING = 1_024

/**
 * How many of the newest agreed blocks may still be taken back where blocks count by depth. All of them attributed at 256 addresses each,
 * their reversals are 340 kB, and one command may append 512: so one command can always take back what it has to.
 */
export const REVERSIBLE = 64

/** One member's word about a block. Its signature is not kept: `admit` saw it, and the command stays in the log. */
const claimCodec = struct('Claim', { member: u8, facts: blockFactsCodec })
export type Claim = Of<typeof claimCodec>

/** What the proofs of an agreed block must show: this header, this many payments, and this list of them. */
const pendingCodec = struct('Pending', { number: u64, hash: fixed(32), count: u32, payments: fixed(32), revision: u32 })
export type Pending = Of<typeof pendingCodec>

/**
 * An agreed block that may be taken back. `round`: in which it was agreed on; `revision`: of its attribution, made or to come; `named`: once
 * it is attributed, to whom, which a reversal must repeat; `claims`: words of round + 1 that say another hash.
 */
const agreedCodec = struct('Agreed', {
  hash: fixed(32),
  parent: fixed(32),
  round: u32,
  revision: u32,
  named: option(vector(fixed(20), LIMITS.providers)),
  claims: vector(claimCodec, 64),
})
export type Agreed = Of<typeof agreedCodec>

/** Where a height goes on that was asked about before: in a round that nobody has signed in. */
const reopenedCodec = struct('Reopened', { round: u32, revision: u32 })
export type Reopened = Of<typeof reopenedCodec>

/**
 * `number` and `hash`: the last block agreed on. The question asked now is about `contested`, an agreed block, or else about the next one;
 * `round`, `claims` (who said what in it) and `met` (the block in which a quorum had spoken without one value) are of that question.
 * `agreed`: the newest agreed blocks, the last one at `number`; `reopened`: heights from `number` + 1 on; `pending`: oldest first.
 * At its bounds it is under 1 MB, in a committee of four under 450 kB, so a snapshot of it fits wherever a block does.
 */
export const stateCodec = struct('TallyState', {
  number: u64,
  hash: fixed(32),
  contested: option(u64),
  round: u32,
  claims: vector(claimCodec, 64),
  met: option(u64),
  agreed: vector(agreedCodec, REVERSIBLE),
  reopened: vector(reopenedCodec, REVERSIBLE),
  pending: vector(pendingCodec, MAX_PENDING),
})
export type TallyState = Of<typeof stateCodec>

/** The state before anybody has spoken. */
export const genesisState = ({ number, hash }: Pick<TallyState, 'number' | 'hash'>): TallyState => ({
  number,
  hash,
  contested: null,
  round: 0,
  claims: [],
  met: null,
  agreed: [],
  reopened: [],
  pending: [],
})

/** The block that is asked about now. */
export const askedNumber = ({ number, contested }: TallyState): bigint => contested ?? number + 1n

/** The hash that stands below it. */
export const askedParent = (state: TallyState): Bytes =>
  state.contested === null ? state.hash : (agreedAt(state, state.contested)?.parent ?? state.hash)

/** Number of the oldest block that may be taken back; the next one, if none may. */
export const oldestAgreed = ({ number, agreed }: TallyState): bigint => number + 1n - BigInt(agreed.length)

/** An agreed block that may be taken back, by its number. */
export const agreedAt = (state: TallyState, number: bigint): Agreed | null => state.agreed[Number(number - oldestAgreed(state))] ?? null

/** The state with another entry for one agreed block. */
export const withAgreed = (state: TallyState, number: bigint, change: Partial<Agreed>): TallyState => {
  const place = Number(number - oldestAgreed(state))
  return { ...state, agreed: state.agreed.map((entry, i) => (i === place ? { ...entry, ...change } : entry)) }
}
