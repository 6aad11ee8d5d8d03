import { expect, it } from 'vitest'
import { concat, toHex } from '../../client/primitives/bytes.ts'
import type { Bytes, Chain } from '../../wasm/hashing.ts'
import { digestOf, expectSame } from './_hasher-cases.ts'
import { type Implementation, seeded } from './_implementations.ts'

/** The chain by its definition. */
export const chained = ({ prefix, start, items, isLeft }: Chain): Bytes =>
  items.reduce((before, item, i) => digestOf(isLeft?.[i] === true ? concat(prefix, item, before) : concat(prefix, before, item)), start)

/** Chains of hashes against that. */
export const chainCases = ({ core, blake3 }: Implementation): void => {
  const { below, bytes } = seeded(23)
  const start = bytes(32)
  const chain = (prefix: number, length: number, n: number, sides: boolean | 'mixed' | null): Chain => ({
    prefix: bytes(prefix),
    start,
    items: Array.from({ length: n }, () => bytes(length)),
    ...(sides !== null && { isLeft: Array.from({ length: n }, () => (sides === 'mixed' ? below(2) === 0 : sides)) }),
  })
  const check = (one: Chain): void => {
    const before = concat(one.prefix, one.start, ...one.items)
    const what = `${one.items.length} of ${one.items[0]?.length} after ${one.prefix.length}, ${one.isLeft?.slice(0, 10).join()}`
    expectSame(blake3.hashChain(one), chained(one), what)
    expectSame(concat(one.prefix, one.start, ...one.items), before, 'the chain')
  }

  it.each([0, 1, 18, 24])('with a prefix of %i bytes', (prefix) => {
    for (const length of [0, 1, 15, 16, 17, 31, 32, 33, 40, 64, 95, 96, 97, 200])
      for (const sides of [null, false, true, 'mixed'] as const) for (const n of [1, 2, 7]) check(chain(prefix, length, n, sides))
  })

  it('with steps of exactly so many blocks, and of 256 bytes', () => {
    for (const total of [33, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256])
      for (const prefix of [0, 1, total - 32]) check(chain(prefix, total - 32 - prefix, 5, 'mixed'))
  })

  it('with no item is its start, in bytes of its own', () => {
    const end = blake3.hashChain(chain(1, 0, 0, null))
    expect(toHex(end)).toBe(toHex(start))
    expect(end.buffer).not.toBe(start.buffer)
  })

  it('with fewer sides than items has the others on the right', () => {
    const one = chain(18, 32, 5, null)
    const [got, right] = [blake3.hashChain({ ...one, isLeft: [true] }), chained({ ...one, isLeft: [true, false, false, false, false] })]
    expect(toHex(got)).toBe(toHex(right))
  })

  if (core === null) return
  it.each([
    [8_193, 32],
    [8_193, 0],
    [8_200, 40],
    [1_700, 200],
  ])('of %i items of %i bytes', (n, length) => check(chain(1, length, n, 'mixed')))
}
