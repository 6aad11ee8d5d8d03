import { describe, expect, it } from 'vitest'
import type { Blake3 } from '../../wasm/hashing.ts'
import type { Instance } from '../../wasm/instance.ts'
import { DIGESTS, END, HASHER, INPUT, OFFSETS, OUT, RESULT, ROOT, SIDES } from '../../wasm/layout.ts'
import { seeded } from './_implementations.ts'

type Range = readonly [from: number, to: number]

// The compiler's data lies below, a call's own work between: lanes, blocks and chaining values.
const SCRATCH = 0x1000
const WORK: Range = [SCRATCH, HASHER]
const STATE: Range = [HASHER, RESULT]

interface Call {
  readonly name: string
  readonly run: (core: Instance) => void
  readonly may: readonly Range[]
}

/** Digests are written in groups of four. */
const digests = (n: number): Range => [DIGESTS, DIGESTS + ((n + 3) & ~3) * 32]

const offsets = ({ words }: Instance, lengths: readonly number[]): void => {
  let at = 0
  for (const [i, length] of lengths.entries()) {
    words[(OFFSETS >> 2) + i] = at
    at += length
  }
  words[(OFFSETS >> 2) + lengths.length] = at
}

/** A hasher's empty state: the rest of what is there is what an earlier one left. */
const begin = ({ bytes }: Instance): void => void bytes.fill(0, HASHER, HASHER + 64)

const CALLS: readonly Call[] = [
  ...[0, 1, 64, 1_000, 1_024, 1_025, 65_535, 65_536].map((length) => ({
    name: `hash of ${length} bytes`,
    run: ({ exports }: Instance) => exports.hash(length),
    may: [WORK, [INPUT + length, INPUT + length + 64]] as const,
  })),
  ...[1, 1_024, 1_025, 65_536].map((length) => ({
    name: `update with ${length} bytes`,
    run: ({ exports }: Instance) => exports.update(length, 0),
    may: [WORK, STATE],
  })),
  { name: 'finish', run: ({ exports }) => exports.finish(), may: [WORK, STATE] },
  { name: 'output of 3 blocks', run: ({ exports }) => exports.output(7, 0, 3), may: [WORK, [DIGESTS, DIGESTS + 192]] },
  { name: 'output of 1,024 blocks', run: ({ exports }) => exports.output(7, 0, 1_024), may: [WORK, [DIGESTS, DIGESTS + 65_536]] },
  ...[
    [1, 1],
    [5, 64],
    [4, 100],
    [7, 1_024],
    [4_096, 79],
  ].map(([n = 0, length = 0]) => ({
    name: `hashEach of ${n} times ${length} bytes`,
    run: ({ exports }: Instance) => exports.hashEach(n, length),
    may: [WORK, digests(n)],
  })),
  ...[[], [0], [1_024], [70, 3_000, 0], [1_025, 5, 65_536, 64, 65_536, 1], Array(4_096).fill(70) as number[]].map((lengths) => ({
    name: `hashMany of ${lengths.length} messages`,
    run: (core: Instance) => core.exports.hashMany(lengths.length),
    may: [WORK, [DIGESTS, DIGESTS + lengths.length * 32]] as const,
    lengths,
  })),
  ...[1, 4, 6, 4_096].map((n) => ({
    name: `hashPairs of ${n}`,
    run: ({ exports }: Instance) => exports.hashPairs(n),
    may: [WORK, digests(n)],
  })),
  ...[
    [1, 0, 0],
    [9, 18, 200],
    [8_192, 1, 32],
  ].map(([steps = 0, prefix = 0, length = 0]) => ({
    name: `fold of ${steps} steps`,
    run: ({ exports }: Instance) => exports.fold(steps, prefix, length),
    may: [WORK],
  })),
]

/** The first address that changed and may not. */
const strayed = (before: Uint8Array, after: Uint8Array, may: readonly Range[]): string | null => {
  const allowed = before.slice()
  for (const [from, to] of may) allowed.set(after.subarray(from, to), from)
  for (let at = 0; at < after.length; at++) if (allowed[at] !== after[at]) return `0x${at.toString(16)}`
  return null
}

const NONE = new Uint8Array(0)
const chainOfMany = (blake3: Blake3): unknown =>
  blake3.hashChain({ prefix: NONE, start: new Uint8Array(32), items: Array(9_000).fill(NONE) as (typeof NONE)[], isLeft: [] })
const batchOfMany = (blake3: Blake3): void => blake3.hashManyInto(Array(5_000).fill(NONE) as (typeof NONE)[], new Uint8Array(5_000 * 32))

/** What each of a build's calls writes: nothing but what `assembly/memory.ts` gives it, and of a batch no digest beyond its own. */
export const memoryCases = (core: Instance, blake3: Blake3): void => {
  const { bytes } = core
  const noise = seeded(31).bytes(END - SCRATCH)

  it('has 512 kB, and cannot grow', () => {
    const memory = core.exports.memory as WebAssembly.Memory
    expect(bytes.length).toBe(END)
    expect(() => memory.grow(1)).toThrow(RangeError)
  })

  describe('a call writes where it may', () => {
    it.each(CALLS)('$name', (call) => {
      bytes.set(noise, SCRATCH)
      begin(core)
      if ('lengths' in call) offsets(core, call.lengths as number[])
      const before = bytes.slice()
      call.run(core)
      expect(strayed(before, bytes, call.may)).toBeNull()
      expect(bytes.buffer).toBe(core.exports.memory.buffer)
    })
  })

  // More than is handed over at once: a list that ran on would run into the next one.
  it.each([
    ['a chain', chainOfMany, [SIDES, OFFSETS]],
    ['a batch', batchOfMany, [OFFSETS, OFFSETS + 4 * 4_097]],
  ] as const)('%s hands over no longer list than there is room for', (_, run, list) => {
    bytes.set(noise, SCRATCH)
    const before = bytes.slice()
    run(blake3)
    expect(strayed(before, bytes, [WORK, list, [DIGESTS, END]])).toBeNull()
  })

  it('the key is gone after every call', () => {
    const key = noise.slice(0, 32)
    const search = (): number => {
      for (let at = 0; at < SCRATCH; at++) if (key.every((byte, i) => bytes[at + i] === byte)) return at
      return -1
    }
    for (const run of [() => core.exports.update(5_000, 0), () => core.exports.finish(), () => core.exports.output(0, 0, 4)]) {
      begin(core)
      bytes[HASHER] = 16
      bytes.set(key, HASHER + 32)
      run()
      expect(search()).toBe(-1)
    }
  })

  it('the addresses of a digest and of a chain lie in the part that calls work in', () => {
    for (const at of [OUT, ROOT]) expect(at >= WORK[0] && at + 96 <= WORK[1]).toBe(true)
    expect(RESULT < SIDES && SIDES < OFFSETS && OFFSETS < DIGESTS && DIGESTS < INPUT && INPUT < END).toBe(true)
  })
}
