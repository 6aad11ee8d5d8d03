import { describe, expect, it } from 'vitest'
import { concat, toHex } from '../../client/primitives/bytes.ts'
import type { Blake3, Bytes } from '../../wasm/hashing.ts'
import { chainCases, chained } from './_chain-cases.ts'
import { digestOf, expectSame } from './_hasher-cases.ts'
import { counted, type Implementation, seeded } from './_implementations.ts'

const NONE = new Uint8Array(0)

/** The digests of messages, one behind the other: each hashed by the library alone. */
const each = (messages: readonly Bytes[], prefix: Bytes = NONE): Bytes =>
  concat(...messages.map((message) => digestOf(prefix.length === 0 ? message : concat(prefix, message))))

/** What a call writes to an `out` for `n` digests, which lies among bytes that must stay as they are. */
const written = (n: number, call: (out: Bytes) => void): Bytes => {
  const room = new Uint8Array(n * 32 + 200).fill(0xa5)
  call(room.subarray(100, 100 + n * 32))
  expect([...room.subarray(0, 100), ...room.subarray(100 + n * 32)].every((byte) => byte === 0xa5)).toBe(true)
  return room.subarray(100, 100 + n * 32)
}

const many = ({ core, blake3 }: Implementation): void => {
  const { below, bytes } = seeded(21)
  const pool = bytes(140_000)
  const message = (length: number): Bytes => {
    const from = below(pool.length - length + 1)
    return pool.subarray(from, from + length)
  }
  const check = (messages: readonly Bytes[], prefix: Bytes = NONE): void =>
    expectSame(
      written(messages.length, (out) => blake3.hashManyInto(messages, out, prefix)),
      each(messages, prefix),
      messages.map(({ length }) => length).join(),
    )

  it('of no message are none', () => check([]))

  it('of lengths about the borders of blocks and chunks, in every order about each other', () => {
    const edges = [0, 1, 31, 32, 63, 64, 65, 127, 128, 129, 960, 961, 1_023, 1_024, 1_025, 2_048, 3_100]
    for (const first of edges) for (const second of edges) check([message(first), message(second), message(64), message(first)])
  })

  it('of up to nine messages of random lengths, with a prefix and without', () => {
    for (let i = 0; i < 200; i++) {
      const most = [3, 70, 300, 1_100, 5_000][i % 5] as number
      const messages = Array.from({ length: 1 + below(9) }, () => message(below(most)))
      check(messages, [NONE, Uint8Array.of(0), bytes(32)][i % 3])
    }
  })

  it('of messages of one length', () => {
    for (const length of [0, 1, 32, 64, 100, 1_000, 1_023, 1_024, 1_025])
      for (const n of [1, 2, 3, 4, 5, 11]) {
        const messages = Array.from({ length: n }, () => message(length))
        check(messages)
        check(messages, Uint8Array.of(0))
      }
  })

  it('of messages that are too long for a batch, wherever they stand', () => {
    for (const long of [65_535, 65_536, 65_537, 131_073]) {
      for (const at of [0, 5]) {
        const messages = Array.from({ length: 6 }, (_, i) => message(i === at ? long : below(1_500)))
        check(messages)
        check(messages, Uint8Array.of(0))
      }
    }
    const exactly = [message(65_536), message(65_536), message(65_536), message(65_536), message(65_472), message(0), message(1)]
    check(exactly)
    check(exactly, bytes(32))
    check([message(65_537), message(65_537), NONE])
  })

  // The library has no bound that they could go over.
  it.each(core === null ? [100] : [4_096, 4_097, 5_000])('of %i messages', (n) => {
    check(Array.from({ length: n }, () => message(below(40))))
    check(
      Array.from({ length: n }, () => message(33)),
      Uint8Array.of(0),
    )
  })

  it('of more than the core has room for', () => check(Array.from({ length: core === null ? 90 : 900 }, () => message(40 + below(1_200)))))

  it('change no message', () => {
    const messages = [0, 70, 1_024, 1_025, 5_000, 70_000].map((length) => counted(length))
    check(messages, Uint8Array.of(0))
    expect(messages.map((message) => toHex(message))).toEqual(messages.map(({ length }) => toHex(counted(length))))
  })
}

const packed = ({ core, blake3 }: Implementation): void => {
  const { below, bytes } = seeded(22)
  const pool = bytes(1_024 * 9)
  const cut = (all: Bytes, length: number): readonly Bytes[] =>
    Array.from({ length: all.length / length }, (_, i) => all.subarray(i * length, (i + 1) * length))
  const check = (all: Bytes, length: number): void => {
    const n = all.length / length
    expectSame(
      written(n, (out) => blake3.hashEachInto(all, length, out)),
      each(cut(all, length)),
      `${n} of ${length}`,
    )
  }

  it('of every length, one to nine of them', () => {
    for (let length = 1; length <= 1_024; length += core === null ? 11 : 1) {
      const n = 1 + below(9)
      check(pool.subarray(0, length * n), length)
    }
  })

  it('of every number about a group of four', () => {
    for (const length of [1, 63, 64, 65, 128, 192, 200, 960, 1_024])
      for (let n = 0; n <= 9; n++) check(pool.subarray(0, length * n), length)
  })

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...(core === null ? [] : [4_096, 5_003])])('of %i pairs', (n) => {
    const pairs = bytes(n * 64)
    const before = pairs.slice()
    expectSame(
      written(n, (out) => blake3.hashPairsInto(pairs, out)),
      each(cut(pairs, 64), Uint8Array.of(1)),
      `${n} pairs`,
    )
    expectSame(pairs, before, 'pairs')
  })

  if (core === null) return
  it.each([
    [1, 4_097],
    [32, 4_097],
    [80, 4_099],
    [1_000, 330],
    [1_024, 321],
  ])('of %i bytes, %i of them: more than the core takes at once', (length, n) => {
    const all = bytes(length * n)
    const before = all.slice()
    check(all, length)
    expectSame(all, before, 'messages')
  })
}

/** Calls of all kinds in a random order: nothing of one is left for the next. */
const mixed = (blake3: Blake3): void => {
  const { below, bytes } = seeded(24)
  const pool = bytes(70_000)
  const start = pool.slice(0, 32)
  for (let i = 0; i < 300; i++) {
    const n = 1 + below(9)
    const parts = Array.from({ length: n }, () => pool.subarray(0, below([70, 1_100, 3_000][below(3)] as number)))
    const length = 1 + below(1_024)
    const cut = Array.from({ length: n }, (_, k) => pool.subarray(k * length, (k + 1) * length))
    const pairs = Array.from({ length: n }, (_, k) => pool.subarray(k * 64, (k + 1) * 64))
    const chain = { prefix: pool.slice(0, below(30)), start, items: pairs, isLeft: pairs.map(() => below(2) === 0) }
    const calls: readonly (() => readonly [Bytes, Bytes])[] = [
      () => [blake3.hash(parts), digestOf(concat(...parts))],
      () => [written(n, (out) => blake3.hashManyInto(parts, out)), each(parts)],
      () => [written(n, (out) => blake3.hashEachInto(pool.subarray(0, n * length), length, out)), each(cut)],
      () => [written(n, (out) => blake3.hashPairsInto(pool.subarray(0, n * 64), out)), each(pairs, Uint8Array.of(1))],
      () => [blake3.hashChain(chain), chained(chain)],
    ]
    const [got, right] = (calls[below(calls.length)] as (typeof calls)[number])()
    expectSame(got, right, `call ${i}`)
  }
}

/** All of the above, for one implementation. */
export const batchCases = (implementation: Implementation): void => {
  describe('many digests', () => many(implementation))
  describe('digests of packed messages', () => packed(implementation))
  describe('chains', () => chainCases(implementation))
  it('calls of all kinds leave nothing for each other', () => mixed(implementation.blake3))
}
