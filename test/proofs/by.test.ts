import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex, u32le, u64le } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { foldRun, linkNext, Tip, verifyTail } from '../../client/proofs/by.ts'
import { pathOf } from '../../client/proofs/map-proof.ts'
import { ask, entries, itemOf, KEY, PATH, question, run, WORLD, worldOf } from './by-world.ts'
import { leafOf, linkOf, nth } from './reference.ts'

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
