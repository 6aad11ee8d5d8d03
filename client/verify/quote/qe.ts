import type { Quote, SgxReport } from '../../../wasm/quote.ts'
import { type Bytes, concat, equal, toHex } from '../../primitives/bytes.ts'
import type { QuoteCheck, VerifyEcdsa } from '../attestation.ts'
import { type QeIdentity, type SvnLevel, sha256 } from '../collateral/index.ts'
import { judge } from './checks.ts'
import { lackingSvn, svnLevelOf } from './levels.ts'

/** Bytes 16 to 19 of a report are MISCSELECT; compared as bytes, since the identity's hex digits are those of memory. */
const MISCSELECT = [16, 20] as const

/**
 * Whether the QE vouches for the attestation key: its report data is SHA-256 of the key and the QE's own data, and then zeros.
 *
 * @see TDX.md section 2
 */
export const checkBinding = async ({ attestationKey, certification }: Quote['signature'], ecdsa: VerifyEcdsa): Promise<QuoteCheck> => {
  const { qeReport, qeAuthData } = certification
  const expected = concat(await sha256(concat(attestationKey, qeAuthData), ecdsa), new Uint8Array(32))
  const found = toHex(qeReport.reportData)
  return judge('quote.binding', equal(qeReport.reportData, expected) ? [] : [found], toHex(expected), found)
}

export interface QeFinding {
  readonly check: QuoteCheck
  /** Null when the QE is another enclave, or none of the levels is reached. */
  readonly level: SvnLevel | null
}

/**
 * Whether the enclave that signed is the quoting enclave of Intel's identity, and what its SVN means. Without this anybody's enclave on a
 * genuine platform could sign quotes (CVE-2026-22696).
 *
 * @see TDX.md section 6
 */
export const checkQe = (report: SgxReport, identity: QeIdentity, teeType: 'sgx' | 'tdx'): QeFinding => {
  const level = svnLevelOf(identity.levels, report.isvSvn)
  const id = teeType === 'tdx' ? 'TD_QE' : 'QE'
  const problems = [
    ...(identity.id === id ? [] : [`the identity is of ${identity.id}`]),
    ...identityProblems(report, identity),
    ...(level === undefined ? [`isvsvn ${report.isvSvn} is below every level`] : []),
  ]
  const lacking = lackingSvn(identity.levels, report.isvSvn)
  const found = [`isvsvn ${report.isvSvn}: ${level?.status ?? 'no level'}`, ...lacking].join('; ')
  const expected = `${id} of ${toHex(identity.mrsigner)}, isvprodid ${identity.isvprodid}`
  return { check: judge('quote.qe', problems, expected, found), level: problems.length === 0 ? (level ?? null) : null }
}

const identityProblems = (report: SgxReport, identity: QeIdentity): readonly string[] => {
  const miscselect = masked(report.bytes.subarray(...MISCSELECT), identity.miscselectMask)
  const attributes = masked(report.attributes, identity.attributesMask)
  return [
    ...(equal(report.mrSigner, identity.mrsigner) ? [] : [`mrsigner ${toHex(report.mrSigner)}`]),
    ...(report.isvProdId === identity.isvprodid ? [] : [`isvprodid ${report.isvProdId}`]),
    ...(equal(miscselect, identity.miscselect) ? [] : [`miscselect ${toHex(miscselect)}, expected ${toHex(identity.miscselect)}`]),
    ...(equal(attributes, identity.attributes) ? [] : [`attributes ${toHex(attributes)}, expected ${toHex(identity.attributes)}`]),
  ]
}

const masked = (bytes: Bytes, mask: Bytes): Bytes => bytes.map((byte, i) => byte & (mask[i] as number))
