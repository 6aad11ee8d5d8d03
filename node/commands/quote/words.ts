import type { QuoteCheck } from '../../../client/verify/attestation.ts'
import { dateText } from '../../../client/verify/collateral/fields.ts'
import { parsePolicy, type QuoteVerdict } from '../../../client/verify/quote/index.ts'

/**
 * The fields of the policy that decided against a quote, as the checks name them: with others in their place it would be accepted.
 *
 * @returns none for a quote that is accepted, null where no policy would accept it
 * @see client/verify/quote/appraise.ts: what was found names the field between backticks
 */
export const policyFields = ({ checks }: QuoteVerdict): readonly string[] | null => {
  const failed = checks.filter(({ state }) => state === 'failed')
  const fields = failed.map(fieldsOf)
  return fields.some((own) => own.length === 0) ? null : [...new Set(fields.flat())]
}

/** Fields of a policy alone: an advisory, which Intel names, may hold backticks too. */
const fieldsOf = ({ name, found }: QuoteCheck): readonly string[] => {
  if (!name.startsWith('policy.') || /\bno policy accepts\b/.test(found)) return []
  const known = Object.keys(parsePolicy({}))
  return [...found.matchAll(/`([A-Za-z]\w*)([^`]*)`/g)].flatMap(([, field = '', rest = '']) =>
    known.includes(field) ? [field + rest] : [],
  )
}

/** A verdict as text of several lines, a line a check. */
export const wordsOf = (file: string, verdict: QuoteVerdict, at: number): string => {
  const { accepted, checks, measurements } = verdict
  const lines = [
    `${file}: ${accepted ? 'accepted' : 'refused'}`,
    ...(accepted ? [] : [`because of ${checks.flatMap(({ name, state }) => (state === 'failed' ? [name] : [])).join(', ')}`]),
    ...standing(verdict),
    `verified for ${timeText(at)}; ${expiry(verdict)}`,
    ...(accepted ? [] : [changes(policyFields(verdict))]),
    'checks',
    ...checks.map(
      (check) => `  ${check.state.padEnd(8)} ${check.name}: expected ${check.expected}, found ${check.found} [${check.source}]`,
    ),
    measurements === null ? 'no measurements' : 'measurements',
    ...Object.entries(measurements ?? {}).map(([name, value]) => `  ${name.padEnd(14)} ${value ?? 'none'}`),
  ]
  return lines.map((line, i) => (i === 0 ? line : `  ${line}`)).join('\n')
}

const timeText = (seconds: number): string => `${dateText(seconds)} (${seconds})`

const standing = ({ status, tcbDate, advisories, root, platform }: QuoteVerdict): readonly string[] => [
  status === null ? 'no status: what would show it does not hold' : `status ${status}, TCB of ${tcbDate}`,
  ...(status === null ? [] : [`advisories ${advisories.join(', ') || 'none'}`]),
  root === 'intel' ? "trust begins at Intel's root" : "trust begins at a development root, which is not Intel's",
  ...(platform === null ? [] : [`platform FMSPC ${platform.fmspc}, PCEID ${platform.pceid}, PPID ${platform.ppid}`]),
]

const expiry = ({ expires, accepted }: QuoteVerdict): string => {
  if (expires === null) return 'nothing that was looked at has a date'
  return `this verdict expires at ${timeText(expires)}${accepted ? '' : ', or with other collateral'}`
}

const changes = (fields: readonly string[] | null): string =>
  fields === null ? 'no policy would change it' : `policy fields that would change it: ${fields.join(', ')}`
