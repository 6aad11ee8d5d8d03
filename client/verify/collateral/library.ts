import { p256 } from '@noble/curves/nist.js'
import { sha256 as hash } from '@noble/hashes/sha2.js'
import type { Bytes } from '../../primitives/bytes.ts'
import type { VerifyEcdsa } from '../attestation.ts'

// What stands in for WebCrypto, in a file of its own: it is imported when it is needed, and an import that is no statement keeps all that the
// imported file has, which of the curves' own is thirty kilobytes.

/** SHA-256: 32 bytes. */
export const sha256 = (message: Bytes): Bytes => hash(message) as Bytes

/** 23 of 56 real signatures of Intel's have the higher s, which noble refuses by default and X9.62 does not (TDX.md section 2). */
export const verifyWithNoble: VerifyEcdsa = async (publicKey, signature, message) => {
  try {
    return p256.verify(signature, message, publicKey, { lowS: false, prehash: true })
  } catch {
    return false
  }
}
