import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Bytes, fromHex, toHex } from '../../client/primitives/bytes.ts'
import { type Certificate, readCertificate } from '../../wasm/certificate.ts'
import * as pki from '../pki.ts'
import * as der from './_der-writer.ts'
import { placeOf } from './_refusal.ts'
import { corpus } from './_tdx-corpus.ts'

const [NOT_BEFORE, NOT_AFTER] = [1_700_000_000, 1_900_000_000]
const keys = pki.newKeys()
const ca = pki.newKeys()
const issuer = pki.name('Test PCK Platform CA')
const subject = pki.name('Test PCK Certificate')
const validity = pki.validity(NOT_BEFORE, NOT_AFTER)

const certificate = (parts: Partial<pki.CertificateParts> = {}): Bytes =>
  pki.certificate(ca, { issuer, subject, validity, spki: keys.spki, ...parts })
const withExtension = (...extensions: readonly Bytes[]): Bytes => certificate({ extensions })

describe('a certificate', () => {
  const serial = fromHex('d52864cbb1cefa9de768485947ebdc026799b496')
  const extensions = [
    ...pki.keyIdentifiers(serial),
    pki.SIGNER_USAGE,
    pki.basicConstraints(false),
    pki.sgxExtension(pki.sgxItems(pki.PLATFORM)),
  ]
  const bytes = certificate({ serial: der.integer(serial), extensions })
  const read = readCertificate(bytes)

  it('has its parts', () => {
    expect(read).toMatchObject({ serial, notBefore: NOT_BEFORE, notAfter: NOT_AFTER, spki: keys.spki, publicKey: keys.spki.slice(-65) })
    expect(read.issuer).toEqual({ der: issuer, commonName: 'Test PCK Platform CA' })
    expect(read.subject).toEqual({ der: subject, commonName: 'Test PCK Certificate' })
    expect(read.basicConstraints).toEqual({ isCa: false, pathLength: null })
    expect(read.keyUsage).toBe(0b11)
    expect(placeOf(bytes, read.tbs)).toBe(4)
  })

  it('has what Intel says of the platform', () => {
    const { instanceId, components, configuration, ...rest } = pki.PLATFORM
    expect(read.sgx).toEqual({
      ...rest,
      components: Uint8Array.from(components),
      platformInstanceId: instanceId,
      configuration: { dynamicPlatform: true, cachedKeys: false, smtEnabled: true },
    })
    expect(configuration).toEqual([true, false, true])
  })

  it('is verified by WebCrypto from what was read', async () => {
    const authority = readCertificate(certificate({ spki: ca.spki, subject: issuer }))
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    for (const [format, key] of [
      ['raw', authority.publicKey],
      ['spki', authority.spki],
    ] as const) {
      const publicKey = await crypto.subtle.importKey(format, key, algorithm, false, ['verify'])
      expect(await crypto.subtle.verify(algorithm, publicKey, read.signature, read.tbs)).toBe(true)
      expect(await crypto.subtle.verify(algorithm, publicKey, read.signature, read.tbs.subarray(1))).toBe(false)
    }
  })

  it('of an authority, and without the optional extensions', () => {
    const authority = readCertificate(withExtension(pki.AUTHORITY_USAGE, pki.basicConstraints(true, 1)))
    expect(authority).toMatchObject({ basicConstraints: { isCa: true, pathLength: 1 }, keyUsage: 0b110_0000, sgx: null })
    expect(readCertificate(withExtension(pki.basicConstraints(true))).basicConstraints).toEqual({ isCa: true, pathLength: null })
    expect(readCertificate(withExtension(...pki.keyIdentifiers(serial)))).toMatchObject({
      basicConstraints: null,
      keyUsage: null,
      sgx: null,
    })
  })

  it('keeps nothing of the one before it', () => {
    readCertificate(bytes)
    const { sgx, keyUsage } = readCertificate(certificate())
    expect([sgx, keyUsage]).toEqual([null, null])
    const { instanceId: _, configuration: __, ...processor } = pki.PLATFORM
    const other = readCertificate(withExtension(pki.sgxExtension(pki.sgxItems(processor))))
    expect(other.sgx).toMatchObject({ platformInstanceId: null, configuration: null })
    expect(read.signature).not.toEqual(other.signature)
    expect(toHex(read.signature)).toBe(toHex(readCertificate(bytes).signature))
  })

  it('names the bits of key usage as RFC 5280 does, decipherOnly in a second byte', () => {
    const usage = (bytes: readonly number[], unused: number): number | null =>
      readCertificate(withExtension(pki.extension('2.5.29.15', true, der.bits(Uint8Array.from(bytes), unused)))).keyUsage
    expect(usage([0x80], 7)).toBe(1)
    expect(usage([0x01], 0)).toBe(1 << 7)
    expect(usage([0x00, 0x80], 7)).toBe(1 << 8)
  })

  it('says which items of a configuration are there', () => {
    const items = [...pki.sgxItems(pki.PLATFORM).slice(0, 6), pki.sgxItem('7', der.sequence(pki.sgxItem('7.2', der.boolean(true))))]
    const { sgx } = readCertificate(withExtension(pki.sgxExtension(items)))
    expect(sgx?.configuration).toEqual({ dynamicPlatform: null, cachedKeys: true, smtEnabled: null })
  })
})

const every = corpus().flatMap(({ certificates }) => certificates)
const isThere = every.length > 0
const distinct = new Map(every.map((document) => [toHex(document.der), document]))

describe.skipIf(!isThere)('the certificates of the corpus', () => {
  it('are all read', () => {
    expect(every.length).toBeGreaterThan(1000)
    expect(every.flatMap(({ from, der: bytes }) => nameIfRefused(from, bytes))).toEqual([])
  })

  it('read as node:crypto reads them', () => {
    for (const { der: bytes } of distinct.values()) expect(ours(readCertificate(bytes))).toEqual(theirs(new X509Certificate(bytes)))
  })
})

const nameIfRefused = (from: string, bytes: Bytes): string[] => {
  try {
    readCertificate(bytes)
    return []
  } catch {
    return [from]
  }
}

const ours = (read: Certificate) => ({
  serial: toHex(read.serial),
  notBefore: read.notBefore,
  notAfter: read.notAfter,
  spki: toHex(read.spki),
  isCa: read.basicConstraints?.isCa ?? false,
  subject: read.subject.commonName,
  issuer: read.issuer.commonName,
})

const theirs = (oracle: X509Certificate): ReturnType<typeof ours> => ({
  serial: oracle.serialNumber.toLowerCase(),
  notBefore: Date.parse(oracle.validFrom) / 1000,
  notAfter: Date.parse(oracle.validTo) / 1000,
  spki: toHex(new Uint8Array(oracle.publicKey.export({ type: 'spki', format: 'der' }))),
  isCa: oracle.ca,
  subject: /^CN=(.*)$/m.exec(oracle.subject)?.[1] ?? '',
  issuer: /^CN=(.*)$/m.exec(oracle.issuer)?.[1] ?? '',
})
