import { describe, expect, it } from 'vitest'
import { growthOf, growthProblems, KINDS, type Kind, type Minute, paceProblems } from './growth.ts'

const minute = (at: number, bytes: Partial<Record<Kind, number>> = {}): Minute => ({
  minute: at,
  bytes: { pages: 100, workers: 100, chromium: 100, members: 100, devnet: 100, ...bytes },
  page: 1,
  anonymous: 1,
  chain: 1,
  processes: 1,
  cpu: { tab: 1, devnet: 1 },
  block: BigInt(60 * at),
})

const run = (length: number, end: Partial<Record<Kind, number>>): readonly Minute[] =>
  Array.from({ length }, (_, i) => minute(i + 1, i + 1 === length ? end : {}))

describe('memory at the end against memory in minute 4', () => {
  it.each(KINDS)('may be 1.2 times as much %s, and not more', (kind) => {
    expect(growthProblems(run(24, { [kind]: 120 }))).toEqual([])
    expect(growthProblems(run(24, { [kind]: 121 }))).toEqual([`${kind}: 1.210 times what it was in minute 4, and 1.2 at most`])
  })

  it('is measured from minute 4, not from the first, and by the last, not by the most in between', () => {
    const minutes = [minute(1, { pages: 10 }), minute(2), minute(3), minute(4), minute(5, { pages: 500 }), minute(6)]
    expect(growthOf(minutes)?.pages).toBe(1)
  })

  it('is a problem where nothing was measured', () => {
    expect(growthProblems(run(24, { workers: Number.NaN }))).toHaveLength(1)
    expect(growthProblems([...run(4, { workers: 0 }), minute(5, { workers: 0 })])).toHaveLength(1)
  })

  it('is not judged in a run that ends by minute 4', () => {
    expect(growthOf(run(4, { pages: 1_000 }))).toBeNull()
    expect(growthProblems(run(4, { pages: 1_000 }))).toEqual([])
  })
})

describe('one block a second', () => {
  it('is what a chain makes that keeps up, within a tenth', () => {
    expect(paceProblems(run(24, {}))).toEqual([])
    expect(paceProblems([minute(1), { ...minute(11), block: 600n }])).toEqual([])
    expect(paceProblems([minute(1), { ...minute(11), block: 599n }])).toEqual([
      'the chain made 539 blocks in 600 seconds, and should make one a second',
    ])
  })
})
