import { type Bytes, toHex, u32le } from '../../client/primitives/bytes.ts'
import { encode } from '../../client/primitives/codec.ts'
import { type Run, type TailQuestion, Tip, type Tips } from '../../client/proofs/by.ts'
import { fromEntries, leavesUnder, type MapTree, prove, rootOf } from '../../client/proofs/map.ts'
import { pathOf, valueHash } from '../../client/proofs/map-proof.ts'
import { leafOf, linkOf, nth } from './reference.ts'

// An item here is a serial number and then its keys, four bytes each.
export const itemOf = (serial: number, keys: readonly number[]): Bytes =>
  new Uint8Array([...u32le(serial), ...keys.flatMap((key) => [...u32le(key)])])
export const keysOf = (item: Bytes): readonly Bytes[] =>
  Array.from({ length: item.length / 4 - 1 }, (_, i) => item.slice(4 * i + 4, 4 * i + 8))

export interface Kept {
  readonly key: Bytes
  readonly entries: readonly { readonly position: bigint; readonly leaf: Bytes }[]
}

export interface World {
  readonly items: readonly Bytes[]
  readonly index: MapTree<Kept>
  readonly root: Bytes
}

/** The index of a surface, by its definition: for each key the link over all entries from the first. */
export const worldOf = (carried: readonly (readonly number[])[]): World => {
  const items = carried.map((keys, i) => itemOf(i, keys))
  const all = new Map(carried.flat().map((key) => [key, u32le(key)]))
  const entries = [...all].map(([number, key]) => {
    const own = items.flatMap((item, i) => (nth(carried, i).includes(number) ? [{ position: BigInt(i), leaf: leafOf(item) }] : []))
    const value = valueHash(encode(Tip, { count: BigInt(own.length), link: linkOf(own) }))
    return { path: pathOf(key), value, data: { key, entries: own } }
  })
  const index = fromEntries(entries)
  return { items, index, root: rootOf(index) }
}

export interface Asked {
  readonly bits?: number
  readonly path?: Bytes
  readonly upto?: Tips
  readonly have?: Tips
  readonly max?: number
}

const runOf = ({ key, entries }: Kept, end: number, start: number): Run => ({
  key,
  count: BigInt(entries.length),
  link: linkOf(entries),
  start: BigInt(start),
  before: linkOf(entries.slice(0, start)),
  positions: entries.slice(start, end).map(({ position }) => position),
})

/** What an honest server answers. */
export const ask = (
  { items, index, root }: World,
  { bits = 0, path = new Uint8Array(32), max = 1_000, ...marks }: Asked = {},
): TailQuestion => {
  const runs = leavesUnder(index, bits, path, 1_024).map(({ data, path: own }) => {
    const end = Number(marks.upto?.get(toHex(own))?.count ?? data.entries.length)
    const low = Math.min(end, Number(marks.have?.get(toHex(own))?.count ?? 0))
    return runOf(data, end, Math.max(low, end - max))
  })
  const named = [...new Set(runs.flatMap(({ positions }) => positions))].sort((a, b) => Number(a - b))
  const placed = named.map((position) => ({ position, item: nth(items, Number(position)) }))
  return {
    root,
    surfaceSize: BigInt(items.length),
    bits,
    path,
    answer: { proof: prove(index, bits, path), items: placed, runs },
    keysOf,
    max,
    ...marks,
  }
}

export const WORLD = worldOf([[1], [2, 3], [1, 2], [], [1], [3, 1], [2], [1], [4], [1, 2, 3]])
export const KEY = u32le(1)
export const PATH = pathOf(KEY)
const kept = leavesUnder(WORLD.index, 256, PATH, 1).map(({ data }) => data)
export const { entries } = nth(kept, 0)

/** The answer about key 1 alone, changed in one run or in the items. */
export const question = ask(WORLD, { bits: 256, path: PATH })
export const run = nth(question.answer.runs, 0)
