import { headerCodec } from '../../groups/block.ts'
import { type Bytes, equal } from '../../primitives/bytes.ts'
import { bytes, type Codec, fixed, type Of, option, refine, struct, u8, u16, u32, u64, variant, vector } from '../../primitives/codec.ts'
import { MapProof, type Placed, RangeProof, type Run, TreeProof } from '../../proofs/index.ts'

// docs/wire.md section 5, "Query variant, Answer variant", row for row.

/** Longest item, encoded: what one block may append in all (PROTOCOL.md section 1, Command). */
export const MAX_ITEM = 512_000
/** Most items or positions of one list. */
export const MAX_LIST = 65_535
/** Most keys of one bucket. */
export const MAX_BUCKET = 1_024

const item = bytes(MAX_ITEM)
const key = bytes(256)
const path = fixed(32)
const surface = u8

/** The first `bits` bits of a path, the rest zero: what a bucket is asked by, so that the rest of the key stays at home. */
export const prefixOf = (whole: Bytes, bits: number): Bytes => {
  const kept = whole.slice()
  for (let i = bits >> 3; i < kept.length; i++) kept[i] = i === bits >> 3 ? (kept[i] as number) & ~(0xff >> (bits & 7)) : 0
  return kept
}

// A path with bits past the prefix would tell the server what the prefix is there to hide, so it is refused on both ends.
const prefixed = <T extends { readonly bits: number; readonly path: Bytes }>(codec: Codec<T>, name: string): Codec<T> =>
  refine(codec, name, ({ bits, path }) => {
    if (bits > 32 && bits !== 256) return `${bits} bits, not 0 … 32 or 256`
    return equal(prefixOf(path, bits), path) ? null : `a path with bits past ${bits}`
  })

/** How far the entries of one key are known: the entries below `count`. */
export const markCodec = struct('Mark', { path, count: u64 })
const marks = vector(markCodec, MAX_BUCKET)

export const queryCodec = variant('Query', {
  item: [0, struct('ItemQuery', { surface, position: u64 })],
  range: [1, struct('RangeQuery', { surface, from: u64, to: u64 })],
  key: [2, struct('KeyQuery', { surface, key })],
  prefix: [3, prefixed(struct('PrefixQuery', { surface, bits: u16, path }), 'PrefixQuery')],
  tail: [4, prefixed(struct('TailQuery', { surface, by: u8, bits: u16, path, have: marks, upto: marks, max: u32 }), 'TailQuery')],
  header: [5, struct('HeaderQuery', { index: u64 })],
  commands: [6, struct('CommandsQuery', { index: u64 })],
})

export const placedCodec: Codec<Placed> = struct('Placed', { position: u64, item })
export const runCodec: Codec<Run> = struct('Run', {
  key,
  count: u64,
  link: fixed(32),
  start: u64,
  before: fixed(32),
  positions: vector(u64, MAX_LIST),
})
const entryCodec = struct('Entry', { key, value: item })

export const answerCodec = variant('Answer', {
  item: [0, struct('ItemAnswer', { item, proof: TreeProof })],
  range: [1, struct('RangeAnswer', { items: vector(item, MAX_LIST), proof: RangeProof })],
  key: [2, struct('KeyAnswer', { value: option(item), proof: MapProof })],
  prefix: [3, struct('PrefixAnswer', { entries: vector(entryCodec, MAX_BUCKET), proof: MapProof })],
  tail: [4, struct('TailAnswer', { proof: MapProof, items: vector(placedCodec, MAX_LIST), runs: vector(runCodec, MAX_BUCKET) })],
  header: [5, struct('HeaderAnswer', { header: headerCodec, proof: TreeProof })],
  commands: [6, struct('CommandsAnswer', { header: headerCodec, proof: TreeProof, commands: vector(bytes(1_048_576), 4_096) })],
})

export type Mark = Of<typeof markCodec>
export type Query = Of<typeof queryCodec>
export type Answer = Of<typeof answerCodec>
export type QueryKind = Query['kind']
/** The value of a query or answer of one kind. */
export type QueryOf<K extends QueryKind> = Extract<Query, { kind: K }>['value']
export type AnswerOf<K extends QueryKind> = Extract<Answer, { kind: K }>['value']
