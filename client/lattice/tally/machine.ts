import { CoalitionError } from '../../error.ts'
import { observationMessage } from '../../groups/block.ts'
import type { AdmitContext, Context, Effects, Machine } from '../../groups/machine.ts'
import { equal } from '../../primitives/bytes.ts'
import { encode, type Of, struct, u64, variant } from '../../primitives/codec.ts'
import { type Observe, observe, observeCodec, type Rule, readClaim } from './agreement.ts'
import { SIGNATURE } from './config.ts'
import { attributionOf, type PaymentProofs, type Proven, paymentProofsCodec, verifyProofs } from './evidence.ts'
import type { TallyConfig } from './index.ts'
import { paymentsHash } from './payment.ts'
import { addressesOf, type RefundItem, refundCodec, SPECS } from './refund.ts'
import { agreedAt, genesisState, stateCodec, type TallyState, withAgreed } from './state.ts'

export { MAX_PENDING, stateCodec, type TallyState } from './state.ts'

/** One member's signed statement about a block, or the proofs of the oldest agreed block with payments. docs/wire.md section 6. */
export const commandCodec = variant('TallyCommand', {
  observe: [0, observeCodec],
  attribute: [1, struct('Attribute', { number: u64, proofs: paymentProofsCodec })],
})
export type TallyCommand = Of<typeof commandCodec>
type Attribute = Extract<TallyCommand, { kind: 'attribute' }>['value']

/**
 * Tally's rule `public-payment@1` for one config. No I/O, no clock, no other group: what the chain says comes in as signed observations and
 * Merkle-Patricia proofs (MSK-06, MSK-07, MSK-08).
 */
export const createMachine = ({ lattice, content }: TallyConfig): Machine<TallyState, TallyCommand> => {
  const { feeRecipient, origin, inclusion } = content
  const rule: Rule = { chainId: lattice.chainId, isDeep: inclusion.kind === 'depth' }
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
    genesis: genesisState(origin),
    admit: async (command, context) => {
      if (command.kind === 'observe') await admitObserve(command.value, rule, context)
      else admitAttribute(command.value, proven(command.value.proofs))
    },
    apply: (state, command, context) =>
      command.kind === 'observe'
        ? observe(state, command.value, rule, context)
        : attribute(state, command.value, proven, lattice.chainId, context),
  }
}

/** Everything that is true or false of an observation whatever the state is. @throws CommandError */
const admitObserve = async (
  { claim, member, signature }: Observe,
  rule: Rule,
  { roster, rosterId, verify }: AdmitContext,
): Promise<void> => {
  const key = roster.members[member]?.vote
  if (key === undefined) throw new CommandError(`member ${member} of a roster of ${roster.members.length}`)
  if (!equal(claim.roster_id, rosterId)) throw new CommandError('an observation for another roster')
  if (readClaim(claim, rule) === null) throw new CommandError('no question of this group, or no answer to it')
  if (!(await verify(signature, observationMessage(claim), key))) throw new CommandError(`the signature of member ${member} does not hold`)
}

// The proofs have been checked by then; that their header is of the named block is all that is left.
const admitAttribute = ({ number }: Attribute, { header }: Proven): void => {
  if (header.number !== number) throw new CommandError(`proofs of block ${header.number} for block ${number}`)
}

/** Appends the attribution of the oldest block that waits, if the proofs show exactly what was agreed on. */
const attribute = (
  state: TallyState,
  { number, proofs }: Attribute,
  proven: (proofs: PaymentProofs) => Proven,
  chainId: bigint,
  { timeMs }: Context,
): Effects<TallyState> => {
  const unchanged = { state, append: [], blobs: [] }
  const [oldest, ...pending] = state.pending
  // A block that is asked about again, or stands on one, may be gone with the next word.
  const isContested = state.contested !== null && number >= state.contested
  if (oldest === undefined || oldest.number !== number || isContested) return unchanged
  const shown = attempt(() => proven(proofs))
  // The proofs show that each payment is real, the count and the hash that it is the whole list that a quorum saw.
  const isAgreed =
    shown !== null &&
    shown.header.number === number &&
    equal(shown.header.hash, oldest.hash) &&
    shown.payments.length === oldest.count &&
    equal(paymentsHash(shown.payments), oldest.payments)
  if (!isAgreed) return unchanged
  const value = attributionOf(shown, { revision: oldest.revision, chainId, committedAt: timeMs })
  const item: RefundItem = { kind: 'attribution', value }
  const named = agreedAt(state, number) === null ? state : withAgreed(state, number, { named: addressesOf(value) })
  return { state: { ...named, pending }, append: [{ surface: 0, item: encode(refundCodec, item) }], blobs: [shown.blob] }
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
