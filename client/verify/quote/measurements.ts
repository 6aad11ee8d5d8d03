import type { SgxExtension } from '../../../wasm/certificate.ts'
import type { SgxReport, TdReport } from '../../../wasm/report.ts'
import { type Bytes, toHex } from '../../primitives/bytes.ts'

/** Fields of a report that say nothing: those that are reserved, and all of it again. */
type Silent = 'bytes' | `reserved${string}`

/** A report as plain data: its bytes in hex of lower case, its numbers as they are. */
type Measured<R> = R extends unknown
  ? { readonly [field in Exclude<keyof R, Silent>]: R[field] extends Bytes ? string : R[field] extends number ? number : R[field] }
  : never

/** What a TD is, as its report has it: `kind` is td10, td15 or td15ex, and the later ones have more fields. */
export type TdMeasurements = Measured<TdReport>

/** What an SGX enclave is; `kind` is sgx. */
export type SgxMeasurements = Measured<SgxReport>

export type Measurements = TdMeasurements | SgxMeasurements

/** Which platform it was: hex in lower case. The PPID names one machine for as long as it lives. */
export type QuotePlatform = {
  /** 6 bytes. */
  readonly fmspc: string
  /** 2 bytes. */
  readonly pceid: string
  /** 16 bytes. */
  readonly ppid: string
  /** 16 bytes; null for a platform of the Processor CA. */
  readonly platformInstanceId: string | null
}

/** The fields in the order of the report. */
export const measurementsOf = (report: SgxReport | TdReport): Measurements => {
  const fields = Object.entries(report).filter(([name]) => name !== 'bytes' && !name.startsWith('reserved'))
  const values = fields.map(([name, value]) => [name, value instanceof Uint8Array ? toHex(value) : value])
  return { kind: report.kind, ...Object.fromEntries(values) }
}

export const platformOf = ({ fmspc, pceid, ppid, platformInstanceId }: SgxExtension): QuotePlatform => ({
  fmspc: toHex(fmspc),
  pceid: toHex(pceid),
  ppid: toHex(ppid),
  platformInstanceId: platformInstanceId && toHex(platformInstanceId),
})
