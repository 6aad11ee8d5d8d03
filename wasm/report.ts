import type { Bytes } from './hashing.ts'

/** What an SGX enclave is (sgx_report_body_t of Intel's sgx_report.h). Nobody looks at what is reserved: Intel's verifier does not either. */
export interface SgxReport {
  readonly kind: 'sgx'
  /** All 384 of them. */
  readonly bytes: Bytes
  /** 16 bytes. */
  readonly cpuSvn: Bytes
  readonly miscSelect: number
  /** 12 bytes. */
  readonly reserved1: Bytes
  /** 16 bytes. */
  readonly isvExtProdId: Bytes
  /** Flags, then XFRM: 8 bytes each. */
  readonly attributes: Bytes
  /** 32 bytes, as are the next three. */
  readonly mrEnclave: Bytes
  readonly reserved2: Bytes
  readonly mrSigner: Bytes
  readonly reserved3: Bytes
  /** 64 bytes. */
  readonly configId: Bytes
  readonly isvProdId: number
  readonly isvSvn: number
  readonly configSvn: number
  /** 42 bytes. */
  readonly reserved4: Bytes
  /** 16 bytes. */
  readonly isvFamilyId: Bytes
  /** 64 bytes. */
  readonly reportData: Bytes
}

/** What every TD report has (sgx_report2_body_t of Intel's sgx_quote_4.h). Measurements and owners are 48 bytes long, SHA-384. */
interface Td {
  /** All of the report: 584, 648 or 885. */
  readonly bytes: Bytes
  /** 16 SVNs of the TEE's parts when the TD was launched. */
  readonly teeTcbSvn: Bytes
  readonly mrSeam: Bytes
  readonly mrSignerSeam: Bytes
  /** 8 bytes, as are tdAttributes and xfam; little-endian bit fields. */
  readonly seamAttributes: Bytes
  readonly tdAttributes: Bytes
  readonly xfam: Bytes
  readonly mrTd: Bytes
  readonly mrConfigId: Bytes
  readonly mrOwner: Bytes
  readonly mrOwnerConfig: Bytes
  readonly rtmr0: Bytes
  readonly rtmr1: Bytes
  readonly rtmr2: Bytes
  readonly rtmr3: Bytes
  /** 64 bytes. */
  readonly reportData: Bytes
}

/** What TDX 1.5 adds (sgx_report2_body_v1_5_t of Intel's sgx_quote_5.h). */
interface Td15 extends Td {
  /** The same 16 SVNs as they are now. */
  readonly teeTcbSvn2: Bytes
  readonly mrServiceTd: Bytes
}

/**
 * What TDX 1.5 extended adds: which TD of many this is, and what it was launched as before it migrated
 * (sgx_report2_body_v1_5_ex_t of sgx_quote_5.h, TDReport15Ex of the QVL's QuoteStructures.h). All zero where the host leaves it out.
 */
interface Td15Extended extends Td15 {
  /** 0 for a TD without partitions or its L1 VMM, 1 to 3 for its VMs. */
  readonly vmId: number
  /** 32 bytes: another one at each launch, kept through updates and migration. */
  readonly tdId: Bytes
  /** 48 bytes: the hash of the device information. */
  readonly devInfo: Bytes
  /** 48 bytes: of the service TDs at launch, or of the migration policy. */
  readonly initServiceTdHash: Bytes
  /** 8 bytes. */
  readonly initServiceTdAttributes: Bytes
  /** 16 bytes, as is initTeeTcbSvn. */
  readonly initCpuSvn: Bytes
  readonly initTeeTcbSvn: Bytes
  /** 12 bytes: the model that initTeeTcbSvn is of. */
  readonly initTeeFmspc: Bytes
  /** 48 bytes, and 8: the same two as they are now. */
  readonly currentServiceTdHash: Bytes
  readonly currentServiceTdAttributes: Bytes
}

/** What a TD is: by TDX 1.0, by 1.5, and by 1.5 extended. */
export type TdReport = (Td & { readonly kind: 'td10' }) | (Td15 & { readonly kind: 'td15' }) | (Td15Extended & { readonly kind: 'td15ex' })

/** Bytes of an SGX report. */
export const SGX_REPORT = 384

/** The report at `at`, of which the caller knows that all of it is there. */
export const readSgxReport = (from: Bytes, at: number): SgxReport => ({
  kind: 'sgx',
  bytes: from.subarray(at, at + SGX_REPORT),
  cpuSvn: from.subarray(at, at + 16),
  miscSelect: (u16(from, at + 16) | (u16(from, at + 18) << 16)) >>> 0,
  reserved1: from.subarray(at + 20, at + 32),
  isvExtProdId: from.subarray(at + 32, at + 48),
  attributes: from.subarray(at + 48, at + 64),
  mrEnclave: from.subarray(at + 64, at + 96),
  reserved2: from.subarray(at + 96, at + 128),
  mrSigner: from.subarray(at + 128, at + 160),
  reserved3: from.subarray(at + 160, at + 192),
  configId: from.subarray(at + 192, at + 256),
  isvProdId: u16(from, at + 256),
  isvSvn: u16(from, at + 258),
  configSvn: u16(from, at + 260),
  reserved4: from.subarray(at + 262, at + 304),
  isvFamilyId: from.subarray(at + 304, at + 320),
  reportData: from.subarray(at + 320, at + 384),
})

/** The report at `at`; `kind` is the body type of a quote of version 5. The caller knows that all of it is there. */
export const readTdReport = (from: Bytes, at: number, kind: 2 | 3 | 4): TdReport => {
  const td = td10(from, at, kind)
  if (kind === 2) return Object.assign(td, { kind: 'td10' as const })
  const td15 = Object.assign(td, { teeTcbSvn2: from.subarray(at + 584, at + 600), mrServiceTd: from.subarray(at + 600, at + 648) })
  if (kind === 3) return Object.assign(td15, { kind: 'td15' as const })
  return Object.assign(td15, extensionOf(from, at))
}

const extensionOf = (from: Bytes, at: number) => ({
  kind: 'td15ex' as const,
  vmId: from[at + 648] as number,
  tdId: from.subarray(at + 649, at + 681),
  devInfo: from.subarray(at + 681, at + 729),
  initServiceTdHash: from.subarray(at + 729, at + 777),
  initServiceTdAttributes: from.subarray(at + 777, at + 785),
  initCpuSvn: from.subarray(at + 785, at + 801),
  initTeeTcbSvn: from.subarray(at + 801, at + 817),
  initTeeFmspc: from.subarray(at + 817, at + 829),
  currentServiceTdHash: from.subarray(at + 829, at + 877),
  currentServiceTdAttributes: from.subarray(at + 877, at + 885),
})

const SIZES = { 2: 584, 3: 648, 4: 885 } as const

const td10 = (from: Bytes, at: number, kind: 2 | 3 | 4): Td => ({
  bytes: from.subarray(at, at + SIZES[kind]),
  teeTcbSvn: from.subarray(at, at + 16),
  mrSeam: from.subarray(at + 16, at + 64),
  mrSignerSeam: from.subarray(at + 64, at + 112),
  seamAttributes: from.subarray(at + 112, at + 120),
  tdAttributes: from.subarray(at + 120, at + 128),
  xfam: from.subarray(at + 128, at + 136),
  mrTd: from.subarray(at + 136, at + 184),
  mrConfigId: from.subarray(at + 184, at + 232),
  mrOwner: from.subarray(at + 232, at + 280),
  mrOwnerConfig: from.subarray(at + 280, at + 328),
  rtmr0: from.subarray(at + 328, at + 376),
  rtmr1: from.subarray(at + 376, at + 424),
  rtmr2: from.subarray(at + 424, at + 472),
  rtmr3: from.subarray(at + 472, at + 520),
  reportData: from.subarray(at + 520, at + 584),
})

/** A little-endian u16. */
export const u16 = (from: Bytes, at: number): number => (from[at] as number) | ((from[at + 1] as number) << 8)
