import { expect, test } from 'vitest'
import type { Header } from '../../client/groups/block.ts'
import type { VerifiedBlock } from '../../client/network/reader/advance.ts'
import { KEPT, Recent } from '../../client/network/reader/recent.ts'
import { frontier } from '../../client/proofs/index.ts'
import { hashLeaves } from '../../wasm/core.ts'

// API.md, "since" and "at": the newest items that were verified, kept for whoever reads on.

const item = (position: number): Uint8Array<ArrayBuffer> => Uint8Array.of(position >> 8, position & 0xff)
const itemsOf = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => item(from + i))
const edgeAt = (size: number) => frontier.append(frontier.emptyFrontier, hashLeaves(itemsOf(0, size)))

/** Items from `first` up to `end`, as a block appended them or a page brought them. */
const block = (first: number, end: number): VerifiedBlock => ({
  header: { index: BigInt(end) } as Header,
  commit: new Uint8Array(32).fill(end),
  first: BigInt(first),
  before: edgeAt(first),
  items: itemsOf(first, end),
})
const positions = (recent: Recent, from: number): readonly number[] | null =>
  recent.from(BigInt(from), 1_000)?.map(({ position }) => Number(position)) ?? null
const numbers = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, i) => from + i)

test('what follows is added, and what was read back before it', () => {
  const recent = new Recent()
  recent.add(block(10, 12))
  recent.add(block(12, 13))
  recent.join(block(5, 10))
  expect(positions(recent, 5)).toEqual(numbers(5, 13))
  expect(positions(recent, 4)).toBeNull()
  expect(recent.tail(13n)).toEqual({ before: edgeAt(5), items: itemsOf(5, 13) })
  expect(recent.tail(14n)).toBeNull()
})

test('items before blocks that were not followed are back once what lies between was read', () => {
  const recent = new Recent()
  recent.add(block(0, 60))
  recent.add(block(63, 64))
  expect([positions(recent, 0), positions(recent, 63)]).toEqual([null, [63]])
  recent.join(block(62, 63))
  expect(positions(recent, 59)).toBeNull()
  recent.join(block(58, 62))
  expect(positions(recent, 0)).toEqual(numbers(0, 64))
  expect(recent.tail(64n)).toEqual({ before: edgeAt(0), items: itemsOf(0, 64) })
})

test('a page that overlaps what is kept, or does not reach it, adds nothing twice', () => {
  const recent = new Recent()
  recent.add(block(20, 22))
  recent.join(block(10, 19))
  expect(positions(recent, 10)).toBeNull()
  recent.join(block(15, 22))
  expect(positions(recent, 15)).toEqual(numbers(15, 22))
})

test('the newest are kept, by number', () => {
  const recent = new Recent()
  recent.add(block(0, 200))
  recent.add(block(210, 300))
  recent.join(block(200, 210))
  const from = 300 - KEPT.items
  expect(positions(recent, from)).toEqual(numbers(from, 300))
  expect(positions(recent, from - 1)).toBeNull()
  expect(recent.tail(300n)).toEqual({ before: edgeAt(from), items: itemsOf(from, 300) })
})

test('the newest are kept, by bytes', () => {
  const recent = new Recent()
  const long = { ...block(0, 3), items: [1, 2, 3].map((fill) => new Uint8Array(KEPT.bytes / 2).fill(fill)) }
  recent.add(long)
  expect(positions(recent, 1)).toEqual([1, 2])
  expect(positions(recent, 0)).toBeNull()
})
