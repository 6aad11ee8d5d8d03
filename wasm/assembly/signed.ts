import { INTEGER, SEQUENCE, after, closed, inside, isSame, open, openBytes, openId, openPositive, readNumber, value } from './der'
import * as field from './fields'
import { FIELDS, begin, putRange, refuse } from './result'
import { RESULT } from './memory'
import { ALGORITHM, R, SIGNATURE, TBS, VERSION, WHOLE } from './paths'
import * as problem from './problems'
import { readPair } from './signature'

// What certificates and CRLs share, RFC 5280 sections 4.1.1 and 5.1.1: what is signed, how, and the signature.

// 1.2.840.10045.4.3.2, ecdsa-with-SHA256
const ECDSA_SHA256: usize = memory.data<u8>([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])

const LONGEST_SERIAL: u32 = 20 // RFC 5280 section 4.1.2.2

/** The contents of what is signed. */
export let tbs: usize = 0
export let tbsEnd: usize = 0

/** Begins with the outer SEQUENCE, and with all of `fields` zero: what is optional may stay so. */
export function openSigned(fields: u32, most: u32, at: usize, length: u32): bool {
  begin(at)
  memory.fill(RESULT + (FIELDS << 2), 0, fields << 2)
  if (length > most) return refuse(problem.TOO_LARGE, WHOLE, at)
  const end = at + length
  if (!open(SEQUENCE, at, end, WHOLE) || !closed(after, end, WHOLE)) return false
  const tbsAt = inside
  if (!open(SEQUENCE, tbsAt, end, TBS)) return false
  tbs = inside
  tbsEnd = after
  putRange(field.TBS, tbsAt, <u32>(after - tbsAt))
  if (!readAlgorithm(after, end, ALGORITHM)) return false
  if (!openBytes(after, end, SIGNATURE) || !closed(after, end, SIGNATURE)) return false
  putRange(field.SIGNATURE, inside, <u32>(after - inside))
  return readPair(field.PAIR, inside, end, SIGNATURE, R) && closed(after, end, SIGNATURE)
}

/** ECDSA with SHA-256 and no parameters, RFC 5758 section 3.2. The one algorithm makes the inner and the outer one equal. */
export function readAlgorithm(at: usize, end: usize, path: u32): bool {
  if (!open(SEQUENCE, at, end, path)) return false
  const algorithmEnd = after
  if (!openId(inside, algorithmEnd, path)) return false
  if (!isSame(ECDSA_SHA256, 8)) return refuse(problem.ALGORITHM, path, inside)
  return closed(after, algorithmEnd, path)
}

export function readVersion(version: u32, at: usize, end: usize): bool {
  if (!readNumber(INTEGER, 0xffff, at, end, VERSION)) return false
  return value == version || refuse(problem.VERSION, VERSION, inside)
}

/** A certificate's serial number, here or in a CRL, opened without the byte that keeps it positive. */
export function openSerial(at: usize, end: usize, path: u32): bool {
  return openPositive(LONGEST_SERIAL, at, end, path)
}
