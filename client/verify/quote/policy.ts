import type { QuoteStatus } from '../attestation.ts'
import type { MEASURED } from './measured.ts'
import type { TD_ATTRIBUTES } from './names.ts'

export type TdAttribute = keyof typeof TD_ATTRIBUTES

/** Measurements that a quote must have, in hex of lower case. One that the quote's kind of report does not have is not met. */
export type MeasurementCriteria = { readonly [name in keyof typeof MEASURED]?: string } & {
  readonly isvProdId?: number
  /** The least. */
  readonly isvSvn?: number
}

/**
 * What a reader asks of a quote beside what Intel says of it. Every field is there: what is not restricted is said to be so. Plain data, hex
 * in lower case and without 0x; {@link parsePolicy} makes it from JSON.
 *
 * No policy accepts a debuggable TD or enclave, a TD with reserved or profiling attributes, or a status of Revoked.
 *
 * @see TDX.md section 9
 */
export type QuotePolicy = {
  readonly statuses: readonly QuoteStatus[]
  /** For how many seconds after its tcbDate an outdated TCB counts as a current one. */
  readonly graceSeconds: number
  /** How old CRLs, TCB info and QE identity may be, by the day they were issued; null for as long as they are valid. */
  readonly maxAgeSeconds: number | null
  /** Advisories the platform may be short of: of those in `allow` (null: of any), none of those in `deny`. */
  readonly advisories: { readonly allow: readonly string[] | null; readonly deny: readonly string[] }
  /** Which attributes a TD may have. */
  readonly tdAttributes: readonly TdAttribute[]
  /** Whether a TD must have SEPT_VE_DISABLE, without which its host can raise #VE at any of its pages. */
  readonly septVeDisable: boolean
  /** XFAM, 8 bytes: the bits that must be set, and those that may be. */
  readonly xfam: { readonly required: string; readonly allowed: string }
  /** MR_SERVICETD, 48 bytes each: service TDs, which can migrate a TD, beside none (zero). */
  readonly serviceTds: readonly string[]
  /** The baseline must be met, and one of the variants where there are any. */
  readonly measurements: { readonly baseline: MeasurementCriteria; readonly variants: readonly MeasurementCriteria[] }
  /** What the report data begins with: 1 to 64 bytes, or null for anything. 64 bytes are all of it. */
  readonly reportData: string | null
  /** The machines to accept, by either of their ids, 16 bytes each; null for any. */
  readonly platforms: { readonly ppids: readonly string[]; readonly platformInstanceIds: readonly string[] } | null
}
