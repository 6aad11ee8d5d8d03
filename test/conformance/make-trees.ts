// Section 4: every root, item proof and range proof of trees of 0–9 items, some of larger ones, and folds of sizes that nobody holds.

import { at, type Bytes, bytesOf, H, hex, ZERO32 } from './hash.ts'
import { both, hexOf, type Row, upTo } from './kit.ts'
import { ruleOf } from './make-keys.ts'
import {
  appendToEdge,
  checkItem,
  checkRange,
  cover,
  foldRange,
  foldTree,
  leafOf,
  proveItem,
  proveRange,
  RangeProof,
  TreeProof,
  treeRoot,
} from './tree.ts'

/** Items of 0, 1, 2, … bytes: the first is empty, the 33rd is as long as a hash. */
const ITEMS: Bytes[] = upTo(33).map((i) => bytesOf(`item ${i}`, i))
const first = (n: number): Bytes[] => ITEMS.slice(0, n)

const small = upTo(10)
const roots = (): Row[] => [...small, 13, 16, 17, 33].map((size) => ({ size, root: hex(treeRoot(first(size))) }))

/** By value for one size only: elsewhere it would double the file. */
const itemProofs = (): Row[] =>
  [...small, 17].flatMap((size) =>
    upTo(size).map((position) => {
      const proof = proveItem(first(size), position)
      return { size, position, ...(size === 7 ? both(TreeProof, proof) : { hex: hexOf(TreeProof, proof) }) }
    }),
  )

function rangeProofs(): Row[] {
  const rows: Row[] = []
  const add = (size: number, from: number, to: number) => {
    const proof = proveRange(first(size), from, to)
    checkRange(treeRoot(first(size)), BigInt(size), ITEMS.slice(from, to), proof)
    rows.push({ size, from, to, left: proof.left.length, right: proof.right.length, hex: hexOf(RangeProof, proof) })
  }
  for (const size of small) for (const from of upTo(size + 1)) for (const to of upTo(size + 1)) if (from <= to) add(size, from, to)
  for (const [from, to] of [
    [0, 0],
    [0, 33],
    [1, 32],
    [7, 8],
    [12, 29],
    [33, 33],
  ] as const)
    add(33, from, to)
  return rows
}

/** Proofs whose hashes are made up: only the shape counts, and the root is what the fold gives. */
function folds(): Row[] {
  const most = 2n ** 64n - 1n
  const rows: Row[] = []
  const made = (label: string, n: number): Bytes[] => upTo(n).map((i) => bytesOf(`${label} ${i}`, 32))
  const leaf = leafOf(at(ITEMS, 5))
  const item = (size: bigint, position: bigint) => {
    for (let length = 0; length <= 64; length++) {
      const proof: TreeProof = { size, position, path: made('path', length) }
      try {
        rows.push({ proof: 'TreeProof', item: hex(at(ITEMS, 5)), hex: hexOf(TreeProof, proof), root: hex(foldTree(leaf, proof)) })
        return
      } catch {}
    }
    throw new Error('no length fits')
  }
  item(most, 0n)
  item(most, most - 1n)
  item(most, 2n ** 63n + 12_345n)
  item(2n ** 63n + 1n, 2n ** 63n)
  item(2n ** 63n, 2n ** 53n + 1n)
  const range = (size: bigint, from: bigint, to: bigint) => {
    const items = ITEMS.slice(0, Number(to - from))
    const left = made('left', cover(0n, from).length)
    const right = made('right', cover(to, size).length)
    const proof: RangeProof = { size, from, to, left, right }
    const root = hex(foldRange(items.map(leafOf), proof))
    rows.push({ proof: 'RangeProof', items: items.map(hex), left: left.length, right: right.length, hex: hexOf(RangeProof, proof), root })
  }
  range(most, most, most)
  range(2n ** 63n + 2n, 2n ** 63n - 2n, 2n ** 63n + 2n)
  // 126 hashes to the right, as many as there can be: 63 up to 2^63, 63 down from there.
  range(most, 0n, 1n)
  range(2n ** 40n, 2n ** 40n - 3n, 2n ** 40n)
  return rows
}

function edges(): Row[] {
  return [
    [0, 0],
    [0, 3],
    [1, 1],
    [3, 6],
    [4, 0],
    [7, 1],
    [7, 2],
    [8, 9],
    [9, 7],
  ].map(([size = 0, more = 0]) => {
    const edge = proveRange(first(size), size, size)
    const grown = appendToEdge(edge, ITEMS.slice(size, size + more))
    return {
      size,
      more,
      before: edge.left.map(hex),
      after: grown.edge.left.map(hex),
      root: hex(grown.root),
    }
  })
}

function refusedItems(): Row[] {
  const rows: Row[] = []
  const items = first(7)
  const root = treeRoot(items)
  const add = (why: string, size: number, position: number, item: Bytes, proof: TreeProof) =>
    rows.push({
      rule: ruleOf(() => checkItem(root, BigInt(size), BigInt(position), item, proof)),
      why,
      root: hex(root),
      size,
      position,
      item: hex(item),
      hex: hexOf(TreeProof, proof),
    })
  const third = at(items, 3)
  const good = proveItem(items, 3)
  add('another item', 7, 3, at(items, 4), good)
  add('another position in the proof', 7, 3, third, { ...good, position: 2n })
  add('the proof of another position', 7, 3, third, proveItem(items, 2))
  add('another size in the proof', 7, 3, third, { ...good, size: 8n })
  add('a size that the reader does not hold', 6, 3, third, good)
  add('position = size', 7, 7, third, { ...good, position: 7n })
  add('position far past the size', 7, 3, third, { ...good, position: 2n ** 64n - 1n })
  add('size 0', 0, 0, third, { size: 0n, position: 0n, path: [] })
  add('a hash too few', 7, 3, third, { ...good, path: good.path.slice(0, -1) })
  add('a hash too many', 7, 3, third, { ...good, path: [...good.path, ZERO32] })
  add('the last item has a shorter path: one hash too many', 7, 6, at(items, 6), { ...proveItem(items, 6), path: good.path })
  add('two hashes swapped', 7, 3, third, { ...good, path: [...good.path].reverse() })
  add('the path from the root down', 7, 0, at(items, 0), { ...proveItem(items, 0), path: [...proveItem(items, 0).path].reverse() })
  return rows
}

function refusedRanges(): Row[] {
  const rows: Row[] = []
  const items = first(9)
  const root = treeRoot(items)
  const add = (why: string, size: number, shown: Bytes[], proof: RangeProof) =>
    rows.push({
      rule: ruleOf(() => checkRange(root, BigInt(size), shown, proof)),
      why,
      root: hex(root),
      size,
      items: shown.map(hex),
      hex: hexOf(RangeProof, proof),
    })
  const good = proveRange(items, 3, 6)
  const shown = items.slice(3, 6)
  add('an item is missing', 9, shown.slice(1), good)
  add('an item too many', 9, items.slice(3, 7), good)
  add('two items swapped', 9, [at(items, 4), at(items, 3), at(items, 5)], good)
  add('other items', 9, items.slice(4, 7), good)
  add('another size in the proof', 9, shown, { ...good, size: 10n })
  add('a size that the reader does not hold', 8, shown, good)
  add('from > to', 9, [], { ...good, from: 6n, to: 3n })
  add('to > size', 9, items.slice(3), { ...good, to: 10n, right: [] })
  add('a left hash too few', 9, shown, { ...good, left: good.left.slice(1) })
  add('a left hash too many', 9, shown, { ...good, left: [...good.left, ZERO32] })
  add('a right hash too few', 9, shown, { ...good, right: good.right.slice(1) })
  add('a right hash too many', 9, shown, { ...good, right: [...good.right, ZERO32] })
  add('left hashes in the other order', 9, shown, { ...good, left: [...good.left].reverse() })
  add('right hashes in the other order', 9, shown, { ...good, right: [...good.right].reverse() })
  add('left and right exchanged', 9, shown, { ...good, left: good.right, right: good.left })
  add('the range moved by one', 9, shown, { ...good, from: 4n, to: 7n })
  const empty = proveRange(items, 9, 9)
  add('a right edge of another tree', 9, [], { ...empty, left: empty.left.map((hash) => H(hash)) })
  add('the empty tree is no hash', 9, [], { ...empty, size: 0n, from: 0n, to: 0n })
  return rows
}

export const makeTrees = (): Row => ({
  items: ITEMS.map(hex),
  roots: roots(),
  proofs: itemProofs(),
  ranges: rangeProofs(),
  folds: folds(),
  edges: edges(),
  refusedProofs: refusedItems(),
  refusedRanges: refusedRanges(),
})
