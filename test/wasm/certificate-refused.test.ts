import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, utf8 } from '../../client/primitives/bytes.ts'
import { readCertificate } from '../../wasm/certificate.ts'
import * as pki from '../pki.ts'
import * as der from './_der-writer.ts'
import { placeOf, refusal } from './_refusal.ts'

const keys = pki.newKeys()
const ca = pki.newKeys()
const issuer = pki.name('Test PCK Platform CA')
const subject = pki.name('Test PCK Certificate')
const validity = pki.validity(1_700_000_000, 1_900_000_000)

const certificate = (parts: Partial<pki.CertificateParts> = {}): Bytes =>
  pki.certificate(ca, { issuer, subject, validity, spki: keys.spki, ...parts })
const withExtension = (...extensions: readonly Bytes[]): Bytes => certificate({ extensions })

type Case = readonly [title: string, path: string, problem: string, bytes: Bytes, part: Bytes, further?: number]

const refused = (cases: readonly Case[]): void => {
  for (const [title, path, problem, bytes, part, further = 0] of cases) {
    it(title, () => {
      expect(refusal(() => readCertificate(bytes))).toEqual([path, expect.stringContaining(problem), placeOf(bytes, part) + further])
    })
  }
}

describe('refused: version, serial number, algorithm, dates, signature', () => {
  const VERSION = der.explicit(0, der.integer(2))
  const serial = (contents: readonly number[]): readonly [Bytes, Bytes] => {
    const element = der.tlv(0x02, Uint8Array.from(contents))
    return [certificate({ serial: element }), concat(VERSION, element)]
  }
  const other = der.sequence(der.objectId('1.2.840.10045.4.3.3'))
  const parameters = der.sequence(der.objectId('1.2.840.10045.4.3.2'), der.tlv(0x05))
  const v1 = certificate({ version: new Uint8Array(0), serial: der.integer(0x123456789) })
  const v2 = certificate({ version: der.explicit(0, der.integer(1)) })
  const long = certificate({ version: der.explicit(0, der.integer(2), der.integer(2)) })
  const three = der.sequence(der.time(0), der.time(1), der.time(2))
  // The BIT STRING ends one byte before what it holds.
  const pair = pki.signed(utf8('anything'), ca)
  const cut = concat(Uint8Array.of(0x03, pair.length, 0), pair)
  refused([
    ['a third date', 'tbs.validity', 'bytes behind', certificate({ validity: three }), three, 2 + 15 + 15],
    ['a signature longer than its bit string', 'signature', 'bytes behind', certificate({ signature: cut }), cut, cut.length - 1],
    ['version 1', 'tbs.version', 'another tag', v1, der.integer(0x123456789)],
    ['version 2', 'tbs.version', 'another version', v2, concat(der.explicit(0, der.integer(1)), der.integer(1)), 4],
    ['two versions', 'tbs.version', 'bytes behind', long, der.explicit(0, der.integer(2), der.integer(2)), 5],
    ['a negative serial number', 'tbs.serialNumber', 'negative', ...serial([0x80, 0x99, 0x98]), 7],
    ['a serial number of zero', 'tbs.serialNumber', 'zero', ...serial([0]), 7],
    ['a needless zero', 'tbs.serialNumber', 'shortest', ...serial([0, 0x7f, 0x98]), 7],
    ['no serial number', 'tbs.serialNumber', 'another length', ...serial([]), 7],
    ['a serial number of 21 bytes', 'tbs.serialNumber', 'too large', ...serial([0, ...new Array<number>(21).fill(0xee)]), 8],
    ['another algorithm inside', 'tbs.signature', 'ECDSA with SHA-256', certificate({ algorithm: other }), other, 4],
    ['another algorithm outside', 'signatureAlgorithm', 'ECDSA with SHA-256', certificate({ outerAlgorithm: other }), other, 4],
    ['parameters of the algorithm', 'tbs.signature', 'bytes behind', certificate({ algorithm: parameters }), parameters, 12],
  ])
})

describe('refused: names', () => {
  const named = (...attributes: readonly Bytes[]): Bytes => certificate({ subject: der.sequence(...attributes) })
  const cn = (text: Bytes): Bytes => pki.attribute('2.5.4.3', text)
  const [one, two, organization] = [
    cn(der.utf8String('one')),
    cn(der.utf8String('two')),
    pki.attribute('2.5.4.10', der.utf8String('three')),
  ]
  const [ia5, teletex, empty] = [
    cn(der.tlv(0x16, utf8('four'))),
    pki.attribute('2.5.4.10', der.tlv(0x14, utf8('five'))),
    cn(der.utf8String('')),
  ]
  const [accent, long] = [cn(der.utf8String('\u0430b')), cn(der.utf8String('x'.repeat(65)))]
  const double = der.set(
    der.sequence(der.objectId('2.5.4.3'), der.utf8String('six')),
    der.sequence(der.objectId('2.5.4.10'), der.utf8String('x')),
  )
  const tailed = der.set(der.sequence(der.objectId('2.5.4.3'), der.utf8String('seven'), der.tlv(0x05)))
  const loose = der.set(der.sequence(der.tlv(0x06, Uint8Array.of(0x55, 0x80, 3)), der.utf8String('eight')))
  refused([
    ['no common name', 'tbs.subject', 'common name', named(organization), der.sequence(organization)],
    ['an empty name', 'tbs.subject', 'common name', named(), concat(validity, der.sequence()), validity.length],
    ['two common names', 'tbs.subject', 'common name', named(one, organization, two), two],
    ['the same common name twice', 'tbs.subject', 'common name', named(one, one), concat(one, one), one.length],
    ['two attributes in one part', 'tbs.subject', 'several attributes', named(double), double, 2 + 12],
    ['a common name as IA5String', 'tbs.subject', 'another tag', named(ia5), ia5, 9],
    ['an organization as TeletexString', 'tbs.subject', 'another tag', named(one, teletex), teletex, 9],
    ['an empty common name', 'tbs.subject', 'text that is', named(empty), empty, 11],
    ['a common name of 65 characters', 'tbs.subject', 'text that is', named(long), long, 11],
    ['a Cyrillic letter in a common name', 'tbs.subject', 'text that is', named(accent), accent, 11],
    ['something behind the text', 'tbs.subject', 'bytes behind', named(tailed), tailed, 11 + 5],
    ['a padded attribute type', 'tbs.subject', 'object identifier', named(loose), loose, 7],
    [
      'an issuer without a common name',
      'tbs.issuer',
      'common name',
      certificate({ issuer: der.sequence(organization) }),
      der.sequence(organization),
    ],
  ])
  it('reads a common name of 64 characters, and as PrintableString', () => {
    expect(readCertificate(named(cn(der.utf8String('x'.repeat(64))))).subject.commonName).toBe('x'.repeat(64))
    expect(readCertificate(named(cn(der.printableString('Plain')))).subject.commonName).toBe('Plain')
  })
})

describe('refused: the key', () => {
  const [EC, P256] = [der.objectId('1.2.840.10045.2.1'), der.objectId('1.2.840.10045.3.1.7')]
  const rsa = new Uint8Array(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' }))
  const p384 = pki.newKeys('P-384').spki
  const key = (point: Bytes): Bytes => der.sequence(der.sequence(EC, P256), point)
  const x = new Uint8Array(32).fill(0x77)
  const [compressed, hybrid] = [der.bits(concat(Uint8Array.of(2), x)), der.bits(concat(Uint8Array.of(6), x, x))]
  const unused = der.bits(concat(Uint8Array.of(4), x, new Uint8Array(32)), 1)
  const bare = der.sequence(der.sequence(EC), der.bits(keys.spki.slice(-65)))
  const [third, last] = [
    der.sequence(der.sequence(EC, P256, der.tlv(0x05)), der.bits(keys.spki.slice(-65))),
    der.sequence(der.sequence(EC, P256), der.bits(keys.spki.slice(-65)), der.tlv(0x05)),
  ]
  const SPKI = 'tbs.subjectPublicKeyInfo'
  refused([
    ['something behind the curve', `${SPKI}.algorithm`, 'bytes behind', certificate({ spki: third }), third, 23],
    ['something behind the point', SPKI, 'bytes behind', certificate({ spki: last }), last, last.length - 2],
    ['RSA', 'tbs.subjectPublicKeyInfo.algorithm', 'elliptic curve', certificate({ spki: rsa }), rsa, 8],
    ['another curve', 'tbs.subjectPublicKeyInfo.algorithm.parameters', 'P-256', certificate({ spki: p384 }), p384, 15],
    ['no curve', 'tbs.subjectPublicKeyInfo.algorithm.parameters', 'should begin', certificate({ spki: bare }), bare, 13],
    ['a compressed point', 'tbs.subjectPublicKeyInfo.subjectPublicKey', '65 bytes', certificate({ spki: key(compressed) }), compressed, 3],
    ['a hybrid point', 'tbs.subjectPublicKeyInfo.subjectPublicKey', '65 bytes', certificate({ spki: key(hybrid) }), hybrid, 3],
    ['unused bits', 'tbs.subjectPublicKeyInfo.subjectPublicKey', 'unused bits', certificate({ spki: key(unused) }), unused, 2],
  ])
})

describe('refused: extensions', () => {
  const EXTENSIONS = 'tbs.extensions'
  const unknown = pki.extension('1.2.3.4', true, der.integer(5))
  const plain = pki.extension('1.2.3.4', false, der.integer(5))
  const [identifier] = pki.keyIdentifiers(new Uint8Array(20).fill(9)) as readonly [Bytes]
  const criticalIdentifier = pki.extension('2.5.29.35', true, der.sequence(der.tlv(0x80, new Uint8Array(20))))
  const written = der.sequence(der.objectId('1.2.3.4'), der.boolean(false), der.octets(der.integer(5)))
  const crooked = der.sequence(der.objectId('1.2.3.4'), der.tlv(0x01, Uint8Array.of(1)), der.octets(der.integer(5)))
  const many = Array.from({ length: 33 }, (_, i) => pki.extension(`1.2.3.${i}`, false, der.integer(i)))
  const deep = (levels: number): Bytes => (levels === 0 ? der.integer(1) : der.sequence(deep(levels - 1)))
  const bomb = pki.extension('1.2.3.4', false, deep(12))
  const unique = der.tlv(0x81, Uint8Array.of(0, 1))
  const two = pki.extension('1.2.3.4', false, concat(der.integer(5), der.integer(6)))
  const constructed = pki.extension('1.2.3.4', false, der.tlv(0x24, der.octets(Uint8Array.of(1))))
  const high = pki.extension('1.2.3.4', false, der.tlv(0x1f, Uint8Array.of(1)))
  const followed = der.sequence(der.objectId('1.2.3.4'), der.octets(der.integer(5)), der.tlv(0x05))
  const zero = pki.extension('1.2.3.4', false, Uint8Array.of(0, 0))
  const endless = der.sequence(der.tlv(0x06, Uint8Array.of(0x2a, 0x86)), der.octets(der.integer(5)))
  refused([
    ['a critical one that is unknown', EXTENSIONS, 'critical', withExtension(unknown), unknown],
    ['a critical key identifier', EXTENSIONS, 'critical', withExtension(criticalIdentifier), criticalIdentifier],
    ['an unknown one twice', EXTENSIONS, 'twice', withExtension(plain, identifier, plain), concat(identifier, plain), identifier.length],
    ['key usage twice', EXTENSIONS, 'twice', withExtension(pki.SIGNER_USAGE, pki.AUTHORITY_USAGE), pki.AUTHORITY_USAGE],
    ['critical FALSE, written out', EXTENSIONS, 'default', withExtension(written), written, 7],
    ['critical that is neither', EXTENSIONS, 'boolean', withExtension(crooked), crooked, 9],
    ['33 of them', EXTENSIONS, 'more elements', withExtension(...many), many[32] as Bytes],
    ['none', EXTENSIONS, 'should begin', withExtension(), der.explicit(3, der.sequence()), 4],
    ['a value that is nested 13 deep', EXTENSIONS, 'too deep', withExtension(bomb), bomb, bomb.length - 3],
    ['a value of two elements', EXTENSIONS, 'bytes behind', withExtension(two), two, 7 + 2 + 3],
    ['a string in pieces', EXTENSIONS, 'does not have', withExtension(constructed), constructed, 9],
    ['a tag of zero', EXTENSIONS, 'does not have', withExtension(zero), zero, 9],
    ['an id whose last number does not end', EXTENSIONS, 'object identifier', withExtension(endless), endless, 5],
    ['a tag of several bytes', EXTENSIONS, 'does not have', withExtension(high), high, 9],
    ['something behind a value', EXTENSIONS, 'bytes behind', withExtension(followed), followed, followed.length - 2],
    ['something behind them', EXTENSIONS, 'bytes behind', certificate({ tail: unique }), unique],
  ])
  it('a list longer than the tag around it', () => {
    const bytes = withExtension(plain)
    const tagged = der.explicit(3, der.sequence(plain))
    const at = placeOf(bytes, tagged)
    bytes[at + 1] = tagged.length - 3
    expect(refusal(() => readCertificate(bytes))).toEqual([EXTENSIONS, expect.stringContaining('bytes behind'), at + tagged.length - 1])
  })

  it('reads 32 extensions, and one nested 12 deep', () => {
    expect(readCertificate(withExtension(...many.slice(1))).keyUsage).toBeNull()
    expect(readCertificate(withExtension(pki.extension('1.2.3.4', false, deep(11)))).keyUsage).toBeNull()
  })
})

describe('refused: basic constraints and key usage', () => {
  const [CONSTRAINTS, USAGE] = ['tbs.extensions.basicConstraints', 'tbs.extensions.keyUsage']
  const constraints = (...parts: readonly Bytes[]): Bytes => pki.extension('2.5.29.19', true, der.sequence(...parts))
  const usage = (bytes: readonly number[], unused: number): Bytes =>
    pki.extension('2.5.29.15', true, der.bits(Uint8Array.from(bytes), unused))
  const notCa = constraints(der.boolean(false))
  const [pathOnly, negative, large, tail] = [
    constraints(der.integer(3)),
    constraints(der.boolean(true), der.tlv(0x02, Uint8Array.of(0x80))),
    constraints(der.boolean(true), der.integer(256)),
    constraints(der.boolean(true), der.integer(3), der.integer(4)),
  ]
  const [eight, hollow, wide] = [usage([0x80], 8), usage([], 3), usage([0x80, 0x80, 0x80], 7)]
  const [none, zeros, trailing, dirty, ten] = [usage([], 0), usage([0], 7), usage([0x80], 6), usage([0x81], 7), usage([0x80, 0x40], 6)]
  refused([
    ['cA FALSE, written out', `${CONSTRAINTS}.cA`, 'default', withExtension(notCa), notCa, 14],
    ['a path length without cA', `${CONSTRAINTS}.pathLenConstraint`, 'no authority', withExtension(pathOnly), pathOnly, 16],
    ['a negative path length', `${CONSTRAINTS}.pathLenConstraint`, 'negative', withExtension(negative), negative, 19],
    ['a path length of 256', `${CONSTRAINTS}.pathLenConstraint`, 'too large', withExtension(large), large, 19],
    ['something behind the path length', CONSTRAINTS, 'bytes behind', withExtension(tail), tail, 20],
    ['no usage', USAGE, 'named bits', withExtension(none), none, 15],
    ['a usage of zeros', USAGE, 'named bits', withExtension(zeros), zeros, 15],
    ['a zero behind the last usage', USAGE, 'named bits', withExtension(trailing), trailing, 15],
    ['an unused bit that is set', USAGE, 'unused bits', withExtension(dirty), dirty, 15],
    ['eight unused bits', USAGE, 'unused bits', withExtension(eight), eight, 14],
    ['unused bits of nothing', USAGE, 'unused bits', withExtension(hollow), hollow, 14],
    ['seventeen usages', USAGE, 'named bits', withExtension(wide), wide, 15],
    ['a tenth usage', USAGE, 'named bits', withExtension(ten), ten, 15],
  ])
})

describe('refused: the SGX extension', () => {
  const SGX = 'tbs.extensions.sgx'
  const items = pki.sgxItems(pki.PLATFORM)
  const platform = (changes: Partial<pki.Platform>): Bytes => withExtension(pki.sgxExtension(pki.sgxItems({ ...pki.PLATFORM, ...changes })))
  const replaced = (at: number, ...parts: readonly Bytes[]): Bytes => withExtension(pki.sgxExtension(items.toSpliced(at, 1, ...parts)))
  const { components, pcesvn, cpusvn } = pki.PLATFORM
  const tcb = pki.tcbItems(components, pcesvn, cpusvn)
  const withTcb = (parts: readonly Bytes[]): Bytes => replaced(1, pki.sgxItem('2', der.sequence(...parts)))
  const configuration = (...parts: readonly Bytes[]): Bytes => replaced(6, pki.sgxItem('7', der.sequence(...parts)))
  const item = (i: number): Bytes => items[i] as Bytes
  const svn = (i: number): Bytes => tcb[i] as Bytes
  const [short, large, negative, foreign] = [
    der.octets(new Uint8Array(15).fill(0xaa)),
    pki.sgxItem('2.3', der.integer(256)),
    pki.sgxItem('2.3', der.tlv(2, Uint8Array.of(0xff))),
    pki.sgxItem('8', der.integer(1)),
  ]
  const [off, on, fourth] = [
    pki.sgxItem('7.1', der.boolean(false)),
    pki.sgxItem('7.2', der.boolean(true)),
    pki.sgxItem('7.4', der.boolean(true)),
  ]
  const crooked = pki.sgxItem('7.1', der.tlv(1, Uint8Array.of(1)))
  const tailed = pki.sgxItem('4', concat(der.octets(pki.PLATFORM.fmspc), der.tlv(0x05)))
  const stray = der.sequence(der.objectId('1.2.840.113742.1.13.1.3'), der.octets(Uint8Array.of(0, 0)))
  const [uncle, svnTail, typeTail] = [
    pki.sgxItem('3.1', der.integer(14)),
    pki.sgxItem('2.3', concat(der.integer(3), der.tlv(0x05))),
    pki.sgxItem('5', concat(der.enumerated(1), der.tlv(0x05))),
  ]
  refused([
    ['an item below another for a component', `${SGX}.tcb.component`, 'another item', withTcb([uncle, ...tcb.slice(1)]), uncle],
    ['something behind a component', `${SGX}.tcb.component`, 'bytes behind', withTcb(tcb.toSpliced(2, 1, svnTail)), svnTail, 18],
    ['something behind a type', `${SGX}.type`, 'bytes behind', replaced(4, typeTail), typeTail, 17],
    ['no PPID', `${SGX}.ppid`, 'another item', replaced(0), item(1)],
    ['a PPID of 15 bytes', `${SGX}.ppid`, 'another length', replaced(0, pki.sgxItem('1', short)), short],
    ['PPID twice', `${SGX}.tcb`, 'another item', replaced(1, item(0), item(1)), concat(item(0), item(1))],
    ['15 components', `${SGX}.tcb.component`, 'another item', withTcb(tcb.toSpliced(15, 1)), svn(16)],
    ['17 components', `${SGX}.tcb.pcesvn`, 'another item', withTcb(tcb.toSpliced(16, 0, svn(15))), concat(svn(15), svn(16))],
    ['components in another order', `${SGX}.tcb.component`, 'another item', withTcb([svn(1), svn(0), ...tcb.slice(2)]), svn(1)],
    ['a component of 256', `${SGX}.tcb.component`, 'too large', withTcb(tcb.toSpliced(2, 1, large)), large, 17],
    ['a negative component', `${SGX}.tcb.component`, 'negative', withTcb(tcb.toSpliced(2, 1, negative)), negative, 17],
    ['a PCESVN of 65,536', `${SGX}.tcb.pcesvn`, 'too large', platform({ pcesvn: 65_536 }), pki.sgxItem('2.17', der.integer(65_536)), 17],
    [
      'a CPUSVN of 17 bytes',
      `${SGX}.tcb.cpusvn`,
      'another length',
      platform({ cpusvn: new Uint8Array(17) }),
      der.octets(new Uint8Array(17)),
    ],
    ['something behind CPUSVN', `${SGX}.tcb`, 'bytes behind', withTcb([...tcb, foreign]), foreign],
    [
      'a PCEID of 3 bytes',
      `${SGX}.pceid`,
      'another length',
      platform({ pceid: Uint8Array.of(7, 8, 9) }),
      der.octets(Uint8Array.of(7, 8, 9)),
    ],
    ['an item of another company', `${SGX}.pceid`, 'another item', replaced(2, stray), stray],
    [
      'an FMSPC of 5 bytes',
      `${SGX}.fmspc`,
      'another length',
      platform({ fmspc: Uint8Array.of(5, 4, 3, 2, 1) }),
      der.octets(Uint8Array.of(5, 4, 3, 2, 1)),
    ],
    ['something behind an FMSPC', `${SGX}.fmspc`, 'bytes behind', replaced(3, tailed), tailed, 14 + 8],
    ['a type of 3', `${SGX}.type`, 'too large', platform({ type: 3 }), pki.sgxItem('5', der.enumerated(3)), 16],
    ['an end behind FMSPC', `${SGX}.type`, 'should begin', withExtension(pki.sgxExtension(items.slice(0, 4))), item(3), item(3).length],
    [
      'an instance id behind the configuration',
      SGX,
      'bytes behind',
      withExtension(pki.sgxExtension([...items.slice(0, 5), item(6), item(5)])),
      item(5),
    ],
    ['an eighth item', SGX, 'bytes behind', withExtension(pki.sgxExtension([...items, foreign])), foreign],
    ['an unknown item', SGX, 'another item', withExtension(pki.sgxExtension([...items.slice(0, 5), foreign])), foreign],
    ['the same setting twice', `${SGX}.configuration`, 'another item', configuration(off, off), concat(off, off), off.length],
    ['settings in another order', `${SGX}.configuration`, 'another item', configuration(on, off), off],
    ['a fourth setting', `${SGX}.configuration`, 'another item', configuration(fourth), fourth],
    ['a setting that is neither', `${SGX}.configuration`, 'boolean', configuration(crooked), crooked, 17],
    [
      'a second extension of its kind',
      'tbs.extensions',
      'twice',
      withExtension(pki.sgxExtension(items), pki.sgxExtension(items.slice(0, 5))),
      pki.sgxExtension(items.slice(0, 5)),
    ],
  ])
})
