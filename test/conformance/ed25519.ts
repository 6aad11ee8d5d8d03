// docs/wire.md, section 2, "Ed25519, one rule", and which keys a roster admits. Curve addition is @noble/curves; everything above
// it (scalar multiplication, the checks on bytes, the equation, signing) is spelled out here.

import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { Refused } from './bcs.ts'
import { at, type Bytes, compare, fromLittle, hex, join, little, unhex } from './hash.ts'

export type Point = typeof ed25519.Point.BASE

/** The field prime and the order of the base point. */
export const P = 2n ** 255n - 19n
export const L = 2n ** 252n + 27742317777372353535851937790883648493n

export const BASE: Point = ed25519.Point.BASE
const NEUTRAL: Point = ed25519.Point.ZERO

/** Double and add, from the lowest bit. Takes any k ≥ 0, also one that is not below L, and any point, also one with torsion. */
export function times(k: bigint, point: Point): Point {
  let sum = NEUTRAL
  let power = point
  for (let rest = k; rest > 0n; rest /= 2n) {
    if (rest % 2n === 1n) sum = sum.add(power)
    power = power.double()
  }
  return sum
}

/** One of the four points of order 8; its eight multiples are the small-order points. */
export const TORSION: Point = ed25519.Point.fromBytes(unhex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'))

const withoutSign = (key: Bytes): Bytes => Uint8Array.from(key, (byte, i) => (i === 31 ? byte & 127 : byte))

/** y of the eight small-order points: five values. */
const SMALL_Y: string[] = []
for (let i = 0n; i < 8n; i++) {
  const y = hex(withoutSign(times(i, TORSION).toBytes()))
  if (!SMALL_Y.includes(y)) SMALL_Y.push(y)
}

/**
 * Why these 32 bytes are refused before any curve arithmetic, or null.
 *
 * y is compared with bit 255 masked off. That covers two encodings that are among the eight of no small-order point and whose y is
 * below p: x = 0 with the sign bit set (01 00…80 and ec ff…ff). A library that accepts them would read a small-order point.
 */
export function refusedBytes(key: Bytes): string | null {
  if (key.length !== 32) return 'length'
  if (fromLittle(withoutSign(key)) >= P) return 'not-canonical'
  if (SMALL_Y.includes(hex(withoutSign(key)))) return 'small-order'
  return null
}

/** The point of an encoding that `refusedBytes` let pass, or null if y is on no point of the curve. */
function pointOf(key: Bytes): Point | null {
  try {
    return ed25519.Point.fromBytes(key)
  } catch {
    return null
  }
}

const challenge = (R: Bytes, A: Bytes, message: Bytes): bigint => fromLittle(sha512(join(R, A, message))) % L

/** The one rule. Returns why a signature is refused, or null if it is valid. */
export function refusedSignature(A: Bytes, message: Bytes, signature: Bytes): string | null {
  if (signature.length !== 64) return 'length'
  const R = signature.slice(0, 32)
  const s = fromLittle(signature.slice(32))
  if (s >= L) return 's-not-below-L'
  const badKey = refusedBytes(A)
  if (badKey !== null) return `A-${badKey}`
  const badR = refusedBytes(R)
  if (badR !== null) return `R-${badR}`
  const pointA = pointOf(A)
  const pointR = pointOf(R)
  if (pointA === null || pointR === null) return 'not-a-point'
  const right = pointR.add(times(challenge(R, A, message), pointA))
  return times(s, BASE).equals(right) ? null : 'equation'
}

export const verify = (A: Bytes, message: Bytes, signature: Bytes): boolean => refusedSignature(A, message, signature) === null

/** What a lenient verifier with the cofactored equation and no checks on bytes says: only to show in the vectors where it differs. */
export function cofactored(A: Bytes, message: Bytes, signature: Bytes): boolean {
  const R = signature.slice(0, 32)
  try {
    const pointA = ed25519.Point.fromBytes(A, true)
    const pointR = ed25519.Point.fromBytes(R, true)
    const right = pointR.add(times(challenge(R, A, message), pointA))
    return times(8n * fromLittle(signature.slice(32)), BASE).equals(times(8n, right))
  } catch {
    return false
  }
}

/** What a roster asks of a key: a canonical encoding of a point of the prime-order group, other than the neutral one. */
export function checkKey(key: Bytes): void {
  const bad = refusedBytes(key)
  if (bad !== null) throw new Refused(`key-${bad}`, hex(key))
  const point = pointOf(key)
  if (point === null) throw new Refused('key-not-a-point', hex(key))
  if (!times(L, point).equals(NEUTRAL)) throw new Refused('key-torsion', hex(key))
}

// --- signing (RFC 8032, 5.1.5 and 5.1.6), from a 32-byte seed

export interface Key {
  seed: Bytes
  /** The clamped scalar. */
  scalar: bigint
  /** The second half of SHA-512(seed): makes the nonce. */
  prefix: Bytes
  public: Bytes
}

export function keyOf(seed: Bytes): Key {
  const digest = sha512(seed)
  const low = Uint8Array.from(digest.slice(0, 32), (byte, i) => (i === 0 ? byte & 248 : i === 31 ? (byte & 63) | 64 : byte))
  const scalar = fromLittle(low)
  return { seed, scalar, prefix: digest.slice(32), public: times(scalar, BASE).toBytes() }
}

export function sign(key: Key, message: Bytes): Bytes {
  const r = fromLittle(sha512(join(key.prefix, message))) % L
  return signWith(r, times(r, BASE).toBytes(), key.public, key.scalar, message)
}

/** s = r + ka, for whatever encodings of R and A: also how the edge cases are made. */
export function signWith(r: bigint, R: Bytes, A: Bytes, a: bigint, message: Bytes): Bytes {
  return join(R, little((r + challenge(R, A, message) * a) % L, 32))
}

export const challengeOf = challenge

/** The eight canonical encodings, in byte order, for the vectors. */
export const SMALL_ORDER: Bytes[] = Array.from({ length: 8 }, (_, i) => times(BigInt(i), TORSION).toBytes()).sort(compare)
if (SMALL_ORDER.length !== 8 || SMALL_Y.length !== 5 || hex(at(SMALL_ORDER, 0)) !== '00'.repeat(32)) throw new Error('torsion group')
