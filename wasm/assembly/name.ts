import { SEQUENCE, SET, after, closed, inside, leave, open, openId } from './der'
import { COMMON_NAMES, OTHER_TAG, SEVERAL_VALUES, STRING_FORM } from './problems'
import { putRange, refuse } from './result'

// Name, RFC 5280 section 4.1.2.4, with one attribute in each part. Names are compared as bytes: CAs repeat their own to the byte.

const UTF8_STRING: u32 = 0x0c
const PRINTABLE_STRING: u32 = 0x13
const IA5_STRING: u32 = 0x16
const LONGEST_COMMON_NAME: u32 = 64 // ub-common-name, RFC 5280 appendix A.1

let commonNames: u32 = 0

/** Reads a Name into four fields: its own range and that of its one common name's text. Its end is left in `after`. */
export function readName(field: u32, at: usize, end: usize, path: u32): bool {
  if (!open(SEQUENCE, at, end, path)) return false
  const nameEnd = after
  commonNames = 0
  for (let p = inside; p < nameEnd; p = after) if (!readAttribute(field + 2, p, nameEnd, path)) return false
  if (commonNames == 0) return refuse(COMMON_NAMES, path, at)
  putRange(field, at, <u32>(nameEnd - at))
  return leave(nameEnd)
}

function readAttribute(field: u32, at: usize, end: usize, path: u32): bool {
  if (!open(SET, at, end, path)) return false
  const setEnd = after
  if (!open(SEQUENCE, inside, setEnd, path)) return false
  if (after != setEnd) return refuse(SEVERAL_VALUES, path, after)
  if (!openId(inside, setEnd, path)) return false
  const isCommonName = isCommonNameId()
  const textAt = after
  const tag: u32 = textAt < setEnd ? load<u8>(textAt) : UTF8_STRING
  const isText = tag == UTF8_STRING || tag == PRINTABLE_STRING || (tag == IA5_STRING && !isCommonName)
  if (!isText) return refuse(OTHER_TAG, path, textAt)
  if (!open(tag, textAt, setEnd, path) || !closed(after, setEnd, path)) return false
  if (!isCommonName) return true
  commonNames++
  if (commonNames > 1) return refuse(COMMON_NAMES, path, at)
  return readCommonName(field, path)
}

/** 2.5.4.3 */
function isCommonNameId(): bool {
  return after - inside == 3 && load<u16>(inside) == 0x0455 && load<u8>(inside, 2) == 3
}

/** ASCII alone: what is compared with Intel's names has no look-alikes. */
function readCommonName(field: u32, path: u32): bool {
  const length = <u32>(after - inside)
  if (length == 0 || length > LONGEST_COMMON_NAME) return refuse(STRING_FORM, path, inside)
  for (let p = inside; p < after; p++) if (<u32>load<u8>(p) - 0x20 > 0x5e) return refuse(STRING_FORM, path, p)
  putRange(field, inside, length)
  return true
}
