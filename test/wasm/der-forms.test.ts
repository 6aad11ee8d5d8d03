import { describe, expect, it } from 'vitest'
import { type Bytes, concat } from '../../client/primitives/bytes.ts'
import { readCertificate } from '../../wasm/certificate.ts'
import { readCrl } from '../../wasm/crl.ts'
import * as pki from '../pki.ts'
import * as der from './_der-writer.ts'
import { placeOf, refusal } from './_refusal.ts'

const keys = pki.newKeys()
const issuer = pki.name('Test Root CA')
const [from, to] = [der.time(1_700_000_000), der.time(1_900_000_000)]
const certificate = (parts: Partial<pki.CertificateParts> = {}): Bytes =>
  pki.certificate(keys, { issuer, subject: issuer, validity: der.sequence(from, to), spki: keys.spki, ...parts })
const crl = (parts: Partial<pki.CrlParts> = {}): Bytes => pki.crl(keys, { issuer, thisUpdate: from, nextUpdate: to, ...parts })

describe('something behind the last part of', () => {
  // A tag and content that occur nowhere else, so that where it stands is where it is refused.
  const EXTRA = der.tlv(0x04, Uint8Array.of(0xe7, 0x7a, 0xe7, 0x7a))
  const authority = der.sequence(der.boolean(true))
  const sgx = der.sequence(...pki.sgxItems(pki.PLATFORM))
  const tcb = der.sequence(...pki.tcbItems(pki.PLATFORM.components, pki.PLATFORM.pcesvn, pki.PLATFORM.cpusvn))
  const withExtension = (oid: string, ...value: readonly Bytes[]): Bytes =>
    certificate({ extensions: [pki.extension(oid, false, concat(...value))] })
  const withItem = (at: number, arc: string, ...value: readonly Bytes[]): Bytes =>
    certificate({ extensions: [pki.sgxExtension(pki.sgxItems(pki.PLATFORM).toSpliced(at, 1, pki.sgxItem(arc, concat(...value))))] })
  const SGX = 'tbs.extensions.sgx'
  const { ppid, pceid, instanceId = ppid, components, pcesvn, cpusvn } = pki.PLATFORM
  const withTcb = (at: number, arc: string, value: Bytes): Bytes =>
    withItem(1, '2', der.sequence(...pki.tcbItems(components, pcesvn, cpusvn).toSpliced(at, 1, pki.sgxItem(arc, concat(value, EXTRA)))))
  const setting = pki.sgxItem('7.1', concat(der.boolean(true), EXTRA))

  const certificates: readonly (readonly [title: string, path: string, bytes: Bytes])[] = [
    [
      'the version, outside of it',
      'tbs.serialNumber',
      certificate({ version: concat(der.explicit(0, der.integer(2)), EXTRA), serial: der.integer(5) }),
    ],
    ['basic constraints', 'tbs.extensions.basicConstraints', withExtension('2.5.29.19', authority, EXTRA)],
    ['key usage', 'tbs.extensions.keyUsage', withExtension('2.5.29.15', der.bits(Uint8Array.of(0xc0), 6), EXTRA)],
    ['the SGX extension', SGX, withExtension('1.2.840.113741.1.13.1', sgx, EXTRA)],
    ['a PPID', `${SGX}.ppid`, withItem(0, '1', der.octets(ppid), EXTRA)],
    ['the TCB', `${SGX}.tcb`, withItem(1, '2', tcb, EXTRA)],
    ['a PCESVN', `${SGX}.tcb.pcesvn`, withTcb(16, '2.17', der.integer(1))],
    ['a CPUSVN', `${SGX}.tcb.cpusvn`, withTcb(17, '2.18', der.octets(cpusvn))],
    ['a PCEID', `${SGX}.pceid`, withItem(2, '3', der.octets(pceid), EXTRA)],
    ['an instance id', `${SGX}.platformInstanceId`, withItem(5, '6', der.octets(instanceId), EXTRA)],
    ['a configuration', `${SGX}.configuration`, withItem(6, '7', der.sequence(), EXTRA)],
    ['a setting', `${SGX}.configuration`, withItem(6, '7', der.sequence(setting))],
    ['tbs', 'signatureAlgorithm', certificate({ outerAlgorithm: concat(EXTRA, pki.algorithm) })],
    ['the algorithm', 'signature', certificate({ outerAlgorithm: concat(pki.algorithm, EXTRA) })],
    [
      'the signature, outside of it',
      'signature',
      certificate({ signature: concat(der.bits(der.sequence(der.integer(1), der.integer(1))), EXTRA) }),
    ],
  ]
  it.each(certificates)('%s is refused', (_, path, bytes) => {
    const [foundPath, problem, offset] = refusal(() => readCertificate(bytes))
    expect([foundPath, offset]).toEqual([path, placeOf(bytes, EXTRA)])
    expect(problem).toMatch(/bytes behind|another tag/)
  })

  it.each([
    ['a CRL', '', concat(crl(), EXTRA)],
    ['its tbs', 'signatureAlgorithm', crl({ outerAlgorithm: concat(EXTRA, pki.algorithm) })],
    ['its dates', 'tbs.crlExtensions', crl({ nextUpdate: concat(to, EXTRA) })],
  ])('%s is refused', (_, path, bytes) => {
    const [foundPath, , offset] = refusal(() => readCrl(bytes))
    expect([foundPath, offset]).toEqual([path, placeOf(bytes, EXTRA)])
  })
})

// The container's own header says one byte less than its parts take: the last byte is behind it, and in what holds it.
describe('a sequence that ends before its parts do', () => {
  const configuration = der.sequence(pki.sgxItem('7.1', der.boolean(true)))
  const items = pki.sgxItems(pki.PLATFORM).toSpliced(6, 1, pki.sgxItem('7', configuration))
  const tcb = der.sequence(...pki.tcbItems(pki.PLATFORM.components, pki.PLATFORM.pcesvn, pki.PLATFORM.cpusvn))
  const extensions = [pki.sgxExtension(items)]
  const whole = certificate({ extensions })
  const SGX = 'tbs.extensions.sgx'

  it.each([
    ['extensions', 'tbs.extensions', der.sequence(...extensions)],
    ['the SGX extension', SGX, der.sequence(...items)],
    ['the TCB', `${SGX}.tcb`, tcb],
    ['a configuration', `${SGX}.configuration`, configuration],
  ] as const)('is refused: %s', (_, path, part) => {
    const at = placeOf(whole, part)
    const bytes = whole.slice()
    // The last byte of the length: one of its own in the short form, two more in the long one.
    const last = at + 1 + ((part[1] as number) < 0x80 ? 0 : (part[1] as number) & 0x7f)
    bytes[last] = (bytes[last] as number) - 1
    expect(refusal(() => readCertificate(bytes))).toEqual([path, expect.stringContaining('bytes behind'), at + part.length - 1])
  })
})

describe('a form that no element has', () => {
  const { components, pcesvn, cpusvn } = pki.PLATFORM
  const withPcesvn = (value: Bytes): Bytes => {
    const tcb = pki.tcbItems(components, pcesvn, cpusvn).toSpliced(16, 1, pki.sgxItem('2.17', value))
    const items = pki.sgxItems(pki.PLATFORM).toSpliced(1, 1, pki.sgxItem('2', der.sequence(...tcb)))
    return certificate({ extensions: [pki.sgxExtension(items)] })
  }
  const withSetting = (value: Bytes): Bytes => {
    const items = pki.sgxItems(pki.PLATFORM).toSpliced(6, 1, pki.sgxItem('7', der.sequence(pki.sgxItem('7.1', value))))
    return certificate({ extensions: [pki.sgxExtension(items)] })
  }
  const withId = (id: Bytes): Bytes => certificate({ extensions: [der.sequence(id, der.octets(der.integer(5)))] })
  // What stands in front of the part, so that its place is the only one.
  const PCESVN = der.objectId('1.2.840.113741.1.13.1.2.17')
  const SETTING = der.objectId('1.2.840.113741.1.13.1.7.1')
  const noId = withId(der.tlv(0x06))
  const hollow = pki.extension('1.2.3.4', false, new Uint8Array(0))
  const withHollow = certificate({ extensions: [hollow] })
  const emptyBits = certificate({ signature: der.tlv(0x03) })
  // 2^32 + 5: five bytes, of which the last four are 5.
  const wide = withPcesvn(der.integer(2n ** 32n + 5n))

  const cases: readonly (readonly [title: string, path: string, problem: string, bytes: Bytes, offset: number])[] = [
    ['a PCESVN of 2^32 + 5', 'tbs.extensions.sgx.tcb.pcesvn', 'too large', wide, placeOf(wide, PCESVN) + PCESVN.length + 2],
    ...[0, 2].map((length) => {
      const bytes = withSetting(der.tlv(0x01, new Uint8Array(length).fill(0xff)))
      const at = placeOf(bytes, SETTING) + SETTING.length + 2
      return [`a BOOLEAN of ${length} bytes`, 'tbs.extensions.sgx.configuration', 'another length', bytes, at] as const
    }),
    ['an OBJECT IDENTIFIER of no bytes', 'tbs.extensions', 'another length', noId, placeOf(noId, Uint8Array.of(6, 0, 4, 3, 2, 1, 5)) + 2],
    ['an extension whose value is nothing', 'tbs.extensions', 'should begin', withHollow, placeOf(withHollow, hollow) + hollow.length],
    ['a BIT STRING of no bytes', 'signature', 'another length', emptyBits, emptyBits.length],
  ]
  it.each(cases)('is refused: %s', (_, path, problem, bytes, offset) => {
    expect(refusal(() => readCertificate(bytes))).toEqual([path, expect.stringContaining(problem), offset])
  })
})
