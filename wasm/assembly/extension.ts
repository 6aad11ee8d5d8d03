import { isElement } from './any'
import { OBJECT_ID, OCTET_STRING, SEQUENCE, after, closed, inside, isSame, open, openId, readFlag, value } from './der'
import { CRITICAL, DUPLICATE, TOO_MANY } from './problems'
import { refuse } from './result'

// Extension, RFC 5280 section 4.2.

// Certificates and CRLs of Intel have at most seven. Each is looked for among those before it.
const MOST: u32 = 32

/** The extension that was opened last: where it begins and ends, its id, and what its OCTET STRING holds. */
export let start: usize = 0
export let next: usize = 0
export let id: usize = 0
export let idLength: u32 = 0
export let isCritical: bool = false
export let contents: usize = 0
export let contentsEnd: usize = 0

/** Opens the extension at `at`, of those that begin at `first`. */
export function openExtension(first: usize, at: usize, end: usize, path: u32): bool {
  if (!open(SEQUENCE, at, end, path)) return false
  start = at
  next = after
  if (!openId(inside, next, path)) return false
  const flagAt = after
  id = inside
  idLength = <u32>(after - inside)
  if (!isNew(first, path)) return false
  if (!readFlag(flagAt, next, path)) return false
  isCritical = value == 1
  if (!open(OCTET_STRING, after, next, path) || !closed(after, next, path)) return false
  contents = inside
  contentsEnd = after
  return true
}

/** RFC 5280 section 4.2: not more than one of a kind. */
function isNew(first: usize, path: u32): bool {
  let count: u32 = 0
  let at = first
  while (at < start) {
    count++
    open(SEQUENCE, at, start, path)
    at = after
    open(OBJECT_ID, inside, after, path)
    if (isSame(id, idLength)) return refuse(DUPLICATE, path, start)
  }
  return count < MOST || refuse(TOO_MANY, path, start)
}

/** The extension that was opened last is not one of those that are read: it may not be critical, and has to hold DER (section 4.2). */
export function passOver(path: u32): bool {
  if (isCritical) return refuse(CRITICAL, path, start)
  return isElement(contents, contentsEnd, path)
}

/** Extensions none of which is read. */
export function passOverAll(at: usize, end: usize, path: u32): bool {
  if (!open(SEQUENCE, at, end, path)) return false
  const listEnd = after
  const first = inside
  next = first
  do {
    if (!openExtension(first, next, listEnd, path) || !passOver(path)) return false
  } while (next < listEnd)
  return closed(listEnd, end, path)
}
