import './_relaxed.ts'
import { hash as blake3Wasm } from 'blake3-wasm'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../client/primitives/bytes.ts'
import { expected, hasherCases, takeInPieces } from './_hasher-cases.ts'
import { onEach, onEachBuild, seeded } from './_implementations.ts'

const MB = 1_048_576

describe('a hasher', () => onEach(hasherCases))

describe('random lengths and splits', () =>
  onEachBuild((_, blake3) => {
    it('hash as in @noble/hashes and in blake3-wasm', () => {
      const { below, bytes } = seeded(2)
      const pool = bytes(MB)
      // Short and long ones alike often: each magnitude has its share.
      const lengths = Array.from({ length: 300 }, (_, i) => (i < 2 ? i * MB : Math.min(MB, below(2 ** (1 + below(21))))))
      for (const length of lengths) {
        const from = below(MB - length + 1)
        const message = pool.subarray(from, from + length)
        const hex = toHex(Buffer.from(blake3Wasm(message)))
        expect(`${length} ${toHex(takeInPieces(blake3.createHasher({}), message, below).digest())}`).toBe(`${length} ${hex}`)
        expect(`${length} ${toHex(blake3.hash([message]))}`).toBe(`${length} ${hex}`)
        if (length < 100_000) expect(hex).toBe(expected(message))
      }
      const key = bytes(32)
      for (const options of [{ key }, { context: 'random' }]) {
        for (let i = 0; i < 40; i++) {
          const message = pool.subarray(0, below(2 ** (1 + below(18))))
          const hasher = takeInPieces(blake3.createHasher(options), message, below)
          expect(toHex(hasher.digest(80))).toBe(expected(message, options, 80))
        }
      }
    })
  }))
