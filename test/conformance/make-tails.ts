// Sections 4 and 5: an index, its links, and tails of it: whole, bounded, continued, and with every rule broken once.

import { encode } from './bcs.ts'
import { at, type Bytes, bytesOf, compare, H, hex, same, ZERO32 } from './hash.ts'
import { hexOf, type Row, upTo } from './kit.ts'
import { ruleOf } from './make-keys.ts'
import { cutPath, type MapLeaf, type MapProof, pathOf, proveMap } from './map.ts'
import {
  type Chain,
  chainsOf,
  checkTail,
  indexRoot,
  type Keyed,
  type Mark,
  proveTail,
  type Run,
  TailAnswer,
  type TailContext,
  TailQuery,
  Tip,
} from './tails.ts'
import { treeRoot } from './tree.ts'

/** Which of the keys 0 … 5 each item carries: none, one, several, one of them twice, one item equal to another. */
const CARRIED = [[0], [0, 1], [], [2, 0], [1], [0, 0], [3], [0, 1, 2], [4, 0], [], [1, 2], [0], [5, 1]]
const KEYS = upTo(7).map((i) => bytesOf(`key ${i}`, 20))
const ITEMS: Keyed[] = CARRIED.map((keys, i) => ({
  // Items 0 and 11 are the same bytes, at two positions.
  item: bytesOf(`indexed item ${i === 11 ? 0 : i}`, 24),
  keys: keys.map((key) => at(KEYS, key)),
}))

export const keysOfItems =
  (items: Keyed[]) =>
  (item: Bytes): Bytes[] =>
    items.find((each) => same(each.item, item))?.keys ?? []

const pathOfKey = (key: number): Bytes => pathOf(at(KEYS, key))
const whole = (bits: number, path: Bytes): TailQuery => ({
  surface: 0,
  by: 0,
  bits,
  path: cutPath(path, bits),
  have: [],
  upto: [],
  max: 1_000,
})

interface Asked {
  name: string
  query: TailQuery
  answer: TailAnswer
  /** For the paths that `upto` names: `before` of the run that the reader holds. */
  continued: { path: Bytes; link: Bytes }[]
}

const contextOf = (asked: Pick<Asked, 'continued'>): TailContext => ({
  root: indexRoot(ITEMS),
  size: BigInt(ITEMS.length),
  keysOf: keysOfItems(ITEMS),
  continued: (path) => asked.continued.find((each) => same(each.path, path))?.link ?? null,
})

function ask(name: string, query: TailQuery): Asked {
  const chains = chainsOf(ITEMS)
  const continued = query.upto.flatMap(({ path, count }) => {
    const chain = chains.find((each) => same(pathOf(each.key), path))
    return chain === undefined ? [] : [{ path, link: at(chain.links, Number(count)) }]
  })
  const asked = { name, query, answer: proveTail(ITEMS, query), continued }
  checkTail(query, asked.answer, contextOf(asked))
  return asked
}

function tails(): Asked[] {
  const mark = (key: number, count: bigint): Mark => ({ path: pathOfKey(key), count })
  const one = whole(256, pathOfKey(0))
  const all = whole(0, ZERO32)
  const sorted = (...marks: Mark[]): Mark[] => marks.sort((a, b) => compare(a.path, b.path))
  return [
    ask('one key, all of it', one),
    ask('one key, the newest three', { ...one, max: 3 }),
    ask('the three before them', { ...one, max: 3, upto: [mark(0, 4n)] }),
    ask('the one before those', { ...one, max: 3, upto: [mark(0, 1n)] }),
    ask('one key, five had already', { ...one, have: [mark(0, 5n)] }),
    ask('five had already, at most one', { ...one, have: [mark(0, 5n)], max: 1 }),
    ask('the gap between them', { ...one, have: [mark(0, 5n)], upto: [mark(0, 6n)] }),
    ask('all had already', { ...one, have: [mark(0, 7n)] }),
    ask('more had than there are: an older header', { ...one, have: [mark(0, 9n)] }),
    ask('at most none', { ...one, max: 0 }),
    ask('upto 0: nothing before it', { ...one, upto: [mark(0, 0n)] }),
    ask('upto equal to the count', { ...one, upto: [mark(0, 7n)] }),
    ask('a key of one item', whole(256, pathOfKey(3))),
    ask('a key that no item carries', whole(256, pathOfKey(6))),
    ask('every key', all),
    ask('every key, the newest of each', { ...all, max: 1 }),
    ask('every key, two of them bounded', { ...all, have: sorted(mark(0, 2n), mark(4, 1n)), upto: sorted(mark(0, 6n), mark(1, 3n)) }),
    ask('a mark for a path outside the bucket', { ...one, have: [mark(1, 2n)] }),
    ...[0, 1, 2, 3, 4, 5].map((key) => ask(`a bucket of one bit, that of key ${key}`, whole(1, pathOfKey(key)))).slice(0, 2),
    ask('a bucket of two bits', whole(2, pathOfKey(1))),
    ask('a bucket of 32 bits', whole(32, pathOfKey(2))),
    ask('a bucket of 32 bits with none', whole(32, bytesOf('nowhere', 32))),
  ]
}

// --- refused

type Change = (answer: TailAnswer) => TailAnswer

function refused(asked: Asked[]): Row[] {
  const rows: Row[] = []
  const find = (name: string): Asked => {
    const found = asked.find((each) => each.name === name)
    if (found === undefined) throw new Error(`no tail "${name}"`)
    return found
  }
  const add = (why: string, of: Asked, change: Change, query = of.query) => {
    const answer = change(structuredClone(of.answer))
    const rule = ruleOf(() => checkTail(query, answer, contextOf(of)))
    rows.push({ rule, why, ...tailRow({ name: '', query, answer, continued: of.continued }, false) })
  }
  const one = find('one key, all of it')
  const newest = find('one key, the newest three')
  const before = find('the three before them')
  const all = find('every key')
  const none = find('a key that no item carries')

  const run = (change: (run: Run, answer: TailAnswer) => Partial<Run>, which = 0): Change => {
    return (answer) => ({ ...answer, runs: answer.runs.map((each, i) => (i === which ? { ...each, ...change(each, answer) } : each)) })
  }
  const without = (positions: bigint[], i: number): bigint[] => positions.filter((_, j) => j !== i)

  add(
    'an item is dropped: fewer positions than start and count say',
    one,
    run((r) => ({ positions: without(r.positions, 2) })),
  )
  add(
    'an item is dropped and the start moved up',
    one,
    run((r) => ({ positions: without(r.positions, 2), start: 1n, before: linkAt(r.key, 1) })),
  )
  add(
    'the newest item is dropped',
    one,
    run((r) => ({ positions: r.positions.slice(0, -1) })),
  )
  add(
    'an item is dropped, another position put in its place',
    one,
    run((r) => ({ positions: swap(r.positions, 3, 4n) })),
  )
  add(
    'a position stands twice',
    one,
    run((r) => ({ positions: swap(r.positions, 3, at(r.positions, 2)) })),
  )
  add(
    'two positions are reordered',
    one,
    run((r) => ({ positions: [...r.positions.slice(0, 2).reverse(), ...r.positions.slice(2)] })),
  )
  add(
    'the positions run backwards',
    one,
    run((r) => ({ positions: [...r.positions].reverse() })),
  )
  add('a foreign item: it stands at its position and lacks the key', one, foreignItem)
  add('the run of another key under the tip of this one', one, foreignRun)
  add('a position past the size of the surface', one, past)
  add('two items are exchanged under their positions', one, exchanged)
  add('an item is missing', one, (a) => ({ ...a, items: a.items.slice(1) }))
  add('no items at all', one, (a) => ({ ...a, items: [] }))
  add('an item that no run names', one, (a) => ({ ...a, items: [...a.items, { position: 12n, item: at(ITEMS, 12).item }] }))
  add('items out of order', one, (a) => ({ ...a, items: [...a.items].reverse() }))
  add('an item stands twice', one, (a) => ({ ...a, items: [at(a.items, 0), ...a.items] }))
  add('another item at a position', one, (a) => ({ ...a, items: a.items.map((p, i) => (i === 0 ? { ...p, item: at(ITEMS, 1).item } : p)) }))
  add(
    'start 0 with a link before it',
    one,
    run(() => ({ before: H('x') })),
  )
  add(
    'a wrong link before',
    newest,
    run(() => ({ before: H('x') })),
  )
  add(
    'a wrong link before: zeros',
    newest,
    run(() => ({ before: ZERO32 })),
  )
  add(
    'a wrong link before: of one item earlier',
    newest,
    run((r) => ({ before: linkAt(r.key, 3) })),
  )
  add(
    'a wrong start',
    newest,
    run(() => ({ start: 3n })),
  )
  add(
    'does not close: the tip is of one item less',
    one,
    run((r) => ({ count: 6n, link: linkAt(r.key, 6), positions: r.positions.slice(0, -1) })),
  )
  add(
    'does not close: another link',
    one,
    run(() => ({ link: H('x') })),
  )
  add(
    'does not close: another count',
    one,
    run(() => ({ count: 8n })),
  )
  add('a continued run ends at the count, not at upto', before, () => one.answer)
  add(
    'a continued run that does not meet the one it continues',
    before,
    run((r) => ({ before: linkAt(r.key, 0) })),
  )
  add(
    'a continued run of other positions',
    before,
    run((r) => ({ positions: swap(r.positions, 1, 4n) })),
  )
  add('upto past the count', one, (a) => a, { ...one.query, upto: [{ path: pathOfKey(0), count: 8n }] })
  add('the leaf has no run', one, (a) => ({ ...a, runs: [], items: [] }))
  add('a run for no leaf', none, () => ({ ...none.answer, runs: one.answer.runs, items: one.answer.items }))
  add('a run stands twice', all, (a) => ({ ...a, runs: [at(a.runs, 0), ...a.runs] }))
  add('a run is missing', all, (a) => ({ ...a, runs: a.runs.slice(1) }))
  add('two runs are swapped', all, (a) => ({ ...a, runs: [at(a.runs, 1), at(a.runs, 0), ...a.runs.slice(2)] }))
  add('the run of another key', one, (a) => ({ ...a, runs: proveTail(ITEMS, whole(256, pathOfKey(1))).runs }))
  add(
    'the key of another run',
    one,
    run(() => ({ key: at(KEYS, 1) })),
  )
  add('the proof of another index', one, (a) => ({ ...a, proof: otherProof(one.query) }))
  add('the proof is cut', one, (a) => ({ ...a, proof: { ...a.proof, siblings: a.proof.siblings.slice(1) } }))
  add('33 bits', one, (a) => a, { ...one.query, bits: 33 })
  add('255 bits', one, (a) => a, { ...one.query, bits: 255 })
  add('a path bit past the bits', all, (a) => a, { ...all.query, path: Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 1 : 0)) })
  return rows
}

const chainOf = (key: Bytes): Chain => {
  const chain = chainsOf(ITEMS).find((each) => same(each.key, key))
  if (chain === undefined) throw new Error('no such key')
  return chain
}
const linkAt = (key: Bytes, k: number): Bytes => at(chainOf(key).links, k)
const swap = (positions: bigint[], i: number, position: bigint): bigint[] => positions.map((each, j) => (i === j ? position : each))

/** Item 2, which carries no key, in place of item 3. */
function foreignItem(answer: TailAnswer): TailAnswer {
  const moved = (position: bigint): bigint => (position === 3n ? 2n : position)
  return {
    ...answer,
    items: answer.items.map((placed) => ({ position: moved(placed.position), item: at(ITEMS, Number(moved(placed.position))).item })),
    runs: answer.runs.map((run) => ({ ...run, positions: run.positions.map(moved) })),
  }
}

/** The whole run of key 1, shown for key 0: its items are there and carry key 1. */
function foreignRun(answer: TailAnswer): TailAnswer {
  const other = proveTail(ITEMS, whole(256, pathOfKey(1)))
  const fake = at(other.runs, 0)
  const own = at(answer.runs, 0)
  return {
    ...answer,
    items: other.items,
    runs: [{ ...fake, key: own.key, count: own.count, link: own.link, start: own.count - fake.count, before: H('x') }],
  }
}

function past(answer: TailAnswer): TailAnswer {
  const run = at(answer.runs, 0)
  const moved = (position: bigint): bigint => (position === 11n ? 13n : position)
  return {
    ...answer,
    items: answer.items.map((placed) => ({ ...placed, position: moved(placed.position) })),
    runs: [{ ...run, positions: run.positions.map(moved) }],
  }
}

function exchanged(answer: TailAnswer): TailAnswer {
  const [a, b, ...rest] = answer.items
  if (a === undefined || b === undefined) throw new Error('two items')
  return { ...answer, items: [{ ...a, item: b.item }, { ...b, item: a.item }, ...rest] }
}

function otherProof(query: TailQuery): MapProof {
  const leaves = chainsOf(ITEMS.slice(1)).map((chain): MapLeaf => {
    const value = encode(Tip, { count: BigInt(chain.positions.length), link: at(chain.links, chain.positions.length) })
    return { path: pathOf(chain.key), value: H(Uint8Array.of(5), value) }
  })
  return proveMap(leaves, query.path, query.bits)
}

// --- JSON

const tailRow = ({ query, answer, continued }: Asked, shown: boolean): Row => ({
  query: hexOf(TailQuery, query),
  answer: hexOf(TailAnswer, answer),
  ...(shown ? { queryValue: TailQuery.show(query), answerValue: TailAnswer.show(answer) } : {}),
  continued: continued.map(({ path, link }) => ({ path: hex(path), link: hex(link) })),
})

export function makeTails(): Row {
  const asked = tails()
  return {
    items: ITEMS.map(({ item, keys }) => ({ item: hex(item), keys: keys.map(hex) })),
    tree: hex(treeRoot(ITEMS.map(({ item }) => item))),
    root: hex(indexRoot(ITEMS)),
    chains: chainsOf(ITEMS).map(({ key, positions, links }) => ({
      key: hex(key),
      path: hex(pathOf(key)),
      positions: positions.map(String),
      links: links.map(hex),
      tip: hexOf(Tip, { count: BigInt(positions.length), link: at(links, positions.length) }),
    })),
    tails: asked.map((each, i) => ({ name: each.name, ...tailRow(each, i === 1 || i === 2) })),
    refused: refused(asked),
  }
}
