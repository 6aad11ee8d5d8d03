import type { SgxReport, TdReport } from '../../../wasm/report.ts'
import { toHex } from '../../primitives/bytes.ts'
import { check, type QuoteCheck } from '../attestation.ts'
import { absent, judge } from './checks.ts'
import { type Measurements, measurementsOf } from './measurements.ts'
import type { MeasurementCriteria, QuotePolicy } from './policy.ts'

/**
 * Whether the quote's measurements meet the baseline, and one of the variants where there are any.
 *
 * @see TDX.md section 9
 */
export const checkMeasurements = ({ measurements: { baseline, variants } }: QuotePolicy, report: SgxReport | TdReport): QuoteCheck => {
  const measured = measurementsOf(report)
  const identity = measured.kind === 'sgx' ? `mrEnclave ${measured.mrEnclave}` : `mrTd ${measured.mrTd}`
  if (Object.keys(baseline).length === 0 && variants.length === 0)
    return absent('policy.measurements', `${identity}; \`measurements\` asks for none`)
  const problems = [...differences('measurements.baseline', baseline, measured), ...variantProblems(variants, measured)]
  const expected = [JSON.stringify(baseline), ...(variants.length === 0 ? [] : [`one of ${variants.length} variants`])].join(' and ')
  return judge('policy.measurements', problems, expected, identity)
}

const variantProblems = (variants: readonly MeasurementCriteria[], measured: Measurements): readonly string[] => {
  const all = variants.map((variant, i) => differences(`measurements.variants[${i}]`, variant, measured))
  return all.some((problems) => problems.length === 0) ? [] : all.flat()
}

const differences = (path: string, criteria: MeasurementCriteria, measured: Measurements): readonly string[] =>
  Object.entries(criteria).flatMap(([name, wanted]) => {
    if (wanted === undefined) return []
    const found = (measured as Readonly<Record<string, string | number | null>>)[name] ?? null
    const isMet = name === 'isvSvn' ? typeof found === 'number' && found >= Number(wanted) : found === wanted
    return isMet ? [] : [`${name} ${found ?? 'is not measured'}: not \`${path}.${name}\``]
  })

/** What the enclave or TD had signed beside itself: only a reader that expects something of it has a fresh quote, or one of this key. */
export const checkReportData = ({ reportData }: QuotePolicy, report: SgxReport | TdReport): QuoteCheck => {
  const found = toHex(report.reportData)
  if (reportData === null) return absent('policy.reportData', `${found}; \`reportData\` asks for nothing`)
  // An empty prefix would be met by everything and look like a restriction.
  const isMet = reportData !== '' && found.startsWith(reportData)
  return check('policy.reportData', isMet ? 'passed' : 'failed', reportData, isMet ? found : `${found}: not \`reportData\``)
}
