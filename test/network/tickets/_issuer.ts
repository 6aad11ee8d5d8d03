import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { JwsChecks, JwtKey } from '../../../client/network/tickets/jwt.ts'
import type { Ticket } from '../../../client/network/tickets/ticket.ts'
import { JWT_CLASS } from '../../../client/network/tickets/ticket.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { verifyWithNoble } from '../../../client/primitives/ed25519.ts'

// Writes tickets with node:crypto: nothing of what is tested.

export interface Signer extends JwtKey {
  readonly sign: (data: Buffer) => Buffer
}

const raw = (key: KeyObject): Bytes => {
  const { x = '', y } = key.export({ format: 'jwk' }) as { readonly x?: string; readonly y?: string }
  const [first, second] = [Buffer.from(x, 'base64url'), y === undefined ? null : Buffer.from(y, 'base64url')]
  return new Uint8Array(second === null ? first : Buffer.concat([Buffer.of(4), first, second]))
}

export const signer = (algorithm: JwtKey['algorithm']): Signer => {
  const pair =
    algorithm === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: algorithm === 'ES256' ? 'prime256v1' : 'secp256k1' })
  const hash = algorithm === 'EdDSA' ? null : 'sha256'
  return { algorithm, key: raw(pair.publicKey), sign: (data) => sign(hash, data, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' }) }
}

const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A JWT of any header and claims: text goes in as it is. */
export const token = (header: unknown, claims: unknown, by: Signer): Bytes => {
  const signed = `${part(header)}.${part(claims)}`
  return new Uint8Array(Buffer.from(`${signed}.${by.sign(Buffer.from(signed)).toString('base64url')}`))
}

export const ticket = (data: Bytes): Ticket => ({ class: JWT_CLASS, data })

export const checks: JwsChecks = {
  verify: verifyWithNoble,
  ecdsa: async (key, signature, message) => p256.verify(signature, message, key, { lowS: false }),
  ecdsaK: async (key, signature, message) => secp256k1.verify(signature, message, key, { lowS: false }),
}

export const peerKey = (seed: number): Bytes => new Uint8Array(ed25519.getPublicKey(new Uint8Array(32).fill(seed)))
