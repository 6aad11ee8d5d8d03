import { describe, expect, it } from 'vitest'
import { hash } from '../../wasm/core.ts'
import { BLAKE3_VECTORS, blake3Input } from './blake3-vectors.ts'

// The same vectors run in Chromium (test/browser/blake3.test.ts): an id must not depend on who computes it.
describe('BLAKE3 in Node', () => {
  it.each(BLAKE3_VECTORS)('%i bytes', (length, hex) => {
    expect(Buffer.from(hash(blake3Input(length))).toString('hex')).toBe(hex)
  })
})
