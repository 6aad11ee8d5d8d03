import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isError } from '../../client/error.ts'
import { type Bytes, toHex } from '../../client/primitives/bytes.ts'
import {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  fixed,
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

/** A codec made at random and the values that it has an encoding for. */
interface Schema {
  readonly codec: Codec<unknown>
  readonly values: fc.Arbitrary<unknown>
}

const schema = (codec: Codec<unknown>, values: fc.Arbitrary<unknown>): Schema => ({ codec, values })
const chars = fc.string({ unit: 'binary', maxLength: 6 })

const leaves: fc.Arbitrary<Schema> = fc.oneof(
  fc.constantFrom(
    schema(u8, fc.integer({ min: 0, max: 0xff })),
    schema(u16, fc.integer({ min: 0, max: 0xffff })),
    schema(u32, fc.integer({ min: 0, max: 0xffff_ffff })),
    schema(u64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
    schema(u128, fc.bigInt({ min: 0n, max: 2n ** 128n - 1n })),
    schema(bool, fc.boolean()),
    schema(unit, fc.constant(null)),
    schema(text(24), fc.oneof(chars, fc.constant('\ufeff'))),
    schema(bytes(300), fc.oneof(fc.uint8Array({ maxLength: 5 }), fc.uint8Array({ minLength: 126, maxLength: 130 }))),
    schema(
      refine(u8, 'Even', (n) => (n % 2 === 0 ? null : 'odd')),
      fc.integer({ min: 0, max: 127 }).map((n) => 2 * n),
    ),
  ),
  fc.integer({ min: 1, max: 33 }).map((size) => schema(fixed(size), fc.uint8Array({ minLength: size, maxLength: size }))),
)

const names = ['a', 'b', 'constructor', 'd', 'toString']
const indexes = [0, 1, 127, 128, 255, 300]

const structs = (parts: readonly Schema[]): Schema =>
  schema(
    struct('S', Object.fromEntries(parts.map(({ codec }, i) => [names[i], codec]))),
    fc.tuple(...parts.map(({ values }) => values)).map((all) => Object.fromEntries(all.map((value, i) => [names[i], value]))),
  )

const variants = (parts: readonly Schema[]): Schema =>
  schema(
    variant('V', Object.fromEntries(parts.map(({ codec }, i) => [names[i], [indexes[i] as number, codec]]))),
    fc.oneof(...parts.map(({ values }, i) => values.map((value) => ({ kind: names[i], value })))),
  )

const ordered = (key: Schema, entries: readonly (readonly [unknown, unknown])[]): readonly (readonly [unknown, unknown])[] => {
  const seen = new Map(entries.map((entry) => [toHex(encode(key.codec, entry[0])), entry]))
  return [...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
}

const sized = (parts: fc.Arbitrary<Schema>): fc.Arbitrary<Schema> => parts.filter(({ codec }) => codec.least > 0)

const { any } = fc.letrec<{ any: Schema }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaves,
    sized(tie('any')).map(({ codec, values }) => schema(vector(codec, 4), fc.array(values, { maxLength: 4 }))),
    sized(tie('any')).map(({ codec, values }) => schema(vector(codec, 3, 1), fc.array(values, { minLength: 1, maxLength: 3 }))),
    // What can be null has no option (codec.test.ts says why).
    tie('any')
      .filter(({ codec }) => codec.name !== 'unit' && !codec.name.startsWith('option'))
      .map(({ codec, values }) => schema(option(codec as Codec<NonNullable<unknown>>), fc.option(values))),
    fc.array(tie('any'), { maxLength: 4 }).map(structs),
    fc.array(tie('any'), { minLength: 1, maxLength: 4 }).map(variants),
    fc.tuple(sized(leaves), tie('any')).map(([key, value]) =>
      schema(
        sortedMap(key.codec, value.codec, 4),
        fc.array(fc.tuple(key.values, value.values), { maxLength: 4 }).map((entries) => ordered(key, entries)),
      ),
    ),
  ),
}))

interface Case {
  readonly codec: Codec<unknown>
  readonly value: unknown
  readonly encoded: Bytes
}

const cases: fc.Arbitrary<Case> = any.chain(({ codec, values }) => values.map((value) => ({ codec, value, encoded: encode(codec, value) })))

/** The value, or undefined when the input is refused as it should be: in the one form, with an offset inside of the input. */
const read = (codec: Codec<unknown>, input: Uint8Array): { readonly value: unknown } | undefined => {
  try {
    return { value: decode(codec, input) }
  } catch (error) {
    if (!isError(error, 'Codec.DecodeError')) throw error
    const { type, path, offset, problem } = error.facts
    // Not expect(): this runs some hundred thousand times.
    assert(type === codec.name && String(path).startsWith(codec.name) && problem !== '', error.message)
    assert(Number.isInteger(offset) && Number(offset) >= 0 && Number(offset) <= input.length, error.message)
    return undefined
  }
}

/** Canonicity: what is accepted is the encoding of what it gives. */
const readCanonically = (codec: Codec<unknown>, input: Uint8Array): { readonly value: unknown } | undefined => {
  const result = read(codec, input)
  if (result) assert.equal(toHex(encode(codec, result.value)), toHex(input))
  return result
}

const RUNS = { numRuns: 200 }

describe('CFG-16 canonical encoding, any schema', () => {
  it('gives back the value, from inside of a larger buffer too', () => {
    fc.assert(
      fc.property(cases, fc.uint8Array({ maxLength: 3 }), ({ codec, value, encoded }, around) => {
        expect(decode(codec, encoded)).toEqual(value)
        const room = new Uint8Array([...around, ...encoded, ...around, 0, 1])
        expect(decode(codec, room.subarray(around.length, around.length + encoded.length))).toEqual(value)
        expect(encoded.length).toBeGreaterThanOrEqual(codec.least)
      }),
      RUNS,
    )
  })

  it('refuses every truncation, also when the missing bytes stand right behind the view', () => {
    fc.assert(
      fc.property(cases, ({ codec, encoded }) => {
        for (let end = 0; end < encoded.length; end++) assert(!read(codec, encoded.subarray(0, end)), `accepted ${end} bytes`)
      }),
      RUNS,
    )
  })

  it('refuses every byte after the last, at its offset', () => {
    fc.assert(
      fc.property(cases, fc.uint8Array({ minLength: 1, maxLength: 4 }), ({ codec, encoded }, rest) => {
        expect(() => decode(codec, new Uint8Array([...encoded, ...rest]))).toThrow(
          expect.objectContaining({ path: codec.name, offset: encoded.length, problem: `bytes after the last field: ${rest.length}` }),
        )
      }),
      RUNS,
    )
  })

  it('every single flipped bit is refused, or another value whose encoding is just those bytes', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ codec, value, encoded }, start) => {
        // All bits of up to 32 bytes; of longer ones every so many, from a first bit that differs from run to run.
        const step = Math.ceil((8 * encoded.length) / 256)
        for (let bit = start % (step || 1); bit < 8 * encoded.length; bit += step) {
          const flipped = encoded.slice()
          flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
          const result = readCanonically(codec, flipped)
          if (result) assert(!isDeepStrictEqual(result.value, value), 'two encodings of one value')
        }
      }),
      { numRuns: 120 },
    )
  })

  it('random bytes, and an encoding with bytes put in, taken out or repeated, are refused or canonical', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.uint8Array({ maxLength: 3 })), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(cases, fc.uint8Array({ maxLength: 40 }), edits, ({ codec, encoded }, noise, changes) => {
        readCanonically(codec, noise)
        const edited = [...encoded]
        for (const [at, gone, put] of changes) edited.splice(at % (edited.length + 1), gone, ...put)
        readCanonically(codec, Uint8Array.from(edited))
        readCanonically(codec, Uint8Array.from([...encoded, ...encoded]))
      }),
      { numRuns: 1000 },
    )
  })

  it('different values have different encodings', () => {
    fc.assert(
      fc.property(
        any.chain(({ codec, values }) => fc.tuple(fc.constant(codec), values, values)),
        ([codec, one, other]) => {
          const same = toHex(encode(codec, one)) === toHex(encode(codec, other))
          assert.equal(isDeepStrictEqual(one, other), same)
        },
      ),
      RUNS,
    )
  })

  it('a map’s encoding does not depend on the order its entries are given in', () => {
    const balances = sortedMap(text(6), u8, 20)
    fc.assert(
      fc.property(
        fc
          .uniqueArray(fc.tuple(chars, fc.nat(255)), { selector: ([key]) => key, maxLength: 8 })
          .chain((entries) => fc.tuple(fc.constant(entries.filter(([key]) => Buffer.byteLength(key) <= 6)), fc.infiniteStream(fc.nat()))),
        ([entries, shuffle]) => {
          const keyed = entries.map((entry) => ({ entry, by: shuffle.next().value as number }))
          const shuffled = keyed.sort((a, b) => a.by - b.by).map(({ entry }) => entry)
          expect(encode(balances, shuffled)).toEqual(encode(balances, entries))
        },
      ),
      RUNS,
    )
  })
})
