import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, fromHex, utf8 } from '../../client/primitives/bytes.ts'
import { readCertificate } from '../../wasm/certificate.ts'
import { type Exports, instantiate } from '../../wasm/instance.ts'
import { DIGESTS, END, INPUT, RESULT } from '../../wasm/layout.ts'
import { paths } from '../../wasm/paths.ts'
import { problems } from '../../wasm/problems.ts'
import { readSignature } from '../../wasm/signature.ts'
import * as pki from '../pki.ts'
import { random } from '../random.ts'
import * as der from './_der-writer.ts'
import { placeOf, refusal } from './_refusal.ts'

const keys = pki.newKeys()
const issuer = pki.name('Test Root CA')
const dates = pki.validity(1_700_000_000, 1_900_000_000)
const certificate = (validity: Bytes, extensions: readonly Bytes[] = [pki.basicConstraints(true, 1)]): Bytes =>
  pki.certificate(keys, { issuer, subject: issuer, spki: keys.spki, validity, extensions })

describe('the numbers of problems and paths', () => {
  const wordsIn = (file: string): readonly (readonly [number, string])[] =>
    [
      ...readFileSync(new URL(`../../wasm/assembly/${file}`, import.meta.url), 'utf8').matchAll(
        /^export const \w+: u32 = (\d+) \/\/ ?(.*)$/gm,
      ),
    ].map(([, number, words = '']) => [Number(number), words])

  it('have the same words on both sides', () => {
    expect(wordsIn('problems.ts')).toEqual(problems.map((words, i) => [i + 1, words]))
    expect(wordsIn('paths.ts')).toEqual(paths.map((words, i) => [i, words]))
  })
})

describe('lengths', () => {
  const cases: readonly (readonly [title: string, hex: string, path: string, problem: string, offset: number])[] = [
    ['a tag alone', '30', '', 'reaches past', 1],
    ['the indefinite form', '3080020101020101 0000', '', 'indefinite', 1],
    ['one byte where none is needed', '308106020101020101', '', 'shortest', 1],
    ['two bytes where one is enough', '3008 02 820001 01 020101', 'r', 'shortest', 3],
    ['a zero in front of three', '30 83000080', '', 'shortest', 1],
    ['four bytes', '3084 00000006 020101020101', '', 'more than three', 1],
    ['126 bytes', '30fe 00', '', 'more than three', 1],
    ['the reserved form', '30ff 00', '', 'more than three', 1],
    ['bytes of the length that are missing', '3082ff', '', 'reaches past', 1],
    ['16 MB', '3083ffffff 020101', '', 'reaches past', 1],
    ['one byte more than there is', '3007 020101020101', '', 'reaches past', 1],
    ['an element longer than what holds it', '3003 020201 01', 'r', 'reaches past', 3],
  ]
  it.each(cases)('%s is refused', (_, hex, path, problem, offset) => {
    expect(refusal(() => readSignature(fromHex(hex.replaceAll(' ', ''))))).toEqual([path, expect.stringContaining(problem), offset])
  })

  it('of 127, 128, 255, 256 and 65,536 bytes are told apart', () => {
    for (const size of [127, 128, 255, 256]) {
      const bytes = certificate(dates, [pki.extension('1.2.3', false, der.tlv(0x80, new Uint8Array(size)))])
      expect(readCertificate(bytes).issuer.der).toEqual(issuer)
    }
    const large = certificate(dates, [pki.extension('1.2.3', false, der.tlv(0x80, new Uint8Array(65_536)))])
    expect(refusal(() => readCertificate(large))).toEqual(['', expect.stringContaining('more bytes than'), 0])
  })
})

describe('times', () => {
  const parts = { issuer, subject: issuer, spki: keys.spki, signature: der.bits(der.sequence(der.integer(1), der.integer(1))) }
  const dated = (notAfter: Bytes): Bytes => pki.certificate(keys, { ...parts, validity: der.sequence(der.time(0), notAfter) })
  const read: readonly (readonly [Bytes, string])[] = [
    [der.utcTime('491231235959Z'), '2049-12-31T23:59:59Z'],
    [der.utcTime('500101000000Z'), '1950-01-01T00:00:00Z'],
    [der.utcTime('000229120000Z'), '2000-02-29T12:00:00Z'],
    [der.utcTime('240229000000Z'), '2024-02-29T00:00:00Z'],
    [der.utcTime('700101000000Z'), '1970-01-01T00:00:00Z'],
    [der.utcTime('380119031408Z'), '2038-01-19T03:14:08Z'],
    [der.generalizedTime('20500101000000Z'), '2050-01-01T00:00:00Z'],
    [der.generalizedTime('21060207062816Z'), '2106-02-07T06:28:16Z'],
    [der.generalizedTime('99991231235959Z'), '9999-12-31T23:59:59Z'],
  ]
  it.each(read)('%#: is read', (time, iso) => {
    expect(readCertificate(dated(time)).notAfter).toBe(Date.parse(iso) / 1000)
  })

  it('are those of the calendar, on every day of eighty years', () => {
    for (let day = 0; day < 29_000; day += 13)
      expect(readCertificate(dated(der.time(day * 86_400 + day))).notAfter).toBe(day * 86_400 + day)
  })

  const form = 'YYMMDDhhmmssZ'
  const refused: readonly (readonly [title: string, time: Bytes, problem: string, offset: number])[] = [
    ['without seconds', der.utcTime('2601011200Z'), form, 0],
    ['with an offset', der.utcTime('260101120000+0000'), form, 0],
    ['without Z', der.utcTime('2601011200000'), form, 12],
    ['with a fraction', der.generalizedTime('20510101120000.5Z'), form, 0],
    ['a space for a digit', der.utcTime('2601 1120000Z'), form, 4],
    ['month 0', der.utcTime('260001120000Z'), 'calendar', 2],
    ['month 13', der.utcTime('261301120000Z'), 'calendar', 2],
    ['day 0', der.utcTime('260100120000Z'), 'calendar', 2],
    ['31 April', der.utcTime('260431120000Z'), 'calendar', 2],
    ['31 September', der.utcTime('260931120000Z'), 'calendar', 2],
    ['29 February of 2026', der.utcTime('260229120000Z'), 'calendar', 2],
    ['29 February of 2100', der.generalizedTime('21000229120000Z'), 'calendar', 4],
    ['hour 24', der.utcTime('260101240000Z'), 'calendar', 2],
    ['minute 60', der.utcTime('260101126000Z'), 'calendar', 2],
    ['a leap second', der.utcTime('261231235960Z'), 'calendar', 2],
    ['GeneralizedTime of 2049', der.generalizedTime('20491231235959Z'), 'GeneralizedTime', 0],
    ['text', der.tlv(0x0c, utf8('260101120000Z')), 'another tag', -2],
  ]
  it.each(refused)('%s is refused', (_, time, problem, offset) => {
    const bytes = dated(time)
    const [path, words, at] = refusal(() => readCertificate(bytes))
    expect([path, words, at - placeOf(bytes, time)]).toEqual(['tbs.validity.notAfter', expect.stringContaining(problem), offset + 2])
  })
})

describe('a certificate in parts', () => {
  const bytes = certificate(dates)

  it('is refused wherever it is cut, and with a byte behind it', () => {
    for (let length = 0; length < bytes.length; length++) {
      const [path, , offset] = refusal(() => readCertificate(bytes.slice(0, length)))
      expect(path).toBe('')
      expect(offset).toBeLessThanOrEqual(length)
    }
    expect(refusal(() => readCertificate(concat(bytes, Uint8Array.of(0))))).toEqual([
      '',
      expect.stringContaining('bytes behind'),
      bytes.length,
    ])
  })

  it('is refused with an unused bit in its signature, and with something behind it', () => {
    const parts = { issuer, subject: issuer, spki: keys.spki, validity: dates }
    const good = pki.signed(utf8('anything'), keys)
    const place = (signature: Bytes) => {
      const whole = pki.certificate(keys, { ...parts, signature })
      const [path, problem, offset] = refusal(() => readCertificate(whole))
      return [path, problem, offset - placeOf(whole, signature)]
    }
    expect(place(der.bits(concat(good, Uint8Array.of(0)), 1))).toEqual(['signature', expect.stringContaining('unused bits'), 2])
    expect(place(der.bits(concat(good, Uint8Array.of(0))))).toEqual(['signature', expect.stringContaining('bytes behind'), 3 + good.length])
    expect(place(der.bits(der.sequence(der.integer(0), der.integer(1))))).toEqual(['signature.r', expect.stringContaining('zero'), 7])
    expect(place(der.bits(new Uint8Array(0)))).toEqual(['signature', expect.stringContaining('should begin'), 3])
  })
})

// A reader that looked one byte past its input would see what lies there; wasm does not trap inside its own memory.
describe('what surrounds an input', () => {
  const { exports, bytes, words } = instantiate()
  const resultOf = (reader: Reader, input: Bytes, at: number, around: number): readonly number[] => {
    bytes.fill(around, INPUT, END)
    bytes.set(input, at)
    bytes.fill(around, RESULT, RESULT + 4 * SIZES[reader])
    exports[reader](at, input.length)
    const [problem, ...rest] = words.subarray(RESULT >> 2, (RESULT >> 2) + SIZES[reader])
    if (problem !== 0) return [problem as number, ...rest.slice(0, 2)]
    const entries = reader === 'readCrl' ? (rest.at(-1) as number) : 0
    return [0, ...rest.slice(2), ...words.subarray(DIGESTS >> 2, (DIGESTS >> 2) + 2 * entries)]
  }

  it('changes nothing, for sound and for damaged inputs', () => {
    const next = random(20_26)
    const below = (limit: number): number => Math.floor(next() * limit)
    for (const [reader, sound] of inputs()) {
      expect(resultOf(reader, sound, INPUT, 0)[0]).toBe(0)
      for (let i = 0; i < 700; i++) {
        const input = damaged(sound, below)
        const first = resultOf(reader, input, INPUT, 0)
        expect(resultOf(reader, input, INPUT + 1 + below(64), 0x30)).toEqual(first)
        expect(resultOf(reader, input, END - input.length, 0xff)).toEqual(first)
        if (first[0] !== 0) expect(first[2]).toBeLessThanOrEqual(input.length)
      }
    }
  })
})

type Reader = 'readCertificate' | 'readCrl' | 'readSignature'

// Words of the table that a reader writes, the three in front of the fields included.
const SIZES = { readCertificate: 61, readCrl: 32, readSignature: 19 } as const satisfies Record<Reader & keyof Exports, number>

const inputs = (): readonly (readonly [Reader, Bytes])[] => {
  const extensions = [pki.SIGNER_USAGE, pki.basicConstraints(false), pki.sgxExtension(pki.sgxItems(pki.PLATFORM))]
  const revoked = [1, 2, 3].map((serial) => pki.revokedEntry(der.integer(serial), 1_700_000_000, 1))
  return [
    ['readCertificate', certificate(dates, extensions)],
    ['readCrl', pki.crl(keys, { issuer, thisUpdate: der.time(1_700_000_000), nextUpdate: der.time(1_800_000_000), revoked })],
    ['readSignature', pki.signed(utf8('message'), keys)],
  ]
}

/** A few bytes changed, or an end cut off. */
const damaged = (sound: Bytes, below: (limit: number) => number): Bytes => {
  const bytes = sound.slice(0, below(4) === 0 ? below(sound.length) : sound.length)
  for (let i = below(3); i >= 0; i--) if (bytes.length > 0) bytes[below(bytes.length)] = below(256)
  return bytes
}
