// Section 1: primitives, what a decoder refuses, frames.

import {
  bool,
  bytes,
  encode,
  fixed,
  list,
  type Of,
  option,
  struct,
  type Type,
  text,
  u8,
  u16,
  u32,
  u64,
  u128,
  unit,
  variant,
} from './bcs.ts'
import { hex, join, unhex, utf8 } from './hash.ts'
import { both, type Row } from './kit.ts'
import { frame } from './light.ts'

const Pair = struct({ a: u16, b: text(8) })
const Choice = variant({ none: [0, unit], some: [1, u8], pair: [2, Pair], last: [255, unit] }, [5])

/** The types that the vectors of section 1 name. `Choice`: 0 none unit · 1 some u8 · 2 pair {a u16, b text ≤ 8} · 5 kept · 255 last unit. */
export const PRIMITIVES: Record<string, Type<unknown>> = {
  u8,
  u16,
  u32,
  u64,
  u128,
  bool,
  '[4]': fixed(4),
  'bytes ≤ 300': bytes(300),
  'text ≤ 8': text(8),
  'list ≤ 3 of u16': list(u16, 3),
  'list 1..2 of u8': list(u8, 2, 1),
  'list ≤ 300 of u8': list(u8, 300),
  'option u8': option(u8),
  'option list ≤ 2 of bool': option(list(bool, 2)),
  '{ a u16, b text ≤ 8 }': Pair,
  Choice,
}

function accepted(): Row[] {
  const rows: Row[] = []
  const add = <T>(name: string, type: Type<T>, ...values: T[]) => {
    for (const value of values) rows.push({ type: name, ...both(type, value) })
  }
  add('u8', u8, 0, 1, 255)
  add('u16', u16, 0, 0x0102, 65_535)
  add('u32', u32, 0, 0x01020304, 2 ** 32 - 1)
  add('u64', u64, 0n, 0x0102030405060708n, 2n ** 53n + 1n, 2n ** 64n - 1n)
  add('u128', u128, 0n, 0x0102030405060708090a0b0c0d0e0f10n, 2n ** 128n - 1n)
  add('bool', bool, false, true)
  add('[4]', fixed(4), unhex('01020304'))
  add('bytes ≤ 300', bytes(300), new Uint8Array(0), unhex('00'), new Uint8Array(127), new Uint8Array(128), new Uint8Array(300).fill(7))
  add('text ≤ 8', text(8), '', 'a', 'ß', '€', '😀', '\ufeffbom', 'e\u0301', 'é', 'a\u0000b', '12345678', '\ufffe\uffff')
  add('list ≤ 3 of u16', list(u16, 3), [], [1], [3, 2, 1])
  add('list 1..2 of u8', list(u8, 2, 1), [9], [9, 8])
  add('list ≤ 300 of u8', list(u8, 300), new Array<number>(200).fill(1))
  add('option u8', option(u8), null, 0, 255)
  add('option list ≤ 2 of bool', option(list(bool, 2)), null, [], [true, false])
  add('{ a u16, b text ≤ 8 }', Pair, { a: 258, b: 'x' })
  const choices: Of<typeof Choice>[] = [
    { is: 'none', value: null },
    { is: 'some', value: 7 },
    { is: 'pair', value: { a: 1, b: '' } },
    { is: 'last', value: null },
  ]
  add('Choice', Choice, ...choices)
  return rows
}

function refused(): Row[] {
  const rows: [type: string, hex: string, rule: string, why: string][] = [
    ['u32', '010203', 'truncated', 'three bytes of four'],
    ['u8', '', 'truncated', 'nothing at all'],
    ['u8', '0102', 'trailing', 'a byte after the value'],
    ['bool', '02', 'tag', 'bool 2'],
    ['bool', 'ff', 'tag', 'bool 255'],
    ['[4]', '010203', 'truncated', 'three bytes of four'],
    ['bytes ≤ 300', '8000', 'uleb-shortest', 'length 0 in two bytes'],
    ['bytes ≤ 300', '818000ff', 'uleb-shortest', 'length 1 in three bytes'],
    ['bytes ≤ 300', 'ff00', 'uleb-shortest', 'length 127 in two bytes'],
    ['bytes ≤ 300', '8080808010', 'uleb-range', 'length 2^32'],
    ['bytes ≤ 300', 'ffffffff1f', 'uleb-range', 'length 2^33 - 1'],
    ['bytes ≤ 300', '808080808000', 'uleb-range', 'a length of six bytes'],
    ['bytes ≤ 300', 'ffffffffffffffffff01', 'uleb-range', 'a length of 64 bits'],
    ['bytes ≤ 300', 'ffffffff0f', 'length', 'length 2^32 - 1: over the limit, to be refused before it is reserved'],
    ['bytes ≤ 300', `ad02${'00'.repeat(301)}`, 'length', '301 bytes, all of them there'],
    ['bytes ≤ 300', '0301', 'truncated', 'length 3, one byte left'],
    ['bytes ≤ 300', '80', 'truncated', 'the length itself is cut'],
    ['bytes ≤ 300', '010203', 'trailing', 'a byte after the value'],
    ['text ≤ 8', '09313233343536373839', 'length', 'nine bytes'],
    ['text ≤ 8', '09e282ace282ace282ac', 'length', 'three characters, nine bytes: the limit counts bytes'],
    ['text ≤ 8', '03eda080', 'utf8', 'a lone high surrogate as three bytes'],
    ['text ≤ 8', '03edbfbf', 'utf8', 'a lone low surrogate as three bytes'],
    ['text ≤ 8', '06eda0bdedb880', 'utf8', 'a surrogate pair as two times three bytes'],
    ['text ≤ 8', '02c080', 'utf8', 'an overlong zero'],
    ['text ≤ 8', '03e0809f', 'utf8', 'an overlong form of three bytes'],
    ['text ≤ 8', '04f0808080', 'utf8', 'an overlong form of four bytes'],
    ['text ≤ 8', '04f4908080', 'utf8', 'above U+10FFFF'],
    ['text ≤ 8', '02e282', 'utf8', 'a sequence cut by the end of the text'],
    ['text ≤ 8', '0180', 'utf8', 'a continuation byte alone'],
    ['text ≤ 8', '01ff', 'utf8', 'a byte that no UTF-8 has'],
    ['list ≤ 3 of u16', '040100020003000400', 'length', 'four items'],
    ['list ≤ 3 of u16', '02010002', 'truncated', 'the second item is cut'],
    ['list ≤ 3 of u16', '8300010002000300', 'uleb-shortest', 'count 3 in two bytes'],
    ['list 1..2 of u8', '00', 'length', 'below the lower bound'],
    ['list 1..2 of u8', '03010203', 'length', 'above the upper bound'],
    ['list ≤ 300 of u8', 'ac02', 'truncated', 'count 300, no bytes left'],
    ['option u8', '02', 'tag', 'option tag 2'],
    ['option u8', '0207', 'tag', 'option tag 2, with a value'],
    ['option u8', '01', 'truncated', 'tag 1 and no value'],
    ['option u8', '0007', 'trailing', 'tag 0 and a value'],
    ['{ a u16, b text ≤ 8 }', '02010178ff', 'trailing', 'a byte after the last field'],
    ['Choice', '8000', 'uleb-shortest', 'variant 0 in two bytes'],
    ['Choice', '810007', 'uleb-shortest', 'variant 1 in two bytes'],
    ['Choice', '03', 'variant', 'no such variant'],
    ['Choice', 'ff', 'truncated', '255 takes two bytes as ULEB128: ff01'],
    ['Choice', '05', 'kept', 'kept for a later version'],
    ['Choice', '8002', 'variant', 'variant 256: not to be cut to eight bits'],
  ]
  return rows.map(([type, bytesHex, rule, why]) => ({ type, hex: bytesHex, rule, why }))
}

/** Values that no encoding stands for: an encoder refuses them. Text is given as JSON text, lone surrogates as \u escapes. */
const unencodable: Row[] = [
  { type: 'text ≤ 8', value: '\ud83d', rule: 'utf8', why: 'a lone high surrogate' },
  { type: 'text ≤ 8', value: 'a\ude00b', rule: 'utf8', why: 'a lone low surrogate' },
  { type: 'text ≤ 8', value: '€€€', rule: 'length', why: 'nine bytes' },
  { type: 'u8', value: 256, rule: 'range', why: 'above 255' },
  { type: 'u32', value: 4_294_967_296, rule: 'range', why: 'above 2^32 - 1' },
  { type: 'list 1..2 of u8', value: [], rule: 'length', why: 'below the lower bound' },
]

function frames(): Row {
  const messages = [utf8('one'), new Uint8Array(0), new Uint8Array(200).fill(1)]
  const rows: [stream: string, rule: string, why: string][] = [
    ['03616263808000', 'uleb-shortest', 'the second length is not in its shortest form'],
    ['0561626364', 'truncated', 'the stream ends inside a frame'],
    ['80', 'truncated', 'the stream ends inside a length'],
    ['818040', 'length', 'length 1,048,577, refused before its bytes are awaited'],
    ['ffffffff7f', 'uleb-range', 'a length above 2^32 - 1'],
  ]
  return {
    accepted: [{ stream: hex(join(...messages.map(frame))), messages: messages.map(hex) }],
    refused: rows.map(([stream, rule, why]) => ({ stream, rule, why })),
  }
}

export const makeEncoding = (): Row => ({ accepted: accepted(), refused: refused(), unencodable, frames: frames() })

/** Text is the only value among `unencodable` that needs its own form; numbers and lists are what they are. */
export const tryEncode = (type: string, value: unknown): void => {
  const found = PRIMITIVES[type]
  if (found === undefined) throw new Error(`no type ${type}`)
  encode(found, value)
}
