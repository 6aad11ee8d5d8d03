import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Request, type Response, requestCodec, responseCodec } from '../../client/network/light/messages.ts'
import { prefixOf, queryCodec } from '../../client/network/light/queries.ts'
import { type Bytes, toHex } from '../../client/primitives/bytes.ts'
import { type Codec, decode, encode } from '../../client/primitives/codec.ts'

const u8 = fc.nat(255)
const u16 = fc.nat(65_535)
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
const bytes = (min: number, max = min): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => new Uint8Array(array))
const hash = bytes(32)
const list = <T>(item: fc.Arbitrary<T>, max: number, min = 0) => fc.array(item, { minLength: min, maxLength: max })
const record = fc.record
const kind = <K extends string, V>(name: K, value: fc.Arbitrary<V>) => value.map((inner) => ({ kind: name, value: inner }))
const text = (max: number) => fc.string({ maxLength: max / 4 })

const bucket = record({ bits: fc.oneof(fc.nat(32), fc.constant(256)), path: hash }).map(({ bits, path }) => ({
  bits,
  path: prefixOf(path, bits),
}))
const mark = record({ path: hash, count: u64 })
const query = fc.oneof(
  kind('item', record({ surface: u8, position: u64 })),
  kind('range', record({ surface: u8, from: u64, to: u64 })),
  kind('key', record({ surface: u8, key: bytes(0, 40) })),
  kind(
    'prefix',
    fc.tuple(record({ surface: u8 }), bucket).map(([a, b]) => ({ ...a, ...b })),
  ),
  kind(
    'tail',
    fc.tuple(record({ surface: u8, by: u8, have: list(mark, 3), upto: list(mark, 3), max: u32 }), bucket).map(([a, b]) => ({ ...a, ...b })),
  ),
  kind('header', record({ index: u64 })),
  kind('commands', record({ index: u64 })),
)
const surfaces = fc.uniqueArray(u8, { minLength: 1, maxLength: 4 }).map((array) => array.toSorted((a, b) => a - b))
const request = fc.oneof(
  kind('hello', record({ versions: list(u16, 8, 1), groups: list(hash, 16) })),
  kind('open', record({ group: hash, fromEpoch: u32, known: list(record({ index: u64, hash }), 2), withstand: fc.option(u8) })),
  kind('prove', record({ group: hash, at: u64, queries: list(query, 4, 1) })),
  kind('watch', record({ group: hash, surfaces, from: u64, withstand: fc.option(u8), credit: u32 })),
  kind('credit', record({ n: u32 })),
  kind('blob', record({ hash, offset: u64 })),
  kind('evidence', record({ group: hash })),
) as fc.Arbitrary<Request>

const treeProof = record({ size: u64, position: u64, path: list(hash, 4) })
const rangeProof = record({ size: u64, from: u64, to: u64, left: list(hash, 3), right: list(hash, 3) })
const leaf = record({ path: hash, value: hash })
const end = fc.oneof(kind('empty', fc.constant(null)), kind('leaf', leaf), kind('subtree', list(leaf, 4, 2)))
const mapProof = record({ depth: fc.nat(256), present: bytes(0, 32), siblings: list(hash, 4), end })
const index = record({ name: text(32), keys: u64, root: hash })
const header = record({
  version: u8,
  roster: hash,
  next: hash,
  view: u64,
  index: u64,
  prev: hash,
  commands: hash,
  log: hash,
  surfaces: list(record({ name: text(32), kind: u8, size: u64, root: hash, by: list(index, 2) }), 2),
  time_ms: u64,
})
const seal = record({ view: u64, signers: bytes(0, 8), signatures: list(bytes(64), 3, 1) })
const certificate = record({ header, seal })
const roster = record({ epoch: u32, members: list(record({ peer: hash, vote: hash, settle: bytes(20), operator: text(64) }), 3, 1) })
const run = record({ key: bytes(0, 40), count: u64, link: hash, start: u64, before: hash, positions: list(u64, 4) })
const answer = fc.oneof(
  kind('item', record({ item: bytes(0, 60), proof: treeProof })),
  kind('range', record({ items: list(bytes(0, 60), 4), proof: rangeProof })),
  kind('key', record({ value: fc.option(bytes(0, 60)), proof: mapProof })),
  kind('prefix', record({ entries: list(record({ key: bytes(0, 9), value: bytes(0, 9) }), 3), proof: mapProof })),
  kind('tail', record({ proof: mapProof, items: list(record({ position: u64, item: bytes(0, 60) }), 4), runs: list(run, 3) })),
  kind('header', record({ header, proof: treeProof })),
  kind('commands', record({ header, proof: treeProof, commands: list(bytes(0, 60), 3) })),
)
const vote = record({ view: u64, kind: fc.integer({ min: 1, max: 4 }), hash, member: u8, signature: bytes(64) })
const limits = record({ frame: u32, streams: u16, watches: u16, unaryMs: u32 })
const response = fc.oneof(
  kind(
    'hello',
    record({ version: u16, limits, timeMs: u64, served: list(record({ group: hash, oldest: u64, newest: u64, held: u64 }), 3) }),
  ),
  kind(
    'opened',
    record({
      steps: list(record({ certificate, roster }), 2),
      more: fc.boolean(),
      head: certificate,
      links: list(fc.option(treeProof), 2),
    }),
  ),
  kind('proven', record({ answers: list(answer, 3, 1) })),
  kind('commits', record({ headers: list(header, 3, 1), seal, appended: list(list(list(bytes(0, 9), 3), 2, 1), 3, 1) })),
  kind('gap', record({ next: u64 })),
  kind('blob', record({ total: fc.bigInt({ min: 0n, max: 67_108_864n }), bytes: bytes(0, 99) })),
  kind('evidence', record({ items: list(record({ roster: hash, first: vote, second: vote }), 2) })),
  kind('error', record({ code: u8, have: u64, retryMs: u32, text: text(256) })),
) as fc.Arbitrary<Response>

const both: readonly (readonly [string, Codec<unknown>, fc.Arbitrary<unknown>])[] = [
  ['Request', requestCodec as Codec<unknown>, request],
  ['Response', responseCodec as Codec<unknown>, response],
]

test.each(both)('docs/wire.md 5: a %s comes back as it was', (_, codec, any) => {
  fc.assert(
    fc.property(any, (value) => {
      expect(decode(codec, encode(codec, value))).toEqual(value)
    }),
    { numRuns: 300 },
  )
})

test.each(both)(
  'docs/wire.md 1: a changed %s is refused, or is the one encoding of another value; a cut one is refused',
  (_, codec, any) => {
    fc.assert(
      fc.property(any, fc.nat(), fc.nat(7), (value, place, bit) => {
        const encoded = encode(codec, value)
        const at = place % encoded.length
        const changed = encoded.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte))
        for (const input of [changed, encoded.slice(0, at)]) {
          try {
            expect(toHex(encode(codec, decode(codec, input)))).toBe(toHex(input))
            expect(input).not.toEqual(encoded.slice(0, at))
          } catch (error) {
            expect(error).toMatchObject({ name: 'Codec.DecodeError' })
          }
        }
      }),
      { numRuns: 500 },
    )
  },
)

test.each(both)('docs/wire.md 1: any bytes are a %s or a DecodeError', (_, codec) => {
  fc.assert(
    fc.property(bytes(0, 200), (input) => {
      try {
        expect(encode(codec, decode(codec, input))).toEqual(input)
      } catch (error) {
        expect(error).toMatchObject({ name: 'Codec.DecodeError' })
      }
    }),
    { numRuns: 1_000 },
  )
})

test('docs/wire.md 5: indexes of the variants are those of the tables, kept ones refused', () => {
  const first = (value: Request | Response, codec: Codec<never>): number => encode(codec, value as never)[0] as number
  const zero = new Uint8Array(32)
  expect(first({ kind: 'hello', value: { versions: [1], groups: [] } }, requestCodec as never)).toBe(0)
  expect(first({ kind: 'tickets', value: { group: zero as never, roster: zero } }, requestCodec as never)).toBe(5)
  expect(first({ kind: 'blob', value: { hash: zero, offset: 0n } }, requestCodec as never)).toBe(6)
  expect([...encode(responseCodec, { kind: 'error', value: { code: 7, have: 0n, retryMs: 0, text: '' } })].slice(0, 3)).toEqual([255, 1, 7])
  expect(first({ kind: 'evidence', value: { group: zero as never } }, requestCodec as never)).toBe(7)
  for (const kept of [8, 9]) expect(() => decode(requestCodec, Uint8Array.of(kept, 0, 0))).toThrow(/no kind has index/)
})

test('docs/wire.md 5: bits are 0–32 or 256, the path past them is zero, surface numbers ascend', () => {
  const tail = (bits: number, path: Bytes) =>
    encode(queryCodec, { kind: 'tail', value: { surface: 0, by: 0, bits, path, have: [], upto: [], max: 0 } })
  const full = new Uint8Array(32).fill(255)
  for (const bits of [0, 1, 7, 8, 9, 31, 32, 256]) {
    expect(tail(bits, prefixOf(full, bits)).length).toBeGreaterThan(0)
    if (bits < 256) expect(() => tail(bits, full)).toThrow(/bits past/)
  }
  expect(toHex(prefixOf(full, 12))).toBe(`fff0${'00'.repeat(30)}`)
  for (const bits of [33, 255]) expect(() => tail(bits, new Uint8Array(32))).toThrow(/not 0/)
  const watch = (surfaces: readonly number[]) =>
    encode(requestCodec, { kind: 'watch', value: { group: full, surfaces, from: 1n, withstand: null, credit: 1 } })
  for (const wrong of [[1, 0], [1, 1], [], [0, 1, 2, 3, 4]])
    expect(() => watch(wrong)).toThrow(expect.objectContaining({ name: 'Codec.EncodeError' }))
})
