import { SEQUENCE, after, closed, inside, leave, open } from './der'
import { passOverAll } from './extension'
import * as field from './fields'
import { DIGESTS } from './memory'
import { readName } from './name'
import * as path from './paths'
import { TOO_MANY } from './problems'
import { put, refuse } from './result'
import { openSerial, openSigned, readAlgorithm, readVersion, tbs, tbsEnd } from './signed'
import { isTime, readTime } from './time'

// Certificate revocation lists of version 2, RFC 5280 section 5.1. Neither partial nor indirect ones: their extensions are critical.

const LARGEST: u32 = 0x50000 // all of INPUT
const V2: u32 = 1
const MOST_REVOKED: u32 = 0x4000 // what DIGESTS holds; an entry of 20 bytes, the shortest, fills INPUT as often

let origin: usize = 0
let revoked: u32 = 0

/** Its fields are those of `fields.ts`. */
export function readCrl(at: usize, length: u32): void {
  if (!openSigned(field.CRL_FIELDS, LARGEST, at, length)) return
  origin = at
  revoked = 0
  const end = tbsEnd
  const isRead = readVersion(V2, tbs, end)
    && readAlgorithm(after, end, path.TBS_ALGORITHM)
    && readName(field.CRL_ISSUER, after, end, path.ISSUER)
    && readTime(field.THIS_UPDATE, after, end, path.THIS_UPDATE)
    && readTime(field.NEXT_UPDATE, after, end, path.NEXT_UPDATE)
    && readRevoked(after, end)
    && readExtensions(after, end)
  if (isRead) put(field.REVOKED, revoked)
}

/** Not there where none is revoked (section 5.1.2.6). */
function readRevoked(at: usize, end: usize): bool {
  if (at == end || load<u8>(at) != SEQUENCE) return true
  if (!open(SEQUENCE, at, end, path.REVOKED)) return false
  const listEnd = after
  let p = inside
  do {
    if (!readEntry(p, listEnd)) return false
    p = after
  } while (p < listEnd)
  return true
}

function readEntry(at: usize, end: usize): bool {
  if (revoked == MOST_REVOKED) return refuse(TOO_MANY, path.REVOKED, at)
  if (!open(SEQUENCE, at, end, path.REVOKED)) return false
  const entryEnd = after
  if (!openSerial(inside, entryEnd, path.REVOKED_SERIAL)) return false
  const to = DIGESTS + (revoked << 3)
  store<u32>(to, <u32>(inside - origin))
  store<u32>(to, <u32>(after - inside), 4)
  revoked++
  if (!isTime(after, entryEnd, path.REVOKED_DATE)) return false
  if (after < entryEnd && !passOverAll(after, entryEnd, path.REVOKED_EXTENSIONS)) return false
  return leave(entryEnd)
}

/** [0] EXPLICIT, the last part. */
function readExtensions(at: usize, end: usize): bool {
  if (at == end) return true
  if (!open(0xa0, at, end, path.CRL_EXTENSIONS) || !closed(after, end, path.CRL_EXTENSIONS)) return false
  return passOverAll(inside, end, path.CRL_EXTENSIONS)
}
