import { describe, expect, it } from 'vitest'
import { hash } from '../../wasm/core.ts'
import { BLAKE3_VECTORS, blake3Input } from '../house/blake3-vectors.ts'

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

describe('BLAKE3 in Chromium', () => {
  it('runs in a page', () => {
    expect(navigator.userAgent).toContain('Chrome')
  })

  it.each(BLAKE3_VECTORS)('%i bytes', (length, expected) => {
    expect(hex(hash(blake3Input(length)))).toBe(expected)
  })
})
