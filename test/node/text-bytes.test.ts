import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bytes, copy, utf8 } from '../../client/primitives/bytes.ts'
import { fromBase64, fromText } from '../../node/text-bytes.ts'

// Strict on both ends: what one writer of hex or base64 gives is read, and what no writer gives is refused (RFC 4648 section 3.5).

const quoteLike = fc.uint8Array({ minLength: 100, maxLength: 200 }).map((bytes): Bytes => copy(Uint8Array.of(4, 0, ...bytes)))
const FORMS = ['hex', 'base64', 'base64url'] as const

describe('bytes as text', () => {
  it('are the same bytes, in any form, broken into lines', () => {
    fc.assert(
      fc.property(quoteLike, fc.constantFrom(...FORMS), fc.integer({ min: 1, max: 90 }), (bytes, form, width) => {
        const text = Buffer.from(bytes)
          .toString(form)
          .replace(new RegExp(`.{${width}}`, 'g'), '$&\r\n')
        expect(fromText(utf8(` ${text}\n`))).toEqual(bytes)
      }),
    )
  })

  it('are themselves where they are no text: a byte that no text has, or none at all', () => {
    fc.assert(
      fc.property(quoteLike, (bytes) => {
        expect(fromText(bytes)).toBeNull()
      }),
    )
    expect(fromText(new Uint8Array(0))).toBeNull()
  })

  it.each(['0x1', '123', '0x12g4', 'AwB-+w==', 'AwBg=', 'AwB', 'AwBg==', 'Aw=B', 'AwC=AwC=', 'a, b', '{}'])('%s is refused', (text) => {
    expect(() => fromText(utf8(text))).toThrow(expect.objectContaining({ name: 'Bytes.TextBytesError' }))
  })

  it('have at most one base64 text of each alphabet and padding', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9+/]{2,12}$/), (text) => {
        const again = (): string => Buffer.from(fromBase64(text)).toString('base64').replace(/=+$/, '')
        try {
          expect(again()).toBe(text)
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'Bytes.TextBytesError' })
        }
      }),
    )
  })
})
