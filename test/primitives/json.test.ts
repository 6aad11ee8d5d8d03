import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as read from '../../client/primitives/json.ts'

const json = (value: unknown): read.Json => ({ value, path: '$' })
const refusal = (path: string) => expect.objectContaining({ name: 'Config.ParseError', path })

describe('reading a published config', () => {
  it('names the field', () => {
    const deep = json({ list: [{ n: 1 }, { n: 'x' }] })
    expect(() => read.items(read.member(deep, 'list'), (item) => read.text(read.member(item, 'n')))).toThrow(refusal('$.list[0].n'))
    expect(() => read.member(deep, 'other')).toThrow(refusal('$.other'))
    expect(() => read.items(json({}), read.text)).toThrow(refusal('$'))
    for (const value of [null, 3, 'x', [1]]) expect(() => read.record(json(value))).toThrow(refusal('$'))
    expect(() => read.name(json('a|b'))).toThrow(
      expect.objectContaining({ path: '$', cause: expect.objectContaining({ name: 'Identity.NameError', offset: 1 }) }),
    )
    expect(() => read.bytes(json('abc'), 1)).toThrow(refusal('$'))
  })

  it('takes null as absent, and own fields only', () => {
    expect(read.optional(json({ a: null }), 'a')).toBeUndefined()
    for (const key of ['constructor', 'toString', '__proto__']) expect(read.optional(json({}), key)).toBeUndefined()
    expect(read.optional(json(JSON.parse('{"__proto__":"x"}')), '__proto__')?.value).toBe('x')
  })

  it('CFG-12 a u64 comes as decimal text or as an exact number', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (n) => read.u64(json(String(n))) === n))
    fc.assert(fc.property(fc.maxSafeNat(), (n) => read.u64(json(n)) === BigInt(n)))
    const refused = [
      -1,
      1.5,
      2 ** 53,
      NaN,
      Infinity,
      '',
      ' 1',
      '1 ',
      '01',
      '+1',
      '-1',
      '0x1',
      '1e3',
      '1_0',
      '18446744073709551616',
      '9'.repeat(21),
      true,
      null,
      {},
      [1],
      1n,
    ]
    for (const value of refused) expect(() => read.u64(json(value)), String(value)).toThrow(refusal('$'))
  })
})
