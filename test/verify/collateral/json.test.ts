import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, utf8 } from '../../../client/primitives/bytes.ts'
import { readJson } from '../../../client/verify/collateral/json.ts'

const read = (text: string | Bytes, max?: number): unknown => readJson(typeof text === 'string' ? utf8(text) : text, 'tcb_info', max).value
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

describe('a signed document (TDX.md section 5)', () => {
  it.each<readonly [what: string, text: string | Bytes, message: string]>([
    ['nested 33 deep', nested(33), 'tcb_info at 32: nested deeper than 32'],
    ['nested 100,000 deep', nested(100_000), 'tcb_info at 32: nested deeper than 32'],
    ['nested in lists and objects', '{"a":['.repeat(17), 'nested deeper than 32'],
    ['of a byte too many', ' '.repeat(262_145), 'tcb_info at 262144: 262145 bytes, at most 262144'],
    ['that is not JSON', '{"id": TDX}', 'tcb_info: '],
    ['of nothing', '', 'tcb_info: '],
    ['with a comma too many', '{"id": 1,}', 'tcb_info: '],
    ['with something behind it', '{} {}', 'tcb_info: '],
    ['with a byte order mark', '\ufeff{}', 'tcb_info: '],
    ['with a string that does not end', '{"id": "TDX', 'tcb_info: '],
    ['with an escape that does not end', '{"id": "TDX\\', 'tcb_info: '],
    ['that is not UTF-8', concat(utf8('{"id": "'), Uint8Array.of(0xff), utf8('"}')), 'tcb_info: is not UTF-8'],
    ['with a key twice', '{"id": 1, "id": 2}', 'tcb_info: a key stands twice'],
    ['with a key twice, once in escapes', '{"id": 1, "\\u0069d": 2}', 'tcb_info: a key stands twice'],
    ['with a key twice, deep inside', '[{"a": [{"b": {"c": 1, "d": 2, "c": 1}}]}]', 'tcb_info: a key stands twice'],
  ])('is refused %s', (_what, text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ name: 'Verify.CollateralFormatError', message: expect.stringContaining(message) }),
    )
  })

  it.each([
    nested(32),
    ...['{}', '[]', '0', '"a"', 'null'],
    '{"a": {"id": 1}, "b": {"id": 1}}',
    '{"a": ":{[\\":{[", "b\\"": "}]\\\\"}',
    '{"__proto__": {"a": 1}, "constructor": 2}',
    '{"1": 1, "0": 2}',
  ])('is read: %s', (text) => {
    expect(read(text)).toEqual(JSON.parse(text))
  })

  it('may be bounded otherwise', () => {
    expect(() => read('[1]', 2)).toThrow('3 bytes, at most 2')
    expect(read('[1]', 3)).toEqual([1])
  })

  it('is read whatever it holds', () => {
    const given = fc.tuple(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(undefined, 1, '\t'))
    fc.assert(
      fc.property(given, ([value, space]) => {
        const text = JSON.stringify(value, null, space)
        expect(read(text)).toEqual(JSON.parse(text))
      }),
    )
  })
})
