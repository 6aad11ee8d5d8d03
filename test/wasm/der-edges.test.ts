import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, toHex } from '../../client/primitives/bytes.ts'
import { readCertificate } from '../../wasm/certificate.ts'
import { readCrl } from '../../wasm/crl.ts'
import { paths } from '../../wasm/paths.ts'
import { MAX_INPUT } from '../../wasm/reading.ts'
import { readSignature } from '../../wasm/signature.ts'
import * as pki from '../pki.ts'
import * as der from './_der-writer.ts'
import { refusalOf } from './_refusal.ts'
import { corpus } from './_tdx-corpus.ts'

const keys = pki.newKeys()
const issuer = pki.name('Test Root CA')
const [from, to] = [der.time(1_700_000_000), der.time(1_900_000_000)]
const certificate = (parts: Partial<pki.CertificateParts> = {}): Bytes =>
  pki.certificate(keys, { issuer, subject: issuer, validity: der.sequence(from, to), spki: keys.spki, ...parts })
const crl = (parts: Partial<pki.CrlParts> = {}): Bytes => pki.crl(keys, { issuer, thisUpdate: from, nextUpdate: to, ...parts })

describe('sizes', () => {
  // 20 bytes, the shortest entry that there is: a number of one byte and a UTCTime.
  const entry = pki.revokedEntry(der.integer(1), 1_700_000_000)

  /** A CRL of exactly so many bytes, with entries of 20 and a filling extension. */
  const sized = (size: number): Bytes => {
    const count = Math.floor((size - 1_000) / entry.length)
    const build = (filling: number): Bytes =>
      crl({
        revoked: Array<Bytes>(count).fill(entry),
        extensions: [pki.extension('1.2.3', false, der.octets(new Uint8Array(filling)))],
        signature: SMALL,
      })
    return build(300 + size - build(300).length)
  }

  it('a CRL that fills the input is read, to its last entry', () => {
    expect(entry.length).toBe(20)
    const bytes = sized(MAX_INPUT)
    expect(bytes.length).toBe(MAX_INPUT)
    const { revoked } = readCrl(bytes)
    expect(revoked.length / 2).toBe(Math.floor((MAX_INPUT - 1_000) / 20))
    expect([...revoked].filter((_, i) => i % 2 === 1)).toEqual(Array(revoked.length / 2).fill(1))
    // Behind its own header of two bytes and that of the number.
    const first = Buffer.from(bytes).indexOf(entry) + 4
    expect([...revoked].filter((_, i) => i % 2 === 0)).toEqual(Array.from({ length: revoked.length / 2 }, (_, i) => first + 20 * i))
  })

  it('one byte more is refused', () => {
    expect(refusalOf(readCrl, sized(MAX_INPUT + 1))).toEqual(['', 0, expect.stringContaining(`${MAX_INPUT}`)])
  })

  it('a certificate has up to 16,384 bytes', () => {
    const build = (filling: number): Bytes =>
      certificate({ signature: SMALL, extensions: [pki.extension('1.2.3', false, der.octets(new Uint8Array(filling)))] })
    const filling = 15_000 + 16_384 - build(15_000).length
    expect(build(filling).length).toBe(16_384)
    expect(refusalOf(readCertificate, build(filling))).toBeNull()
    expect(refusalOf(readCertificate, build(filling + 1))).toEqual(['', 0, expect.stringContaining('more bytes than')])
  })
})

const SMALL = der.bits(der.sequence(der.integer(1), der.integer(1)))

describe('a document that was cut or damaged', () => {
  const platform = [pki.SIGNER_USAGE, pki.basicConstraints(false), pki.sgxExtension(pki.sgxItems(pki.PLATFORM))]
  const revoked = [1, 2].map((serial) => pki.revokedEntry(der.integer(serial), 1_700_000_000, 1))
  const documents: readonly (readonly [title: string, read: (bytes: Bytes) => unknown, bytes: Bytes])[] = [
    ['a certificate', readCertificate, certificate({ extensions: platform })],
    ['a CRL', readCrl, crl({ revoked })],
    ['a signature', readSignature, pki.signed(issuer, keys)],
  ]

  it.each(documents)('%s is refused wherever it is cut', (_, read, bytes) => {
    for (let length = 0; length < bytes.length; length++) {
      const [path, offset] = refusalOf(read, bytes.subarray(0, length)) ?? ['read', -1]
      expect([path, offset]).toEqual(['', length === 0 ? 0 : 1])
    }
  })

  // `refusalOf` throws whatever is no FormatError.
  it.each(documents)('%s with one byte changed is read or refused, at a place that it has', (_, read, bytes) => {
    const places = new Set(paths)
    for (const mask of [0x01, 0x80, 0xff]) {
      for (let at = 0; at < bytes.length; at++) {
        const [path, offset] = refusalOf(
          read,
          bytes.map((byte, i) => (i === at ? byte ^ mask : byte)),
        ) ?? ['', 0]
        expect(places.has(path) && offset >= 0 && offset <= bytes.length).toBe(true)
      }
    }
  })
})

describe('what is read aliases the input', () => {
  const room = (bytes: Bytes): Bytes =>
    concat(new Uint8Array(7).fill(0x30), bytes, new Uint8Array(9).fill(0x30)).subarray(7, 7 + bytes.length)
  const inside = (part: Bytes, whole: Bytes): boolean => part.buffer === whole.buffer && part.byteOffset >= whole.byteOffset

  it('in a part of a larger buffer, too; the signature is memory of its own', () => {
    const plain = certificate({ extensions: [pki.sgxExtension(pki.sgxItems(pki.PLATFORM))] })
    const whole = room(plain)
    const { tbs, serial, issuer: name, spki, publicKey, sgx, signature: pair, signatureDer } = readCertificate(whole)
    expect({ ...readCertificate(whole) }).toEqual(readCertificate(plain))
    for (const part of [tbs, serial, name.der, spki, publicKey, signatureDer, sgx?.ppid ?? pair]) expect(inside(part, whole)).toBe(true)
    expect(pair.buffer.byteLength).toBe(64)
  })

  it('and a list counts from its own beginning', () => {
    const plain = crl({ revoked: [pki.revokedEntry(der.integer(0x1234), 1_700_000_000)] })
    const whole = room(plain)
    expect(readCrl(whole).revoked).toEqual(readCrl(plain).revoked)
    expect(readCrl(whole).der).toBe(whole)
  })
})

const every = corpus().flatMap(({ certificates }) => certificates)
const distinct = [...new Map(every.map(({ der: bytes }) => [toHex(bytes), bytes])).values()]

describe.skipIf(distinct.length === 0)('the signatures of the corpus', () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

  // Whoever has the issuer's name is asked: some synthetic certificates are signed by another of the same name.
  it('verify from what was read as node:crypto verifies the certificates', async () => {
    const issuers = new Map<string, Bytes[]>()
    for (const bytes of distinct) {
      const name = toHex(readCertificate(bytes).subject.der)
      issuers.set(name, [...(issuers.get(name) ?? []), bytes])
    }
    const answers = new Map<boolean, number>()
    for (const bytes of distinct) {
      const read = readCertificate(bytes)
      const oracle = new X509Certificate(bytes)
      for (const authority of (issuers.get(toHex(read.issuer.der)) ?? []).slice(0, 4)) {
        const key = await crypto.subtle.importKey('raw', readCertificate(authority).publicKey, algorithm, false, ['verify'])
        const isGood = await crypto.subtle.verify(algorithm, key, read.signature, read.tbs)
        expect(isGood).toBe(oracle.verify(new X509Certificate(authority).publicKey))
        answers.set(isGood, (answers.get(isGood) ?? 0) + 1)
      }
    }
    expect(Math.min(answers.get(true) ?? 0, answers.get(false) ?? 0)).toBeGreaterThan(100)
  })
})
