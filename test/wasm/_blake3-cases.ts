import { blake3 as noble } from '@noble/hashes/blake3.js'
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../client/primitives/bytes.ts'
import type { Blake3, Bytes, Hasher, HasherOptions } from '../../wasm/hashing.ts'
import official from '../vectors/blake3.json' with { type: 'json' }
import { counted, type Implementation, seeded } from './_implementations.ts'
import { outputBlock } from './_reference.ts'

const MODES: readonly (readonly ['hash' | 'keyed_hash' | 'derive_key', HasherOptions])[] = [
  ['hash', {}],
  ['keyed_hash', { key: utf8(official.key) }],
  ['derive_key', { context: official.context_string }],
]

const ofMessage = (blake3: Blake3, message: Bytes, options: HasherOptions = {}): Hasher => blake3.createHasher(options).update(message)

/** The BLAKE3 team's test_vectors.json, with all 131 bytes of output. */
export const officialVectors = ({ blake3 }: Implementation): void => {
  it('has 35 cases of 131 bytes', () => {
    expect(official.cases).toHaveLength(35)
    for (const { hash, keyed_hash, derive_key } of official.cases)
      expect([hash.length, keyed_hash.length, derive_key.length]).toEqual([262, 262, 262])
  })

  it.each(MODES)('%s of every official case', (mode, options) => {
    for (const { input_len, [mode]: expected } of official.cases)
      expect(`${input_len} ${toHex(ofMessage(blake3, counted(input_len), options).digest(131))}`).toBe(`${input_len} ${expected}`)
  })

  it.each(MODES)('%s of every official case, taken in pieces of 1 to 2,000 bytes', (mode, options) => {
    const { below } = seeded(5)
    for (const { input_len, [mode]: expected } of official.cases) {
      const input = counted(input_len)
      const hasher = blake3.createHasher(options)
      for (let at = 0; at < input.length; ) {
        const end = at + 1 + below(2_000)
        hasher.update(input.subarray(at, end))
        at = end
      }
      expect(`${input_len} ${toHex(hasher.digest(131))}`).toBe(`${input_len} ${expected}`)
    }
  })

  it('hash and hashInto give the first 32 bytes', () => {
    for (const { input_len, hash } of official.cases) {
      const input = counted(input_len)
      const out = new Uint8Array(40).fill(7)
      blake3.hashInto(out, 5, [input])
      expect(toHex(out)).toBe(`0707070707${hash.slice(0, 64)}070707`)
      const cut = input_len >> 1
      expect(toHex(blake3.hash([input.subarray(0, cut), input.subarray(cut)]))).toBe(hash.slice(0, 64))
    }
  })
}

/** Output of any length, from any byte on. */
export const output = ({ name, blake3 }: Implementation): void => {
  const LENGTH = 140_000
  // The library puts out and drops what lies before.
  const sizes = name === 'fallback' ? [3, 1_025] : [0, 3, 64, 65, 1_024, 1_025, 70_000]

  it.each(MODES)('of %s is one stream, wherever it is begun and however much is read', (_, options) => {
    for (const size of sizes) {
      const hasher = ofMessage(blake3, counted(size), options)
      const key = options.key ?? undefined
      const context = options.context === undefined ? undefined : utf8(options.context)
      const stream = noble(counted(size), { dkLen: LENGTH, ...(key && { key }), ...(context && { context }) })
      expect(hasher.digest(LENGTH).every((byte, i) => byte === stream[i])).toBe(true)
      for (const from of [1, 31, 63, 64, 65, 1_000, 65_535, 65_536, 65_537, LENGTH - 200])
        for (const length of [0, 1, 63, 64, 65, 131])
          expect(toHex(hasher.digest(length, from))).toBe(toHex(stream.subarray(from, from + length)))
      expect(hasher.digest(65_536 + 7, 65_530).every((byte, i) => byte === stream[65_530 + i])).toBe(true)
    }
  })

  it('goes where it is told to, and nowhere else', () => {
    const hasher = ofMessage(blake3, counted(5))
    const room = new Uint8Array(300).fill(0xee)
    hasher.digestInto(room, 11, 200, 33)
    expect(toHex(room)).toBe('ee'.repeat(11) + toHex(hasher.digest(200, 33)) + 'ee'.repeat(89))
    for (const at of [269, 300, -1, 0.5])
      expect(() => hasher.digestInto(room, at)).toThrow(new RangeError(`32 bytes at ${at} do not fit 300`))
    const whole = blake3.createHasher({}).digest(70_000)
    expect(() => hasher.digestInto(whole, 1, 70_000)).toThrow(new RangeError('70000 bytes at 1 do not fit 70000'))
    expect(toHex(whole.subarray(0, 100))).toBe(toHex(blake3.createHasher({}).digest(100)))
  })

  it.each([
    [32, -1],
    [32, 0.5],
    [32, Number.NaN],
    [32, 2 ** 53],
    [-1, 0],
    [1.5, 0],
    [1, Number.MAX_SAFE_INTEGER],
  ])('is not asked for by %d bytes from byte %d on', (length, from) => {
    const message = `output is asked for by whole numbers from 0 on, not by ${length} bytes from byte ${from} on`
    const hasher = ofMessage(blake3, counted(5))
    expect(() => hasher.digest(length, from)).toThrow(new RangeError(message))
    expect(() => hasher.digestInto(new Uint8Array(9), 0, length, from)).toThrow(new RangeError(message))
  })

  if (name === 'fallback') return
  it('has a block number of 64 bits', () => {
    for (const size of [0, 5, 64, 1_024, 5_000]) {
      const hasher = ofMessage(blake3, counted(size))
      for (const number of [1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 3n, 2n ** 40n + 1n, 2n ** 46n]) {
        const two = toHex(outputBlock(counted(size), number)) + toHex(outputBlock(counted(size), number + 1n))
        expect(toHex(hasher.digest(100, Number(number * 64n + 5n)))).toBe(two.slice(10, 210))
      }
      expect(hasher.digest(32, 2 ** 38 + 5)).not.toEqual(hasher.digest(32, 5))
    }
  })
}

/** All of the above, for one implementation. */
export const blake3Cases = (implementation: Implementation): void => {
  describe('official vectors', () => officialVectors(implementation))
  describe('output', () => output(implementation))
}
