import { SEQUENCE, after, closed, inside, open, openPositive } from './der'
import { FIELDS, begin } from './result'
import { RESULT } from './memory'
import { LONE_R, WHOLE } from './paths'

// ECDSA-Sig-Value, RFC 3279 section 2.2.3, of P-256. That r and s lie below the curve's order is left to the verification.

const SIZE: u32 = 32

/** Fields 0 to 15: r ‖ s, 64 bytes as they are, big-endian and filled up with zeros in front. */
export function readSignature(at: usize, length: u32): void {
  begin(at)
  const end = at + length
  if (readPair(0, at, end, WHOLE, LONE_R)) closed(after, end, WHOLE)
}

/** Reads a signature into sixteen fields. The path of r is `r`, that of s the next one. */
export function readPair(field: u32, at: usize, end: usize, path: u32, r: u32): bool {
  const to = RESULT + ((FIELDS + field) << 2)
  if (!open(SEQUENCE, at, end, path)) return false
  const pairEnd = after
  if (!readHalf(to, inside, pairEnd, r) || !readHalf(to + SIZE, after, pairEnd, r + 1)) return false
  return closed(after, pairEnd, path)
}

function readHalf(to: usize, at: usize, end: usize, path: u32): bool {
  if (!openPositive(SIZE, at, end, path)) return false
  const length = after - inside
  memory.fill(to, 0, SIZE)
  memory.copy(to + SIZE - length, inside, length)
  return true
}
