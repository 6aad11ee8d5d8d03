import type { Certificate } from '../../../wasm/certificate.ts'
import { type Crl, isRevoked, readCrl } from '../../../wasm/crl.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import type { VerifyEcdsa } from '../attestation.ts'
import { dateProblems, isSignedBy, within } from './chain.ts'

/** What a CRL is held against. */
export interface CrlOptions {
  /** What the CRL is called in a problem. */
  readonly path: string
  /** The certificate of who must have signed it. */
  readonly issuer: Certificate
  /** Unix seconds. */
  readonly at: number
  readonly ecdsa: VerifyEcdsa
}

/**
 * Reads a CRL. No bytes at all are no list, and not a list of nothing.
 *
 * @throws CollateralFormatError naming part and byte; UnsupportedError where there is no WebAssembly with SIMD
 */
export const readCrlAt = (der: Bytes, path: string): Crl => within(path, () => readCrl(der))

/**
 * Verifies a CRL: that it is its issuer's, by name, key usage and signature, and valid now.
 *
 * @returns what is wrong; empty for a list that holds
 * @see TDX.md section 4; RFC 5280 section 6.3.3
 */
export const verifyCrl = async (crl: Crl, { path, issuer, at, ecdsa }: CrlOptions): Promise<readonly string[]> => {
  const { subject } = issuer
  const problems = [
    ...(equal(crl.issuer.der, subject.der) ? [] : [`${path}.issuer: expected ${subject.commonName}, found ${crl.issuer.commonName}`]),
    ...dateProblems(path, crl.thisUpdate, crl.nextUpdate, at),
  ]
  if (problems.length > 0) return problems
  return (await isSignedBy(crl, issuer, ecdsa)) ? [] : [`${path}.signature: does not hold under the key of ${subject.commonName}`]
}

/** Which of the certificates a list names. The caller sees to it that it is their issuer's. */
export const revoked = (crl: Crl, certificates: readonly Certificate[]): readonly string[] =>
  certificates
    .filter(({ serial }) => isRevoked(crl, serial))
    .map(({ serial, subject, issuer }) => `${subject.commonName} with serial ${toHex(serial)} is revoked by ${issuer.commonName}`)
