import type { SgxExtension } from '../../../wasm/certificate.ts'
import type { SgxReport, TdReport } from '../../../wasm/report.ts'
import { check, type QuoteCheck } from '../attestation.ts'
import type { VerifiedCollateral } from '../collateral/index.ts'
import { checkAttributes, checkDebug, checkServiceTd, checkXfam } from './attributes.ts'
import { absent, judge } from './checks.ts'
import { checkMeasurements, checkReportData } from './criteria.ts'
import { platformOf } from './measurements.ts'
import type { QuotePolicy } from './policy.ts'
import { withGrace } from './status.ts'
import type { QuoteStanding } from './tcb.ts'

/** What a policy looks at. Null is what earlier checks did not come to. */
export interface Appraised {
  readonly report: SgxReport | TdReport
  readonly standing: QuoteStanding | null
  readonly platform: SgxExtension | null
  readonly collateral: VerifiedCollateral
  /** Unix seconds. */
  readonly at: number
}

export interface Appraisal {
  /** All checks of the policy; what needs more than is known is left out. */
  readonly checks: readonly QuoteCheck[]
  /** The last second, in unix seconds, at which the policy says the same; Infinity when it looks at no date. */
  readonly until: number
}

interface Dated {
  readonly check: QuoteCheck
  readonly until: number
}

/**
 * Holds a quote against a policy. The text of what was found names the field of the policy that would change it.
 *
 * @see TDX.md section 9
 */
export const appraise = (policy: QuotePolicy, { report, standing, platform, collateral, at }: Appraised): Appraisal => {
  const status = standing && checkStatus(policy, standing, at)
  const age = checkAge(policy, collateral, at)
  return {
    checks: [
      ...(status ? [status.check] : []),
      age.check,
      ...(standing ? [checkAdvisories(policy, standing.advisories)] : []),
      checkDebug(report),
      checkAttributes(policy, report),
      checkXfam(policy, report),
      checkServiceTd(policy, report),
      checkMeasurements(policy, report),
      checkReportData(policy, report),
      ...(platform ? [checkPlatform(policy, platform)] : []),
    ],
    until: Math.min(status?.until ?? Number.POSITIVE_INFINITY, age.until),
  }
}

const checkStatus = ({ statuses, graceSeconds }: QuotePolicy, { status, tcbDate }: QuoteStanding, at: number): Dated => {
  const expected = statuses.length === 0 ? 'no status at all' : statuses.join(' or ')
  // Whoever wrote a policy by hand may have named Revoked; a key that Intel has revoked vouches for nothing.
  if (status === 'Revoked') return forEver(check('policy.status', 'failed', expected, 'Revoked, which no policy accepts'))
  if (statuses.includes(status)) return forEver(check('policy.status', 'passed', expected, status))
  const later = withGrace(status)
  const until = tcbDate + graceSeconds
  if (later !== status && statuses.includes(later) && at <= until)
    return { check: check('policy.status', 'passed', expected, `${status}, as ${later} by \`graceSeconds\``), until }
  const short = later !== status && statuses.includes(later) ? `; \`graceSeconds\` of ${at - tcbDate} would` : ''
  return forEver(check('policy.status', 'failed', expected, `${status}, which \`statuses\` does not name${short}`))
}

const forEver = (one: QuoteCheck): Dated => ({ check: one, until: Number.POSITIVE_INFINITY })

const checkAge = ({ maxAgeSeconds }: QuotePolicy, { tcbInfo, qeIdentity, pckCrl, rootCrl }: VerifiedCollateral, at: number): Dated => {
  if (maxAgeSeconds === null) return forEver(absent('policy.age', '`maxAgeSeconds` sets no limit'))
  const oldest = Math.min(tcbInfo.issueDate, qeIdentity.issueDate, pckCrl.thisUpdate, rootCrl.thisUpdate)
  const until = oldest + maxAgeSeconds
  const found = `${at - oldest} s`
  if (at <= until) return { check: check('policy.age', 'passed', `at most ${maxAgeSeconds} s`, found), until }
  return forEver(check('policy.age', 'failed', `at most ${maxAgeSeconds} s`, `${found}, more than \`maxAgeSeconds\``))
}

const checkAdvisories = ({ advisories: { allow, deny } }: QuotePolicy, found: readonly string[]): QuoteCheck => {
  const problems = found.flatMap((id) => [
    ...(deny.includes(id) ? [`${id} is in \`advisories.deny\``] : []),
    ...(allow === null || allow.includes(id) ? [] : [`${id} is not in \`advisories.allow\``]),
  ])
  const allowed = allow === null ? 'any' : allow.join(', ') || 'none'
  const expected = deny.length === 0 ? allowed : `${allowed}, but not ${deny.join(', ')}`
  return judge('policy.advisories', problems, expected, found.join(', ') || 'none')
}

const checkPlatform = ({ platforms }: QuotePolicy, platform: SgxExtension): QuoteCheck => {
  if (platforms === null) return absent('policy.platforms', '`platforms` allows any')
  const { ppids, platformInstanceIds } = platforms
  const { ppid, platformInstanceId } = platformOf(platform)
  const isListed = ppids.includes(ppid) || (platformInstanceId !== null && platformInstanceIds.includes(platformInstanceId))
  const found = `PPID ${ppid}, platform instance ${platformInstanceId ?? 'none'}`
  const expected = `one of ${ppids.length} PPIDs or ${platformInstanceIds.length} platform instances`
  return judge('policy.platforms', isListed ? [] : [`${found}: not in \`platforms\``], expected, found)
}
