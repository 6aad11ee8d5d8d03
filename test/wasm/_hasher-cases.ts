import { blake3 as noble } from '@noble/hashes/blake3.js'
import { describe, expect, it } from 'vitest'
import { equal, toHex, utf8 } from '../../client/primitives/bytes.ts'
import type { Blake3, Bytes, Hasher, HasherOptions } from '../../wasm/hashing.ts'
import type { Instance } from '../../wasm/instance.ts'
import { HASHER } from '../../wasm/layout.ts'
import { counted, type Implementation, seeded } from './_implementations.ts'
import { outputBlock } from './_reference.ts'

/** What the library says of a message. */
export const digestOf = (message: Bytes, { key, context }: HasherOptions = {}, length = 32): Bytes => {
  if (key !== undefined) return noble(message, { key, dkLen: length })
  return noble(message, context === undefined ? { dkLen: length } : { context: utf8(context), dkLen: length })
}

/** The same in hex. */
export const expected = (message: Bytes, options: HasherOptions = {}, length = 32): string => toHex(digestOf(message, options, length))

/** In hex only where they differ: there are many of them. */
export const expectSame = (got: Bytes, right: Bytes, what: string): void => {
  if (!equal(got, right)) expect(`${what}: ${toHex(got)}`).toBe(`${what}: ${toHex(right)}`)
}

/** Takes a message in pieces that a seed cuts: of nothing, of single bytes, of a few chunks, of more than a window. */
export const takeInPieces = (hasher: Hasher, message: Bytes, below: (n: number) => number): Hasher => {
  for (let at = 0; at < message.length; ) {
    const most = [1, 2, 65, 1_025, 5_000, 70_000, 200_000][below(7)] as number
    const end = at + below(most + 1)
    hasher.update(message.subarray(at, end))
    at = end
  }
  return hasher
}

/** One hasher. */
const alone = ({ blake3 }: Implementation): void => {
  it('takes pieces that end on and beside the borders of blocks, chunks and windows', () => {
    const message = counted(200_000)
    for (const first of [0, 1, 64, 1_023, 1_024, 1_025, 3_072, 65_535, 65_536, 66_560]) {
      for (const second of [1, 1_023, 1_024, 1_025, 65_537]) {
        const hasher = blake3.createHasher({}).update(message.subarray(0, first))
        hasher.update(message.subarray(first, first + second))
        expect(`${first} ${second} ${toHex(hasher.digest())}`).toBe(`${first} ${second} ${expected(message.subarray(0, first + second))}`)
      }
    }
  })

  it('gives a digest in the middle and goes on', () => {
    const message = counted(12_000)
    const hasher = blake3.createHasher({})
    for (let at = 0; at < message.length; at += 333) {
      hasher.update(message.subarray(at, at + 333))
      const [first, again] = [toHex(hasher.digest()), toHex(hasher.digest(131))]
      expect(first).toBe(expected(message.subarray(0, at + 333)))
      expect(again.slice(0, 64)).toBe(first)
    }
  })

  it('forgets the message on reset, and neither key nor context', () => {
    const [key, context] = [counted(32), 'a context of this test']
    for (const options of [{}, { key }, { context }]) {
      const hasher = blake3.createHasher(options).update(counted(5_000))
      hasher.reset()
      expect(toHex(hasher.digest())).toBe(expected(counted(0), options))
      expect(toHex(hasher.update(counted(70)).digest())).toBe(expected(counted(70), options))
      hasher.digest()
      expect(toHex(hasher.reset().update(counted(2_000)).digest())).toBe(expected(counted(2_000), options))
    }
  })

  it('keeps a key of its own', () => {
    const key = counted(32)
    const hasher = blake3.createHasher({ key })
    key.fill(0)
    expect(toHex(hasher.reset().update(counted(9)).digest())).toBe(expected(counted(9), { key: counted(32) }))
  })

  it('reads a view and no further, and leaves it as it was', () => {
    const room = counted(5_000)
    expect(toHex(blake3.createHasher({}).update(room.subarray(100, 3_100)).digest())).toBe(expected(room.slice(100, 3_100)))
    expect(toHex(room)).toBe(toHex(counted(5_000)))
  })
}

/** One of many that are alive: what it took, and what it is for. */
interface Living {
  readonly hasher: Hasher
  readonly options: HasherOptions
  taken: number
}

const others = (blake3: Blake3, pool: Bytes): readonly (() => void)[] => {
  const out = new Uint8Array(9 * 32)
  const [prefix, start] = [Uint8Array.of(1), pool.slice(0, 32)]
  return [
    () => expect(toHex(blake3.hash([pool.subarray(0, 3_000)]))).toBe(expected(pool.subarray(0, 3_000))),
    () => expect(toHex(blake3.hash([pool.subarray(7, 100_000)]))).toBe(expected(pool.subarray(7, 100_000))),
    () => blake3.hashManyInto([pool.subarray(0, 10), pool.subarray(5, 2_000), pool.subarray(0, 70_000)], out.subarray(0, 96)),
    // Of more chunks than there are places for their values.
    () => blake3.hashManyInto([pool.subarray(0, 10), pool.subarray(0, 250_000)], out.subarray(0, 64)),
    () => blake3.hashEachInto(pool.subarray(0, 900), 100, out),
    () => blake3.hashPairsInto(pool.subarray(0, 9 * 64), out),
    () => void blake3.hashChain({ prefix, start, items: [pool.slice(0, 32), pool.slice(32, 64)] }),
  ]
}

/** Many hashers in one core, and other calls between theirs. */
const interleaved = ({ blake3 }: Implementation): void => {
  it('any number of hashers stay apart, whatever is called between them', () => {
    const { below, bytes } = seeded(11)
    const pool = bytes(250_000)
    const between = others(blake3, pool)
    const kinds: readonly HasherOptions[] = [{}, { key: bytes(32) }, { context: 'one' }, { key: bytes(32) }, { context: 'another' }]
    const living = Array.from({ length: 12 }, (_, i): Living => {
      const options = kinds[i % kinds.length] ?? {}
      return { hasher: blake3.createHasher(options), options, taken: 0 }
    })
    for (let step = 0; step < 400; step++) {
      const one = living[below(living.length)] as Living
      const size = Math.min(below([2, 70, 1_100, 9_000][below(4)] as number), pool.length - one.taken)
      one.hasher.update(pool.subarray(one.taken, one.taken + size))
      one.taken += size
      if (below(3) === 0) between[below(between.length)]?.()
      if (below(8) === 0) expect(toHex(one.hasher.digest(70))).toBe(expected(pool.subarray(0, one.taken), one.options, 70))
      if (below(40) > 0) continue
      one.hasher.reset()
      one.taken = 0
    }
    for (const { hasher, options, taken } of living) expect(toHex(hasher.digest())).toBe(expected(pool.subarray(0, taken), options))
  })

  it('no key is left for what is hashed next, and a living keyed hasher changes nothing', () => {
    const key = counted(32)
    const plain = expected(counted(3_000))
    const one = (): string => toHex(blake3.hash([counted(3_000)]))
    const steps: readonly (() => unknown)[] = [
      () => keyed.update(counted(10)),
      () => keyed.update(counted(5_000)),
      () => keyed.digest(200, 33),
      () => keyed.reset(),
      () => blake3.createHasher({ context: 'c' }).update(counted(100_000)).digest(),
    ]
    const keyed = blake3.createHasher({ key })
    for (const step of steps) {
      step()
      expect(one()).toBe(plain)
      step()
      const [many, each, pairs] = [new Uint8Array(64), new Uint8Array(64), new Uint8Array(64)]
      blake3.hashManyInto([counted(3_000), counted(3)], many)
      expect(toHex(many)).toBe(plain + expected(counted(3)))
      step()
      blake3.hashEachInto(counted(200), 100, each)
      expect(toHex(each.subarray(0, 32))).toBe(expected(counted(100)))
      step()
      blake3.hashPairsInto(counted(128), pairs)
      expect(toHex(pairs.subarray(0, 32))).toBe(expected(Uint8Array.of(1, ...counted(64))))
      step()
      const chain = { prefix: new Uint8Array(0), start: counted(32), items: [counted(0)] }
      expect(toHex(blake3.hashChain(chain))).toBe(expected(counted(32)))
      step()
      expect(toHex(blake3.createHasher({}).update(counted(1_500)).digest())).toBe(expected(counted(1_500)))
    }
  })
}

/** The state of a hasher that has taken `chunks`, as `assembly/blake3.ts` lays it out, put where the resident one's is. */
const place = ({ bytes, words }: Instance, chunks: bigint, values: readonly Uint32Array[]): void => {
  const at = HASHER >> 2
  words[at + 1] = values.length
  words[at + 2] = Number(chunks & 0xffffffffn)
  words[at + 3] = Number(chunks >> 32n)
  for (const [i, value] of values.entries()) bytes.set(new Uint8Array(value.slice().buffer), HASHER + 64 + i * 32)
}

/** Nobody feeds 4 TB in a test: the state after them is put in place. */
const far = (core: Instance, blake3: Blake3): void => {
  const { bytes } = seeded(3)
  it.each([2n ** 32n - 8n, 2n ** 32n - 4n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 33n + 4n, 2n ** 53n - 8n])(
    'goes on after %d chunks',
    (chunks) => {
      const bits = [...chunks.toString(2)].filter((bit) => bit === '1').length
      const values = Array.from({ length: bits }, () => new Uint32Array(bytes(32).buffer))
      for (const size of [1, 1_024, 1_025, 2_500, 4_097, 7_300, 16_385, 140_000]) {
        const piece = counted(size)
        const hasher = blake3.createHasher({})
        place(core, chunks, values)
        expect(`${size} ${toHex(hasher.update(piece).digest(64))}`).toBe(`${size} ${toHex(outputBlock(piece, 0n, { chunks, values }))}`)
      }
    },
  )
}

/** All of the above, for one implementation. */
export const hasherCases = (implementation: Implementation): void => {
  const { core, blake3 } = implementation
  describe('alone', () => alone(implementation))
  describe('among others', () => interleaved(implementation))
  if (core !== null) describe('of a message of terabytes', () => far(core, blake3))
}
