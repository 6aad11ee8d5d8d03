import { type MeasurementCriteria, reportBinding, type TdxValidatorConfig } from '../../network/tickets/tdx.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import type { UniqueId } from '../../primitives/id.ts'
import type { QuoteCheck } from '../../verify/attestation.ts'
import { type TdxTicket, type VoteBinding, voteBinding } from './tdx-ticket.ts'
import { CRITERIA, type CriteriaName } from './tdx-validator.ts'

// Whether a member's ticket counts towards a reader's strength, now and by the reader's clock (TDX.md, "Tickets of a committee"). No crypto
// here: the quote was verified elsewhere, and its verdict comes in.

/** The closed list of a ticket's checks, in the order they are shown. */
export const TICKET_CHECKS = [
  'ticket.quote',
  'ticket.peer',
  'ticket.network',
  'ticket.reportData',
  'ticket.voteKey',
  'ticket.age',
  'ticket.expiry',
  'ticket.notBefore',
  'ticket.lifetime',
  'ticket.mrtd',
  'ticket.rtmr0',
  'ticket.rtmr1',
  'ticket.rtmr2',
  'ticket.rtmr3',
] as const
export type TicketCheckName = (typeof TICKET_CHECKS)[number]

/** A check of a ticket, of the same shape as a quote's. `absent` where the criteria do not ask for it. */
export type TicketCheck = Omit<QuoteCheck, 'name'> & { readonly name: TicketCheckName }

/** As plain as a quote's verdict: JSON as it stands. */
export type TicketVerdict = {
  /** The ticket counts: no check failed. */
  readonly accepted: boolean
  readonly checks: readonly TicketCheck[]
  /** The last unix second at which it still counts, by what is known now. Null when it does not. */
  readonly expires: number | null
}

/** What is needed of a quote's verdict. Registers and report data in hex, absent for an SGX quote; `expires` as a unix second, included. */
export interface AttestedQuote {
  readonly accepted: boolean
  readonly status: string | null
  readonly expires?: number | null
  readonly measurements: {
    readonly mrTd?: string | null | undefined
    readonly rtmr0?: string | null | undefined
    readonly rtmr1?: string | null | undefined
    readonly rtmr2?: string | null | undefined
    readonly rtmr3?: string | null | undefined
    readonly reportData: string
  } | null
}

export interface TicketExpectation extends VoteBinding {
  /** Link key of the member that shows the ticket: 32 bytes. */
  readonly peer: Bytes
  readonly network: UniqueId
  /** The reader's clock, unix seconds. */
  readonly at: number
  /** Of the group's ACL: a checked config, {@link checkValidator}. */
  readonly criteria: TdxValidatorConfig
  /** The verdict of exactly `ticket.quote` at exactly `at`. */
  readonly verdictOfQuote: AttestedQuote
}

/** Seconds after which a quote counts no more, whatever an ACL says; members quote again every 6 hours (TDX.md). */
export const TICKET_AGE = 86_400n
/** Seconds by which a member's clock may be ahead of the reader's. **[ours]** */
export const CLOCK_AHEAD = 60n

/**
 * Every check of a ticket, on success and on failure. It never throws for anything that a ticket holds.
 *
 * @throws RangeError for an `at` that is no whole number; OutOfRangeError for an epoch that is no u32
 */
export const checkTicket = (ticket: TdxTicket, expected: TicketExpectation): TicketVerdict => {
  const { verdictOfQuote: quote, criteria } = expected
  const at = BigInt(expected.at)
  const checks = [...identity(ticket, expected), ...times(ticket, criteria, at), ...registers(criteria, quote)]
  const accepted = checks.every(({ state }) => state !== 'failed')
  return { accepted, checks, expires: accepted ? lastSecond(ticket, criteria, quote) : null }
}

const COMMITTEE = 'TDX.md, Tickets of a committee'
const MOSAIK = 'IDENTITY.md, Facts of mosaik'

const check = (name: TicketCheckName, holds: boolean, expected: string, found: string, source: string): TicketCheck => ({
  name,
  state: holds ? 'passed' : 'failed',
  expected,
  found,
  source,
})

const absent = (name: TicketCheckName, source: string): TicketCheck => ({
  name,
  state: 'absent',
  expected: 'any',
  found: 'not asked for',
  source,
})

const identity = (ticket: TdxTicket, expected: TicketExpectation): readonly TicketCheck[] => {
  const { accepted, status, measurements } = expected.verdictOfQuote
  const found = measurements?.reportData.toLowerCase() ?? ''
  const [first, second] = [found.slice(0, 64), found.slice(64)]
  // An SGX enclave has report data too, and without criteria nothing else would tell it from a TD.
  const isTd = typeof measurements?.mrTd === 'string'
  const told = `${accepted ? 'accepted' : 'refused'}, ${status ?? 'without a status'}${isTd ? '' : ', not a TD'}`
  const binding = toHex(reportBinding(ticket))
  // The network the reader is on, not the one the ticket names.
  const vote = toHex(voteBinding(expected.network, expected))
  return [
    check('ticket.quote', accepted && isTd, 'an accepted quote of a TD', told, COMMITTEE),
    check('ticket.peer', equal(ticket.peer, expected.peer), toHex(expected.peer), toHex(ticket.peer), MOSAIK),
    check('ticket.network', equal(ticket.network, expected.network), toHex(expected.network), toHex(ticket.network), MOSAIK),
    check('ticket.reportData', first === binding, binding, first || 'none', MOSAIK),
    check('ticket.voteKey', second === vote, vote, second || 'none', COMMITTEE),
  ]
}

const times = ({ startedAt, quotedAt, expiresAt }: TdxTicket, criteria: TdxValidatorConfig, at: bigint): readonly TicketCheck[] => {
  const { notBefore, maxLifetime } = criteria
  const limit = ageLimit(criteria)
  const age = at - quotedAt
  const inOrder = startedAt <= quotedAt && age >= -CLOCK_AHEAD
  const lifetime = expiresAt === null ? null : expiresAt - quotedAt
  return [
    check(
      'ticket.age',
      inOrder && age <= limit,
      `quoted at most ${limit} s ago, after the start, at most ${CLOCK_AHEAD} s ahead`,
      `started ${startedAt}, quoted ${quotedAt}: ${age} s ago`,
      COMMITTEE,
    ),
    check('ticket.expiry', expiresAt === null || at < expiresAt, `after ${at}`, expiresAt === null ? 'never' : `${expiresAt}`, MOSAIK),
    notBefore === undefined
      ? absent('ticket.notBefore', MOSAIK)
      : check('ticket.notBefore', quotedAt >= notBefore, `quoted at ${notBefore} or later`, `${quotedAt}`, MOSAIK),
    maxLifetime === undefined
      ? absent('ticket.lifetime', MOSAIK)
      : check(
          'ticket.lifetime',
          lifetime !== null && lifetime <= maxLifetime,
          `at most ${maxLifetime} s from quote to expiry`,
          lifetime === null ? 'never expires' : `${lifetime} s`,
          MOSAIK,
        ),
  ]
}

const FIELDS = { mrtd: 'mrTd', rtmr0: 'rtmr0', rtmr1: 'rtmr1', rtmr2: 'rtmr2', rtmr3: 'rtmr3' } as const

const registers = (criteria: TdxValidatorConfig, { measurements }: AttestedQuote): readonly TicketCheck[] => {
  const found = (name: CriteriaName): string | undefined => measurements?.[FIELDS[name]]?.toLowerCase()
  const sets = [criteria.baseline, nearest(criteria.variants, found)]
  return CRITERIA.map(([name]) => {
    // Both, not one laid over the other: a variant never stands in for what the baseline asks.
    const wanted = sets.flatMap((set) => (set[name] === undefined ? [] : [toHex(set[name])]))
    if (wanted.length === 0) return absent(`ticket.${name}`, MOSAIK)
    const holds = wanted.every((value) => value === found(name))
    return check(`ticket.${name}`, holds, [...new Set(wanted)].join(' and '), found(name) ?? 'none', MOSAIK)
  })
}

/** The variant that fits, else the one with the fewest registers that do not: a verdict then names no more registers than have to change. */
const nearest = (variants: readonly MeasurementCriteria[], found: (name: CriteriaName) => string | undefined): MeasurementCriteria => {
  const wrong = (criteria: MeasurementCriteria): number =>
    CRITERIA.filter(([name]) => criteria[name] !== undefined && toHex(criteria[name]) !== found(name)).length
  return [...variants].sort((a, b) => wrong(a) - wrong(b))[0] ?? {}
}

const ageLimit = ({ maxAge }: TdxValidatorConfig): bigint => (maxAge !== undefined && maxAge < TICKET_AGE ? maxAge : TICKET_AGE)

const lastSecond = ({ quotedAt, expiresAt }: TdxTicket, criteria: TdxValidatorConfig, { expires }: AttestedQuote): number => {
  const ends = [Number(quotedAt + ageLimit(criteria)), expires ?? Number.POSITIVE_INFINITY]
  return Math.min(...ends, expiresAt === null ? Number.POSITIVE_INFINITY : Number(expiresAt - 1n))
}
