import { type Roster, thresholds } from '../../groups/roster.ts'
import { check, HEAD_AGE, headAge } from '../../verify/checks.ts'
import type { Check } from '../../verify/verdict.ts'
import { type Clock, type Peer, seat } from './peer.ts'

/** How fresh a head is, in checks, and in the numbers that a state is made of. */
export interface Freshness {
  readonly checks: readonly Check[]
  readonly ageMs: number
  readonly stale: boolean
  /** `head.sources` holds. */
  readonly isConfirmed: boolean
}

/** Least error of a clock that is spoken of, in milliseconds: below it ages read the same. */
const CLOCK_TOLERANCE = 1_000

export interface FreshnessQuestion {
  readonly peers: readonly Peer[]
  readonly roster: Roster
  readonly head: { readonly index: bigint; readonly timeMs: number }
  readonly heartbeatMs: number
  readonly now: number
}

/**
 * The age of the head by the device's clock, put right by the members' where b+1 of them say that it is wrong: a device whose clock is an
 * hour ahead must not call a head stale that is a second old (API.md, "Verdict").
 */
export const freshnessOf = (question: FreshnessQuestion): Freshness => {
  const { head, heartbeatMs, now } = question
  const clock = clockOf(question)
  const ageMs = Math.round(now + clock.correctionMs - head.timeMs)
  const age = headAge(ageMs, heartbeatMs)
  const sources = sourcesOf(question)
  const byMembers = clock.correctionMs === 0 ? age : { ...age, found: `${age.found}, by the members’ clocks` }
  const stale = ageMs > HEAD_AGE.stale * heartbeatMs
  return { checks: [byMembers, sources, clock.check], ageMs, stale, isConfirmed: sources.state === 'passed' }
}

/** One peer for each seat: two links to one member are one source. */
const bySeat = ({ peers, roster }: FreshnessQuestion, counts: (peer: Peer) => boolean): ReadonlyMap<number, Peer> =>
  new Map(peers.filter(counts).flatMap((peer): [number, Peer][] => (seat(roster, peer) < 0 ? [] : [[seat(roster, peer), peer]])))

/**
 * Confirmed when b+1 members, each on its own link, showed this head or an older one within three heartbeats: at least one of them is
 * honest and knew no newer. Operators are counted, not members: one operator's seats are one opinion (PROTOCOL.md section 3, step 6).
 */
const sourcesOf = (question: FreshnessQuestion): Check => {
  const { roster, head, heartbeatMs, now } = question
  const needed = thresholds(roster.members.length).b + 1
  const window = HEAD_AGE.amber * heartbeatMs
  const seats = bySeat(question, ({ shown }) => shown !== null && shown.index <= head.index && Math.abs(now - shown.atMs) <= window)
  const operators = new Set([...seats.keys()].map((member) => roster.members[member]?.operator))
  const state = operators.size >= needed ? 'passed' : 'unproven'
  return check(
    'head.sources',
    state,
    `${needed} operators within ${window} ms`,
    `${operators.size} of ${roster.members.length} members’ operators`,
  )
}

/**
 * Of any b+1 members one is honest. So the b+1-th largest error, of those in one direction, is an error that an honest member sees or more:
 * the device's clock is off by at least that much.
 */
const clockOf = (question: FreshnessQuestion): { readonly check: Check; readonly correctionMs: number } => {
  const { roster, heartbeatMs } = question
  const needed = thresholds(roster.members.length).b + 1
  const clocks = [...bySeat(question, ({ clock }) => clock !== null).values()].map(({ clock }) => clock as Clock)
  const tolerance = Math.max(CLOCK_TOLERANCE, heartbeatMs)
  const expected = `within ${tolerance} ms of ${needed} members`
  if (clocks.length < needed)
    return { check: check('clock.skew', 'unproven', expected, `the time of ${clocks.length} members`), correctionMs: 0 }
  const errorBy = (sign: 1 | -1): number => {
    const errors = clocks.map(({ offsetMs, tripMs }) => sign * offsetMs - tripMs / 2).filter((error) => error > tolerance)
    return errors.sort((a, b) => b - a)[needed - 1] ?? 0
  }
  const [behind, ahead] = [errorBy(1), errorBy(-1)]
  // Both at once is more liars than b, or a roster of strangers: then nobody is believed.
  if (behind > 0 && ahead > 0)
    return { check: check('clock.skew', 'unproven', expected, 'members that contradict each other'), correctionMs: 0 }
  const correctionMs = behind - ahead
  if (correctionMs === 0) return { check: check('clock.skew', 'passed', expected, `agreement with ${clocks.length} members`), correctionMs }
  const found = `this device’s clock ${Math.round(Math.abs(correctionMs))} ms ${behind > 0 ? 'behind' : 'ahead'}`
  return { check: check('clock.skew', 'unproven', expected, found), correctionMs }
}
