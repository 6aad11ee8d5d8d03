import { observationCodec } from '../../groups/block.ts'
import type { Context, Effects } from '../../groups/machine.ts'
import { type Thresholds, thresholds } from '../../groups/roster.ts'
import { equal } from '../../primitives/bytes.ts'
import { decode, encode, fixed, type Of, struct, u8 } from '../../primitives/codec.ts'
import { type BlockFacts, blockFactsCodec, QUESTION_KIND, subjectCodec } from './payment.ts'
import { type RefundItem, refundCodec } from './refund.ts'
import {
  type Agreed,
  agreedAt,
  askedNumber,
  askedParent,
  type Claim,
  MAX_PENDING,
  oldestAgreed,
  REVERSIBLE,
  type TallyState,
  withAgreed,
} from './state.ts'

// How members' words about blocks become agreed blocks, and agreed blocks others: docs/wire.md section 6, "Agreement". The log puts every
// word in one order, so at each point one question is asked, and all members know which.

/** What the config says of it. */
export interface Rule {
  readonly chainId: bigint
  /** Whether blocks count by depth: then an agreed one may be taken back, and a question may have more than one round. */
  readonly isDeep: boolean
}

export const observeCodec = struct('Observe', { claim: observationCodec, member: u8, signature: fixed(64) })
export type Observe = Of<typeof observeCodec>

interface Word {
  readonly number: bigint
  readonly round: number
  readonly facts: BlockFacts
}

/** What an observation says, or null when it is about something else: another chain, kind, round, or no BlockFacts. */
export const readClaim = ({ question, round, value }: Observe['claim'], { chainId, isDeep }: Rule): Word | null => {
  // A block that is final has one lasting answer, and so one round.
  if (question.kind !== QUESTION_KIND || (round !== 0 && !isDeep)) return null
  try {
    const subject = decode(subjectCodec, question.subject)
    return subject.chainId === chainId ? { number: subject.number, round, facts: decode(blockFactsCodec, value) } : null
  } catch {
    return null
  }
}

/** What a round needs to know of the block that a word stands in. */
interface Ground extends Thresholds {
  readonly rule: Rule
  readonly index: bigint
  readonly timeMs: bigint
}

type Outcome = Effects<TallyState>
const only = (state: TallyState): Outcome => ({ state, append: [], blobs: [] })

/** Counts a member's word. Whatever is no word on a question that is open is passed over. */
export const observe = (state: TallyState, { claim, member }: Observe, rule: Rule, context: Context): Outcome => {
  const { index, timeMs, roster, rosterId } = context
  const word = readClaim(claim, rule)
  const isCurrent = equal(claim.roster_id, rosterId) && claim.until >= index && member < roster.members.length
  if (word === null || !isCurrent) return only(state)
  const ground = { ...thresholds(roster.members.length), rule, index, timeMs }
  return word.number === askedNumber(state) ? answer(state, word, member, ground) : challenge(state, word, member, ground)
}

/** A word on the block that is asked about. */
const answer = (state: TallyState, { round, facts }: Word, member: number, ground: Ground): Outcome => {
  const isFull = state.contested === null && state.pending.length >= MAX_PENDING
  if (isFull || !equal(facts.parent, askedParent(state))) return only(state)
  if (round === state.round) return count(state, member, facts, ground)
  // The first word of the next round opens it, b + 1 blocks after this one showed that it may never end: time for the others' words.
  const isOpen = ground.rule.isDeep && state.met !== null && ground.index >= state.met + BigInt(ground.b + 1)
  return isOpen && round === state.round + 1 ? count({ ...state, round, claims: [], met: null }, member, facts, ground) : only(state)
}

// The first word of a member counts: a second one, were it to exist, is that member's fault and must not change the outcome.
const hasSpoken = (claims: readonly Claim[], member: number): boolean => claims.some((said) => said.member === member)

const count = (state: TallyState, member: number, facts: BlockFacts, ground: Ground): Outcome =>
  hasSpoken(state.claims, member) ? only(state) : settle({ ...state, claims: [...state.claims, { member, facts }] }, facts, ground)

/** Ends the question if a quorum says what was said last. Equal means the same encoding: what members signed was bytes. */
const settle = (state: TallyState, facts: BlockFacts, ground: Ground): Outcome => {
  const said = encode(blockFactsCodec, facts)
  const agreeing = state.claims.filter((other) => equal(encode(blockFactsCodec, other.facts), said)).length
  if (agreeing < ground.quorum) return only({ ...state, met: state.met ?? (state.claims.length < ground.quorum ? null : ground.index) })
  if (state.contested === null) return only(agree(state, facts, ground.rule))
  const stands = agreedAt(state, state.contested)
  if (stands === null || !equal(stands.hash, facts.hash)) return reverse(state, state.contested, facts, ground)
  return only(askNext(withAgreed(state, state.contested, { round: state.round, claims: [] })))
}

/** Asks about the block after the last one. Words on another question that came too late, or differed, are forgotten. */
const askNext = (state: TallyState): TallyState => ({
  ...state,
  contested: null,
  round: state.reopened[0]?.round ?? 0,
  claims: [],
  met: null,
})

/** Puts a block after the last one. */
const agree = (state: TallyState, { hash, parent, count, payments }: BlockFacts, { isDeep }: Rule): TallyState => {
  const number = state.number + 1n
  const [{ revision } = { revision: 0 }, ...reopened] = state.reopened
  const entry: Agreed = { hash, parent, round: state.round, revision, named: null, claims: [] }
  const agreed = isDeep ? [...state.agreed, entry].slice(-REVERSIBLE) : []
  const pending = count === 0 ? state.pending : [...state.pending, { number, hash, count, payments, revision }]
  return askNext({ ...state, number, hash, agreed, reopened, pending })
}

/** A word that an agreed block is another one. With b + 1 of them one at least is honest, and the block is asked about again. */
const challenge = (state: TallyState, { number, round, facts }: Word, member: number, ground: Ground): Outcome => {
  const entry = agreedAt(state, number)
  // Above a block that is being asked about nothing is decided before that one is.
  if (entry === null || (state.contested !== null && number > state.contested)) return only(state)
  const isOther = round === entry.round + 1 && equal(facts.parent, entry.parent) && !equal(facts.hash, entry.hash)
  if (!isOther || hasSpoken(entry.claims, member)) return only(state)
  const claims = [...entry.claims, { member, facts }]
  const heard = withAgreed(state, number, { claims })
  if (claims.length <= ground.b) return only(heard)
  return settle({ ...withAgreed(leave(heard), number, { claims: [] }), contested: number, round, claims, met: null }, facts, ground)
}

/**
 * Leaves the question asked now, to be taken up again two rounds later: members may have signed in its round and, where that one is split,
 * in the next. In a round that nobody has signed in, nobody is bound by a word about another parent.
 */
const leave = (state: TallyState): TallyState => {
  const { contested, round, reopened } = state
  // An agreed block is asked about in the round after its own.
  if (contested !== null) return withAgreed(state, contested, { round: round + 1 })
  const [{ revision } = { revision: 0 }, ...rest] = reopened
  return { ...state, reopened: [{ round: round + 2, revision }, ...rest] }
}

/** Puts another block in the place of an agreed one: it and all above it hang in the air, and what they gave is taken back. */
const reverse = (state: TallyState, number: bigint, facts: BlockFacts, { rule, timeMs }: Ground): Outcome => {
  const first = Number(number - oldestAgreed(state))
  const [stay, go] = [state.agreed.slice(0, first), state.agreed.slice(first)]
  const append = go.flatMap(({ hash: blockHash, revision, named }, i) => {
    if (named === null) return []
    const reason = { kind: 'reorganised', value: { number, hash: facts.hash } } as const
    const of = { slot: number + BigInt(i), revision }
    const item: RefundItem = {
      kind: 'reversal',
      value: { of, chainId: rule.chainId, blockHash, reason, addresses: named, committedAt: timeMs },
    }
    return [{ surface: 0, item: encode(refundCodec, item) }]
  })
  // The height itself is agreed on by `agree`, in the round that this is.
  const again = go.map(({ round, revision, named }, i) => ({
    round: i === 0 ? state.round : round + 2,
    revision: named === null ? revision : revision + 1,
  }))
  const below = {
    ...state,
    number: number - 1n,
    agreed: stay,
    reopened: [...again, ...state.reopened],
    pending: state.pending.filter((waiting) => waiting.number < number),
  }
  return { state: agree(below, facts, rule), append, blobs: [] }
}
