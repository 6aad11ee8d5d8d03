// docs/wire.md, section 4, "Index (`by`)", and section 5, runs: what makes an answer complete.

import { bytes, encode, fixed, list, type Of, Refused, struct, u8, u16, u32, u64 } from './bcs.ts'
import { at, type Bytes, compare, H, hex, same, u64le, ZERO32 } from './hash.ts'
import { agrees, checkMap, cutPath, type Entry, leavesOf, MapProof, mapRoot, pathOf, proveMap, valueHash } from './map.ts'
import { leafOf } from './tree.ts'

export const Tip = struct({ count: u64, link: fixed(32) })
export const Mark = struct({ path: fixed(32), count: u64 })
export type Mark = Of<typeof Mark>
export const Placed = struct({ position: u64, item: bytes(512_000) })
export const Run = struct({ key: bytes(256), count: u64, link: fixed(32), start: u64, before: fixed(32), positions: list(u64, 65_535) })
export type Run = Of<typeof Run>

export const TailQuery = struct({
  surface: u8,
  by: u8,
  bits: u16,
  path: fixed(32),
  have: list(Mark, 1_024),
  upto: list(Mark, 1_024),
  max: u32,
})
export type TailQuery = Of<typeof TailQuery>
export const TailAnswer = struct({ proof: MapProof, items: list(Placed, 65_535), runs: list(Run, 1_024) })
export type TailAnswer = Of<typeof TailAnswer>

/** An item and the canonical keys that it carries under one index. */
export interface Keyed {
  item: Bytes
  keys: Bytes[]
}

export const linkOf = (before: Bytes, position: bigint, item: Bytes): Bytes =>
  H('coalition link v1|', before, u64le(position), leafOf(item))

/** One key of an index: where its items stand, and link_0 … link_count. */
export interface Chain {
  key: Bytes
  positions: bigint[]
  links: Bytes[]
}

/** "For each item that carries the key, once however often it carries it." */
export function chainsOf(items: Keyed[]): Chain[] {
  const chains = new Map<string, Chain>()
  for (const [i, { item, keys }] of items.entries()) {
    for (const name of new Set(keys.map(hex))) {
      const key = at(
        keys.filter((k) => hex(k) === name),
        0,
      )
      const chain = chains.get(name) ?? { key, positions: [], links: [ZERO32] }
      chains.set(name, chain)
      chain.positions.push(BigInt(i))
      chain.links.push(linkOf(at(chain.links, chain.links.length - 1), BigInt(i), item))
    }
  }
  return [...chains.values()].sort((a, b) => compare(pathOf(a.key), pathOf(b.key)))
}

const linkAt = (chain: Chain, k: number): Bytes => at(chain.links, k)
const tipOf = (chain: Chain) => ({ count: BigInt(chain.positions.length), link: linkAt(chain, chain.positions.length) })
export const tipEntry = (chain: Chain): Entry => ({ key: chain.key, value: encode(Tip, tipOf(chain)) })
const tipLeaves = (items: Keyed[]) => leavesOf(chainsOf(items).map(tipEntry))

export const indexRoot = (items: Keyed[]): Bytes => mapRoot(tipLeaves(items))

const named = (marks: Mark[], path: Bytes): number | null => {
  const mark = marks.find((m) => same(m.path, path))
  return mark === undefined ? null : Number(mark.count)
}

function runOf(chain: Chain, query: TailQuery): Run {
  const path = pathOf(chain.key)
  const count = chain.positions.length
  const end = named(query.upto, path) ?? count
  if (end > count) throw new Error('`upto` above the count: error 7, no answer')
  // Newest kept: the start goes up when `max` or `have` says so. A `have` at or past the end leaves an empty run.
  const start = Math.min(end, Math.max(named(query.have, path) ?? 0, end - query.max))
  return {
    key: chain.key,
    ...tipOf(chain),
    start: BigInt(start),
    before: linkAt(chain, start),
    positions: chain.positions.slice(start, end),
  }
}

export function proveTail(items: Keyed[], query: TailQuery): TailAnswer {
  const runs = chainsOf(items)
    .filter((chain) => agrees(pathOf(chain.key), query.path, query.bits))
    .map((chain) => runOf(chain, query))
  const wanted = [...new Set(runs.flatMap((run) => run.positions))].sort((a, b) => (a < b ? -1 : 1))
  return {
    proof: proveMap(tipLeaves(items), query.path, query.bits),
    items: wanted.map((position) => ({ position, item: at(items, Number(position)).item })),
    runs,
  }
}

/** "`bits` is 0–32 or 256 and the path's bits past it are zero." */
export function checkPrefix(bits: number, path: Bytes): void {
  if (bits > 32 && bits !== 256) throw new Refused('bits', `${bits}`)
  if (!same(cutPath(path, bits), path)) throw new Refused('path-bits', `bits past ${bits} are set`)
}

/** What a reader knows besides the answer: the header's root and size, which keys an item carries, and the run that `upto` continues. */
export interface TailContext {
  root: Bytes
  size: bigint
  keysOf: (item: Bytes) => Bytes[]
  /** `before` of the run fetched earlier, for a path that `upto` names. */
  continued: (path: Bytes) => Bytes | null
}

function checkRun(run: Run, query: TailQuery, answer: TailAnswer, context: TailContext): void {
  const path = pathOf(run.key)
  const upto = query.upto.find((mark) => same(mark.path, path))
  const end = upto?.count ?? run.count
  if (end > run.count) throw new Refused('run-end', `upto ${end} of ${run.count}`)
  if (run.start > end || run.start + BigInt(run.positions.length) !== end) {
    throw new Refused('run-length', `${run.positions.length} positions for ${run.start}..${end}`)
  }
  if (run.start === 0n && !same(run.before, ZERO32)) throw new Refused('run-before', 'start 0 with a link before it')
  let link = run.before
  for (const [i, position] of run.positions.entries()) {
    const last = run.positions[i - 1]
    if (last !== undefined && last >= position) throw new Refused('run-positions', `${position} after ${last}`)
    if (position >= context.size) throw new Refused('run-position-size', `${position} of ${context.size}`)
    const placed = answer.items.find((each) => each.position === position)
    if (placed === undefined) throw new Refused('run-item', `no item at ${position}`)
    if (!context.keysOf(placed.item).some((key) => same(key, run.key)))
      throw new Refused('run-key', `the item at ${position} lacks the key`)
    link = linkOf(link, position, placed.item)
  }
  const target = end === run.count ? run.link : context.continued(path)
  if (target === null || !same(link, target)) throw new Refused('run-close', 'the run does not end at its link')
}

export function checkTail(query: TailQuery, answer: TailAnswer, context: TailContext): void {
  checkPrefix(query.bits, query.path)
  const leaves = checkMap(context.root, query.path, query.bits, answer.proof)
  for (const [i, placed] of answer.items.entries()) {
    const last = answer.items[i - 1]
    if (last !== undefined && last.position >= placed.position)
      throw new Refused('items-order', `${placed.position} after ${last.position}`)
  }
  if (answer.runs.length !== leaves.length) throw new Refused('run-count', `${answer.runs.length} runs for ${leaves.length} leaves`)
  for (const [i, run] of answer.runs.entries()) {
    const leaf = at(leaves, i)
    if (!same(pathOf(run.key), leaf.path)) throw new Refused('run-path', `run ${i} is not the leaf's`)
    const tip = encode(Tip, { count: run.count, link: run.link })
    if (!same(valueHash(tip), leaf.value)) throw new Refused('run-tip', `run ${i}: another count or link`)
    checkRun(run, query, answer, context)
  }
  // An item that no run names is proven by nothing.
  for (const { position } of answer.items) {
    if (!answer.runs.some((run) => run.positions.includes(position))) throw new Refused('item-stray', `position ${position} is in no run`)
  }
}
