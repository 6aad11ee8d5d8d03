import { hashLeaves } from '../../wasm/core.ts'
import { type Bytes, concat, toHex } from '../primitives/bytes.ts'
import { bytes, decode, encode, fixed, struct, u64 } from '../primitives/codec.ts'
import { linkNext, Tip } from '../proofs/by.ts'
import { append, type Frontier } from '../proofs/frontier.ts'
import { get, insert, type MapTree } from '../proofs/map.ts'
import { pathOf, valueHash } from '../proofs/map-proof.ts'
import { archiveKey } from './keys.ts'
import type { SurfaceSpec } from './machine.ts'
import { ZEROS } from './roster.ts'
import type { Change } from './storage.ts'

/** What an index knows of one key: how many items carry it, and the hash chain over them (docs/wire.md section 4, "Index"). */
export interface TipData {
  readonly key: Bytes
  readonly count: bigint
  readonly link: Bytes
}

/** An index key on disk, with what its map entry hashes. */
export const tipRecordCodec = struct('TipRecord', { key: bytes(256), count: u64, link: fixed(32) })

/** One surface at one block: the right edge of its tree and its indexes, all immutable and shared with the parent's. */
export interface SurfaceState {
  readonly frontier: Frontier
  readonly by: readonly MapTree<TipData>[]
}

/** Most keys that one item may carry in one index (PROTOCOL.md section 2, "Complete answers"). */
const KEYS_PER_ITEM = 256

/** Appends a block's items to a surface and its indexes; what the archive must keep is added to `changes`. */
export const appendItems = <T>(
  surface: SurfaceState,
  spec: SurfaceSpec<T>,
  number: number,
  items: readonly Bytes[],
  changes: Change[],
): SurfaceState => {
  if (items.length === 0) return surface
  const first = surface.frontier.size
  for (const [i, item] of items.entries()) changes.push({ key: archiveKey.item(number, first + BigInt(i)), value: item })
  const leaves = hashLeaves(items)
  const frontier = append(surface.frontier, leaves, (level, index, value) =>
    changes.push({ key: archiveKey.node(number, level, index), value }),
  )
  const by = surface.by.map((map, i) => {
    let next = map
    items.forEach((item, offset) => {
      for (const key of keysOf(spec, i, item))
        next = extend(next, key, first + BigInt(offset), leaves[offset] as Bytes, [number, i], changes)
    })
    return next
  })
  return { frontier, by }
}

const keysOf = <T>(spec: SurfaceSpec<T>, by: number, item: Bytes): readonly Bytes[] => {
  const keys = spec.by[by]?.keys(decode(spec.item, item)) ?? []
  const distinct = new Set(keys.map(toHex))
  // A machine that breaks this would commit to an index that nobody can verify, so it must not get as far as a vote.
  if (distinct.size !== keys.length || keys.length > KEYS_PER_ITEM)
    throw new RangeError(`index ${spec.name}.${by}: ${keys.length} keys, ${distinct.size} distinct`)
  return keys
}

const extend = (
  map: MapTree<TipData>,
  key: Bytes,
  position: bigint,
  leaf: Bytes,
  place: readonly [number, number],
  changes: Change[],
): MapTree<TipData> => {
  const path = pathOf(key)
  const before = get(map, path)?.data ?? { key, count: 0n, link: ZEROS }
  const tip = { key, count: before.count + 1n, link: linkNext(before.link, position, leaf) }
  changes.push({ key: archiveKey.entry(...place, path, before.count), value: entryValue(position, before.link) })
  changes.push({ key: archiveKey.tip(...place, path), value: encode(tipRecordCodec, tip) })
  return insert(map, path, valueHash(encode(Tip, { count: tip.count, link: tip.link })), tip)
}

/** An index entry on disk: the item's position and the link before it. */
const entryValue = (position: bigint, before: Bytes): Bytes => {
  const number = new Uint8Array(8)
  new DataView(number.buffer).setBigUint64(0, position)
  return concat(number, before)
}

export const readEntry = (value: Bytes): { readonly position: bigint; readonly before: Bytes } => ({
  position: new DataView(value.buffer, value.byteOffset, 8).getBigUint64(0),
  before: value.slice(8, 40),
})
