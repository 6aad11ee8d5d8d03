import { CoalitionError } from '../../error.ts'
import type { QuoteCheck, QuoteStatus } from '../attestation.ts'
import { inOrder } from './checks.ts'
import type { Measurements, QuotePlatform } from './measurements.ts'

/**
 * Why a quote may be believed, or may not: the same shape in both cases, plain data in one order, so that equal verdicts are equal as JSON.
 *
 * @see TDX.md section 9, last paragraph
 */
export type QuoteVerdict = {
  /** No check failed, and every one was made that could be. */
  readonly accepted: boolean
  /** What Intel says, before any policy; null when that is not proven. */
  readonly status: QuoteStatus | null
  /** RFC 3339, the oldest of the parts' dates; null with the status. */
  readonly tcbDate: string | null
  /** What platform, QE and module are short of, sorted; empty without a status. */
  readonly advisories: readonly string[]
  /** One of each name of the closed list, in its order. */
  readonly checks: readonly QuoteCheck[]
  /** What stands in the quote, whether accepted or not; null when it could not be read. */
  readonly measurements: Measurements | null
  /** Whether trust begins at Intel's root, or at one that somebody made. */
  readonly root: 'intel' | 'development'
  /** The last second, unix, at which this verdict can be the same; null when nothing in it has a date. */
  readonly expires: number | null
  readonly platform: QuotePlatform | null
}

/** A verdict's parts that do not follow from its checks. */
export type VerdictParts = Omit<QuoteVerdict, 'accepted'>

/** No memory of what was accepted is the one thing that a reader can do without: it has no history yet, or keeps none. */
const MAY_BE_UNPROVEN: QuoteCheck['name'] = 'collateral.rollback'

export const verdictOf = (parts: VerdictParts): QuoteVerdict => {
  const checks = inOrder(parts.checks)
  const holds = ({ name, state }: QuoteCheck): boolean =>
    state === 'passed' || state === 'absent' || (state === 'unproven' && name === MAY_BE_UNPROVEN)
  const isIntels = checks.every((one) => one.name.startsWith('policy.') || holds(one))
  const { status, tcbDate, advisories, measurements, root, expires, platform } = parts
  return {
    accepted: checks.every(holds),
    // What a forged quote's platform would be is no status of anything.
    status: isIntels ? status : null,
    tcbDate: isIntels ? tcbDate : null,
    advisories: isIntels ? advisories : [],
    checks,
    measurements,
    root,
    expires,
    platform,
  }
}

/** A quote that is not accepted. `verdict` says of each check what was expected and found; the message names the first that failed. */
export class QuoteError extends CoalitionError {
  declare readonly verdict: QuoteVerdict

  constructor(verdict: QuoteVerdict) {
    const failed = verdict.checks.find(({ state }) => state === 'failed')
    super(
      'Verify.QuoteError',
      failed ? `${failed.name} failed: expected ${failed.expected}, found ${failed.found}` : 'not every check was made',
      { verdict },
    )
  }
}
