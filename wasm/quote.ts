import type { Bytes } from './hashing.ts'
import { type Format, type Found, read } from './reading.ts'
import { readSgxReport, readTdReport, SGX_REPORT, type SgxReport, type TdReport, u16 } from './report.ts'

export type { SgxReport, TdReport } from './report.ts'

/** An attestation quote of Intel SGX or TDX. Bytes alias the input everywhere; nothing in it was verified but its shape. */
export interface Quote {
  readonly header: QuoteHeader
  readonly body: SgxReport | TdReport
  /** What the attestation key signed: header and body, in version 5 with the body's type and size between them. */
  readonly signed: Bytes
  readonly signature: QuoteSignature
  /** What follows the quote and is no part of it. */
  readonly trailing: Bytes
}

/** 48 bytes. The attestation key's type is always 2, ECDSA on P-256, and the vendor of the QE always Intel. */
export interface QuoteHeader {
  readonly version: 3 | 4 | 5
  readonly teeType: 'sgx' | 'tdx'
  /** SVNs of quoting enclave and provisioning certification enclave in version 3; reserved later, and here as they stand. */
  readonly qeSvn: number
  readonly pceSvn: number
  /** 20 bytes of the QE's own. */
  readonly userData: Bytes
}

export interface QuoteSignature {
  /** Of `signed`: r ‖ s, 64 bytes. */
  readonly value: Bytes
  /** x ‖ y, 64 bytes; its report data binds it to the QE. */
  readonly attestationKey: Bytes
  readonly certification: Certification
}

/** Why the attestation key is to be believed. */
export interface Certification {
  readonly qeReport: SgxReport
  /** Of `qeReport.bytes` under the platform's PCK: r ‖ s, 64 bytes. */
  readonly qeSignature: Bytes
  readonly qeAuthData: Bytes
  readonly pck: PckSource
}

/** How the platform's PCK is named. */
export interface PckSource {
  /** 1 to 3 PPID, plain or encrypted, with SVNs; 4 the PCK's certificate; 5 its chain as PEM; 7 a platform manifest. */
  readonly type: 1 | 2 | 3 | 4 | 5 | 7
  readonly data: Bytes
}

// Numbered as in assembly/quote.ts, problems from 1 on.
const QUOTE: Format = {
  name: 'quote',
  reader: 'readQuote',
  problems: [
    'ends too early',
    'a size larger than what is left',
    'bytes left over',
    'a version other than 3, 4 and 5',
    'a key that is not ECDSA on P-256 (2)',
    'neither SGX (0) nor, from version 4 on, TDX (0x81)',
    "a vendor other than Intel's 939a7233f79c4ca9940a0db3957f0607",
    'a body that is none of the types 1 to 4',
    'a body of another TEE than the header says',
    'another size than bodies of this type have',
    'certification data of an unsupported type',
  ],
  paths: [
    'header',
    'header.version',
    'header.attestationKeyType',
    'header.teeType',
    'header.vendorId',
    'body.type',
    'body.size',
    'body',
    'signature',
    'signature.size',
    'signature.value',
    'signature.attestationKey',
    'signature.certification',
    'signature.certification.type',
    'signature.certification.size',
    'signature.certification.qeReport',
    'signature.certification.qeSignature',
    'signature.certification.qeAuthData.size',
    'signature.certification.pck.type',
    'signature.certification.pck.size',
  ],
}

const KIND = 0
const BODY = 1
const SIGNED = 3
const SIGNATURE = 5
const QE_REPORT = 7
const QE_AUTH = 9
const PCK_TYPE = 11
const PCK = 12
const TRAILING = 14

const POINT = 64

/**
 * Reads a quote of version 3, 4 or 5.
 *
 * @throws FormatError naming path and offset; UnsupportedError where there is no WebAssembly with SIMD
 */
export const readQuote = (bytes: Bytes): Quote => {
  const found = read(QUOTE, bytes)
  const kind = found.number(KIND)
  const body = found.number(BODY)
  return {
    header: headerOf(bytes),
    body: kind === 1 ? readSgxReport(bytes, body) : readTdReport(bytes, body, kind as 2 | 3 | 4),
    signed: found.range(SIGNED),
    signature: signatureOf(bytes, found),
    trailing: found.range(TRAILING),
  }
}

const headerOf = (bytes: Bytes): QuoteHeader => ({
  version: bytes[0] as 3 | 4 | 5,
  teeType: bytes[4] === 0 ? 'sgx' : 'tdx',
  qeSvn: u16(bytes, 8),
  pceSvn: u16(bytes, 10),
  userData: bytes.subarray(28, 48),
})

const signatureOf = (bytes: Bytes, found: Found): QuoteSignature => {
  const value = found.number(SIGNATURE)
  const report = found.number(QE_REPORT)
  const qeSignature = report + SGX_REPORT
  return {
    value: bytes.subarray(value, value + POINT),
    attestationKey: bytes.subarray(value + POINT, value + 2 * POINT),
    certification: {
      qeReport: readSgxReport(bytes, report),
      qeSignature: bytes.subarray(qeSignature, qeSignature + POINT),
      qeAuthData: found.range(QE_AUTH),
      pck: { type: found.number(PCK_TYPE) as PckSource['type'], data: found.range(PCK) },
    },
  }
}
