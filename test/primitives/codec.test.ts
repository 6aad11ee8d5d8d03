import { describe, expect, expectTypeOf, it } from 'vitest'
import { isError } from '../../client/error.ts'
import { type Bytes, concat, fromHex, toHex, utf8 } from '../../client/primitives/bytes.ts'
import {
  bool,
  bytes,
  type Codec,
  DecodeError,
  decode,
  EncodeError,
  encode,
  fixed,
  type Of,
  option,
  refine,
  sortedMap,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  u128,
  unit,
  variant,
  vector,
} from '../../client/primitives/codec.ts'

const Index = struct('Index', { name: text(32), keys: u64, root: fixed(32) })
const Surface = struct('Surface', { name: text(32), kind: u8, size: u64, root: fixed(32), by: vector(Index, 2) })
const Header = struct('Header', { version: u8, prev: fixed(32), surfaces: vector(Surface, 4), time_ms: u64 })
const Reply = variant('Reply', { hello: [0, struct('Hello', { versions: vector(u16, 8, 1) })], done: [5, unit], error: [255, text(8)] })
const Balances = sortedMap(bytes(4), u8, 9)

const refused = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was refused')
}
const refusal = (codec: Codec<unknown>, hex: string): unknown => refused(() => decode(codec, fromHex(hex)))

describe('CFG-26 the layout of docs/wire.md section 1', () => {
  const rows: readonly (readonly [string, () => Bytes, string])[] = [
    ['u8', () => encode(u8, 0xab), 'ab'],
    ['u16', () => encode(u16, 0x0102), '0201'],
    ['u32', () => encode(u32, 0xfffefdfc), 'fcfdfeff'],
    ['u64', () => encode(u64, 0x0102030405060708n), '0807060504030201'],
    ['u128', () => encode(u128, (1n << 127n) + 1n), `01${'00'.repeat(14)}80`],
    ['bool', () => concat(encode(bool, false), encode(bool, true)), '0001'],
    ['unit', () => encode(unit, null), ''],
    ['[n]', () => encode(fixed(3), Uint8Array.of(1, 2, 3)), '010203'],
    ['bytes', () => encode(bytes(300), new Uint8Array(300)), `ac02${'00'.repeat(300)}`],
    ['text', () => encode(text(8), 'ü\ufeff'), '05c3bcefbbbf'],
    ['list', () => encode(vector(u16, 3), [1, 2]), '0201000200'],
    ['empty list', () => encode(vector(u16, 3), []), '00'],
    ['option, none', () => encode(option(u16), null), '00'],
    ['option, some', () => encode(option(u16), 7), '010700'],
    ['option of a list', () => encode(option(vector(u8, 2)), []), '0100'],
    ['struct', () => encode(struct('Pair', { second: u8, first: u16 }), { first: 1, second: 2 }), '020100'],
    ['variant', () => encode(Reply, { kind: 'hello', value: { versions: [1] } }), '00010100'],
    ['variant, unit', () => encode(Reply, { kind: 'done', value: null }), '05'],
    ['variant, index of two bytes', () => encode(Reply, { kind: 'error', value: 'no' }), 'ff01026e6f'],
    [
      'map, sorted',
      () =>
        encode(Balances, [
          [Uint8Array.of(2), 1],
          [Uint8Array.of(1, 9), 2],
          [Uint8Array.of(1), 3],
        ]),
      '03010103010201020109' + '02',
    ],
  ]
  it.each(rows)('%s', (_name, made, expected) => {
    expect(toHex(made())).toBe(expected)
  })

  // The ULEB128 column of the BCS specification, as the lengths of byte strings.
  it.each([
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [2_097_152, '80808001'],
  ])('ULEB128 of %i', (length, expected) => {
    expect(toHex(encode(bytes(length), new Uint8Array(length)).subarray(0, expected.length / 2))).toBe(expected)
  })

  it('ULEB128 of 2^32−1, read and written, as a variant’s index', () => {
    const far = variant('Far', { last: [0xffff_ffff, unit] })
    expect(toHex(encode(far, { kind: 'last', value: null }))).toBe('ffffffff0f')
    expect(decode(far, fromHex('ffffffff0f'))).toEqual({ kind: 'last', value: null })
  })
})

describe('every form but the canonical one is refused, by type, path, offset and reason', () => {
  const rows: readonly (readonly [string, Codec<unknown>, string, string, number, string])[] = [
    ['bool that is neither', bool, '02', 'bool', 0, 'tag 2 is neither 0 nor 1'],
    ['option tag that is neither', struct('A', { a: u8, b: option(u8) }), '00ff07', 'A.b', 1, 'tag 255 is neither 0 nor 1'],
    ['length padded by a zero', bytes(9), '8100aa', 'bytes', 0, 'ULEB128 not in its shortest form'],
    ['zero in two bytes', bytes(9), '8000', 'bytes', 0, 'ULEB128 not in its shortest form'],
    ['zero in five bytes', bytes(9), '8080808000', 'bytes', 0, 'ULEB128 not in its shortest form'],
    ['count padded by a zero', struct('A', { a: u8, b: vector(u8, 3) }), '07820001 02', 'A.b', 1, 'ULEB128 not in its shortest form'],
    ['index padded by a zero', Reply, '8500', 'Reply', 0, 'ULEB128 not in its shortest form'],
    ['length of 2^32', bytes(9), '8080808010', 'bytes', 0, 'ULEB128 above 2^32−1'],
    ['length of 35 bits', bytes(9), 'ffffffff7f', 'bytes', 0, 'ULEB128 above 2^32−1'],
    ['length of six bytes', bytes(9), '808080808000', 'bytes', 0, 'ULEB128 longer than 5 bytes'],
    ['length without its end', bytes(9), '8080', 'bytes', 2, 'bytes wanted: 1, left: 0'],
    ['index that no kind has', Reply, '04', 'Reply', 0, 'no kind has index 4'],
    ['index cut to its low byte', Reply, 'ff02', 'Reply', 0, 'no kind has index 383'],
    ['bytes above the limit', bytes(2), '03aabbcc', 'bytes', 0, '3 bytes, at most 2'],
    ['text above the limit in bytes', text(3), '04f09fa7bf', 'text', 0, '4 bytes of text, at most 3'],
    ['list above the limit', vector(u8, 2), '03010203', 'list', 0, '3 items, at most 2'],
    ['list below the limit', vector(u8, 2, 1), '00', 'list', 0, '0 items, at least 1'],
    ['length past the end', bytes(9), '05aabb', 'bytes', 0, '5 bytes do not fit, bytes left: 2'],
    ['count past the end, items of 32', vector(fixed(32), 64), `02${'00'.repeat(63)}`, 'list', 0, '2 items do not fit, bytes left: 63'],
    ['map above the limit', sortedMap(u8, u8, 1), '0200010101', 'map', 0, '2 entries, at most 1'],
    ['map past the end', sortedMap(u8, u32, 9), '0200010101', 'map', 0, '2 entries do not fit, bytes left: 4'],
    ['keys out of order', Balances, '02010200010101', 'map[1].key', 4, 'key out of order'],
    ['keys in the order of their content, not of their bytes', Balances, '0202010100010200', 'map[1].key', 5, 'key out of order'],
    ['a key twice', Balances, '02010200010201', 'map[1].key', 4, 'key stands twice'],
    ['a map’s value', sortedMap(u8, bool, 9), '0201010303', 'map[1].value', 4, 'tag 3 is neither 0 nor 1'],
    ['UTF-8, overlong', text(9), '02c0af', 'text', 1, 'not UTF-8'],
    ['UTF-8, a surrogate', text(9), '03eda080', 'text', 1, 'not UTF-8'],
    ['UTF-8, a pair of surrogates (CESU-8)', text(9), '06eda0bcedbfbf', 'text', 1, 'not UTF-8'],
    ['UTF-8, above U+10FFFF', text(9), '04f4908080', 'text', 1, 'not UTF-8'],
    ['UTF-8, cut short', text(9), '02e282', 'text', 1, 'not UTF-8'],
    ['UTF-8, a lone continuation', text(9), '0180', 'text', 1, 'not UTF-8'],
    ['one byte too many', u8, '0100', 'u8', 1, 'bytes after the last field: 1'],
    ['a byte after nothing', unit, '00', 'unit', 0, 'bytes after the last field: 1'],
    ['a byte too few', u32, '010203', 'u32', 0, 'bytes wanted: 4, left: 3'],
    ['nothing', u64, '', 'u64', 0, 'bytes wanted: 8, left: 0'],
  ]
  it.each(rows)('%s', (_name, codec, hex, path, offset, problem) => {
    const error = refused(() => decode(codec, fromHex(hex.replaceAll(' ', ''))))
    expect(error).toBeInstanceOf(DecodeError)
    expect(error).toMatchObject({ name: 'Codec.DecodeError', type: codec.name, path, offset, problem })
    expect(error).toMatchObject({ message: `${path} at byte ${offset}: ${problem}`, facts: { type: codec.name, path, offset, problem } })
  })

  it('names a field deep inside by its whole path', () => {
    const value = {
      version: 1,
      prev: new Uint8Array(32),
      time_ms: 5n,
      surfaces: ['a', 'b', 'c'].map((name) => ({
        name,
        kind: 0,
        size: 1n,
        root: new Uint8Array(32),
        by: [{ name: 'slot', keys: 1n, root: new Uint8Array(32) }],
      })),
    } satisfies Of<typeof Header>
    const whole = encode(Header, value)
    // version, prev, count; two surfaces of 89 bytes; the third up to its index's root.
    const root = 1 + 32 + 1 + 2 * 89 + (2 + 1 + 8 + 32 + 1) + (5 + 8)
    expect(refused(() => decode(Header, whole.subarray(0, root + 31)))).toMatchObject({
      type: 'Header',
      path: 'Header.surfaces[2].by[0].root',
      offset: root,
      problem: 'bytes wanted: 32, left: 31',
    })
    expect(refusal(Reply, '000180')).toMatchObject({ type: 'Reply', path: 'Reply.hello.versions', offset: 1 })
    expect(refusal(Reply, 'ff0102ff61')).toMatchObject({ type: 'Reply', path: 'Reply.error', offset: 3, problem: 'not UTF-8' })
  })

  it('keeps the error of the reader below as cause', () => {
    const error = refusal(u32, '010203') as DecodeError
    expect(String(error.cause)).toContain('Unexpected end of buffer')
    expect(String((refusal(text(9), '0180') as DecodeError).cause)).toContain('TypeError')
    expect('cause' in (refusal(bool, '02') as DecodeError)).toBe(false)
  })

  it('refuses what is not bytes at all in the same form', () => {
    for (const input of [null, undefined, 'text', [1], {}, new DataView(new ArrayBuffer(1))]) {
      expect(refused(() => decode(u8, input as never))).toMatchObject({ name: 'Codec.DecodeError', type: 'u8', path: 'u8', offset: 0 })
    }
  })
})

describe('bounds', () => {
  it('a length is refused before anything is allocated for it', () => {
    const before = process.memoryUsage().arrayBuffers
    for (const codec of [bytes(0xffff_ffff), text(0xffff_ffff), vector(u8, 0xffff_ffff), sortedMap(u8, unit, 0xffff_ffff)]) {
      expect(refusal(codec, 'feffffff0f00')).toMatchObject({ offset: 0, problem: expect.stringContaining('do not fit, bytes left: 1') })
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
  })

  it('a count of items or keys without bytes has no bound, so there is no such codec', () => {
    expect(() => vector(unit, 9)).toThrow(TypeError)
    expect(() => vector(struct('Empty', {}), 9)).toThrow(TypeError)
    expect(() => vector(fixed(0), 9)).toThrow(TypeError)
    expect(() => sortedMap(unit, u8, 9)).toThrow(TypeError)
    expect(encode(sortedMap(u8, unit, 9), [[1, null]])).toEqual(Uint8Array.of(1, 1))
  })

  it('a view is read to its end and not past it', () => {
    const room = Uint8Array.of(0x55, 0x03, 0x61, 0x62, 0x63, 0x64, 0x65)
    expect(decode(text(9), room.subarray(1, 5))).toBe('abc')
    expect(refused(() => decode(text(9), room.subarray(1, 4)))).toMatchObject({
      problem: '3 bytes of text do not fit, bytes left: 2',
      offset: 0,
    })
    expect(decode(u16, room.subarray(2, 4))).toBe(0x6261)
    expect(decode(u64, new Uint8Array(Uint8Array.of(9, 1, 0, 0, 0, 0, 0, 0, 0, 9).buffer, 1, 8))).toBe(1n)
    for (const codec of [u16, u32, u64, u128, fixed(2), bool])
      expect(() => decode<unknown>(codec, room.subarray(2, 2))).toThrow(DecodeError)
  })

  it('Bytes of a decoded value are copies, of a view and of a Node Buffer too', () => {
    const Both = struct('Both', { a: fixed(2), b: bytes(4) })
    const plain = Uint8Array.of(1, 2, 2, 3, 4)
    for (const input of [plain, Buffer.from(plain), concat(plain, plain).subarray(5)]) {
      const value = decode(Both, input)
      input.fill(0xff)
      expect(value).toEqual({ a: Uint8Array.of(1, 2), b: Uint8Array.of(3, 4) })
      for (const part of [value.a, value.b]) {
        expect(part.buffer.byteLength).toBe(2)
        expect(Object.getPrototypeOf(part)).toBe(Uint8Array.prototype)
      }
      plain.set([1, 2, 2, 3, 4])
    }
  })

  it('an encoding does not change with the value it was made from', () => {
    const value = Uint8Array.of(1, 2)
    const made = encode(fixed(2), value)
    value.fill(0)
    expect(made).toEqual(Uint8Array.of(1, 2))
  })
})

describe('values without an encoding are refused by path', () => {
  const rows: readonly (readonly [string, Codec<unknown>, unknown, string, string])[] = [
    ['u8 above', u8, 256, 'u8', 'not an integer of 0 … 2^8−1'],
    ['u16 below', u16, -1, 'u16', 'not an integer of 0 … 2^16−1'],
    ['u32 above', u32, 2 ** 32, 'u32', 'not an integer of 0 … 2^32−1'],
    ['u32 with a fraction', u32, 0.5, 'u32', 'not an integer of 0 … 2^32−1'],
    ['u32 of a bigint', u32, 1n, 'u32', 'not an integer of 0 … 2^32−1'],
    ['NaN', u8, Number.NaN, 'u8', 'not an integer of 0 … 2^8−1'],
    ['u64 above', u64, 2n ** 64n, 'u64', 'not a bigint of 0 … 2^64−1'],
    ['u64 of a number', u64, 1, 'u64', 'not a bigint of 0 … 2^64−1'],
    ['u128 below', u128, -1n, 'u128', 'not a bigint of 0 … 2^128−1'],
    ['bool of 1', bool, 1, 'bool', 'not a boolean'],
    ['unit of undefined', unit, undefined, 'unit', 'not null'],
    ['[n] of another length', fixed(2), new Uint8Array(3), '[2]', 'bytes wanted: 2, given: 3'],
    ['[n] of an array', fixed(2), [1, 2], '[2]', 'not bytes'],
    ['bytes above', bytes(2), new Uint8Array(3), 'bytes', '3 bytes, at most 2'],
    ['bytes of text', bytes(2), 'ab', 'bytes', 'not bytes'],
    ['text above, in bytes', text(3), '\u{1f9ff}', 'text', '4 bytes of text, at most 3'],
    ['text of a lone surrogate', struct('T', { t: text(9) }), { t: 'a\ud800' }, 'T.t', 'lone surrogate at index 1'],
    ['text of a number', text(9), 5, 'text', 'not a text'],
    ['list above', vector(u8, 1), [1, 2], 'list', '2 items, at most 1'],
    ['list below', vector(u8, 1, 1), [], 'list', '0 items, at least 1'],
    ['list of bytes', vector(u8, 9), new Uint8Array(1), 'list', 'not a list'],
    ['list with a hole', vector(u8, 9), [1, undefined], 'list[1]', 'not an integer of 0 … 2^8−1'],
    ['struct of null', Index, null, 'Index', 'not an object'],
    [
      'struct without a field',
      struct('P', { a: u8, b: vector(struct('Q', { c: u8 }), 2) }),
      { a: 1, b: [{ c: 1 }, {}] },
      'P.b[1].c',
      'not an integer of 0 … 2^8−1',
    ],
    ['variant of no kind', Reply, { kind: 'toString', value: null }, 'Reply', 'no such kind'],
    ['variant’s value', Reply, { kind: 'hello', value: { versions: [70000] } }, 'Reply.hello.versions[0]', 'not an integer of 0 … 2^16−1'],
    [
      'map with a key twice',
      Balances,
      [
        [Uint8Array.of(1), 1],
        [Uint8Array.of(2), 1],
        [Uint8Array.of(1), 2],
      ],
      'map[2].key',
      'key stands twice',
    ],
    [
      'map above',
      sortedMap(u8, u8, 1),
      [
        [1, 1],
        [2, 2],
      ],
      'map',
      '2 entries, at most 1',
    ],
    ['map’s key', Balances, [[new Uint8Array(5), 1]], 'map[0].key', '5 bytes, at most 4'],
    [
      'map’s value',
      Balances,
      [
        [new Uint8Array(1), 1],
        [new Uint8Array(0), 256],
      ],
      'map[1].value',
      'not an integer of 0 … 2^8−1',
    ],
    ['map of a Map', Balances, new Map(), 'map', 'not a list of entries'],
    ['map of single values', Balances, [1], 'map[0]', 'not a key and a value'],
  ]
  it.each(rows)('%s', (_name, codec, value, path, problem) => {
    const error = refused(() => encode(codec, value))
    expect(error).toBeInstanceOf(EncodeError)
    expect(error).toMatchObject({ name: 'Codec.EncodeError', type: codec.name, path, problem, message: `${path}: ${problem}` })
    expect('offset' in (error as EncodeError)).toBe(false)
  })
})

describe('refine', () => {
  const Even = refine(u8, 'Even', (n) => (n % 2 === 0 ? null : `${n} is odd`))
  const Pair = struct('Pair', { a: u8, b: Even })

  it('refuses both ways, at the place where its value begins', () => {
    expect(decode(Pair, encode(Pair, { a: 1, b: 2 }))).toEqual({ a: 1, b: 2 })
    expect(refusal(Pair, '0103')).toMatchObject({ path: 'Pair.b', offset: 1, problem: '3 is odd' })
    expect(refused(() => encode(Pair, { a: 1, b: 3 }))).toMatchObject({ path: 'Pair.b', problem: '3 is odd' })
    expect(refusal(Even, '03')).toMatchObject({ type: 'Even', path: 'Even', offset: 0 })
  })

  it('turns a check that throws into a refusal with its cause', () => {
    const broken = refine(u8, 'Broken', () => {
      throw new RangeError('out of luck')
    })
    expect(refusal(broken, '01')).toMatchObject({ name: 'Codec.DecodeError', problem: 'out of luck', cause: expect.any(RangeError) })
  })
})

describe('declarations that would not mean what they say', () => {
  it.each(['__proto__', '7', '', 'a b', 'a.b', '[0]'])('a field or kind cannot be called %j', (name) => {
    expect(() => struct('S', { ...Object.fromEntries([[name, u8]]) })).toThrow(TypeError)
    expect(() => variant('V', Object.fromEntries([[name, [0, u8] as const]]))).toThrow(TypeError)
  })

  it('an option cannot be of what may be null', () => {
    // @ts-expect-error none and some(null) would both be null
    expect(() => option(unit)).toThrow(TypeError)
    // @ts-expect-error the same, one level further
    expect(() => option(option(u8))).toThrow(TypeError)
    expect(() => option(refine(unit, 'Nothing', () => null) as Codec<never>)).toThrow(TypeError)
  })

  it('two kinds cannot have one index, and an index is a u32', () => {
    expect(() => variant('V', { a: [1, unit], b: [1, u8] })).toThrow(TypeError)
    for (const index of [-1, 0.5, 2 ** 32, Number.NaN]) expect(() => variant('V', { a: [index, unit] })).toThrow(TypeError)
  })

  it('a field may have the name of something that every object has', () => {
    const Odd = struct('Odd', { constructor: u8, toString: u8, valueOf: u8 })
    expect(decode(Odd, fromHex('010203'))).toEqual({ constructor: 1, toString: 2, valueOf: 3 })
  })
})

describe('types', () => {
  it('follow from the declaration', () => {
    expectTypeOf<Of<typeof Index>>().toEqualTypeOf<{ readonly name: string; readonly keys: bigint; readonly root: Bytes }>()
    expectTypeOf<Of<typeof Reply>>().toEqualTypeOf<
      | { readonly kind: 'hello'; readonly value: { readonly versions: readonly number[] } }
      | { readonly kind: 'done'; readonly value: null }
      | { readonly kind: 'error'; readonly value: string }
    >()
    expectTypeOf<Of<typeof Balances>>().toEqualTypeOf<readonly (readonly [key: Bytes, value: number])[]>()
    const optional = option(u64)
    expectTypeOf<Of<typeof optional>>().toEqualTypeOf<bigint | null>()
  })

  it('keep brands apart and do not let a plain value in', () => {
    type Marked = Bytes & { readonly brand: 'Marked' }
    const marked = fixed<Marked>(2, 'Marked')
    expectTypeOf(decode(marked, Uint8Array.of(1, 2))).toEqualTypeOf<Marked>()
    // @ts-expect-error a value of another type, though the codec could widen to take it
    expect(() => encode(u8, 'text')).toThrow(EncodeError)
    // @ts-expect-error bytes that are not marked
    expect(encode(marked, new Uint8Array(2))).toHaveLength(2)
    expect(refusal(struct('S', { id: marked }), '01')).toMatchObject({ path: 'S.id', problem: 'bytes wanted: 2, left: 1' })
  })

  it('errors are matched by name', () => {
    const error = refusal(u8, '')
    expect(isError(error, 'Codec.DecodeError') && error.facts.offset).toBe(0)
    expect(isError(error, 'Codec.EncodeError')).toBe(false)
    expect(utf8('x')).toHaveLength(1)
  })
})
