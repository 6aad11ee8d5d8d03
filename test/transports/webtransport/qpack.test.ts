import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, utf8 } from '../../../client/primitives/bytes.ts'
import { H3 } from '../../../node/transports/webtransport/codes.ts'
import { readHuffman } from '../../../node/transports/webtransport/huffman.ts'
import { FIELD_LIMITS, readFields, writeFields } from '../../../node/transports/webtransport/qpack.ts'
import { STATIC_TABLE } from '../../../node/transports/webtransport/static-table.ts'
import { huffmanOf } from './_nghttp2.ts'

describe('Huffman code (RFC 7541)', () => {
  test.each([
    ['f1e3c2e5f23a6ba0ab90f4ff', 'www.example.com'],
    ['a8eb10649cbf', 'no-cache'],
    ['25a849e95ba97d7f', 'custom-key'],
    ['25a849e95bb8e8b4bf', 'custom-value'],
    ['d07abe941054d444a8200595040b8166e082a62d1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['9d29ad171863c78f0b97c8e9ae82ae43d3', 'https://www.example.com'],
  ])('appendix C.4 and C.6: %s', (hex, text) => {
    expect(readHuffman(fromHex(hex))).toBe(text)
  })

  test('what nghttp2 writes, for every character that a field may have', async () => {
    // Long codes only where short ones make up for them: nghttp2 writes the shorter of the two forms.
    const texts = Array.from({ length: 94 }, (_, i) => `${'a'.repeat(24)}${String.fromCharCode(33 + i)}${'e'.repeat(24)}`)
    const codes = await huffmanOf(texts)
    expect(codes.map((code) => code && readHuffman(code))).toEqual(texts)
  })

  test('section 5.2: padding of 8 bits or more, padding with a zero, and EOS are refused', () => {
    for (const hex of ['1fff', 'a8eb10649cbfff', 'a8eb10649cbe', 'ffffffff', '00000000fffffffc'])
      expect(readHuffman(fromHex(hex)), hex).toBeNull()
  })
})

describe('field sections (RFC 9204)', () => {
  test('appendix A has 99 entries', () => {
    expect(STATIC_TABLE).toHaveLength(99)
    expect([0, 1, 15, 23, 25, 54, 62, 90, 98].map((i) => STATIC_TABLE[i])).toEqual([
      [':authority', ''],
      [':path', '/'],
      [':method', 'CONNECT'],
      [':scheme', 'https'],
      [':status', '200'],
      ['content-type', 'text/plain;charset=utf-8'],
      ['x-xss-protection', '1; mode=block'],
      ['origin', ''],
      ['x-frame-options', 'sameorigin'],
    ])
  })

  test('appendix B.1: a literal with a name of the static table', () => {
    expect(readFields(fromHex('0000510b2f696e6465782e68746d6c'))).toEqual([[':path', '/index.html']])
  })

  test('what is written is read back, whatever the names and values', () => {
    const text = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 150 })
    const name = fc.oneof(text, fc.constantFrom(...STATIC_TABLE.map(([known]) => known)))
    const value = fc.oneof(text, fc.constantFrom(...STATIC_TABLE.map(([, known]) => known)))
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), (fields) => {
        expect(readFields(writeFields(fields))).toEqual(fields)
      }),
    )
  })

  test.each([
    ['a dynamic table is needed', '0200', 0],
    ['a base below nothing', '0080', 1],
    ['an indexed entry of the dynamic table', '000080', 2],
    ['a name of the dynamic table', '00004000', 2],
    ['an indexed entry behind the base', '000010', 2],
    ['a name behind the base', '00000000', 2],
    ['an entry beyond the static table', '0000ff24', 2],
    ['a string that ends too early', '0000510b2f', 4],
    ['an integer without an end', '0000ff80808080', 2],
    ['a text that is no Huffman code', '00005182ffff', 4],
    ['nothing at all', '', 0],
    ['half of a prefix', '00', 1],
  ])('refused with its place: %s', (_, hex, offset) => {
    expect(() => readFields(fromHex(hex))).toThrow(expect.objectContaining({ code: H3.decompression, offset }))
  })

  test('bounded: more fields, or more bytes of them, than FIELD_LIMITS are refused', () => {
    const many = (count: number): Uint8Array => concat(fromHex('0000'), new Uint8Array(count).fill(0xd1))
    expect(readFields(many(FIELD_LIMITS.fields))).toHaveLength(FIELD_LIMITS.fields)
    expect(() => readFields(many(FIELD_LIMITS.fields + 1))).toThrow(expect.objectContaining({ code: H3.excessiveLoad }))
    const long = (length: number): Uint8Array => writeFields([['a', 'b'.repeat(length)]])
    expect(readFields(long(FIELD_LIMITS.size - 33))).toHaveLength(1)
    expect(() => readFields(long(FIELD_LIMITS.size - 32))).toThrow(expect.objectContaining({ code: H3.excessiveLoad }))
  })

  test('every prefix of a section is refused or is a shorter section; no input throws anything else', () => {
    const whole = writeFields([
      [':method', 'CONNECT'],
      [':path', '/x?y'],
      ['sec-webtransport-http3-draft02', '1'],
    ])
    for (let end = 0; end <= whole.length; end++) attempt(whole.subarray(0, end))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), attempt))
    attempt(utf8('GET / HTTP/1.1'))
  })
})

const attempt = (bytes: Uint8Array): void => {
  try {
    readFields(bytes)
  } catch (error) {
    expect(error).toMatchObject({ name: 'WebTransport.Http3Error', place: 'field section' })
  }
}
