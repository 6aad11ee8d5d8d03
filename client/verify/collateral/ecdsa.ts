import { sha256 as hash } from '@noble/hashes/sha2.js'
import { type Bytes, toHex } from '../../primitives/bytes.ts'
import type { VerifyEcdsa } from '../attestation.ts'

/**
 * SHA-256: 32 bytes. The library's and not WebCrypto's: what is hashed here (a SubjectPublicKeyInfo, a key with its authentication data)
 * has a hundred bytes, which take 5 µs, and a promise of WebCrypto takes longer.
 */
export const sha256 = (bytes: Bytes): Bytes => hash(bytes) as Bytes

/** The part of WebCrypto that a host may offer. */
export interface SubtleEcdsa {
  importKey(
    format: 'raw',
    key: Bytes,
    algorithm: { readonly name: 'ECDSA'; readonly namedCurve: 'P-256' },
    extractable: boolean,
    usages: ['verify'],
  ): Promise<unknown>
  verify(algorithm: { readonly name: 'ECDSA'; readonly hash: 'SHA-256' }, key: never, signature: Bytes, message: Bytes): Promise<boolean>
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const
const ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' } as const

/** How many imported keys are kept: those of Intel's few authorities and of the platforms that are looked at in one sitting. */
const KEPT_KEYS = 64

/**
 * The host's check of ECDSA signatures: WebCrypto, or the library where there is none. Calls run side by side: start them all, then wait.
 * To be made once: it keeps the keys that it imported.
 *
 * @param subtle WebCrypto, or undefined where there is none (a page without a secure context)
 */
export const createEcdsa = (subtle: SubtleEcdsa | undefined): VerifyEcdsa => {
  const verify = subtle === undefined ? verifyWithNoble : verifyWithSubtle(subtle)
  return async (publicKey, signature, message) => isWellFormed(publicKey, signature) && verify(publicKey, signature, message)
}

// Compressed points are no keys here, and a host might take them, or a signature that is too long.
const isWellFormed = (publicKey: Bytes, signature: Bytes): boolean =>
  publicKey.length === 65 && publicKey[0] === 0x04 && signature.length === 64

/** 23 of 56 real signatures of Intel's have the higher s, which noble refuses by default and X9.62 does not (TDX.md section 2). */
const verifyWithNoble: VerifyEcdsa = async (publicKey, signature, message) => {
  // Fetched where it is needed: every page with a secure context has WebCrypto.
  const { p256 } = await import('@noble/curves/nist.js')
  try {
    return p256.verify(signature, message, publicKey, { lowS: false, prehash: true })
  } catch {
    return false
  }
}

const verifyWithSubtle = (subtle: SubtleEcdsa): VerifyEcdsa => {
  const keys = new Map<string, Promise<unknown>>()
  return async (publicKey, signature, message) => {
    const name = toHex(publicKey)
    let imported = keys.get(name)
    if (imported === undefined) {
      if (keys.size >= KEPT_KEYS) keys.clear()
      imported = subtle.importKey('raw', publicKey, CURVE, false, ['verify'])
      keys.set(name, imported)
    }
    // A platform refuses bytes that are no point when it imports them, or when it verifies: both mean "no".
    return imported.then(
      (key) => subtle.verify(ALGORITHM, key as never, signature, message).catch(() => false),
      () => false,
    )
  }
}
