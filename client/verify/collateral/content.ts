import type { Bytes } from '../../primitives/bytes.ts'
import { bytes, encode, fixed, type Of, option, struct, vector } from '../../primitives/codec.ts'
import { digest } from '../../primitives/digest.ts'
import { MAX_DOCUMENT } from './json.ts'
import { MAX_CERTIFICATES } from './pem.ts'

/** Most bytes of a CRL, and of a certificate: what the core reads. */
export const MAX_CRL = 327_680
const MAX_CERTIFICATE = 16_384

const chain = vector(bytes(MAX_CERTIFICATE), MAX_CERTIFICATES, 1)

/**
 * Collateral as bytes: what members keep, send and name by its hash. Certificates and CRLs are DER; the two documents are the very bytes
 * that Intel signed, never written anew; signatures are r ‖ s.
 */
export const collateralCodec = struct('Collateral', {
  pckCrlIssuerChain: chain,
  rootCaCrl: bytes(MAX_CRL),
  pckCrl: bytes(MAX_CRL),
  tcbInfoIssuerChain: chain,
  tcbInfo: bytes(MAX_DOCUMENT),
  tcbInfoSignature: fixed(64),
  qeIdentityIssuerChain: chain,
  qeIdentity: bytes(MAX_DOCUMENT),
  qeIdentitySignature: fixed(64),
  /** For quotes that carry no PCK certificate of their own (certification data of type 1 and 4). */
  pckCertificateChain: option(chain),
})

export type Collateral = Of<typeof collateralCodec>

/**
 * What collateral is kept and asked for by: 32 bytes. Hex case, JSON white space and PEM armour are no part of it.
 *
 * @throws EncodeError for a part out of its bounds
 */
export const collateralHash = (collateral: Collateral): Bytes => digest('tdx collateral v1|', encode(collateralCodec, collateral))
