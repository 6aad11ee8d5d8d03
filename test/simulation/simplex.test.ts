import { describe, expect, it } from 'vitest'
import { simulate } from './simulate.ts'
import { count, ROWS, seedsOf } from './table.ts'

describe('finality through crashes, cuts, lossy links and liars', () => {
  for (const row of ROWS)
    it(`THR-03 ${row.what}: n ${row.n}, liars ${row.liars ?? 'up to b'}, strength ${row.strength}`, async () => {
      const { forks, stalls, unreported } = await count(row, seedsOf(row))
      expect({ forks, stalls, unreported }, 'the seeds of what went wrong').toEqual({ forks: [], stalls: [], unreported: [] })
    })
})

describe('a replay', () => {
  for (const n of [1, 2, 4, 7])
    it(`is exact with ${n} members: the seed alone decides`, () => {
      const digests = [1, 2, 3].map((seed) => simulate({ n, seed }).digest)
      expect([1, 2, 3].map((seed) => simulate({ n, seed }).digest)).toEqual(digests)
      expect(new Set(digests).size).toBe(3)
    })
})
