import type { Bytes } from './hashing.ts'
import type { Found } from './reading.ts'

/** A distinguished name. */
export interface Name {
  /** DER of the Name: the same bytes are the same name. */
  readonly der: Bytes
  /** Its one common name: printable ASCII, 1 to 64 characters. */
  readonly commonName: string
}

/** What certificates and CRLs have in common. Bytes alias the input where nothing else is said. */
export interface Signed {
  /** DER of what the issuer signed. */
  readonly tbs: Bytes
  /** r ‖ s, 32 bytes each, big-endian, as WebCrypto takes it; memory of its own. */
  readonly signature: Bytes
  /** DER of the signature (ECDSA-Sig-Value). */
  readonly signatureDer: Bytes
  readonly issuer: Name
}

// assembly/fields.ts, "Of certificate and CRL".
const FIELD = { tbs: 0, signature: 2, pair: 4 } as const

const PAIR_SIZE = 64

export const signedOf = (found: Found, issuer: number): Signed => ({
  tbs: found.range(FIELD.tbs),
  signature: found.copy(FIELD.pair, PAIR_SIZE),
  signatureDer: found.range(FIELD.signature),
  issuer: nameOf(found, issuer),
})

export const nameOf = ({ range }: Found, field: number): Name => ({
  der: range(field),
  // Not spread: an iterator over each letter costs more than the reading itself.
  commonName: Reflect.apply(String.fromCharCode, null, range(field + 2)),
})

/** Unix seconds: an i64 in two fields. Four digits of a year keep it far below 2^53. */
export const timeOf = ({ number }: Found, field: number): number => (number(field + 1) | 0) * 2 ** 32 + number(field)
