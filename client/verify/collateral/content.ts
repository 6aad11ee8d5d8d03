import { type Bytes, concat } from '../../primitives/bytes.ts'
import { digest } from '../../primitives/digest.ts'
import { MAX_DOCUMENT } from './json.ts'
import { MAX_CERTIFICATES } from './pem.ts'
import { CollateralFormatError } from './verified.ts'

/** Most bytes of a CRL, and of a certificate: what the core reads. */
export const MAX_CRL = 327_680
export const MAX_CERTIFICATE = 16_384
/** Bytes of r ‖ s. */
export const SIGNATURE = 64

/** What Intel publishes for a platform: certificates and CRLs as DER, the two documents as the very bytes that Intel signed, never written anew. */
export interface Collateral {
  /** Chains have 1 to 8 certificates. */
  readonly pckCrlIssuerChain: readonly Bytes[]
  readonly rootCaCrl: Bytes
  readonly pckCrl: Bytes
  readonly tcbInfoIssuerChain: readonly Bytes[]
  readonly tcbInfo: Bytes
  /** Signatures are r ‖ s: 64 bytes. */
  readonly tcbInfoSignature: Bytes
  readonly qeIdentityIssuerChain: readonly Bytes[]
  readonly qeIdentity: Bytes
  readonly qeIdentitySignature: Bytes
  /** For quotes that carry no PCK certificate of their own (certification data of type 1 and 4). */
  readonly pckCertificateChain: readonly Bytes[] | null
}

/** A part that is never left out. */
export type Part = Exclude<keyof Collateral, 'pckCertificateChain'>

// Certificates of a chain, bytes of every other kind.
const BOUNDS = {
  chain: [1, MAX_CERTIFICATES],
  certificate: [0, MAX_CERTIFICATE],
  crl: [0, MAX_CRL],
  document: [0, MAX_DOCUMENT],
  signature: [SIGNATURE, SIGNATURE],
} as const

type Kind = keyof typeof BOUNDS

/** The parts that must be there, in the format's order. */
export const KINDS = {
  pckCrlIssuerChain: 'chain',
  rootCaCrl: 'crl',
  pckCrl: 'crl',
  tcbInfoIssuerChain: 'chain',
  tcbInfo: 'document',
  tcbInfoSignature: 'signature',
  qeIdentityIssuerChain: 'chain',
  qeIdentity: 'document',
  qeIdentitySignature: 'signature',
} as const satisfies { readonly [K in Part]: Kind }

export const PARTS = /* @__PURE__ */ Object.keys(KINDS) as readonly Part[]

/**
 * The pieces of canonical(Collateral). The one writer of it, by hand: whoever only verifies loads no codec. What others send is read by
 * codec.ts.
 *
 * @throws CollateralFormatError for a part out of its bounds
 * @see docs/wire.md section 1
 */
export const canonical = (collateral: Collateral): readonly Bytes[] => {
  const { pckCertificateChain: chain } = collateral
  return [
    ...PARTS.flatMap((part) => write(collateral[part], `Collateral.${part}`, KINDS[part])),
    Uint8Array.of(chain === null ? 0 : 1),
    ...(chain === null ? [] : write(chain, 'Collateral.pckCertificateChain', 'chain')),
  ]
}

/** canonical(Collateral): what members keep and send. @throws CollateralFormatError for a part out of its bounds */
export const collateralBytes = (collateral: Collateral): Bytes => concat(...canonical(collateral))

/** The hash of what {@link canonical} gives. */
export const hashOf = (pieces: readonly Bytes[]): Bytes => digest('tdx collateral v1|', ...pieces)

/**
 * What collateral is kept and asked for by: 32 bytes. Hex case, JSON white space and PEM armour are no part of it.
 *
 * @throws CollateralFormatError for a part out of its bounds
 */
export const collateralHash = (collateral: Collateral): Bytes => hashOf(canonical(collateral))

const write = (value: Bytes | readonly Bytes[], path: string, kind: Kind): readonly Bytes[] => {
  const [least, most] = BOUNDS[kind]
  // Whoever calls from JavaScript may leave one out, or pass on a text.
  if (!(kind === 'chain' ? Array.isArray(value) : value instanceof Uint8Array)) throw new CollateralFormatError(path, null, `is no ${kind}`)
  const { length } = value
  if (length < least || length > most) throw new CollateralFormatError(path, null, `a ${kind} of ${length}, expected ${least} to ${most}`)
  const content = value instanceof Uint8Array ? [value] : value.flatMap((der, i) => write(der, `${path}[${i}]`, 'certificate'))
  // Of one length only, and so without it.
  return kind === 'signature' ? content : [uleb128(length), ...content]
}

/** Seven bits a byte, the lowest first, the top bit set on all but the last: three are enough for every bound above. */
const uleb128 = (value: number): Bytes => {
  if (value < 0x80) return Uint8Array.of(value)
  return value < 0x4000 ? Uint8Array.of(value | 0x80, value >> 7) : Uint8Array.of(value | 0x80, (value >> 7) | 0x80, value >> 14)
}
