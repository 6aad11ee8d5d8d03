import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { type Bytes, concat, equal, fromHex, toHex } from './bytes.ts'

/** Signature check by the one rule of docs/wire.md section 2; false for whatever is not a valid signature, never a throw. */
export type Verify = (signature: Bytes, message: Bytes, key: Bytes) => Promise<boolean>

/** The part of WebCrypto that a host may offer. */
export interface SubtleVerify {
  importKey(format: 'raw', key: Bytes, algorithm: 'Ed25519', extractable: boolean, usages: ['verify']): Promise<unknown>
  verify(algorithm: 'Ed25519', key: never, signature: Bytes, message: Bytes): Promise<boolean>
}

const { Point } = ed25519
// RFC 8032 section 5.1: field prime and group order, as little-endian bytes, compared without arithmetic.
const P = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
const L = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

// y of the points whose order divides 8, sign bit masked off: (0, 1), (0, −1), order 4, and the two of order 8
// (Chalkias, Garillot, Nikolaenko: Taming the many EdDSAs, table 1). Node 20's WebCrypto accepts them as A and as R.
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
])

const below = (value: Uint8Array, limit: Uint8Array): boolean => {
  for (let i = 31; i >= 0; i--) {
    const difference = (value[i] as number) - (limit[i] as number)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** Why 32 bytes cannot be A or R, or null. Bytes only: the same on every host, whatever its curve code accepts. */
const pointProblem = (encoded: Uint8Array): string | null => {
  const y = encoded.slice(0, 32)
  y[31] = (y[31] as number) & 0x7f
  if (!below(y, P)) return 'is not a canonical encoding'
  return SMALL_ORDER.has(toHex(y)) ? 'is of small order' : null
}

/** How many keys are kept, imported or looked at: a committee has at most 64, a reader follows a few. */
const KEPT_KEYS = 512

const looked = new Map<string, string | null>()

/**
 * Why a key cannot stand in a roster, or null. A key with a torsion component would make cofactored and cofactorless verifiers disagree on
 * one signature. Slow (a scalar multiplication), so what was found is remembered: a config is read, and its roster admitted, for each handle.
 */
export const assertKey = (key: Bytes): string | null => {
  const name = toHex(key)
  const known = looked.get(name)
  if (known !== undefined) return known
  const found = lookAt(key)
  if (looked.size >= KEPT_KEYS) looked.clear()
  looked.set(name, found)
  return found
}

const lookAt = (key: Bytes): string | null => {
  const problem = pointProblem(key)
  if (problem !== null) return problem
  try {
    return Point.fromBytes(key).isTorsionFree() ? null : 'has a torsion component'
  } catch {
    return 'is not a point of the curve'
  }
}

const wellFormed = (signature: Bytes, key: Bytes): boolean =>
  signature.length === 64 &&
  key.length === 32 &&
  below(signature.subarray(32), L) &&
  pointProblem(key) === null &&
  pointProblem(signature.subarray(0, 32)) === null

const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.slice().reverse())}`)

/** sB − kA re-encoded and compared with R: cofactorless, where @noble/curves' own `verify` multiplies the cofactor away. */
const cofactorless = (signature: Bytes, message: Bytes, key: Bytes): boolean => {
  try {
    const r = signature.slice(0, 32)
    const k = littleEndian(sha512(concat(r, key, message))) % Point.Fn.ORDER
    const sB = Point.BASE.multiplyUnsafe(littleEndian(signature.subarray(32)))
    return equal(sB.subtract(Point.fromBytes(key).multiplyUnsafe(k)).toBytes(), r)
  } catch {
    return false
  }
}

/** The rule in @noble/curves alone: the fallback, and what the probe holds WebCrypto against. */
export const verifyWithNoble: Verify = async (signature, message, key) =>
  wellFormed(signature, key) && cofactorless(signature, message, key)

const verifyWithSubtle = (subtle: SubtleVerify): Verify => {
  const keys = new Map<string, Promise<unknown>>()
  return async (signature, message, key) => {
    if (!wellFormed(signature, key)) return false
    const name = toHex(key)
    let imported = keys.get(name)
    if (imported === undefined) {
      if (keys.size >= KEPT_KEYS) keys.clear()
      imported = subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
      keys.set(name, imported)
    }
    // A platform refuses bytes that are no point when it imports them, or when it verifies: both mean "no".
    return imported.then(
      (handle) => subtle.verify('Ed25519', handle as never, signature, message).catch(() => false),
      () => false,
    )
  }
}

// One key with a torsion component and its signature over two messages: 8 divides k in the second only, so the cofactorless
// equation holds for the second only, and a verifier that multiplies by the cofactor accepts both.
const PROBE_KEY = fromHex('14969366174fbb9d27edb3c6896eed8cdf2b09b521c93dfa3374ad38a898f23f')
const PROBES = [
  {
    message: fromHex('0000'),
    signature: fromHex(
      'd2a38c6538f6c11f3f3ec85754978f25e00c2fbb8698736ac2af3fcdef8f0c964946bde67c224478f97197dfcfd4eb2957c921ebd6b2e1e3a341063cbba41b0e',
    ),
    valid: false,
  },
  {
    message: fromHex('0b00'),
    signature: fromHex(
      'd2a38c6538f6c11f3f3ec85754978f25e00c2fbb8698736ac2af3fcdef8f0c96bc8c775ee437f008b29b4a99cebee0b17241bea3720ef7d438d269707d2ada08',
    ),
    valid: true,
  },
] as const

/**
 * The host's signature check: WebCrypto where its equation is the cofactorless one, else @noble/curves (PROTOCOL.md section 1).
 * @param subtle WebCrypto, or undefined where there is none (a page without a secure context)
 */
export const createVerify = async (subtle: SubtleVerify | undefined): Promise<Verify> => {
  if (subtle === undefined) return verifyWithNoble
  const candidate = verifyWithSubtle(subtle)
  for (const { message, signature, valid } of PROBES) if ((await candidate(signature, message, PROBE_KEY)) !== valid) return verifyWithNoble
  return candidate
}
