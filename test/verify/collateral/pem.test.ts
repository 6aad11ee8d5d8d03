import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, utf8 } from '../../../client/primitives/bytes.ts'
import { readPem } from '../../../client/verify/collateral/index.ts'
import { writePem } from './_write.ts'

const BEGIN = '-----BEGIN CERTIFICATE-----'
const END = '-----END CERTIFICATE-----'
const block = (body: string): string => `${BEGIN}\n${body}\n${END}\n`
const read = (text: string): readonly Bytes[] => readPem(utf8(text), 'chain')

describe('PEM (TDX.md section 1; RFC 7468)', () => {
  it.each<readonly [what: string, text: string]>([
    ['no line feed at its end', `${BEGIN}\nAQID\n${END}`],
    ['CRLF', `${BEGIN}\r\nAQID\r\n${END}\r\n`],
    ['no line feeds at all', `${BEGIN}AQID${END}`],
    ['white space all over', ` \t\n${BEGIN} A Q\n\nI\tD\r ${END}  \n`],
    ['a zero byte behind it', `${block('AQID')}\0`],
    ['zero bytes and no line feed', `${BEGIN}\nAQID\n${END}\0\0\0`],
  ])('is read with %s', (_what, text) => {
    expect(read(text)).toEqual([Uint8Array.of(1, 2, 3)])
  })

  it('is read in its order, whatever the padding', () => {
    expect(read(block('AQ==') + block('AQI=') + block('AQID') + block(''))).toEqual(
      [[1], [1, 2], [1, 2, 3], []].map((bytes) => Uint8Array.from(bytes)),
    )
  })

  it.each<readonly [what: string, text: string, message: string]>([
    ['nothing', '', 'chain at 0: holds no certificate'],
    ['zeros alone', '\0\0', 'chain at 0: holds no certificate'],
    ['text before it', `x${block('AQID')}`, 'chain at 0: -----BEGIN'],
    ['text behind it', `${block('AQID')}x`, 'chain at 59: -----BEGIN'],
    ['a zero byte between two', `${block('AQID')}\0${block('AQID')}`, 'chain at 59: -----BEGIN'],
    ['another label', block('AQID').replaceAll('CERTIFICATE', 'PUBLIC KEY'), 'chain at 11: -----BEGIN'],
    ['another end', block('AQID').replace('END C', 'END X'), 'chain at 42: -----END'],
    ['no end', `${BEGIN}\nAQID\n`, 'chain at 33: ends inside of a certificate'],
    ['half of an end', `${BEGIN}\nAQID\n-----END CERT`, 'chain at 46: -----END'],
    ['a character of base64url', block('AQ-D'), 'chain at 30: base64 that does not end as it must'],
    ['a character of none', block('AQ!D'), 'chain at 30: is not a digit of base64'],
    ['a zero byte inside', block('AQ\0D'), 'chain at 30: is not a digit of base64'],
    ['a character past ASCII', block('AQéD'), 'chain at 30: is not a digit of base64'],
    ['no padding', block('AQI'), 'base64 that does not end as it must'],
    ['too little padding', block('AQ='), 'base64 that does not end as it must'],
    ['too much padding', block('AQI=='), 'base64 that does not end as it must'],
    ['padding of nothing', block('AQID===='), 'base64 that does not end as it must'],
    ['a digit alone', block('AQIDA'), 'base64 that does not end as it must'],
    ['digits behind the padding', block('AQ==AQID'), 'chain at 32: is not a digit of base64'],
    ['bits left over in one byte', block('AR=='), 'base64 that does not end as it must'],
    ['bits left over in two', block('AQJ='.replace('J', 'L')), 'base64 that does not end as it must'],
    ['nine certificates', block('AQID').repeat(9), 'more than 8 certificates'],
    ['more than 64 kB', ' '.repeat(65_537), '65537 bytes, at most 65536'],
  ])('is refused with %s', (_what, text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ name: 'Verify.CollateralFormatError', message: expect.stringContaining(message) }),
    )
  })

  it('comes back from what is written', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 }), (documents) => {
        const ders = documents.map((bytes) => new Uint8Array(bytes))
        expect(readPem(concat(utf8(writePem(ders)), Uint8Array.of(0)), 'chain')).toEqual(ders)
      }),
    )
  })

  it('is written as Node writes base64, in lines of 64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        const body = writePem([new Uint8Array(bytes)])
          .split('\n')
          .slice(1, -2)
        expect(body.join('')).toBe(Buffer.from(bytes).toString('base64'))
        expect(body.every((line) => line.length <= 64)).toBe(true)
      }),
    )
  })
})
