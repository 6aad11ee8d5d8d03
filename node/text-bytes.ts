import { CoalitionError } from '../client/error.ts'
import { type Bytes, copy, fromHex } from '../client/primitives/bytes.ts'

// Bytes that people pass on as text. Which of the forms a file has follows from its bytes alone and never from its name.

const HEX = /^(?:0x)?[0-9a-f]+$/i
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
/** Nothing but printable ASCII. DER and quotes begin with bytes that are not. */
const TEXT = /^[!-~]+$/
const BASE64_URL = /^[A-Za-z0-9_-]+={0,2}$/

/**
 * The bytes that a text of hex or base64 stands for; white space may stand anywhere.
 *
 * Text of hex digits alone is hex, though base64 has the same digits: of a thousand random bytes no base64 does without its other letters.
 *
 * @returns null for bytes that are no text, and for none: then they are what they are
 * @throws TextBytesError for other text, and for hex or base64 that does not end as it must
 */
export const fromText = (bytes: Bytes): Bytes | null => {
  const text = new TextDecoder('latin1').decode(bytes).replace(/[ \t\r\n]+/g, '')
  if (HEX.test(text)) return hex(text)
  if (BASE64.test(text) || BASE64_URL.test(text)) return fromBase64(text)
  if (TEXT.test(text)) throw new TextBytesError('text that is neither hex nor base64')
  return null
}

const hex = (text: string): Bytes => {
  if (text.length % 2 !== 0) throw new TextBytesError(`hex of ${text.replace(/^0x/i, '').length} digits, which do not make whole bytes`)
  return fromHex(text.toLowerCase())
}

/**
 * Strict base64 of either alphabet, without white space (RFC 4648 sections 4 and 5): padding that is right or none, the bits left over zero.
 *
 * @throws TextBytesError
 */
export const fromBase64 = (text: string): Bytes => {
  const digits = text.replace(/=+$/, '')
  const alphabet = /[-_]/.test(digits) ? 'base64url' : 'base64'
  const bytes = Buffer.from(digits, alphabet)
  // The decoder skips what it does not know and drops what is left over; written anew, the bytes show whether it did.
  const again = bytes.toString(alphabet).replace(/=+$/, '')
  const pads = text.length - digits.length
  if (again !== digits || (pads > 0 && text.length % 4 !== 0)) throw new TextBytesError('base64 that does not end as it must')
  return copy(bytes)
}

/** Text that stands for no bytes. */
export class TextBytesError extends CoalitionError {
  declare readonly problem: string

  constructor(problem: string) {
    super('Bytes.TextBytesError', problem, { problem })
  }
}
