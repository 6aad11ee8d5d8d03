import { type Bytes, toHex } from '../../primitives/bytes.ts'
import type { VerifyEcdsa } from '../attestation.ts'

/** The part of WebCrypto that a host may offer. */
export interface SubtleEcdsa {
  digest(algorithm: 'SHA-256', message: Bytes): Promise<ArrayBuffer>
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
  const verify = subtle === undefined ? verifyWithLibrary : verifyWithSubtle(subtle)
  const port: VerifyEcdsa = async (publicKey, signature, message) =>
    isWellFormed(publicKey, signature) && verify(publicKey, signature, message)
  return subtle === undefined
    ? port
    : Object.assign(port, { sha256: async (message: Bytes) => new Uint8Array(await subtle.digest('SHA-256', message)) })
}

/** SHA-256: 32 bytes, by the host. A page that has WebCrypto never loads the library's. */
export const sha256 = (message: Bytes, { sha256 = hashWithLibrary }: VerifyEcdsa): Promise<Bytes> => sha256(message)

const hashWithLibrary = async (message: Bytes): Promise<Bytes> => (await import('./library.ts')).sha256(message)

// Compressed points are no keys here, and a host might take them, or a signature that is too long.
const isWellFormed = (publicKey: Bytes, signature: Bytes): boolean =>
  publicKey.length === 65 && publicKey[0] === 0x04 && signature.length === 64

// Fetched where it is needed: every page with a secure context has WebCrypto.
const verifyWithLibrary: VerifyEcdsa = async (...signed) => (await import('./library.ts')).verifyWithNoble(...signed)

const verifyWithSubtle = (subtle: SubtleEcdsa): VerifyEcdsa => {
  const keys = new Map<string, Promise<unknown>>()
  return async (publicKey, signature, message) => {
    try {
      const key = await keep(keys, KEPT_KEYS, toHex(publicKey), () => subtle.importKey('raw', publicKey, CURVE, false, ['verify']))
      return await subtle.verify(ALGORITHM, key as never, signature, message)
    } catch {
      // A platform refuses bytes that are no point when it imports them, or when it verifies: both mean "no".
      return false
    }
  }
}

/** What a map has by that name, or what is made for it now. One that is full is emptied; what fails, or comes to nothing, is forgotten. */
export const keep = <T>(kept: Map<string, Promise<T>>, most: number, name: string, make: () => Promise<T>): Promise<T> => {
  const known = kept.get(name)
  if (known) return known
  if (kept.size >= most) kept.clear()
  const made = make()
  kept.set(name, made)
  const forget = (): void => {
    if (kept.get(name) === made) kept.delete(name)
  }
  made.then((found) => found || forget(), forget)
  return made
}
