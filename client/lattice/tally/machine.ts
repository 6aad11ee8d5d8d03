import { CoalitionError } from '../../error.ts'
import { observationCodec, observationMessage } from '../../groups/block.ts'
import type { AdmitContext, Context, Effects, Machine } from '../../groups/machine.ts'
import { thresholds } from '../../groups/roster.ts'
import { equal } from '../../primitives/bytes.ts'
import { decode, encode, fixed, type Of, struct, u8, u32, u64, variant, vector } from '../../primitives/codec.ts'
import { SIGNATURE } from './config.ts'
import { attributionOf, type PaymentProofs, type Proven, paymentProofsCodec, verifyProofs } from './evidence.ts'
import type { TallyConfig } from './index.ts'
import { type BlockFacts, blockFactsCodec, paymentsHash, QUESTION_KIND, subjectCodec } from './payment.ts'
import { type RefundItem, refundCodec, SPECS } from './refund.ts'

/** One member's signed statement about the next block, or the proofs of the oldest agreed block with payments. docs/wire.md section 6. */
export const commandCodec = variant('TallyCommand', {
  observe: [0, struct('Observe', { claim: observationCodec, member: u8, signature: fixed(64) })],
  attribute: [1, struct('Attribute', { number: u64, proofs: paymentProofsCodec })],
})
export type TallyCommand = Of<typeof commandCodec>
export type Observe = Extract<TallyCommand, { kind: 'observe' }>['value']
type Attribute = Extract<TallyCommand, { kind: 'attribute' }>['value']

/** Most agreed blocks that wait for their proofs. Past it nothing more is agreed on: a log that nobody attributes must not grow. */
export const MAX_PENDING = 1_024

/** The first word of one member about the next block. Its signature is not kept: `admit` saw it, and the command stays in the log. */
const claimCodec = struct('Claim', { member: u8, facts: blockFactsCodec })
/** What the proofs of an agreed block must show: this header, this many payments, and this list of them. */
const pendingCodec = struct('Pending', { number: u64, hash: fixed(32), count: u32, payments: fixed(32) })
/**
 * `number` and `hash`: the last block agreed on; `claims`: who says what about the next; `pending`: blocks with payments, oldest first.
 * At its bounds it is under 100 kB, so a snapshot of it fits wherever a block does.
 */
export const stateCodec = struct('TallyState', {
  number: u64,
  hash: fixed(32),
  claims: vector(claimCodec, 64),
  pending: vector(pendingCodec, MAX_PENDING),
})
export type TallyState = Of<typeof stateCodec>

/**
 * Tally's rule `public-payment@1` for one config. No I/O, no clock, no other group: what the chain says comes in as signed observations and
 * Merkle-Patricia proofs (MSK-06, MSK-07, MSK-08).
 */
export const createMachine = ({ lattice, content }: TallyConfig): Machine<TallyState, TallyCommand> => {
  const { chainId } = lattice
  const { feeRecipient, origin } = content
  // The same answer for the same command, kept from `admit` to `apply`: checking 256 proofs twice would cost every block twice.
  const verified = new WeakMap<PaymentProofs, Proven>()
  const proven = (proofs: PaymentProofs): Proven => {
    const answer = verified.get(proofs) ?? verifyProofs(proofs, feeRecipient)
    verified.set(proofs, answer)
    return answer
  }
  return {
    signature: SIGNATURE,
    surfaces: SPECS,
    command: commandCodec,
    state: stateCodec,
    genesis: { number: origin.number, hash: origin.hash, claims: [], pending: [] },
    admit: async (command, context) => {
      if (command.kind === 'observe') await admitObserve(command.value, chainId, context)
      else admitAttribute(command.value, proven(command.value.proofs))
    },
    apply: (state, command, context) =>
      command.kind === 'observe'
        ? observe(state, command.value, chainId, context)
        : attribute(state, command.value, proven, chainId, context),
  }
}

/** Everything that is true or false of an observation whatever the state is. @throws CommandError */
const admitObserve = async (
  { claim, member, signature }: Observe,
  chainId: bigint,
  { roster, rosterId, verify }: AdmitContext,
): Promise<void> => {
  const key = roster.members[member]?.vote
  if (key === undefined) throw new CommandError(`member ${member} of a roster of ${roster.members.length}`)
  if (!equal(claim.roster_id, rosterId)) throw new CommandError('an observation for another roster')
  if (readClaim(claim, chainId) === null) throw new CommandError('no question of this group, or no answer to it')
  if (!(await verify(signature, observationMessage(claim), key))) throw new CommandError(`the signature of member ${member} does not hold`)
}

// The proofs have been checked by then; that their header is of the named block is all that is left.
const admitAttribute = ({ number }: Attribute, { header }: Proven): void => {
  if (header.number !== number) throw new CommandError(`proofs of block ${header.number} for block ${number}`)
}

/** What an observation says, or null when it is about something else: another chain, kind, round, or no BlockFacts. */
const readClaim = (
  { question, round, value }: Observe['claim'],
  chainId: bigint,
): { readonly number: bigint; readonly facts: BlockFacts } | null => {
  // Later rounds are for chains without finality whose members saw different blocks; this version agrees in round 0 or waits.
  if (question.kind !== QUESTION_KIND || round !== 0) return null
  try {
    const subject = decode(subjectCodec, question.subject)
    return subject.chainId === chainId ? { number: subject.number, facts: decode(blockFactsCodec, value) } : null
  } catch {
    return null
  }
}

const NOTHING = { append: [], blobs: [] } as const
const unchanged = (state: TallyState): Effects<TallyState> => ({ state, ...NOTHING })

/** Counts a member's word about the next block; with a quorum of equal ones the block is agreed on. Whatever else is passed over. */
const observe = (
  state: TallyState,
  { claim, member }: Observe,
  chainId: bigint,
  { index, roster, rosterId }: Context,
): Effects<TallyState> => {
  const read = readClaim(claim, chainId)
  const isCurrent = equal(claim.roster_id, rosterId) && claim.until >= index && member < roster.members.length
  if (read === null || !isCurrent || state.pending.length >= MAX_PENDING) return unchanged(state)
  const { number, facts } = read
  const isNext = number === state.number + 1n && equal(facts.parent, state.hash)
  // The first word of a member counts: a second one, were it to exist, is that member's fault and must not change the outcome.
  if (!isNext || state.claims.some((said) => said.member === member)) return unchanged(state)
  // Equal means the same encoding: what members signed was bytes, and two values with equal fields have no other.
  const claims = [...state.claims, { member, facts }]
  const said = encode(blockFactsCodec, facts)
  const agreeing = claims.filter((other) => equal(encode(blockFactsCodec, other.facts), said)).length
  if (agreeing < thresholds(roster.members.length).quorum) return { state: { ...state, claims }, ...NOTHING }
  // Words about this block that came too late, or differed, are forgotten: the answer is given, and the next question is open.
  const { hash, count, payments } = facts
  const pending = count === 0 ? state.pending : [...state.pending, { number, hash, count, payments }]
  return { state: { number, hash, claims: [], pending }, ...NOTHING }
}

/** Appends the attribution of the oldest block that waits, if the proofs show exactly what was agreed on. */
const attribute = (
  state: TallyState,
  { number, proofs }: Attribute,
  proven: (proofs: PaymentProofs) => Proven,
  chainId: bigint,
  { timeMs }: Context,
): Effects<TallyState> => {
  const [oldest, ...rest] = state.pending
  if (oldest === undefined || oldest.number !== number) return unchanged(state)
  const shown = attempt(() => proven(proofs))
  // The proofs show that each payment is real, the count and the hash that it is the whole list that a quorum saw.
  const isAgreed =
    shown !== null &&
    shown.header.number === number &&
    equal(shown.header.hash, oldest.hash) &&
    shown.payments.length === oldest.count &&
    equal(paymentsHash(shown.payments), oldest.payments)
  if (!isAgreed) return unchanged(state)
  const item: RefundItem = { kind: 'attribution', value: attributionOf(shown, chainId, timeMs) }
  return { state: { ...state, pending: rest }, append: [{ surface: 0, item: encode(refundCodec, item) }], blobs: [shown.blob] }
}

// `apply` sees admitted commands only; that it is total is then no promise of the caller's but of its own.
const attempt = <T>(run: () => T): T | null => {
  try {
    return run()
  } catch {
    return null
  }
}

/** A command that no member admits. */
export class CommandError extends CoalitionError {
  declare readonly problem: string

  constructor(problem: string) {
    super('Tally.CommandError', `command refused: ${problem}`, { problem })
  }
}
