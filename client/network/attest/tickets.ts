import { checkTicket, type TicketVerdict } from '../../coalition/tickets/tdx-check.ts'
import { criteriaOf, type TdxGate } from '../../coalition/tickets/tdx-gate.ts'
import { decodeTdxTicket, type TdxTicket } from '../../coalition/tickets/tdx-ticket.ts'
import type { Roster } from '../../groups/roster.ts'
import type { HeldTicket } from '../../groups/source.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import type { GroupId, UniqueId } from '../../primitives/id.ts'
import { INTEL_ROOT, type TrustedRoot, type VerifyEcdsa } from '../../verify/attestation.ts'
import { decodeCollateral } from '../../verify/collateral/codec.ts'
import { inspectCollateral, type RollbackMemory, type VerifiedCollateral } from '../../verify/collateral/index.ts'
import { inspectQuote, parsePolicy, type QuoteVerdict } from '../../verify/quote/index.ts'
import { TDX_CLASS } from '../tickets/ticket.ts'

/** Most bytes of one piece of collateral: what real ones have is a fiftieth of it. */
export const MAX_COLLATERAL = 524_288

// What a quote has to be beside its measurements, which are the gate's: the strictest that there is. Nobody can be talked into less.
const POLICY = /* @__PURE__ */ parsePolicy({})

/** What a member's ticket is held against. */
export interface Expected {
  readonly network: UniqueId
  readonly group: GroupId
  readonly gate: TdxGate
  readonly roster: Roster
  readonly ecdsa: VerifyEcdsa
  /** Asked before a quote is accepted, and raised after: of two collaterals that hold, a server would choose the one that suits it. */
  readonly memory: RollbackMemory
}

/** A ticket and what came of it. */
export interface Judged {
  readonly held: HeldTicket
  readonly quotedAt: bigint
  /** Every check of the ticket, or null where it could not be read, or the quote was refused before there were any. */
  readonly verdict: TicketVerdict | null
  readonly quote: QuoteVerdict | null
  /** What the quote was accepted under; null for one that was not. */
  readonly collateral: VerifiedCollateral | null
  /** The first thing that is wrong with it, in words; null for a ticket that counts. */
  readonly problem: string | null
}

/** A root that is not Intel's is a development root, and every verdict that stands on it says so. */
export const rootOf = ({ root }: TdxGate): TrustedRoot => ({ spkiHash: root, development: toHex(root) !== INTEL_ROOT })

/** Collateral from a stranger's bytes, verified under the gate's root. Null for what is none, or does not hold at that second. */
export const verifiedFrom = async (bytes: Bytes, { gate, ecdsa }: Expected, at: number): Promise<VerifiedCollateral | null> => {
  try {
    const { verified } = await inspectCollateral(decodeCollateral(bytes), { root: rootOf(gate), at, ecdsa })
    return verified
  } catch {
    return null
  }
}

/**
 * Judges a ticket that a server showed. It never throws for anything that a server sent.
 *
 * @param collaterals of those that the ticket names, the ones that hold
 * @param at unix seconds, by the reader's clock
 * @see TDX.md, "Tickets of a committee"
 */
export const judge = async (
  held: HeldTicket,
  collaterals: readonly VerifiedCollateral[],
  expected: Expected,
  at: number,
): Promise<Judged> => {
  const member = expected.roster.members[held.member]
  const nothing = { held, quotedAt: 0n, verdict: null, quote: null, collateral: null }
  if (member === undefined) return { ...nothing, problem: `there is no member ${held.member}` }
  if (!equal(held.class, TDX_CLASS)) return { ...nothing, problem: 'its ticket is of another class' }
  const ticket = read(held.data)
  if (ticket instanceof Error) return { ...nothing, problem: ticket.message }
  const quotedAt = ticket.quotedAt
  if (collaterals.length === 0) return { ...nothing, quotedAt, problem: 'no collateral for its quote holds' }
  const { quote, collateral } = await best(ticket, collaterals, expected, at)
  const vote = { group: expected.group, epoch: expected.roster.epoch, voteKey: member.vote }
  const criteria = criteriaOf(expected.gate)
  const verdict = checkTicket(ticket, { ...vote, peer: member.peer, network: expected.network, at, criteria, verdictOfQuote: quote })
  return { held, quotedAt, verdict, quote, collateral, problem: problemOf(verdict, quote) }
}

const read = (data: Bytes): TdxTicket | Error => {
  try {
    return decodeTdxTicket(data)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

interface Best {
  readonly quote: QuoteVerdict
  readonly collateral: VerifiedCollateral | null
}

/** Under the first collateral that it is accepted with; what the first one says of it where there is none. */
const best = async (
  { quote }: TdxTicket,
  collaterals: readonly VerifiedCollateral[],
  { ecdsa, memory }: Expected,
  at: number,
): Promise<Best> => {
  const verdicts: QuoteVerdict[] = []
  for (const collateral of collaterals) {
    const verdict = await inspectQuote(quote, collateral, { policy: POLICY, at, ecdsa, memory })
    if (verdict.accepted) return { quote: verdict, collateral }
    verdicts.push(verdict)
  }
  return { quote: verdicts[0] as QuoteVerdict, collateral: null }
}

// A ticket whose quote is refused fails ticket.quote, which says nothing of why: the quote's own check does.
const problemOf = (verdict: TicketVerdict, quote: QuoteVerdict): string | null => {
  const failed = verdict.checks.find(({ state }) => state === 'failed')
  if (failed === undefined) return null
  const own = failed.name === 'ticket.quote' ? quote.checks.find(({ state }) => state === 'failed') : undefined
  const { name, expected, found } = own ?? failed
  return `${name} failed: expected ${expected}, found ${found}`
}
