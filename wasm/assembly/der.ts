import {
  BOOLEAN_FORM, DEFAULT_WRITTEN, INDEFINITE, INTEGER_FORM, LENGTH_FORM, LENGTH_SIZE, MISSING, NEGATIVE, OID_FORM, OTHER_TAG, OVERRUN,
  TOO_BIG, TRAILING, UNUSED_BITS, WRONG_LENGTH, ZERO,
} from './problems'
import { refuse } from './result'

// DER (ITU-T X.690, 2021): one encoding for each value, so that bytes compare as values do. Every function takes the end of what holds the
// element and reads nothing behind it.

export const BOOLEAN: u32 = 0x01
export const INTEGER: u32 = 0x02
export const BIT_STRING: u32 = 0x03
export const OCTET_STRING: u32 = 0x04
export const OBJECT_ID: u32 = 0x06
export const ENUMERATED: u32 = 0x0a
export const SEQUENCE: u32 = 0x30
export const SET: u32 = 0x31

/** The contents of the element that was opened last, and the byte behind it. */
export let inside: usize = 0
export let after: usize = 0
/** The number that was read last. */
export let value: u32 = 0

/** Opens the element at `at`, which has to have this tag. */
export function open(tag: u32, at: usize, end: usize, path: u32): bool {
  if (at == end) return refuse(MISSING, path, at)
  if (load<u8>(at) != tag) return refuse(OTHER_TAG, path, at)
  return measure(at, end, path)
}

/** X.690 sections 8.1.3 and 10.1. Three bytes of length are more than the core's memory. */
export function measure(at: usize, end: usize, path: u32): bool {
  const lengthAt = at + 1
  if (lengthAt == end) return refuse(OVERRUN, path, lengthAt)
  let length: u32 = load<u8>(lengthAt)
  inside = lengthAt + 1
  if (length >= 0x80) {
    const count = length & 0x7f
    if (count == 0) return refuse(INDEFINITE, path, lengthAt)
    if (count > 3) return refuse(LENGTH_SIZE, path, lengthAt)
    if (<u32>(end - inside) < count) return refuse(OVERRUN, path, lengthAt)
    length = 0
    for (let i: u32 = 0; i < count; i++) length = (length << 8) | load<u8>(inside + i)
    if (length < 0x80 || length >> ((count - 1) << 3) == 0) return refuse(LENGTH_FORM, path, lengthAt)
    inside += count
  }
  if (<u32>(end - inside) < length) return refuse(OVERRUN, path, lengthAt)
  after = inside + length
  return true
}

/** Whether an element ends what holds it. */
export function closed(at: usize, end: usize, path: u32): bool {
  return at == end || refuse(TRAILING, path, at)
}

/** Leaves the end of an element that was read part by part in `after`. */
export function leave(end: usize): bool {
  after = end
  return true
}

/** Opens an element whose contents have exactly `length` bytes. */
export function openExact(tag: u32, length: u32, at: usize, end: usize, path: u32): bool {
  if (!open(tag, at, end, path)) return false
  return <u32>(after - inside) == length || refuse(WRONG_LENGTH, path, at)
}

/** INTEGER or ENUMERATED, X.690 section 8.3.2: no first byte that the second one's sign makes needless. */
export function openInteger(tag: u32, at: usize, end: usize, path: u32): bool {
  return open(tag, at, end, path) && isInteger(path)
}

export function isInteger(path: u32): bool {
  if (inside == after) return refuse(WRONG_LENGTH, path, inside)
  if (inside + 1 == after) return true
  const first: u32 = load<u8>(inside)
  const isSign: bool = load<u8>(inside, 1) >= 0x80 ? first == 0xff : first == 0
  return !isSign || refuse(INTEGER_FORM, path, inside)
}

/** An INTEGER above zero of at most `size` bytes; opened without the zero byte that keeps its first bit from being a sign. */
export function openPositive(size: u32, at: usize, end: usize, path: u32): bool {
  if (!openInteger(INTEGER, at, end, path)) return false
  const first: u32 = load<u8>(inside)
  if (first >= 0x80) return refuse(NEGATIVE, path, inside)
  if (first == 0) {
    if (inside + 1 == after) return refuse(ZERO, path, inside)
    inside++
  }
  return <u32>(after - inside) <= size || refuse(TOO_BIG, path, inside)
}

/** A number from zero to `most`, which is at most 65,535, into `value`. */
export function readNumber(tag: u32, most: u32, at: usize, end: usize, path: u32): bool {
  if (!openInteger(tag, at, end, path)) return false
  if (load<u8>(inside) >= 0x80) return refuse(NEGATIVE, path, inside)
  if (<u32>(after - inside) > 3) return refuse(TOO_BIG, path, inside)
  value = 0
  for (let p = inside; p < after; p++) value = (value << 8) | load<u8>(p)
  return value <= most || refuse(TOO_BIG, path, inside)
}

/** BOOLEAN, X.690 section 11.1, into `value` as 0 or 1. */
export function readBoolean(at: usize, end: usize, path: u32): bool {
  return open(BOOLEAN, at, end, path) && isBoolean(path)
}

export function isBoolean(path: u32): bool {
  if (<u32>(after - inside) != 1) return refuse(WRONG_LENGTH, path, inside)
  const byte: u32 = load<u8>(inside)
  value = byte & 1
  return byte == 0 || byte == 0xff || refuse(BOOLEAN_FORM, path, inside)
}

/** `BOOLEAN DEFAULT FALSE`, X.690 section 11.5: there and true, or not there; `after` is then the byte where it would stand. */
export function readFlag(at: usize, end: usize, path: u32): bool {
  if (at == end || load<u8>(at) != BOOLEAN) {
    value = 0
    after = at
    return true
  }
  if (!readBoolean(at, end, path)) return false
  return value == 1 || refuse(DEFAULT_WRITTEN, path, at)
}

/** OBJECT IDENTIFIER, X.690 section 8.19: each number ends within it and begins with another byte than 80. */
export function openId(at: usize, end: usize, path: u32): bool {
  return open(OBJECT_ID, at, end, path) && isId(path)
}

export function isId(path: u32): bool {
  if (inside == after) return refuse(WRONG_LENGTH, path, inside)
  let isFirst = true
  for (let p = inside; p < after; p++) {
    const byte: u32 = load<u8>(p)
    if (isFirst && byte == 0x80) return refuse(OID_FORM, path, p)
    isFirst = byte < 0x80
  }
  return isFirst || refuse(OID_FORM, path, after - 1)
}

/** BIT STRING, X.690 sections 8.6.2 and 11.2.1, opened behind the count of unused bits, which is left in `value`. */
export function openBits(at: usize, end: usize, path: u32): bool {
  return open(BIT_STRING, at, end, path) && isBits(path)
}

export function isBits(path: u32): bool {
  if (inside == after) return refuse(WRONG_LENGTH, path, inside)
  value = load<u8>(inside)
  if (value > 7 || (value > 0 && inside + 1 == after)) return refuse(UNUSED_BITS, path, inside)
  if (load<u8>(after - 1) & ((1 << value) - 1)) return refuse(UNUSED_BITS, path, after - 1)
  inside++
  return true
}

/** A BIT STRING of whole bytes. */
export function openBytes(at: usize, end: usize, path: u32): bool {
  if (!openBits(at, end, path)) return false
  return value == 0 || refuse(UNUSED_BITS, path, inside - 1)
}

/** Whether the element that was opened last has these contents. */
export function isSame(bytes: usize, length: u32): bool {
  return <u32>(after - inside) == length && beginsWith(bytes, length)
}

/** Whether the element that was opened last, which has as many bytes, begins with these. */
export function beginsWith(bytes: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (load<u8>(inside + i) != load<u8>(bytes + i)) return false
  return true
}
