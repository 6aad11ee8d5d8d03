import { CoalitionError } from '../error.ts'

/** Bytes over a buffer of their own kind: never shared memory, whose content could change between a check and its use. */
export type Bytes = Uint8Array<ArrayBuffer>

/** Same length and same content. Not constant in time: every value compared in this library is public. */
export const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && compare(a, b) === 0

/**
 * Order by the first differing byte, a prefix before what it begins. This is the order of ids and of encoded map keys.
 *
 * @returns below zero, zero or above zero, as `Array.prototype.sort` wants it.
 * @see IDENTITY.md, "UniqueId" and "Fingerprints of content and ACL"
 */
export const compare = (a: Uint8Array, b: Uint8Array): number => {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** All parts after one another, in a new buffer. */
export const concat = (...parts: readonly Uint8Array[]): Bytes => {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** The same content in a new buffer. Not `slice()`: on a Node `Buffer` that gives a second view of the same memory. */
export const copy = (bytes: Uint8Array): Bytes => new Uint8Array(bytes)

const PAIRS = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Lowercase hex without a prefix, two digits a byte: the text form of every id.
 *
 * @see IDENTITY.md, "UniqueId"
 */
export const toHex = (bytes: Uint8Array): string => {
  let text = ''
  for (const byte of bytes) text += PAIRS[byte]
  return text
}

/**
 * Bytes from hex digits of either case, with or without a leading `0x`.
 *
 * @param name what the text is meant to be, for the error.
 * @param length how many bytes it must give; any number when left out.
 * @throws HexError for another character, an odd number of digits or another length. The text itself is not repeated: it may be a key.
 */
export const fromHex = (text: string, name = 'hex', length?: number): Bytes => {
  const from = text.startsWith('0x') ? 2 : 0
  const bytes = readHex(text, from, (problem) => new HexError(name, problem))
  if (length !== undefined && bytes.length !== length)
    throw new HexError(name, `expected ${length * 2} digits, found ${text.length - from}`)
  return bytes
}

/** Bytes of the hex digits from an index on, as many as there are. `refusal` makes the error that is thrown. */
export const readHex = (text: string, from: number, refusal: (problem: string) => Error): Bytes => {
  const digits = text.slice(from)
  const wrong = digits.search(/[^0-9a-f]/i)
  if (wrong >= 0) throw refusal(`character ${wrong + from} is not a hex digit`)
  if (digits.length % 2 !== 0) throw refusal(`${digits.length} digits do not make whole bytes`)
  const bytes = new Uint8Array(digits.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digitOf(digits.charCodeAt(2 * i)) << 4) | digitOf(digits.charCodeAt(2 * i + 1))
  return bytes
}

// By arithmetic: a revocation list has thousands, and to parse a text of each pair takes ten times as long. Letters of both cases have bit 6.
const digitOf = (code: number): number => (code & 0x0f) + 9 * (code >> 6)

const ENCODER = /* @__PURE__ */ new TextEncoder()

// With the u flag a surrogate matches only when it stands alone; a proper pair is one code point and does not.
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * The UTF-8 bytes of a text, a byte order mark included.
 *
 * @throws TextError for a lone surrogate: the platform's encoder would write U+FFFD, and two texts would share one encoding.
 * @see IDENTITY.md, "Fingerprints of content and ACL"
 */
export const utf8 = (text: string): Bytes => {
  const at = text.search(LONE_SURROGATE)
  if (at >= 0) throw new TextError(at)
  return ENCODER.encode(text)
}

/**
 * Eight bytes, least significant first.
 *
 * @throws OutOfRangeError unless 0 ≤ n < 2^64: `DataView` would take it modulo 2^64 and sign another number.
 */
export const u64le = (n: bigint): Bytes => {
  if (n < 0n || n > 0xffff_ffff_ffff_ffffn) throw new OutOfRangeError(n, 64)
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, n, true)
  return bytes
}

/**
 * Four bytes, least significant first.
 *
 * @throws OutOfRangeError unless n is an integer with 0 ≤ n < 2^32.
 */
export const u32le = (n: number): Bytes => {
  if (!Number.isInteger(n) || n < 0 || n > 0xffff_ffff) throw new OutOfRangeError(n, 32)
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, n, true)
  return bytes
}

/** A text that is not the hex it should be. */
export class HexError extends CoalitionError {
  declare readonly subject: string
  declare readonly problem: string

  constructor(subject: string, problem: string) {
    super('Bytes.HexError', `${subject}: ${problem}`, { subject, problem })
  }
}

/** A text without a UTF-8 form: `at` is the UTF-16 index of the surrogate that has no partner. */
export class TextError extends CoalitionError {
  declare readonly at: number

  constructor(at: number) {
    super('Bytes.TextError', `lone surrogate at index ${at}`, { at })
  }
}

/** A number that does not fit the field it is written to. */
export class OutOfRangeError extends CoalitionError {
  declare readonly value: bigint | number
  declare readonly bits: number

  constructor(value: bigint | number, bits: number) {
    super('Bytes.OutOfRangeError', `${value} is not an unsigned integer of ${bits} bits`, { value, bits })
  }
}
