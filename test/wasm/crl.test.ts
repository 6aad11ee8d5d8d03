import { describe, expect, it } from 'vitest'
import { type Bytes, concat, fromHex, toHex } from '../../client/primitives/bytes.ts'
import { type Crl, isRevoked, readCrl } from '../../wasm/crl.ts'
import * as pki from '../pki.ts'
import * as der from './_der-writer.ts'
import { placeOf, refusal } from './_refusal.ts'
import { corpus } from './_tdx-corpus.ts'

const [THIS_UPDATE, NEXT_UPDATE] = [1_771_422_080, 1_774_014_080]
const ca = pki.newKeys()
const issuer = pki.name('Test PCK Platform CA')
const times = { thisUpdate: der.time(THIS_UPDATE), nextUpdate: der.time(NEXT_UPDATE) }
const crl = (parts: Partial<pki.CrlParts> = {}): Bytes => pki.crl(ca, { issuer, ...times, ...parts })

const [HIGH, LOW] = [fromHex('efae6e9715fca13b87e333e8261ed6d990a926ad'), fromHex('6fc34e5023e728923435d61aa4b83c618166ad35')]
const SHORT = Uint8Array.of(5)
const entry = (serial: Bytes, reason?: number): Bytes => pki.revokedEntry(der.integer(serial), THIS_UPDATE, reason)
const serialsOf = ({ der: bytes, revoked }: Crl): Bytes[] =>
  Array.from({ length: revoked.length / 2 }, (_, i) =>
    bytes.slice(revoked[2 * i], (revoked[2 * i] as number) + (revoked[2 * i + 1] as number)),
  )

describe('a CRL', () => {
  const bytes = crl({ revoked: [entry(HIGH, 1), entry(SHORT), entry(LOW, 4)] })
  const read = readCrl(bytes)

  it('has its parts', () => {
    expect(read).toMatchObject({
      thisUpdate: THIS_UPDATE,
      nextUpdate: NEXT_UPDATE,
      issuer: { der: issuer, commonName: 'Test PCK Platform CA' },
    })
    expect(placeOf(bytes, read.tbs)).toBe(4)
    expect(placeOf(bytes, read.signatureDer)).toBe(bytes.length - read.signatureDer.length)
  })

  it('has its serial numbers in their order, without the byte that keeps one positive', () => {
    expect(serialsOf(read)).toEqual([HIGH, SHORT, LOW])
  })

  it('answers whether a certificate is revoked', () => {
    for (const serial of [HIGH, SHORT, LOW, concat(Uint8Array.of(0), HIGH)]) expect(isRevoked(read, serial)).toBe(true)
    for (const serial of [HIGH.slice(1), HIGH.slice(0, 19), Uint8Array.of(6), Uint8Array.of(5, 0), new Uint8Array(0), new Uint8Array(20)]) {
      expect(isRevoked(read, serial)).toBe(false)
    }
  })

  it('is verified by WebCrypto from what was read', async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const key = await crypto.subtle.importKey('spki', ca.spki, algorithm, false, ['verify'])
    expect(await crypto.subtle.verify(algorithm, key, read.signature, read.tbs)).toBe(true)
    expect(await crypto.subtle.verify(algorithm, key, read.signature, read.tbs.subarray(1))).toBe(false)
  })

  it('may have no list and no extensions', () => {
    expect(serialsOf(readCrl(crl()))).toEqual([])
    const tbs = der.sequence(der.integer(1), pki.algorithm, issuer, times.thisUpdate, times.nextUpdate)
    expect(serialsOf(readCrl(der.sequence(tbs, pki.algorithm, der.bits(pki.signed(tbs, ca)))))).toEqual([])
  })

  it('keeps its list when another is read', () => {
    readCrl(crl({ revoked: [entry(LOW)] }))
    expect(serialsOf(read)).toEqual([HIGH, SHORT, LOW])
  })

  it('may fill the memory', () => {
    const long = readCrl(
      crl({ revoked: Array.from({ length: 8000 }, (_, i) => entry(concat(Uint8Array.of(1), fromHex(i.toString(16).padStart(8, '0'))))) }),
    )
    expect(long.revoked.length).toBe(16_000)
    expect(isRevoked(long, fromHex('0100001f3f'))).toBe(true)
    expect(isRevoked(long, fromHex('0100001f40'))).toBe(false)
  })
})

describe('refused', () => {
  const REVOKED = 'tbs.revokedCertificates'
  const raw = (...parts: readonly Bytes[]): Bytes => der.sequence(...parts)
  const at = der.time(THIS_UPDATE)
  const [negative, zero] = [raw(der.tlv(2, Uint8Array.of(0x9c, 1, 2)), at), raw(der.integer(0), at)]
  const [timeless, local, empty] = [
    raw(der.integer(HIGH)),
    raw(der.integer(LOW), der.utcTime('2602181341+0000')),
    raw(der.integer(HIGH), at, raw()),
  ]
  const indirect = pki.extension('2.5.29.29', true, raw())
  const reason = pki.extension('2.5.29.21', false, der.enumerated(1))
  const [critical, twice] = [raw(der.integer(HIGH), at, raw(indirect)), raw(der.integer(HIGH), at, raw(reason, reason))]
  const tail = raw(der.integer(HIGH), at, raw(reason), der.tlv(5))
  const delta = pki.extension('2.5.29.27', true, der.integer(1))
  const number = pki.extension('2.5.29.20', false, der.integer(7))
  const other = der.sequence(der.objectId('1.2.840.113549.1.1.11'))
  const revoked = (...entries: readonly Bytes[]): Bytes => crl({ revoked: entries })
  const v1 = crl({ version: new Uint8Array(0) })

  const cases: readonly (readonly [title: string, path: string, problem: string, bytes: Bytes, at: Bytes, further?: number])[] = [
    ['version 1', 'tbs.version', 'another tag', v1, concat(pki.algorithm, issuer)],
    ['version 3', 'tbs.version', 'another version', crl({ version: der.integer(2) }), concat(der.integer(2), pki.algorithm), 2],
    ['another algorithm inside', 'tbs.signature', 'ECDSA', crl({ algorithm: other }), other, 4],
    ['another algorithm outside', 'signatureAlgorithm', 'ECDSA', crl({ outerAlgorithm: other }), other, 4],
    ['an issuer without a common name', 'tbs.issuer', 'common name', crl({ issuer: raw() }), concat(raw(), times.thisUpdate)],
    ['no nextUpdate', 'tbs.nextUpdate', 'another tag', crl({ nextUpdate: new Uint8Array(0), revoked: [entry(HIGH)] }), raw(entry(HIGH))],
    ['an empty list', REVOKED, 'should begin', crl({ revoked: [new Uint8Array(0)] }), concat(times.nextUpdate, raw()), 17],
    ['a negative serial number', `${REVOKED}.userCertificate`, 'negative', revoked(entry(LOW), negative), negative, 4],
    ['a serial number of zero', `${REVOKED}.userCertificate`, 'zero', revoked(zero), zero, 4],
    ['an entry without a date', `${REVOKED}.revocationDate`, 'should begin', revoked(timeless), timeless, timeless.length],
    ['a date of local time', `${REVOKED}.revocationDate`, 'time', revoked(local), local, 26],
    ['empty extensions of an entry', `${REVOKED}.crlEntryExtensions`, 'should begin', revoked(empty), empty, empty.length],
    ['a critical extension of an entry', `${REVOKED}.crlEntryExtensions`, 'critical', revoked(critical), indirect],
    ['an extension of an entry twice', `${REVOKED}.crlEntryExtensions`, 'twice', revoked(twice), concat(reason, reason), reason.length],
    ['something behind the extensions of an entry', `${REVOKED}.crlEntryExtensions`, 'bytes behind', revoked(tail), tail, tail.length - 2],
    ['a list of changes', 'tbs.crlExtensions', 'critical', crl({ extensions: [number, delta] }), delta],
    ['its number twice', 'tbs.crlExtensions', 'twice', crl({ extensions: [number, number] }), concat(number, number), number.length],
    [
      'something behind the extensions',
      'tbs.crlExtensions',
      'bytes behind',
      crl({ extensions: [number], tail: zero }),
      concat(number, zero),
      number.length,
    ],
  ]
  for (const [title, path, problem, bytes, part, further = 0] of cases) {
    it(title, () => {
      expect(refusal(() => readCrl(bytes))).toEqual([path, expect.stringContaining(problem), placeOf(bytes, part) + further])
    })
  }

  it('a list of extensions longer than the tag around it', () => {
    const bytes = crl({ extensions: [number] })
    const tagged = der.explicit(0, der.sequence(number))
    const at = placeOf(bytes, tagged)
    bytes[at + 1] = tagged.length - 3
    expect(refusal(() => readCrl(bytes))).toEqual(['tbs.crlExtensions', expect.stringContaining('bytes behind'), at + tagged.length - 1])
  })

  it('more than the memory holds', () => {
    expect(refusal(() => readCrl(new Uint8Array(327_681)))).toEqual(['', expect.stringContaining('327680'), 0])
  })
})

const every = corpus().flatMap(({ crls }) => crls)
const isThere = every.length > 0

describe.skipIf(!isThere)('the CRLs of the corpus', () => {
  it('are all read but two, which are no CRLs on purpose', () => {
    expect(every.length).toBeGreaterThan(200)
    expect(every.flatMap(({ from, der: bytes }) => nameIfRefused(from, bytes))).toEqual([
      'pck-crl-garbage/pck_crl',
      'root-crl-garbage/root_ca_crl',
    ])
  })

  it('have the serial numbers that a plain walk of their elements finds', () => {
    const counts = new Set<number>()
    for (const { der: bytes } of every.filter(({ from }) => !from.includes('garbage'))) {
      const read = readCrl(bytes)
      expect(serialsOf(read).map(toHex)).toEqual(walkedSerials(read.tbs))
      expect(read.nextUpdate).toBeGreaterThan(read.thisUpdate)
      counts.add(read.revoked.length / 2)
    }
    expect([...counts].toSorted((a, b) => a - b)).toEqual([0, 1, 44, 51, 57])
  })
})

const walkedSerials = (tbs: Bytes): string[] => {
  const list = elements(elements(tbs)[0]?.[1] as Bytes)[5]
  if (list?.[0] !== 0x30) return []
  return elements(list[1]).map(([, contents]) => toHex(elements(contents)[0]?.[1] as Bytes).replace(/^00/, ''))
}

/** Tags and contents of elements one behind the other, of sound DER. */
const elements = (bytes: Bytes): (readonly [tag: number, contents: Bytes])[] => {
  const found: (readonly [number, Bytes])[] = []
  let at = 0
  while (at < bytes.length) {
    const [tag, first] = [bytes[at] as number, bytes[at + 1] as number]
    const more = first < 0x80 ? 0 : first - 0x80
    const from = at + 2 + more
    const length = more === 0 ? first : Number(`0x${toHex(bytes.slice(at + 2, from))}`)
    found.push([tag, bytes.slice(from, from + length)])
    at = from + length
  }
  return found
}

const nameIfRefused = (from: string, bytes: Bytes): string[] => {
  try {
    readCrl(bytes)
    return []
  } catch {
    return [from]
  }
}
