import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bytes, compare, copy, toHex, u32le, u64le } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { foldRun, linkNext, type Run, type RunRule, type TailQuestion, Tip, type Tips, verifyTail } from '../../client/proofs/by.ts'
import { fromEntries, leavesUnder, type MapTree, prove, rootOf } from '../../client/proofs/map.ts'
import { pathOf, valueHash } from '../../client/proofs/map-proof.ts'
import { leafOf, linkOf, nth, refuses } from './reference.ts'

// An item here is a serial number and then its keys, four bytes each.
const itemOf = (serial: number, keys: readonly number[]): Bytes =>
  new Uint8Array([...u32le(serial), ...keys.flatMap((key) => [...u32le(key)])])
const keysOf = (item: Bytes): readonly Bytes[] => Array.from({ length: item.length / 4 - 1 }, (_, i) => item.slice(4 * i + 4, 4 * i + 8))

interface Kept {
  readonly key: Bytes
  readonly entries: readonly { readonly position: bigint; readonly leaf: Bytes }[]
}

interface World {
  readonly items: readonly Bytes[]
  readonly index: MapTree<Kept>
  readonly root: Bytes
}

/** The index of a surface, by its definition: for each key the link over all entries from the first. */
const worldOf = (carried: readonly (readonly number[])[]): World => {
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

interface Asked {
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
const ask = ({ items, index, root }: World, { bits = 0, path = new Uint8Array(32), max = 1_000, ...marks }: Asked = {}): TailQuestion => {
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

const WORLD = worldOf([[1], [2, 3], [1, 2], [], [1], [3, 1], [2], [1], [4], [1, 2, 3]])
const KEY = u32le(1)
const PATH = pathOf(KEY)
const kept = leavesUnder(WORLD.index, 256, PATH, 1).map(({ data }) => data)
const { entries } = nth(kept, 0)

/** The answer about key 1 alone, changed in one run or in the items. */
const question = ask(WORLD, { bits: 256, path: PATH })
const run = nth(question.answer.runs, 0)
const withRuns = (runs: readonly Run[], from = question): TailQuestion => ({ ...from, answer: { ...from.answer, runs } })
const withRun = (change: Partial<Run>): TailQuestion => withRuns([{ ...run, ...change }])
const withItems = (items: TailQuestion['answer']['items'], from = question): TailQuestion => ({
  ...from,
  answer: { ...from.answer, items },
})
const refused = (asked: TailQuestion, rule: RunRule) => refuses(['Proof.RunError'], () => verifyTail(asked), { rule })

describe('links', () => {
  it('chain position and leaf from 32 zeros on, also beyond what a double counts', () => {
    expect(foldRun(new Uint8Array(32), entries)).toEqual(linkOf(entries))
    const last = { position: 2n ** 64n - 1n, leaf: leafOf(KEY) }
    expect(linkNext(linkOf(entries), last.position, last.leaf)).toEqual(linkOf([...entries, last]))
  })

  it('tips have one encoding', () => {
    const tip = { count: 5n, link: linkOf(entries) }
    expect(encode(Tip, tip)).toEqual(new Uint8Array([...u64le(5n), ...tip.link]))
    expect(decode(Tip, encode(Tip, tip))).toEqual(tip)
  })
})

describe('a tail answer', () => {
  it('TAL-07 shows every item of every key in the bucket', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 4 })
    fc.assert(
      fc.property(
        fc.array(numbers, { maxLength: 30 }),
        fc.integer({ min: 0, max: 12 }),
        fc.constantFrom(0, 1, 2, 3, 256),
        (carried, key, bits) => {
          const path = pathOf(u32le(key))
          const verified = verifyTail(ask(worldOf(carried), { bits, path }))
          for (const found of verified.runs) {
            const number = new DataView(found.key.buffer, found.key.byteOffset).getUint32(0, true)
            const expected = carried.flatMap((keys, i) => (keys.includes(number) ? [BigInt(i)] : []))
            expect(found).toMatchObject({ start: 0n, end: BigInt(expected.length), count: BigInt(expected.length), positions: expected })
            for (const position of expected)
              expect(verified.items.get(position)).toEqual(itemOf(Number(position), nth(carried, Number(position))))
          }
          if (carried.flat().includes(key)) expect(verified.runs.map(({ path: own }) => toHex(own))).toContain(toHex(path))
          else if (bits === 256) expect(verified.runs).toEqual([])
        },
      ),
    )
  })

  it('goes on below a run with what that run began with, down to the first entry', () => {
    const first = verifyTail(ask(WORLD, { max: 2 }))
    const upto = new Map(first.runs.map(({ path, start, before }) => [toHex(path), { count: start, link: before }]))
    const second = verifyTail(ask(WORLD, { max: 2, upto }))
    const third = verifyTail(
      ask(WORLD, { upto: new Map(second.runs.map(({ path, start, before }) => [toHex(path), { count: start, link: before }])) }),
    )
    const all = verifyTail(ask(WORLD))
    for (const [i, { positions }] of all.runs.entries()) {
      const parts = [third, second, first].flatMap(({ runs }) => nth(runs, i).positions)
      expect(parts).toEqual(positions)
    }
    expect(nth(first.runs, 0).positions.length).toBeLessThanOrEqual(2)
  })

  it('goes no lower than what the reader has, and joins it', () => {
    const have = new Map([[toHex(PATH), { count: 3n, link: linkOf(entries.slice(0, 3)) }]])
    const verified = verifyTail(ask(WORLD, { bits: 256, path: PATH, have }))
    expect(nth(verified.runs, 0)).toMatchObject({ start: 3n, end: 6n, positions: entries.slice(3).map(({ position }) => position) })
    const nothingNew = new Map([[toHex(PATH), { count: 6n, link: run.link }]])
    expect(nth(verifyTail(ask(WORLD, { bits: 256, path: PATH, have: nothingNew })).runs, 0).positions).toEqual([])
  })

  it('of an empty bucket has nothing in it', () => {
    const path = pathOf(u32le(77))
    expect(verifyTail(ask(WORLD, { bits: 256, path }))).toEqual({ runs: [], items: new Map() })
    expect(verifyTail(ask(worldOf([])))).toEqual({ runs: [], items: new Map() })
  })

  it('fails as the item’s decoder fails', () => {
    const broken = new RangeError('no such item')
    const asked = {
      ...question,
      keysOf: () => {
        throw broken
      },
    }
    expect(() => verifyTail(asked)).toThrow(broken)
  })
})

describe('a dishonest tail answer', () => {
  it('TAL-07 cannot drop a run, repeat one, or bring them out of order', () => {
    const bucket = ask(WORLD)
    const { runs } = bucket.answer
    expect(runs.map(({ key }) => pathOf(key))).toEqual(runs.map(({ key }) => pathOf(key)).sort(compare))
    for (const i of runs.keys()) refused(withRuns(runs.toSpliced(i, 1), bucket), 'run for each leaf')
    refused(withRuns([...runs, nth(runs, 0)], bucket), 'run for each leaf')
    refused(withRuns([nth(runs, 0), ...runs.slice(0, -1)], bucket), 'path of key')
    refused(withRuns(runs.toReversed(), bucket), 'path of key')
    refused(withRuns(runs.with(0, { ...nth(runs, 0), key: u32le(99) }), bucket), 'path of key')
    refuses(['Proof.MapError'], () => verifyTail({ ...bucket, root: run.link }))
  })

  it('TAL-07 cannot drop, reorder, repeat or add entries', () => {
    for (const i of run.positions.keys()) {
      const positions = run.positions.toSpliced(i, 1)
      refused(withRun({ positions }), 'length')
      if (i === 0) continue
      // Passed off as a run that begins one entry later: the chain does not close.
      const items = question.answer.items.toSpliced(i, 1)
      refused(withItems(items, withRun({ positions, start: 1n, before: linkOf(entries.slice(0, 1)) })), 'link')
    }
    refused(withRun({ positions: run.positions.toReversed() }), 'positions ascend')
    refused(withRun({ positions: run.positions.with(1, nth(run.positions, 0)) }), 'positions ascend')
    refused(withRun({ positions: [...run.positions, 9n] }), 'length')
  })

  it('cannot show part of a run as the whole', () => {
    const late = ask(WORLD, { bits: 256, path: PATH, max: 2 })
    const part = nth(late.answer.runs, 0)
    verifyTail(late)
    refused(withRuns([{ ...part, start: 0n }], late), 'length')
    refused(withRuns([{ ...part, start: 0n, positions: part.positions, count: 2n }], late), 'value of tip')
    refused(withRuns([{ ...part, before: new Uint8Array(32) }], late), 'link')
    refused(withRun({ before: run.link }), 'before of start')
  })

  it('cannot name another tip than the index has', () => {
    refused(withRun({ count: 7n }), 'value of tip')
    refused(withRun({ link: new Uint8Array(32) }), 'value of tip')
    refused(withRun({ start: 7n, positions: [] }), 'length')
  })

  it('cannot bring items that no run names, twice, or in disorder', () => {
    const { items } = question.answer
    refused(withItems([...items, { position: 9_999n, item: KEY }]), 'item below size')
    const foreign = { position: 1n, item: nth(WORLD.items, 1) }
    refused(withItems([nth(items, 0), foreign, ...items.slice(1)]), 'item in a run')
    refused(withItems([nth(items, 0), ...items]), 'items ascend')
    refused(withItems(items.toReversed()), 'items ascend')
    for (const i of items.keys()) refused(withItems(items.toSpliced(i, 1)), 'item of position')
  })

  it('cannot pass off an item without the key, or change one', () => {
    const { items } = question.answer
    refused(withItems(items.with(0, { position: nth(items, 0).position, item: itemOf(0, [2]) })), 'key of item')
    refused(withItems(items.with(0, { position: nth(items, 0).position, item: itemOf(8, [1]) })), 'link')
    const moved = items.with(1, { position: 3n, item: nth(items, 1).item })
    refused(withItems(moved, withRun({ positions: run.positions.with(1, 3n) })), 'link')
  })

  it('cannot reach past the surface', () => {
    refused({ ...question, surfaceSize: 9n }, 'item below size')
    const { items } = question.answer
    const short = withItems(items.slice(0, -1), { ...question, surfaceSize: 9n })
    refused(short, 'position below size')
  })

  it('cannot break off from the run it continues', () => {
    const upto = new Map([[toHex(PATH), { count: 4n, link: linkOf(entries.slice(0, 4)) }]])
    const below = ask(WORLD, { bits: 256, path: PATH, upto })
    verifyTail(below)
    const other = new Map([[toHex(PATH), { count: 4n, link: linkOf(entries.slice(0, 3)) }]])
    refused({ ...below, upto: other }, 'link')
    refused({ ...question, upto }, 'length')
    refused({ ...question, upto: new Map([[toHex(PATH), { count: 7n, link: run.link }]]) }, 'end')
    refused({ ...question, upto: new Map([[toHex(PATH), { count: 6n, link: linkOf(entries.slice(0, 5)) }]]) }, 'link')
    verifyTail({ ...question, upto: new Map([[toHex(PATH), { count: 6n, link: copy(run.link) }]]) })
  })

  it('cannot send what the reader has, part from it, or fall behind it', () => {
    const have = (count: bigint, link: Bytes) => new Map([[toHex(PATH), { count, link }]])
    refused({ ...question, have: have(3n, linkOf(entries.slice(0, 3))) }, 'have')
    const above = ask(WORLD, { bits: 256, path: PATH, have: have(3n, linkOf(entries.slice(0, 3))) })
    refused({ ...above, have: have(3n, linkOf(entries.slice(1, 4))) }, 'have')
    refused({ ...question, have: have(7n, run.link) }, 'have')
  })

  it('cannot send more than was asked for', () => {
    refused({ ...question, max: 5 }, 'max')
  })
})
