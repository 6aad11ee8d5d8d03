import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isError } from '../../client/error.ts'
import {
  compare,
  concat,
  copy,
  equal,
  fromHex,
  HexError,
  OutOfRangeError,
  TextError,
  toHex,
  u32le,
  u64le,
  utf8,
} from '../../client/primitives/bytes.ts'

const some = fc.uint8Array({ maxLength: 40 })
const thrown = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

describe('order and equality', () => {
  it('agree with the platform’s own comparison of bytes', () => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        expect(Math.sign(compare(a, b))).toBe(Buffer.compare(a, b))
        expect(equal(a, b)).toBe(Buffer.compare(a, b) === 0)
        expect(equal(a, a.slice())).toBe(true)
      }),
    )
  })

  it('put a prefix before what it begins, and compare bytes as unsigned', () => {
    expect(compare(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0)
    expect(compare(Uint8Array.of(0x7f), Uint8Array.of(0x80))).toBeLessThan(0)
    expect(equal(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false)
  })
})

describe('copies', () => {
  it('concat joins views and owns its buffer', () => {
    const room = Uint8Array.of(9, 1, 2, 9)
    const joined = concat(room.subarray(1, 3), Uint8Array.of(), Uint8Array.of(3))
    room.fill(0)
    expect(joined).toEqual(Uint8Array.of(1, 2, 3))
    expect(joined.buffer.byteLength).toBe(3)
    expect(concat()).toEqual(new Uint8Array(0))
  })

  it('copy is no second view, of a Node Buffer either', () => {
    for (const source of [Uint8Array.of(1, 2, 3), Buffer.from([1, 2, 3])]) {
      const kept = copy(source)
      source.fill(0)
      expect(kept).toEqual(Uint8Array.of(1, 2, 3))
      expect(Object.getPrototypeOf(kept)).toBe(Uint8Array.prototype)
    }
  })
})

describe('hex', () => {
  it('there and back, lowercase out, either case and 0x in', () => {
    fc.assert(
      fc.property(some, (bytes) => {
        const hex = toHex(bytes)
        expect(hex).toBe(Buffer.from(bytes).toString('hex'))
        for (const text of [hex, `0x${hex}`, hex.toUpperCase()]) expect(fromHex(text)).toEqual(bytes)
      }),
    )
  })

  it.each([
    ['abc', '3 digits do not make whole bytes'],
    ['0xabc', '3 digits do not make whole bytes'],
    ['zz', 'character 0 is not a hex digit'],
    ['0x0g', 'character 3 is not a hex digit'],
    ['0x0x00', 'character 3 is not a hex digit'],
    ['00 0', 'character 2 is not a hex digit'],
    ['-1', 'character 0 is not a hex digit'],
    ['0X00', 'character 1 is not a hex digit'],
    ['٠٠', 'character 0 is not a hex digit'],
  ])('refuses %j: %s', (text, problem) => {
    const error = thrown(() => fromHex(text, 'peer id'))
    expect(error).toBeInstanceOf(HexError)
    expect(error).toMatchObject({ name: 'Bytes.HexError', subject: 'peer id', problem, message: `peer id: ${problem}` })
  })

  it('holds to a length that was asked for, and does not repeat the text', () => {
    expect(fromHex('0x0102', 'id', 2)).toEqual(Uint8Array.of(1, 2))
    const error = thrown(() => fromHex('c0ffee', 'id', 2))
    expect(error).toMatchObject({ problem: 'expected 4 digits, found 6' })
    expect(JSON.stringify((error as HexError).facts) + String(error)).not.toContain('c0ffee')
  })
})

describe('UTF-8', () => {
  it('is that of the platform for every text that has one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8(text)).toEqual(new Uint8Array(Buffer.from(text, 'utf8')))
      }),
    )
    expect(utf8('\ufeffa')).toEqual(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))
  })

  it.each([
    ['\ud800', 0],
    ['ab\udfff', 2],
    ['\u{1f9ff}\udc00', 2],
    ['\udc00\ud800', 0],
  ])('refuses the lone surrogate in %j', (text, at) => {
    const error = thrown(() => utf8(text))
    expect(error).toBeInstanceOf(TextError)
    expect(isError(error, 'Bytes.TextError') && error.facts.at).toBe(at)
  })
})

describe('integers', () => {
  it('are little-endian', () => {
    expect(u64le(0x0102030405060708n)).toEqual(Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1))
    expect(u64le(2n ** 64n - 1n)).toEqual(new Uint8Array(8).fill(0xff))
    expect(u32le(0x01020304)).toEqual(Uint8Array.of(4, 3, 2, 1))
    expect(u32le(0xffffffff)).toEqual(new Uint8Array(4).fill(0xff))
  })

  it('outside of their width are refused, not wrapped', () => {
    for (const n of [-1n, 2n ** 64n]) expect(() => u64le(n)).toThrow(OutOfRangeError)
    for (const n of [-1, 2 ** 32, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => u32le(n)).toThrow(OutOfRangeError)
    expect(thrown(() => u32le(-1))).toMatchObject({ name: 'Bytes.OutOfRangeError', value: -1, bits: 32 })
  })
})
