import { type Bytes, concat, utf8 } from '../../client/primitives/bytes.ts'

// DER (X.690) as tests write it. Nothing is checked: a test may put together what no reader takes.

/** An element; its length in the shortest form. */
export const tlv = (tag: number, ...parts: readonly Bytes[]): Bytes => {
  const contents = concat(...parts)
  return concat(Uint8Array.of(tag, ...lengthBytes(contents.length)), contents)
}

const lengthBytes = (length: number): readonly number[] => {
  if (length < 0x80) return [length]
  const bytes = bytesOf(BigInt(length))
  return [0x80 | bytes.length, ...bytes]
}

const bytesOf = (value: bigint): number[] => (value === 0n ? [] : [...bytesOf(value >> 8n), Number(value & 0xffn)])

export const sequence = (...parts: readonly Bytes[]): Bytes => tlv(0x30, ...parts)
export const set = (...parts: readonly Bytes[]): Bytes => tlv(0x31, ...parts)
export const octets = (...parts: readonly Bytes[]): Bytes => tlv(0x04, ...parts)
export const bits = (bytes: Bytes, unused = 0): Bytes => tlv(0x03, Uint8Array.of(unused), bytes)
export const boolean = (value: boolean): Bytes => tlv(0x01, Uint8Array.of(value ? 0xff : 0))
export const enumerated = (value: number): Bytes => tlv(0x0a, Uint8Array.of(value))
export const utf8String = (text: string): Bytes => tlv(0x0c, utf8(text))
export const printableString = (text: string): Bytes => tlv(0x13, utf8(text))
/** `[number] EXPLICIT` */
export const explicit = (number: number, ...parts: readonly Bytes[]): Bytes => tlv(0xa0 | number, ...parts)

/** A number, or the bytes of one, big-endian and positive: a zero byte goes in front where the first bit is set. */
export const integer = (value: number | bigint | Bytes): Bytes => {
  const bytes = value instanceof Uint8Array ? [...value] : bytesOf(BigInt(value))
  const from = bytes.findIndex((byte) => byte !== 0)
  const magnitude = from < 0 ? [0] : bytes.slice(from)
  return tlv(0x02, Uint8Array.from((magnitude[0] as number) >= 0x80 ? [0, ...magnitude] : magnitude))
}

export const objectId = (dotted: string): Bytes => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tlv(0x06, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)))
}

const base128 = (value: number): number[] => {
  const digits = [value & 0x7f]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | (rest % 128))
  return digits
}

/** RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime after it. */
export const time = (seconds: number): Bytes => {
  const digits = `${new Date(seconds * 1000).toISOString().replace(/\D/g, '').slice(0, 14)}Z`
  return Number(digits.slice(0, 4)) < 2050 ? utcTime(digits.slice(2)) : generalizedTime(digits)
}
export const utcTime = (text: string): Bytes => tlv(0x17, utf8(text))
export const generalizedTime = (text: string): Bytes => tlv(0x18, utf8(text))
