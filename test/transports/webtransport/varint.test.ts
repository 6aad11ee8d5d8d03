import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concat, fromHex } from '../../../client/primitives/bytes.ts'
import { MAX_VARINT, readVarint, writeVarint } from '../../../node/transports/webtransport/varint.ts'

test.each([
  ['c2197c5eff14e88c', 151_288_809_941_952_652n],
  ['9d7f3e7d', 494_878_333n],
  ['7bbd', 15_293n],
  ['25', 37n],
  ['4025', 37n],
])('RFC 9000 appendix A.1: %s is %s', (hex, value) => {
  expect(readVarint(fromHex(hex))).toEqual({ value, size: hex.length / 2 })
})

test('every integer of 62 bits comes back, in the shortest form, wherever it stands; a part of it is none', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: MAX_VARINT }),
      fc.integer({ min: 0, max: 62 }),
      fc.uint8Array({ maxLength: 9 }),
      (n, shift, before) => {
        const value = n >> BigInt(shift)
        const bytes = writeVarint(value)
        expect(readVarint(concat(before, bytes, Uint8Array.of(255)), before.length)).toEqual({ value, size: bytes.length })
        expect(bytes.length).toBe(value < 64n ? 1 : value < 16_384n ? 2 : value < 1n << 30n ? 4 : 8)
        expect(readVarint(bytes.subarray(0, -1))).toBeNull()
      },
    ),
  )
})

test('nothing else can be written', () => {
  for (const wrong of [-1n, MAX_VARINT + 1n]) expect(() => writeVarint(wrong)).toThrow(RangeError)
})
