import { type Request, requestCodec } from '../../client/network/light/messages.ts'
import { type Mark, prefixOf, type Query } from '../../client/network/light/queries.ts'
import { type Bytes, compare, equal, utf8 } from '../../client/primitives/bytes.ts'
import { encode } from '../../client/primitives/codec.ts'
import { pathOf } from '../../client/proofs/index.ts'
import { hash } from '../../wasm/core.ts'
import type { Chain } from '../network/chain.ts'
import { GROUP, person } from '../network/notes.ts'
import { below, chance, type Draw, pick } from './_seeded.ts'

// Requests that decode, with numbers that no reader would send: they get past the codec, to where the server looks into its source.

const U64 = (1n << 64n) - 1n

/** A number at the edge of what is there, or far past it. */
const near = (draw: Draw, edge: bigint): bigint => {
  const drawn = pick(draw, [edge - 1n, edge, edge + 1n, 0n, 1n, 2n * edge, 1n << 32n, 1n << 63n, U64])
  return chance(draw, 0.7) ? BigInt(below(draw, Number(edge))) : drawn < 0n ? 0n : drawn
}

const bytes32 = (draw: Draw): Bytes => hash(utf8(`${draw()}`))
const some = <T>(draw: Draw, most: number, one: () => T): readonly T[] =>
  Array.from({ length: chance(draw, 0.05) ? most : below(draw, Math.min(most, 4) + 1) }, one)

/** Paths of keys that are there, with all of their bits or fewer. */
const asked = (draw: Draw): { readonly bits: number; readonly path: Bytes } => {
  const path = chance(draw, 0.8) ? pathOf(person(below(draw, 7))) : bytes32(draw)
  const bits = chance(draw, 0.5) ? 256 : below(draw, 33)
  return { bits, path: prefixOf(path, bits) }
}

/** Marks of keys that are there and of others, in order and each once; or as they were drawn, which a server refuses. */
const marks = (draw: Draw): readonly Mark[] => {
  const path = (): Bytes => (chance(draw, 0.7) ? pathOf(person(below(draw, 7))) : bytes32(draw))
  const drawn = some(draw, 1_024, () => ({ path: path(), count: near(draw, 11n) }))
  if (chance(draw, 0.1)) return drawn
  const sorted = [...drawn].sort((a, b) => compare(a.path, b.path))
  return sorted.filter((mark, i) => i === 0 || !equal(mark.path, (sorted[i - 1] as Mark).path))
}

const query = (draw: Draw, chain: Chain): Query => {
  const size = chain.sizes.at(-1) ?? 0n
  const height = chain.head.index
  const surface = chance(draw, 0.95) ? 0 : below(draw, 256)
  switch (below(draw, 20)) {
    case 0:
      return { kind: 'key', value: { surface, key: person(1) } }
    case 1:
      return { kind: 'prefix', value: { surface, ...asked(draw) } }
    case 2:
    case 3:
    case 4:
      return { kind: 'item', value: { surface, position: near(draw, size) } }
    case 5:
    case 6:
    case 7: {
      const ends = [near(draw, size), near(draw, size)] as const
      const [from, to] = ends[0] > ends[1] && chance(draw, 0.9) ? [ends[1], ends[0]] : ends
      return { kind: 'range', value: { surface, from, to } }
    }
    case 8:
    case 9:
      return { kind: 'header', value: { index: near(draw, height) } }
    case 10:
      return { kind: 'commands', value: { index: near(draw, height) } }
    default: {
      const max = Number(near(draw, 70_000n) & 0xffff_ffffn)
      return {
        kind: 'tail',
        value: { surface, by: chance(draw, 0.9) ? below(draw, 2) : 255, ...asked(draw), have: marks(draw), upto: marks(draw), max },
      }
    }
  }
}

const request = (draw: Draw, chain: Chain): Request => {
  const height = chain.head.index
  const group = chance(draw, 0.97) ? GROUP : bytes32(draw)
  const withstand = chance(draw, 0.6) ? null : pick(draw, [0, 1, 2, 255])
  switch (below(draw, 9)) {
    case 0:
      return { kind: 'hello', value: { versions: [pick(draw, [1, 1, 2, 65_535])], groups: some(draw, 16, () => group) } }
    case 1: {
      const known = Array.from({ length: below(draw, 3) }, () => ({ index: near(draw, height), hash: bytes32(draw) }))
      return { kind: 'open', value: { group, fromEpoch: pick(draw, [0, 1, 2, 3, 2 ** 32 - 1]), known, withstand } }
    }
    case 2:
    case 3: {
      const surfaces = chance(draw, 0.8) ? [0] : [0, 1 + below(draw, 200)]
      return { kind: 'watch', value: { group, surfaces, from: near(draw, height), withstand, credit: pick(draw, [0, 1, 4, 2 ** 32 - 1]) } }
    }
    case 4:
      return { kind: 'blob', value: { hash: blobIn(draw, chain), offset: near(draw, 20n) } }
    default: {
      const [first, ...rest] = [query(draw, chain), ...(chance(draw, 0.6) ? [] : some(draw, 63, () => query(draw, chain)))] as [
        Query,
        ...Query[],
      ]
      return { kind: 'prove', value: { group, at: chance(draw, 0.8) ? height : near(draw, height), queries: [first, ...rest] } }
    }
  }
}

const blobIn = (draw: Draw, { blobs }: Chain): Bytes => {
  const held = [...blobs.values()]
  return held.length > 0 && chance(draw, 0.8) ? hash(pick(draw, held)) : bytes32(draw)
}

/** What one stream carries: a request, and often more than a stream may. After a watch it is mostly credit. */
export const hostile = (draw: Draw, chain: Chain): readonly Bytes[] => {
  const first = request(draw, chain)
  const next = (): Request =>
    first.kind === 'watch' && chance(draw, 0.8) ? { kind: 'credit', value: { n: pick(draw, [0, 1, 2 ** 32 - 1]) } } : request(draw, chain)
  return [first, ...some(draw, 60, next)].map((value) => encode(requestCodec, value))
}
