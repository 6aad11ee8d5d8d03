import {
  BIT_STRING, BOOLEAN, ENUMERATED, INTEGER, OBJECT_ID, SEQUENCE, SET, after, closed, inside, isBits, isBoolean, isId, isInteger, measure,
} from './der'
import { MISSING, TAG_FORM, TOO_DEEP } from './problems'
import { refuse } from './result'

// Elements that are not read further, and still have to be DER.

const CONSTRUCTED: u32 = 0x20
const LAST_UNIVERSAL: u32 = 0x3f // with the constructed bit; classes 1 to 3 lie above
const MAX_DEPTH: u32 = 12 // a call each

/** Whether `at` to `end` holds one element and nothing but DER in it. */
export function isElement(at: usize, end: usize, path: u32): bool {
  if (at == end) return refuse(MISSING, path, at)
  if (!measure(at, end, path)) return false
  return closed(after, end, path) && areElements(at, end, 0, path)
}

function areElements(at: usize, end: usize, depth: u32, path: u32): bool {
  if (depth == MAX_DEPTH && at < end) return refuse(TOO_DEEP, path, at)
  while (at < end) {
    if (!measure(at, end, path)) return false
    const next = after
    if (!isKnownForm(load<u8>(at), at, path)) return false
    if (load<u8>(at) & CONSTRUCTED && !areElements(inside, next, depth + 1, path)) return false
    at = next
  }
  return true
}

/** Tags of one byte, no strings in pieces (X.690 section 10.2), and primitives in their one form. */
function isKnownForm(tag: u32, at: usize, path: u32): bool {
  if ((tag & 0x1f) == 0x1f || tag == 0) return refuse(TAG_FORM, path, at)
  if (tag > LAST_UNIVERSAL || tag == SEQUENCE || tag == SET) return true
  if (tag & CONSTRUCTED) return refuse(TAG_FORM, path, at)
  if (tag == BOOLEAN) return isBoolean(path)
  if (tag == INTEGER || tag == ENUMERATED) return isInteger(path)
  if (tag == OBJECT_ID) return isId(path)
  return tag != BIT_STRING || isBits(path)
}
