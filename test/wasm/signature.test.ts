import { describe, expect, it } from 'vitest'
import { type Bytes, concat, fromHex, utf8 } from '../../client/primitives/bytes.ts'
import { readSignature } from '../../wasm/signature.ts'
import * as pki from '../pki.ts'
import * as der from './_der-writer.ts'
import { refusal } from './_refusal.ts'

const half = (first: number): Bytes => concat(Uint8Array.of(first), new Uint8Array(31).fill(0x33))
const raw = (...contents: readonly number[]): Bytes => der.tlv(0x02, Uint8Array.from(contents))
const ONE = der.integer(1)

describe('an ECDSA signature', () => {
  it('is what WebCrypto verifies, whatever the lengths of its halves', async () => {
    const keys = pki.newKeys()
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const key = await crypto.subtle.importKey('spki', keys.spki, algorithm, false, ['verify'])
    const lengths = new Set<number>()
    for (let i = 0; i < 600; i++) {
      const bytes = utf8(`message ${i}`)
      const signature = pki.signed(bytes, keys)
      lengths.add(signature.length)
      expect(await crypto.subtle.verify(algorithm, key, readSignature(signature), bytes)).toBe(true)
    }
    expect(lengths.size).toBeGreaterThan(2)
  })

  it('has its halves at the right of 32 bytes each', () => {
    expect(readSignature(der.sequence(ONE, der.integer(0x0203)))).toEqual(
      concat(new Uint8Array(31), Uint8Array.of(1), new Uint8Array(30), Uint8Array.of(2, 3)),
    )
    expect(readSignature(der.sequence(der.integer(half(0xff)), der.integer(half(0x7f))))).toEqual(concat(half(0xff), half(0x7f)))
  })

  it('keeps its bytes when another is read', () => {
    const first = readSignature(der.sequence(ONE, ONE))
    readSignature(der.sequence(der.integer(half(0xff)), der.integer(half(0xff))))
    expect(first[0]).toBe(0)
  })
})

describe('refused', () => {
  const long = new Array<number>(33).fill(0x11)
  const cases: readonly (readonly [title: string, bytes: Bytes, path: string, problem: string, offset: number])[] = [
    ['nothing', new Uint8Array(0), '', 'should begin', 0],
    ['a SET', der.set(ONE, ONE), '', 'another tag', 0],
    ['r alone', der.sequence(ONE), 's', 'should begin', 5],
    ['a third number', der.sequence(ONE, ONE, ONE), '', 'bytes behind', 8],
    ['something behind it', concat(der.sequence(ONE, ONE), Uint8Array.of(0)), '', 'bytes behind', 8],
    ['r of zero', der.sequence(der.integer(0), ONE), 'r', 'zero', 4],
    ['s of zero', der.sequence(ONE, der.integer(0)), 's', 'zero', 7],
    ['a negative r', der.sequence(raw(0x80), ONE), 'r', 'negative', 4],
    ['r of no bytes', der.sequence(raw(), ONE), 'r', 'another length', 4],
    ['a needless zero', der.sequence(ONE, raw(0, 0x7f)), 's', 'shortest', 7],
    ['a needless FF', der.sequence(raw(0xff, 0x80), ONE), 'r', 'shortest', 4],
    ['r of 33 bytes', der.sequence(raw(...long), ONE), 'r', 'too large', 4],
    ['r of 33 bytes behind a zero', der.sequence(raw(0, 0x91, ...long.slice(1)), ONE), 'r', 'too large', 5],
    ['an OCTET STRING for r', der.sequence(der.octets(Uint8Array.of(1)), ONE), 'r', 'another tag', 2],
    ['r that reaches into s', fromHex('3006020401020101'), 's', 'should begin', 8],
    ['r that reaches past the end', fromHex('3006020501020101'), 'r', 'reaches past', 3],
  ]
  it.each(cases)('%s', (_, bytes, path, problem, offset) => {
    expect(refusal(() => readSignature(bytes))).toEqual([path, expect.stringContaining(problem), offset])
  })
})
