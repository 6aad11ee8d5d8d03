import { isError } from '../../error.ts'
import type { Header } from '../../groups/block.ts'
import { thresholds } from '../../groups/roster.ts'
import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { check } from '../../verify/checks.ts'
import { type Check, EvidenceError, type Verdict, verdict } from '../../verify/verdict.ts'
import { EquivocationError } from './fork.ts'
import type { Freshness } from './freshness.ts'
import { CheckError, type Ground, type Trusted } from './trust.ts'

/** Milliseconds after which a stored head is no longer a good start: vote keys of members long gone could have signed another history. */
const HORIZON_MS = 90 * 86_400_000

/** What a reader stands on at the moment of an answer. */
export interface Standing {
  readonly ground: Ground
  readonly trusted: Pick<Trusted, 'header' | 'commit' | 'seal' | 'committee'>
  /** Index of the first head that was verified. */
  readonly first: bigint
  readonly freshness: Pick<Freshness, 'checks'>
  /** The head that it started from where that was kept, and how old it was then, by the group's clock; else it started from genesis. */
  readonly stored?: { readonly index: bigint; readonly ageMs: number }
  /** quote.chain of a group that has a gate, as of now. */
  readonly attested?: Check
  /** Whose members sign, for people: `tally`. */
  readonly who: string
}

/** What a question adds: its own checks, what it told the server, and the block that the value stands in. */
export interface Answered {
  readonly checks: readonly Check[]
  readonly disclosed: string
  readonly header: Header
  readonly commit: Bytes
}

/**
 * The verdict of a value. Every check in it was made by the code that names it here; none is assumed:
 * commit.header by `checkForm` and the seal over the header's hash, commit.consistency by `verifyLink`, `verifyGrowth` and `advance`,
 * roster.chain by `climb`, commit.signatures by `verifySeal`, the freshness ones by `freshnessOf`, the rest by the asker.
 */
export const assure = (standing: Standing, { checks, disclosed, header, commit }: Answered): Verdict => {
  const { ground, trusted, first, freshness, who, attested } = standing
  const made = verdict({
    checks: [...chainChecks(ground, trusted, first, header), ...authorityChecks(standing), ...freshness.checks, ...checks],
    assumes: assumes(trusted, who),
    disclosed,
    at: atOf(ground, header, commit),
  })
  // A ticket may have ended since its signer's head was taken: then this value has no verdict that it could be shown under.
  if (attested?.state === 'failed') throw new EvidenceError(made)
  return made
}

/** The verdict of an answer that was refused: the failed check in place of its passed form, beside what had been verified before. */
export const refuse = (standing: Standing | null, failed: CheckError, disclosed = 'nothing'): EvidenceError => {
  const failure = check(failed.check, 'failed', failed.expected, failed.found)
  if (standing === null)
    return new EvidenceError(verdict({ checks: [failure], assumes: 'nothing: no head was verified', disclosed, at: null }), {
      cause: failed,
    })
  const { ground, trusted, first, freshness, who } = standing
  const passed = [...chainChecks(ground, trusted, first, trusted.header), ...authorityChecks(standing), ...freshness.checks]
  const checks = [...passed.filter(({ name }) => name !== failed.check), failure]
  return new EvidenceError(
    verdict({ checks, assumes: assumes(trusted, who), disclosed, at: atOf(ground, trusted.header, trusted.commit) }),
    { cause: failed },
  )
}

/** The same refusal, with what the question had told by then: whoever was asked knows it, whatever came back. */
export const telling = (error: unknown, disclosed: string): unknown => {
  if (disclosed === 'nothing' || !isError(error, 'Verify.EvidenceError')) return error
  return new EvidenceError({ ...(error as EvidenceError).verdict, disclosed }, { cause: error.cause })
}

/** The same error with the verdict that ends a reader: what had been verified until then, and the check that the committee failed. */
export const caught = ({ fork, ours, theirs }: EquivocationError, standing: Standing | null): EquivocationError => {
  const failure = new CheckError('commit.consistency', `block ${fork.index} ${toHex(ours)}`, `${toHex(theirs)}, certified too`)
  return new EquivocationError(fork, refuse(standing, failure).verdict)
}

const atOf = ({ identified }: Ground, header: Header, commit: Bytes) => ({
  group: toHex(identified.group),
  index: header.index.toString(),
  commit: toHex(commit),
  timeMs: Number(header.time_ms),
})

const chainChecks = (
  { identified }: Ground,
  { header: head }: Pick<Trusted, 'header'>,
  first: bigint,
  { version, index }: Header,
): readonly Check[] => [
  check(
    'commit.header',
    'passed',
    'version 1 and the surfaces of the config',
    `version ${version}, ${identified.genesis.surfaces.length} surfaces`,
  ),
  // One head alone contradicts nothing. It is said, so that nobody takes a first look for a history that was followed.
  head.index === first
    ? check('commit.consistency', 'absent', 'an earlier head in this one’s log', `block ${first} is the first that was verified`)
    : check(
        'commit.consistency',
        'passed',
        'one log',
        `block ${index}, in the log of block ${head.index} that goes on from block ${first}`,
      ),
]

const authorityChecks = ({ trusted, attested, stored }: Pick<Standing, 'trusted' | 'attested' | 'stored'>): readonly Check[] => {
  const { committee, seal } = trusted
  const { roster, needed } = committee
  const n = roster.members.length
  return [
    startCheck(stored),
    check('roster.chain', 'passed', 'each roster announced by the one before', `epoch ${roster.epoch} from epoch 0`),
    check('commit.signatures', 'passed', `${needed} of ${n} needed`, `${seal?.signatures.length ?? 0} of ${n} signed`),
    ...(attested === undefined ? [] : [attested]),
  ]
}

const startCheck = (stored: Standing['stored']): Check => {
  if (stored === undefined) return check('start.point', 'passed', 'the config’s genesis or a head verified from it', 'genesis')
  const age = `${Math.round(Math.max(0, stored.ageMs) / 1_000)} s old`
  return check(
    'start.point',
    stored.ageMs > HORIZON_MS ? 'unproven' : 'passed',
    'the config’s genesis or a head verified from it, at most 90 days old',
    `stored head ${stored.index}, ${age}`,
  )
}

/**
 * What must hold for the verdict to be true. With k signatures two histories need k − (n − quorum) liars that signed both. Below four
 * members the group itself withstands crashes only, and says so (PROTOCOL.md section 1, "n < 4 has b = 0").
 */
export const assumes = ({ committee, seal }: Pick<Trusted, 'committee' | 'seal'>, who: string): string => {
  const { n, quorum } = thresholds(committee.roster.members.length)
  const k = seal?.signatures.length ?? 0
  const liars = Math.max(1, k - n + quorum)
  const signed = `${k} of ${n} ${who} members signed`
  const lying = liars === 1 ? 'a single lying member suffices' : `at least ${liars} would have to lie`
  return n < 4 ? `${signed}; crash faults only: ${lying}` : `${signed}; ${lying}`
}
