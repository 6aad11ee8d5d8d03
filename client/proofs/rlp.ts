import { CoalitionError } from '../error.ts'
import { type Bytes, concat } from '../primitives/bytes.ts'

// Our own reader and not @ethereumjs/rlp 10.1: that one takes empty input for an empty string, and nested lists of 150 kB, a size that a
// proof may have, cost it 2.5 s before the stack overflows. Here depth and count are bounded and nothing is copied or built below the
// first level. Form: Ethereum yellow paper, appendix B.

/** One item of a list. `raw` is its whole encoding, `payload` what stands in it; both are views of the input. */
export interface RlpField {
  readonly list: boolean
  readonly payload: Bytes
  readonly raw: Bytes
}

/** Most bytes of input, items of the outer list, and lists within one another (the outer one is the first). */
export interface RlpLimits {
  readonly bytes: number
  readonly items: number
  readonly depth: number
}

/**
 * The items of a list that fills `input`. All of it is checked, down to the innermost list: shortest lengths only, nothing past the end of
 * a list, nothing after the last byte. So the list has this encoding and no other.
 *
 * @param subject what the bytes are meant to be, for the error
 * @throws RlpError
 */
export const readList = (subject: string, input: Bytes, limits: RlpLimits): readonly RlpField[] => {
  if (input.length > limits.bytes) throw new RlpError(subject, 0, `longer than ${limits.bytes} bytes`)
  const outer = headAt(subject, input, 0, input.length)
  if (!outer.list) throw new RlpError(subject, 0, 'not a list')
  if (outer.end !== input.length) throw new RlpError(subject, outer.end, 'bytes after the list')
  const fields: RlpField[] = []
  for (let at = outer.start; at < outer.end; ) {
    if (fields.length === limits.items) throw new RlpError(subject, at, `more than ${limits.items} items`)
    const { list, start, end } = headAt(subject, input, at, outer.end)
    if (list) check(subject, input, at, start, end, limits.depth - 1)
    fields.push({ list, payload: input.subarray(start, end), raw: input.subarray(at, end) })
    at = end
  }
  return fields
}

/** A field's bytes, copied. @throws RlpError when it is a list or not of one of the lengths given */
export const bytesOf = (subject: string, field: RlpField | undefined, ...lengths: readonly number[]): Bytes => {
  if (field === undefined || field.list) throw new RlpError(subject, 0, 'not a byte string')
  const { payload } = field
  if (lengths.length > 0 && !lengths.includes(payload.length)) {
    throw new RlpError(subject, 0, `expected ${lengths.join(' or ')} bytes, found ${payload.length}`)
  }
  return new Uint8Array(payload)
}

/** A field's unsigned integer: most significant byte first, no zero before it. @throws RlpError for more than `most` bytes */
export const integerOf = (subject: string, field: RlpField | undefined, most: number): bigint => {
  const bytes = bytesOf(subject, field)
  if (bytes.length > most) throw new RlpError(subject, 0, `an integer longer than ${most} bytes`)
  if (bytes[0] === 0) throw new RlpError(subject, 0, 'an integer with a leading zero')
  return bytes.reduce((n, byte) => (n << 8n) | BigInt(byte), 0n)
}

/** The encoding of a byte string. */
export const encodeBytes = (value: Bytes): Bytes =>
  value.length === 1 && (value[0] as number) < 0x80 ? value : concat(prefix(0x80, value.length), value)

/** The encoding of an integer ≥ 0 as a byte string: zero is the empty one. */
export const encodeInteger = (value: bigint | number): Bytes => encodeBytes(Uint8Array.from(digits(BigInt(value))))

/** The encoding of a list whose items are encoded already. */
export const encodeList = (items: readonly Bytes[]): Bytes => {
  const payload = concat(...items)
  return concat(prefix(0xc0, payload.length), payload)
}

// Up to 55 bytes the length stands in the first byte, above it follows in as few bytes as it needs.
const prefix = (base: number, length: number): Bytes => {
  if (length < 56) return Uint8Array.of(base + length)
  const size = digits(BigInt(length))
  return Uint8Array.of(base + 55 + size.length, ...size)
}

const digits = (value: bigint): number[] => {
  const found: number[] = []
  for (let rest = value; rest > 0n; rest >>= 8n) found.unshift(Number(rest & 0xffn))
  return found
}

interface Head {
  readonly list: boolean
  readonly start: number
  readonly end: number
}

// The item that begins at `at`, which must end by `end`.
const headAt = (subject: string, input: Bytes, at: number, end: number): Head => {
  const first = input[at]
  if (first === undefined) throw new RlpError(subject, at, 'ends where an item is due')
  if (first < 0x80) return { list: false, start: at, end: at + 1 }
  const list = first >= 0xc0
  const short = first - (list ? 0xc0 : 0x80)
  const width = Math.max(0, short - 55)
  const start = at + 1 + width
  const length = width === 0 ? short : longLength(subject, input, at, start, end)
  if (start + length > end) throw new RlpError(subject, at, `${length} bytes where ${Math.max(0, end - start)} are left`)
  if (!list && length === 1 && (input[start] as number) < 0x80) throw new RlpError(subject, at, 'a prefix before a byte that needs none')
  return { list, start, end: start + length }
}

const longLength = (subject: string, input: Bytes, at: number, start: number, end: number): number => {
  if (start > end) throw new RlpError(subject, at, 'ends within a length')
  let length = 0
  // Eight bytes do not fit a double exactly; such a length is past any input and refused for that.
  for (let i = at + 1; i < start; i++) length = length * 256 + (input[i] as number)
  if (input[at + 1] === 0 || length < 56) throw new RlpError(subject, at, 'a length not in its shortest form')
  return length
}

// Nothing is kept of inner lists. They are walked because a form refused only when somebody reads it would differ between readers.
const check = (subject: string, input: Bytes, at: number, from: number, to: number, depth: number): void => {
  if (depth <= 0) throw new RlpError(subject, at, 'lists too deep')
  for (let next = from; next < to; ) {
    const { list, start, end } = headAt(subject, input, next, to)
    if (list) check(subject, input, next, start, end, depth - 1)
    next = end
  }
}

/** Bytes that are not the RLP they should be; `offset` counts within `subject`. */
export class RlpError extends CoalitionError {
  declare readonly subject: string
  declare readonly offset: number
  declare readonly problem: string

  constructor(subject: string, offset: number, problem: string) {
    super('Proof.RlpError', `${subject}, offset ${offset}: ${problem}`, { subject, offset, problem })
  }
}
