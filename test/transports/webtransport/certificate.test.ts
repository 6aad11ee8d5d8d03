import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { certhashOf, DAY, makeCertificate, readCertificate } from '../../../node/transports/webtransport/certificate.ts'

const FROM = Date.UTC(2026, 5, 1, 12, 30, 15)
const made = makeCertificate(FROM, FROM + 12 * DAY)

test('W3C WebTransport, custom certificate requirements: version 3, P-256, self-signed, two weeks at most', () => {
  const x509 = new X509Certificate(made.certificate)
  expect(x509.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
  expect(x509.verify(x509.publicKey)).toBe(true)
  expect(x509.issuer).toBe(x509.subject)
  // Version 3 is written 2, in an explicit tag, at the beginning of what is signed (RFC 5280 section 4.1).
  expect(x509.raw.subarray(4, 13).toString('hex')).toMatch(/a003020102/)
  expect([Date.parse(x509.validFrom), Date.parse(x509.validTo)]).toEqual([FROM, FROM + 12 * DAY])
  expect(x509.subject).toBe('CN=libp2p')
  expect(x509.ca).toBe(false)
})

test('the key is the certificate’s, the hash a multihash of its DER, the certhash its base64url', () => {
  const x509 = new X509Certificate(made.certificate)
  const spki = { type: 'spki', format: 'der' } as const
  expect(createPublicKey(made.key).export(spki)).toEqual(x509.publicKey.export(spki))
  const digest = createHash('sha256').update(x509.raw).digest()
  expect(Buffer.from(made.hash)).toEqual(Buffer.concat([Buffer.from([0x12, 0x20]), digest]))
  expect(certhashOf(made.hash)).toMatch(/^uEi[A-Za-z0-9_-]{44}$/)
})

test('every one has a serial number, positive and of 16 bytes, and a key of its own', () => {
  const other = makeCertificate(FROM, FROM + DAY)
  const [a, b] = [made, other].map(({ certificate }) => new X509Certificate(certificate))
  expect(a?.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
  expect(a?.serialNumber).not.toBe(b?.serialNumber)
  expect(made.key).not.toBe(other.key)
})

test('RFC 5280 section 4.1.2.5: years from 2050 on have four digits', () => {
  const from = Date.UTC(2049, 11, 25)
  const x509 = new X509Certificate(makeCertificate(from, from + 12 * DAY).certificate)
  expect([Date.parse(x509.validFrom), Date.parse(x509.validTo)]).toEqual([from, from + 12 * DAY])
  // UTCTime, then GeneralizedTime.
  expect(x509.raw.includes(Buffer.from('170d3439313232353030303030305a180f32303530303130363030303030305a', 'hex'))).toBe(true)
})

test('what was written is read back; another’s key, another curve and other bytes are refused', () => {
  expect(readCertificate(made.certificate, made.key)).toEqual(made)
  expect(() => readCertificate(made.certificate, makeCertificate(FROM, FROM + DAY).key)).toThrow('not the certificate’s')
  expect(() => readCertificate(made.certificate.replace('M', 'N'), made.key)).toThrow()
  expect(() => readCertificate(made.certificate, 'none')).toThrow()
})
