import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import { type Bytes, concat, fromHex } from '../../../client/primitives/bytes.ts'

// Self-signed certificates that a browser accepts by their hash alone (W3C WebTransport, "serverCertificateHashes"): X.509 version 3, a
// P-256 key, valid for two weeks at most. Node can read X.509 and not write it; the one library in the tree that can brings a decorator
// runtime and a schema compiler for what is 150 bytes of constants and five fields, so they are written here.

export const DAY = 86_400_000

export interface Certificate {
  /** PEM. */
  readonly certificate: string
  /** PEM, PKCS#8. */
  readonly key: string
  /** Multihash of the DER: 12 20 and SHA-256, 34 bytes, as it stands in a multiaddr's certhash and in noise's extension. */
  readonly hash: Bytes
  /** Milliseconds since 1970, whole seconds, both inclusive. */
  readonly notBefore: number
  readonly notAfter: number
}

// DER (X.690): tag, length, content.
const tlv = (tag: number, ...parts: readonly Uint8Array[]): Bytes => {
  const content = concat(...parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return concat(Uint8Array.of(tag, ...size), content)
}
const sequence = (...parts: readonly Uint8Array[]): Bytes => tlv(0x30, ...parts)
const bits = (content: Uint8Array, unused = 0): Bytes => tlv(0x03, Uint8Array.of(unused), content)

// RFC 5758 section 3.2, ecdsa-with-SHA256 (1.2.840.10045.4.3.2).
const ALGORITHM = sequence(fromHex('06082a8648ce3d040302'))
// Version 3.
const VERSION = tlv(0xa0, fromHex('020102'))
// One attribute, commonName (2.5.4.3) "libp2p".
const NAME = sequence(tlv(0x31, sequence(fromHex('0603550403'), tlv(0x0c, Buffer.from('libp2p')))))
// keyUsage (2.5.29.15), critical: digitalSignature alone. A certificate of version 3 has extensions, or it would be one of version 1.
const USAGE = sequence(fromHex('0603551d0f'), fromHex('0101ff'), tlv(0x04, bits(Uint8Array.of(0x80), 7)))
const EXTENSIONS = tlv(0xa3, sequence(USAGE))

/** RFC 5280 section 4.1.2.5: two digits of the year until 2049, four from then on. */
const time = (ms: number): Bytes => {
  const text = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
  return text < '2050' ? tlv(0x17, Buffer.from(text.slice(2))) : tlv(0x18, Buffer.from(text))
}

/** 16 random bytes, the first made positive and not zero (RFC 5280 section 4.1.2.2). */
const serial = (): Bytes => {
  const bytes = new Uint8Array(randomBytes(16))
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40
  return tlv(0x02, bytes)
}

/** A new key and its certificate. @param from, until milliseconds since 1970, cut to whole seconds */
export const makeCertificate = (from: number, until: number): Certificate => {
  const notBefore = Math.floor(from / 1_000) * 1_000
  const notAfter = Math.floor(until / 1_000) * 1_000
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const validity = sequence(time(notBefore), time(notAfter))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const body = sequence(VERSION, serial(), ALGORITHM, NAME, validity, NAME, spki, EXTENSIONS)
  const der = sequence(body, ALGORITHM, bits(sign('sha256', body, privateKey)))
  const certificate = new X509Certificate(der).toString()
  return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), hash: hashOf(der), notBefore, notAfter }
}

/** @throws Error for what is no certificate with a P-256 key, or another key's */
export const readCertificate = (certificate: string, key: string): Certificate => {
  const x509 = new X509Certificate(certificate)
  if (x509.publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('the certificate has no P-256 key')
  if (!x509.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is not the certificate’s')
  const [notBefore, notAfter] = [Date.parse(x509.validFrom), Date.parse(x509.validTo)]
  if (!(notBefore < notAfter)) throw new Error('the certificate is never valid')
  return { certificate, key, hash: hashOf(x509.raw), notBefore, notAfter }
}

const hashOf = (der: Uint8Array): Bytes => concat(Uint8Array.of(0x12, 0x20), createHash('sha256').update(der).digest())

/** The multibase form (base64url) that a multiaddr has of a hash. */
export const certhashOf = (hash: Uint8Array): string => `u${Buffer.from(hash).toString('base64url')}`
