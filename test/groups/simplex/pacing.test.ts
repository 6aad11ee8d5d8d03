import { describe, expect, it } from 'vitest'
import { Pacing } from '../../../client/groups/simplex/pacing.ts'

// Four members, quorum 3: one of them may be marked.
const four = (): Pacing => new Pacing(4, 3, { viewMs: 400, shortMs: 100 })

describe('how long a leader is waited for', () => {
  it('gives a leader that let its last turn pass the short timer, until a block of it is notarized', () => {
    const pacing = four()
    expect(pacing.wait(2, 1n)).toBe(400)
    pacing.nullified(2)
    expect(pacing.wait(2, 1n)).toBe(100)
    expect(pacing.wait(1, 1n)).toBe(400)
    pacing.notarized(2)
    expect(pacing.wait(2, 1n)).toBe(400)
  })

  it('marks at most n − quorum leaders: a slow network must not take the time of all', () => {
    const pacing = four()
    pacing.nullified(1)
    pacing.nullified(2)
    expect([pacing.wait(1, 1n), pacing.wait(2, 1n)]).toEqual([100, 400])
  })

  it('takes a mark off after the eighth turn, and sets it anew at the next', () => {
    const pacing = four()
    for (let turn = 1; turn <= 8; turn++) {
      pacing.nullified(2)
      expect(pacing.wait(2, 1n), `turn ${turn}`).toBe(100)
    }
    pacing.nullified(2)
    expect(pacing.wait(2, 1n)).toBe(400)
    pacing.nullified(2)
    expect(pacing.wait(2, 1n)).toBe(100)
  })

  it('doubles the timers after n views without finality, up to 30 s, and counts no mark then', () => {
    const pacing = four()
    pacing.nullified(2)
    expect([4n, 5n, 6n, 8n].map((waited) => pacing.wait(2, waited))).toEqual([100, 800, 1_600, 6_400])
    expect([12n, 100n, 10_000n].map((waited) => pacing.wait(2, waited))).toEqual([30_000, 30_000, 30_000])
  })

  it('does not wait for a leader that no link leads to, unless more are gone than may fail', () => {
    const pacing = four()
    pacing.reach(2, false)
    expect(pacing.wait(2, 1n)).toBe(0)
    pacing.reach(3, false)
    expect([pacing.wait(2, 1n), pacing.wait(3, 1n)]).toEqual([400, 400])
    pacing.reach(3, true)
    expect(pacing.wait(2, 1n)).toBe(0)
    pacing.reach(2, true)
    expect(pacing.wait(2, 1n)).toBe(400)
  })

  it('never makes the short timer the longer one', () => {
    const pacing = new Pacing(4, 3, { viewMs: 50, shortMs: 100 })
    pacing.nullified(1)
    expect(pacing.wait(1, 1n)).toBe(50)
  })
})
