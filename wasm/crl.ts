import { type Signed, signedOf, timeOf } from './fields.ts'
import type { Bytes } from './hashing.ts'
import { paths } from './paths.ts'
import { problems } from './problems.ts'
import { type Format, read } from './reading.ts'

/** A certificate revocation list, version 2, complete and of its issuer's own certificates. Bytes alias the input. */
export interface Crl extends Signed {
  /** Unix seconds. */
  readonly thisUpdate: number
  /** Unix seconds. */
  readonly nextUpdate: number
  /** All of it. */
  readonly der: Bytes
  /** Where in `der` the revoked serial numbers lie, in the list's order: offset and length of each, without the byte that keeps it positive. */
  readonly revoked: Uint32Array<ArrayBuffer>
}

const FORMAT: Format = { name: 'crl', reader: 'readCrl', problems, paths }

// assembly/fields.ts, "Of a CRL".
const FIELD = { issuer: 20, thisUpdate: 24, nextUpdate: 26, revoked: 28 } as const

/**
 * Reads a CRL from DER. It says what stands in it: neither its signature nor its dates are judged.
 *
 * Refused are other versions and algorithms, a list without nextUpdate, critical extensions of the list or of an entry (so a list of changes
 * or of another issuer's certificates), encodings that are not DER and more than 327,680 bytes.
 *
 * @throws FormatError naming path (`tbs.nextUpdate`) and offset; UnsupportedError where there is no WebAssembly with SIMD
 * @see RFC 5280 section 5.1
 */
export const readCrl = (der: Bytes): Crl => {
  const found = read(FORMAT, der)
  return Object.assign(signedOf(found, FIELD.issuer), {
    thisUpdate: timeOf(found, FIELD.thisUpdate),
    nextUpdate: timeOf(found, FIELD.nextUpdate),
    der,
    revoked: found.list(2 * found.number(FIELD.revoked)),
  })
}

/**
 * Whether a list names a serial number, for whatever reason it gives.
 *
 * @param serial big-endian, as a Certificate has it; zero bytes in front make no difference.
 */
export const isRevoked = ({ der, revoked }: Crl, serial: Bytes): boolean => {
  let from = 0
  while (from < serial.length && serial[from] === 0) from++
  const length = serial.length - from
  for (let i = 0; i < revoked.length; i += 2) {
    if (revoked[i + 1] === length && isAt(der, revoked[i] as number, serial, from)) return true
  }
  return false
}

const isAt = (der: Bytes, at: number, serial: Bytes, from: number): boolean => {
  for (let i = from; i < serial.length; i++) if (der[at + i - from] !== serial[i]) return false
  return true
}
