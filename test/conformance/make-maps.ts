// Section 4: maps of 0–9 entries, two whose paths lie close together, proofs of presence, of absence and for prefixes.

import { encode, text, u32, u64 } from './bcs.ts'
import { at, type Bytes, bit, bitmap, bytesOf, compare, H, hex, same, ZERO32, zeros } from './hash.ts'
import { both, hexOf, type Row, upTo } from './kit.ts'
import { ruleOf } from './make-keys.ts'
import { agrees, checkMap, cutPath, type Entry, leavesOf, MapLeaf, MapProof, mapRoot, pathBit, pathOf, proveMap } from './map.ts'

const NAMES = ['ada', 'bob', 'cleo', 'dan', 'eve', 'fay', 'gus', 'hal', 'ivy']
const keyOf = (name: string): Bytes => encode(text(32), name)
const entriesOf = (n: number): Entry[] => NAMES.slice(0, n).map((name, i) => ({ key: keyOf(name), value: encode(u64, BigInt(i * i)) }))

/** Two u32 keys whose paths agree on 20 bits or more: found by trying, the same two every time. */
function closePair(): [number, number] {
  const seen = new Map<string, number>()
  for (let i = 0; ; i++) {
    const start = hex(pathOf(encode(u32, i))).slice(0, 5)
    const before = seen.get(start)
    if (before !== undefined) return [before, i]
    seen.set(start, i)
  }
}

interface Case {
  name: string
  leaves: MapLeaf[]
  entries: Entry[]
}

function cases(): Case[] {
  const of = (name: string, entries: Entry[]): Case => ({ name, entries, leaves: leavesOf(entries) })
  const [a, b] = closePair()
  const deep = [a, b, 1, 2, 3].map((n) => ({ key: encode(u32, n), value: encode(u32, n) }))
  const last = bytesOf('a path', 32)
  const twin = last.map((byte, i) => (i === 31 ? byte ^ 1 : byte))
  const near = last.map((byte, i) => (i === 17 ? byte ^ 16 : byte))
  const bare: MapLeaf[] = [last, twin, near].map((path, i) => ({ path, value: bytesOf(`value ${i}`, 32) }))
  return [
    ...upTo(10).map((n) => of(`${n} entries`, entriesOf(n))),
    of(
      'a set: to unit',
      [1, 2, 3].map((n) => ({ key: bytesOf(`guest ${n}`, 20), value: zeros(0) })),
    ),
    of('two paths agree on 20 bits', deep),
    of('a cell or once: one entry, its key is empty', [{ key: zeros(0), value: encode(u64, 5n) }]),
    { name: 'bare leaves, two paths differ in the last bit', entries: [], leaves: bare },
  ]
}

const mapRow = ({ name, entries, leaves }: Case): Row => ({
  name,
  entries: entries.map(({ key, value }) => ({ key: hex(key), value: hex(value), path: hex(pathOf(key)) })),
  ...(entries.length === leaves.length ? {} : { leaves: leaves.map((leaf) => MapLeaf.show(leaf)) }),
  root: hex(mapRoot(leaves)),
})

function proofRow(map: Case, place: number, path: Bytes, bits: number): Row {
  const proof = proveMap(map.leaves, path, bits)
  const shown = checkMap(mapRoot(map.leaves), path, bits, proof)
  const expected = map.leaves.filter((leaf) => agrees(leaf.path, path, bits)).sort((a, b) => compare(a.path, b.path))
  if (hex(mapRoot(shown)) !== hex(mapRoot(expected))) throw new Error('a proof shows other leaves than the map holds')
  const found = { map: place, bits, path: hex(path), shows: shown.map((leaf) => hex(leaf.path)), end: proof.end.is }
  // By value for some only: all of them would double the file.
  return bits === 256 && (place === 2 || place === 9) ? { ...found, ...both(MapProof, proof) } : { ...found, hex: hexOf(MapProof, proof) }
}

function keyProofs(all: Case[]): Row[] {
  return all.flatMap((map, place) => {
    const absent = ['nobody', 'someone', 'zoe'].map((name) => pathOf(keyOf(name)))
    // In the map of bare leaves, a path next to another: absence by another leaf at depth 256 and at 139.
    const beside = map.entries.length > 0 ? [] : map.leaves.slice(2).map((leaf) => leaf.path.map((byte, i) => (i === 31 ? byte ^ 1 : byte)))
    return [...map.leaves.map((leaf) => leaf.path), ...absent, ...beside].map((path) => proofRow(map, place, path, 256))
  })
}

function prefixProofs(all: Case[]): Row[] {
  return all.flatMap((map, place) => {
    const paths = [
      at([...map.leaves.map((leaf) => leaf.path), pathOf(keyOf('nobody'))], place % (map.leaves.length + 1)),
      pathOf(keyOf('zoe')),
    ]
    // 17 bits tell no more than 8 but where paths lie close together.
    return (place < 10 ? [0, 1, 2, 3, 8, 32] : [0, 1, 2, 3, 8, 17, 32]).flatMap((bits) => {
      const cut = paths.map((path) => cutPath(path, bits))
      const distinct = cut.filter((path, i) => i === 0 || !same(path, at(cut, 0)))
      return distinct.map((path) => proofRow(map, place, path, bits))
    })
  })
}

type Change = (proof: MapProof) => MapProof

function refused(all: Case[]): Row[] {
  const rows: Row[] = []
  const nine = at(all, 9)
  const add = (why: string, map: Case, path: Bytes, bits: number, change: Change) => {
    const root = mapRoot(map.leaves)
    const proof = change(proveMap(map.leaves, path, bits))
    const rule = ruleOf(() => checkMap(root, path, bits, proof))
    rows.push({ rule, why, root: hex(root), path: hex(path), bits, hex: hexOf(MapProof, proof) })
  }
  const eve = pathOf(keyOf('eve'))
  const leafEve = at(nine.leaves, 4)
  const key = (why: string, change: Change, map = nine, path = eve) => add(why, map, path, 256, change)
  key('another value', (p) => ({ ...p, end: { is: 'leaf', value: { ...leafEve, value: H('x') } } }))
  key('absence claimed by an empty end', (p) => ({ ...p, end: { is: 'empty', value: null } }))
  key('absence claimed by another leaf', (p) => ({ ...p, end: { is: 'leaf', value: otherLeaf(nine, eve, p.depth) } }))
  key('the end is a leaf off the path', (p) => ({ ...p, end: { is: 'leaf', value: strayLeaf(nine, eve, p.depth) } }))
  key('a level less', (p) => ({ ...p, depth: p.depth - 1, siblings: p.siblings.slice(0, -1), present: shorten(p.present, p.depth - 1) }))
  key('a level more, its sibling empty', (p) => ({ ...p, depth: p.depth + 1 }))
  key('a sibling is missing', (p) => ({ ...p, siblings: p.siblings.slice(1) }))
  key('a sibling too many', (p) => ({ ...p, siblings: [...p.siblings, H('x')] }))
  key('siblings from the bottom up', (p) => ({ ...p, siblings: [...p.siblings].reverse() }))
  const close = at(all, 11)
  key('a listed sibling of 32 zeros, where the empty node belongs: the root would hold', listEmpty, close, at(close.leaves, 0).path)
  key('a bit past the depth', (p) => ({ ...p, siblings: [...p.siblings, H('x')], present: lengthen(p.present, p.depth) }))
  key('present bits from the most significant end', (p) => ({ ...p, present: Uint8Array.from(p.present, reverseBits) }))
  key('present too long by a zero byte', (p) => ({ ...p, present: Uint8Array.from([...p.present, 0]) }))
  key('no present bytes', (p) => ({ ...p, present: zeros(0) }))
  key('a subtree of two for one key', (p) => ({
    ...p,
    end: { is: 'subtree', value: [leafEve, otherLeaf(nine, eve, p.depth)].sort(byPath) },
  }))
  key('the proof of another key', () => proveMap(nine.leaves, pathOf(keyOf('ada')), 256))
  key('the proof of another map', () => proveMap(nine.leaves.slice(1), eve, 256))
  const four = cutPath(eve, 1)
  const prefix = (why: string, change: Change) => add(why, nine, four, 1, change)
  const leaves = (p: MapProof): MapLeaf[] => (p.end.is === 'subtree' ? p.end.value : [])
  prefix('a leaf of the subtree is missing', (p) => ({ ...p, end: { is: 'subtree', value: leaves(p).slice(1) } }))
  prefix('two leaves of the subtree are swapped', (p) => ({ ...p, end: { is: 'subtree', value: [...leaves(p)].reverse() } }))
  prefix('a leaf of the subtree stands twice', (p) => ({ ...p, end: { is: 'subtree', value: [at(leaves(p), 0), ...leaves(p)] } }))
  prefix('a leaf from outside the prefix', (p) => ({
    ...p,
    end: { is: 'subtree', value: [...leaves(p), strayLeaf(nine, four, 1)].sort(byPath) },
  }))
  prefix('only a leaf of the two or more', (p) => ({ ...p, end: { is: 'leaf', value: at(leaves(p), 0) } }))
  prefix('empty', (p) => ({ ...p, end: { is: 'empty', value: null } }))
  prefix('deeper than the prefix', () => proveMap(nine.leaves, leafEve.path, 256))
  add('a subtree above the depth of the prefix', nine, cutPath(eve, 8), 8, () => proveMap(nine.leaves, four, 1))
  add('a map of none, a leaf shown', at(all, 0), eve, 256, (p) => ({ ...p, end: { is: 'leaf', value: leafEve } }))
  add('a map of one, nothing shown', at(all, 1), pathOf(keyOf('ada')), 256, (p) => ({ ...p, end: { is: 'empty', value: null } }))
  return rows
}

/** The first level without a sibling gets the empty node as a listed one. */
function listEmpty(proof: MapProof): MapProof {
  const levels = upTo(proof.depth)
  const empty = levels.find((level) => !bit(proof.present, level))
  if (empty === undefined) throw new Error('no level is empty')
  const set = levels.filter((level) => level === empty || bit(proof.present, level))
  const before = set.indexOf(empty)
  const siblings = [...proof.siblings.slice(0, before), ZERO32, ...proof.siblings.slice(before)]
  return { ...proof, siblings, present: bitmap(set, proof.depth) }
}

const byPath = (a: MapLeaf, b: MapLeaf): number => compare(a.path, b.path)
const shorten = (present: Bytes, depth: number): Bytes =>
  present.slice(0, Math.ceil(depth / 8)).map((byte, i) => byte % 2 ** Math.min(8, depth - 8 * i))
/** Sets bit `depth`, in a byte that is there already (the proofs that are changed here are less than 8 levels deep). */
const lengthen = (present: Bytes, depth: number): Bytes =>
  present.map((byte, i) => (i === Math.floor(depth / 8) ? byte + 2 ** (depth % 8) : byte))
const reverseBits = (byte: number): number => upTo(8).reduce((sum, i) => sum + (Math.floor(byte / 2 ** i) % 2) * 2 ** (7 - i), 0)

/** A leaf that no map holds, whose path leaves the asked one exactly after `depth` bits. */
const otherLeaf = (map: Case, path: Bytes, depth: number): MapLeaf => {
  const other = path.map((byte, i) => (i === Math.floor(depth / 8) ? byte ^ (2 ** (7 - (depth % 8))) : byte))
  if (!agrees(other, path, depth) || pathBit(other, depth) === pathBit(path, depth)) throw new Error('not beside the path')
  return { path: other, value: at(map.leaves, 0).value }
}

/** A leaf of the map that does not agree with the path on its first `depth` bits. */
function strayLeaf(map: Case, path: Bytes, depth: number): MapLeaf {
  const leaf = map.leaves.find((each) => !agrees(each.path, path, depth))
  if (leaf === undefined) throw new Error('every leaf agrees')
  return leaf
}

export function makeMaps(): Row {
  const all = cases()
  return { maps: all.map(mapRow), keys: keyProofs(all), prefixes: prefixProofs(all), refused: refused(all) }
}
