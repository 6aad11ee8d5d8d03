import type { Bytes } from '../../primitives/bytes.ts'
import { bytes, decode, fixed, option, struct, vector } from '../../primitives/codec.ts'
import { type Collateral, MAX_CERTIFICATE, MAX_CRL, SIGNATURE } from './content.ts'
import { MAX_DOCUMENT } from './json.ts'
import { MAX_CERTIFICATES } from './pem.ts'

// Apart from content.ts, which writes the same bytes: for those who get collateral from strangers, and have the codec anyway.

const chain = /* @__PURE__ */ vector(/* @__PURE__ */ bytes(MAX_CERTIFICATE), MAX_CERTIFICATES, 1)
const crl = /* @__PURE__ */ bytes(MAX_CRL)
const document = /* @__PURE__ */ bytes(MAX_DOCUMENT)
const signature = /* @__PURE__ */ fixed(SIGNATURE)

const collateralCodec = /* @__PURE__ */ struct('Collateral', {
  pckCrlIssuerChain: chain,
  rootCaCrl: crl,
  pckCrl: crl,
  tcbInfoIssuerChain: chain,
  tcbInfo: document,
  tcbInfoSignature: signature,
  qeIdentityIssuerChain: chain,
  qeIdentity: document,
  qeIdentitySignature: signature,
  pckCertificateChain: /* @__PURE__ */ option(chain),
})

/**
 * Collateral from canonical(Collateral), the bytes of `collateralBytes`. Nothing is verified.
 *
 * @throws DecodeError naming field and byte
 */
export const decodeCollateral = (input: Bytes): Collateral => decode(collateralCodec, input)
