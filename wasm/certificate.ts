import { type Name, nameOf, type Signed, signedOf, timeOf } from './fields.ts'
import type { Bytes } from './hashing.ts'
import { paths } from './paths.ts'
import { problems } from './problems.ts'
import { type Format, type Found, read } from './reading.ts'

/** An X.509 certificate, version 3, of an ECDSA key on P-256. Bytes alias the input where nothing else is said. */
export interface Certificate extends Signed {
  /** 1 to 20 bytes, big-endian, the first not zero. */
  readonly serial: Bytes
  readonly subject: Name
  /** Unix seconds; valid from this second on. */
  readonly notBefore: number
  /** Unix seconds; valid up to and with this second. */
  readonly notAfter: number
  /** DER of SubjectPublicKeyInfo. */
  readonly spki: Bytes
  /** The public key: 04 ‖ x ‖ y, 65 bytes. That it lies on the curve is left to the verification. */
  readonly publicKey: Bytes
  /** RFC 5280 section 4.2.1.9; null where there is no such extension. */
  readonly basicConstraints: { readonly isCa: boolean; readonly pathLength: number | null } | null
  /** Bit i (`1 << i`) is bit i of RFC 5280 section 4.2.1.3: 0 digitalSignature, 5 keyCertSign, 6 cRLSign; null without the extension. */
  readonly keyUsage: number | null
  /** What a PCK certificate says of its platform; null in any other. */
  readonly sgx: SgxExtension | null
}

/** Extension 1.2.840.113741.1.13.1. @see "Intel SGX PCK Certificate and CRL Profile Specification", section 1.3.5 */
export interface SgxExtension {
  /** 16 bytes. */
  readonly ppid: Bytes
  /** SVNs of the 16 TCB components; memory of its own. */
  readonly components: Bytes
  readonly pcesvn: number
  /** 16 bytes. */
  readonly cpusvn: Bytes
  /** 2 bytes. */
  readonly pceid: Bytes
  /** 6 bytes. */
  readonly fmspc: Bytes
  /** 0 standard, 1 scalable, 2 scalable with integrity. */
  readonly type: number
  /** 16 bytes; null in certificates of the Processor CA. */
  readonly platformInstanceId: Bytes | null
  /** Null in certificates of the Processor CA; an item of it is null where it is missing. */
  readonly configuration: SgxConfiguration | null
}

export interface SgxConfiguration {
  readonly dynamicPlatform: boolean | null
  readonly cachedKeys: boolean | null
  readonly smtEnabled: boolean | null
}

const FORMAT: Format = { name: 'certificate', reader: 'readCertificate', problems, paths }

// assembly/fields.ts, "Of a certificate".
const FIELD = {
  serial: 20,
  issuer: 22,
  notBefore: 26,
  notAfter: 28,
  subject: 30,
  spki: 34,
  publicKey: 36,
  has: 38,
  pathLength: 39,
  keyUsage: 40,
  ppid: 41,
  components: 43,
  pcesvn: 47,
  cpusvn: 48,
  pceid: 50,
  fmspc: 52,
  type: 54,
  platformInstanceId: 55,
  configuration: 57,
} as const
const HAS = { basicConstraints: 1, ca: 2, pathLength: 4, keyUsage: 8, sgx: 16, platformInstanceId: 32, configuration: 64 } as const

const COMPONENTS = 16

/**
 * Reads a certificate from DER. It says what stands in it: no signature, no date and no name is judged.
 *
 * Refused are other versions, algorithms and curves, unknown critical extensions, an extension found twice, names with no common name or
 * several, encodings that are not DER and certificates of more than 16,384 bytes.
 *
 * @throws FormatError naming path (`tbs.validity.notAfter`) and offset; UnsupportedError where there is no WebAssembly with SIMD
 * @see RFC 5280 section 4.1
 */
export const readCertificate = (der: Bytes): Certificate => {
  const found = read(FORMAT, der)
  const { number, range } = found
  const has = number(FIELD.has)
  // Not spread: that takes longer than all the rest.
  return Object.assign(signedOf(found, FIELD.issuer), {
    serial: range(FIELD.serial),
    subject: nameOf(found, FIELD.subject),
    notBefore: timeOf(found, FIELD.notBefore),
    notAfter: timeOf(found, FIELD.notAfter),
    spki: range(FIELD.spki),
    publicKey: range(FIELD.publicKey),
    basicConstraints: has & HAS.basicConstraints ? constraintsOf(found, has) : null,
    keyUsage: has & HAS.keyUsage ? number(FIELD.keyUsage) : null,
    sgx: has & HAS.sgx ? sgxOf(found, has) : null,
  })
}

const constraintsOf = ({ number }: Found, has: number): Certificate['basicConstraints'] => ({
  isCa: (has & HAS.ca) !== 0,
  pathLength: has & HAS.pathLength ? number(FIELD.pathLength) : null,
})

const sgxOf = ({ number, range, copy }: Found, has: number): SgxExtension => ({
  ppid: range(FIELD.ppid),
  components: copy(FIELD.components, COMPONENTS),
  pcesvn: number(FIELD.pcesvn),
  cpusvn: range(FIELD.cpusvn),
  pceid: range(FIELD.pceid),
  fmspc: range(FIELD.fmspc),
  type: number(FIELD.type),
  platformInstanceId: has & HAS.platformInstanceId ? range(FIELD.platformInstanceId) : null,
  configuration: has & HAS.configuration ? configurationOf(number(FIELD.configuration)) : null,
})

/** Bits 0 to 2 say which items are there, bits 4 to 6 which of them are true. */
const configurationOf = (bits: number): SgxConfiguration => {
  const item = (i: number): boolean | null => ((bits >> i) & 1 ? ((bits >> (i + 4)) & 1) !== 0 : null)
  return { dynamicPlatform: item(0), cachedKeys: item(1), smtEnabled: item(2) }
}
