import { describe, expect, it } from 'vitest'
import { forkOf, simulate } from './network.ts'

const SEEDS = 25

describe('finality over a network that delays, reorders and loses', () => {
  for (const n of [1, 2, 4, 7])
    it(`THR-03 ${n} honest members finalize one log, whatever the order of messages`, () => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const run = simulate(n, seed, 6, 0.02)
        expect(forkOf(run), `fork: n ${n}, seed ${seed}`).toBeNull()
        expect(Math.min(...run.logs.map((log) => log.length)), `stall: n ${n}, seed ${seed}`).toBeGreaterThanOrEqual(6)
      }
    })

  it('replays exactly: the seed alone decides a run', () => {
    expect(simulate(4, 7, 6, 0.05)).toEqual(simulate(4, 7, 6, 0.05))
  })
})
