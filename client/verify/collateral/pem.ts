import { type Bytes, utf8 } from '../../primitives/bytes.ts'
import { CollateralFormatError } from './verified.ts'

/** Most certificates and bytes of a PEM text; the longest real chain has three certificates in 4 kB. */
export const MAX_CERTIFICATES = 8
export const MAX_PEM = 65_536

const BEGIN = /* @__PURE__ */ utf8('-----BEGIN CERTIFICATE-----')
const END = /* @__PURE__ */ utf8('-----END CERTIFICATE-----')
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const DIGITS = /* @__PURE__ */ Int8Array.from({ length: 256 }, (_, byte) => ALPHABET.indexOf(String.fromCharCode(byte)))
const PAD = 0x3d
const DASH = 0x2d

/**
 * The certificates of a PEM text, as DER, in its order. White space may stand anywhere but inside of the two lines around a certificate,
 * zero bytes behind the last one (quotes carry the end of a C string), and nothing else beside the certificates.
 *
 * @param path what the text is, for the error
 * @returns 1 to 8 documents, each of its own buffer
 * @throws CollateralFormatError naming the byte
 * @see RFC 7468 section 5
 */
export const readPem = (pem: Bytes, path: string): readonly Bytes[] => {
  if (pem.length > MAX_PEM) throw new CollateralFormatError(path, MAX_PEM, `${pem.length} bytes, at most ${MAX_PEM}`)
  const end = withoutZeros(pem)
  const found: Bytes[] = []
  for (let at = skipSpace(pem, 0); at < end; at = skipSpace(pem, at)) {
    if (found.length === MAX_CERTIFICATES) throw new CollateralFormatError(path, at, `more than ${MAX_CERTIFICATES} certificates`)
    const body = past(pem, at, BEGIN, path)
    const dash = pem.indexOf(DASH, body)
    if (dash < 0) throw new CollateralFormatError(path, end, 'ends inside of a certificate')
    found.push(decode(pem.subarray(body, dash), path, body))
    at = past(pem, dash, END, path)
  }
  if (found.length === 0) throw new CollateralFormatError(path, 0, 'holds no certificate')
  return found
}

const withoutZeros = (pem: Bytes): number => {
  let end = pem.length
  while (end > 0 && pem[end - 1] === 0) end--
  return end
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

const skipSpace = (pem: Bytes, from: number): number => {
  let at = from
  while (isSpace(pem[at])) at++
  return at
}

const past = (pem: Bytes, at: number, line: Bytes, path: string): number => {
  const wrong = line.findIndex((byte, i) => pem[at + i] !== byte)
  if (wrong >= 0) throw new CollateralFormatError(path, at + wrong, `${String.fromCharCode(...line)} is not what stands here`)
  return at + line.length
}

/** Base64 with its padding, the bits left over zero: one text for given bytes but for white space (RFC 4648 section 3.5). */
const decode = (body: Bytes, path: string, from: number): Bytes => {
  const bytes = new Uint8Array((body.length * 3) >> 2)
  let [length, digits, bits, pads] = [0, 0, 0, 0]
  for (let i = 0; i < body.length; i++) {
    const byte = body[i] as number
    const digit = DIGITS[byte] as number
    if (digit >= 0 && pads === 0) {
      bits = ((bits << 6) | digit) & 0xffff
      if ((digits++ & 3) !== 0) bytes[length++] = bits >> (8 - 2 * (digits & 3 || 4))
    } else if (byte === PAD) pads++
    else if (!isSpace(byte)) throw new CollateralFormatError(path, from + i, 'is not a digit of base64')
  }
  const over = digits % 4
  const left = over === 0 ? 0 : bits & (over === 2 ? 0x0f : 0x03)
  if (over === 1 || pads !== (over === 0 ? 0 : 4 - over) || left !== 0)
    throw new CollateralFormatError(path, from + body.length, 'base64 that does not end as it must')
  return bytes.slice(0, length)
}
