import { p256 } from '@noble/curves/nist.js'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, fromHex, utf8 } from '../../../client/primitives/bytes.ts'
import type { VerifyEcdsa } from '../../../client/verify/attestation.ts'
import { createEcdsa, type SubtleEcdsa, sha256 } from '../../../client/verify/collateral/index.ts'
import { newKeys } from '../../pki.ts'
import { signature, subtle } from './_pki.ts'

const keys = newKeys()
// The last 65 bytes of a P-256 SubjectPublicKeyInfo are the point (RFC 5480 section 2.2).
const publicKey: Bytes = keys.spki.slice(-65)
const message = utf8('a quote')
const signed = signature(message, keys)
const ORDER = fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

const bigint = (bytes: Bytes): bigint => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
const bytes32 = (value: bigint): Bytes => fromHex(value.toString(16).padStart(64, '0'))
const otherS: Bytes = concat(signed.slice(0, 32), bytes32(bigint(ORDER) - bigint(signed.slice(32))))
const changed = (bytes: Bytes, at: number): Bytes => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

const PORTS: readonly (readonly [name: string, verify: VerifyEcdsa])[] = [
  ['WebCrypto', createEcdsa(subtle)],
  ['the library', createEcdsa(undefined)],
]

describe.each(PORTS)('ECDSA by %s (TDX.md section 2)', (_name, verify) => {
  it('accepts s of either half, as Intel’s real signatures have it', async () => {
    expect(bigint(signed.slice(32))).not.toBe(bigint(otherS.slice(32)))
    expect(await Promise.all([signed, otherS].map((one) => verify(publicKey, one, message)))).toEqual([true, true])
  })

  it.each<readonly [what: string, key: Bytes, signature: Bytes, message: Bytes]>([
    ['another message', publicKey, signed, utf8('a quota')],
    ['another key', newKeys().spki.slice(-65), signed, message],
    ['a changed r', publicKey, changed(signed, 0), message],
    ['a changed s', publicKey, changed(signed, 63), message],
    ['r of zero', publicKey, concat(new Uint8Array(32), signed.slice(32)), message],
    ['s of zero', publicKey, concat(signed.slice(0, 32), new Uint8Array(32)), message],
    ['r of the order', publicKey, concat(ORDER, signed.slice(32)), message],
    ['s of the order', publicKey, concat(signed.slice(0, 32), ORDER), message],
    ['all of ones', publicKey, new Uint8Array(64).fill(255), message],
    ['a signature cut short', publicKey, signed.slice(0, 63), message],
    ['a signature with a byte behind it', publicKey, concat(signed, Uint8Array.of(0)), message],
    ['no signature', publicKey, new Uint8Array(), message],
    ['a point that is not on the curve', changed(publicKey, 64), signed, message],
    ['a point of zeros', concat(Uint8Array.of(4), new Uint8Array(64)), signed, message],
    ['no key', new Uint8Array(), signed, message],
    ['the compressed key', p256.Point.fromBytes(publicKey).toBytes(true) as Bytes, signed, message],
    ['a key of another form', concat(Uint8Array.of(6), publicKey.slice(1)), signed, message],
  ])('says no to %s, and throws nothing', async (_what, key, given, over) => {
    expect(await verify(key, given, over)).toBe(false)
  })

  it('hashes by FIPS 180-4, with a port that has no hash of its own too', async () => {
    const hash = fromHex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    const bare: VerifyEcdsa = (...given) => verify(...given)
    expect(await Promise.all([verify, bare].map((port) => sha256(utf8('abc'), port)))).toEqual([hash, hash])
  })
})

describe('the port', () => {
  it('imports a key once', async () => {
    let imports = 0
    const counted: SubtleEcdsa = {
      importKey: (...given) => {
        imports++
        return subtle.importKey(...given)
      },
      verify: (...given) => subtle.verify(...given),
      digest: (...given) => subtle.digest(...given),
    }
    const verify = createEcdsa(counted)
    expect(await Promise.all([signed, otherS, changed(signed, 9)].map((one) => verify(publicKey, one, message)))).toEqual([
      true,
      true,
      false,
    ])
    expect(imports).toBe(1)
  })

  it('keeps no more keys than it may, and finds them again', async () => {
    const verify = createEcdsa(subtle)
    for (let i = 0; i < 70; i++) await verify(concat(Uint8Array.of(4, i), new Uint8Array(63)), signed, message)
    expect(await verify(publicKey, signed, message)).toBe(true)
  })
})
