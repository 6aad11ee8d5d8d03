import { describe, expect, it } from 'vitest'
import { growthOf, hostileProblems, type Memory, type Phase, phaseOf, RATE, slowerBy } from './phases.ts'

const phase = (kind: Phase['kind'], p99: number, problems: readonly string[] = []): Phase => ({
  kind,
  answers: 100,
  p50: 1,
  p99,
  joinMs: 1,
  blocks: [1, 1],
  problems,
})

/** Quiet and hostile phases in turns. */
const turns = (quiet: readonly number[], hostile: readonly number[]): readonly Phase[] =>
  quiet.flatMap((p99, i) => [phase('quiet', p99), phase('hostile', hostile[i] as number)])

const minutes = (...members: readonly (readonly number[])[]): readonly Memory[] =>
  members.map((bytes, i) => ({ minute: i + 1, members: bytes }))

describe('honest peers under attack', () => {
  it('are slower by the median of the hostile phases over that of the quiet ones', () => {
    expect(slowerBy(turns([10, 1, 10, 10, 90], [500, 15, 1, 15, 15]))).toBe(1.5)
  })

  it('may wait twice as long, and not longer', () => {
    const quiet = [10, 10, 10, 10, 10]
    expect(hostileProblems(turns(quiet, [20, 20, 20, 20, 20]), [], RATE)).toEqual([])
    expect(hostileProblems(turns(quiet, [21, 21, 21, 20, 20]), [], RATE)).toEqual([
      'honest peers wait 2.10 times as long as in quiet phases, and 2 at most',
    ])
  })

  it('are a problem where nothing was measured', () => {
    expect(hostileProblems([], [], RATE)).toHaveLength(1)
  })

  it('are counted by answers that came and those that did not, and members by the blocks they made', () => {
    const asked = { answers: Array.from({ length: 100 }, (_, i) => i), problems: ['member 0: no answer'] }
    const found = phaseOf('hostile', asked, { answers: [5, 70], problems: ['for a newcomer: refused'] }, [3, 0])
    expect(found).toEqual({
      kind: 'hostile',
      answers: 100,
      p50: 50,
      p99: 99,
      joinMs: 70,
      blocks: [3, 0],
      problems: ['member 0: no answer', 'for a newcomer: refused', 'member 1 made no block final'],
    })
    expect(hostileProblems([phase('quiet', 1), { ...found, p99: 1 }], [], RATE)).toEqual([
      'hostile phase 1: member 0: no answer',
      'hostile phase 1: for a newcomer: refused',
      'hostile phase 1: member 1 made no block final',
    ])
  })
})

describe('memory of members under attack', () => {
  const phases = turns([1], [1])

  it('may be 1.1 times as much at the last minute as at the first, for each member', () => {
    expect(hostileProblems(phases, minutes([100, 100], [500, 500], [110, 90]), RATE)).toEqual([])
    expect(hostileProblems(phases, minutes([100, 100], [100, 100], [100, 111]), RATE)).toEqual([
      'member 1 holds 1.110 times what it held after the first minute, and 1.1 at most',
    ])
  })

  it('is a problem where a member did not answer', () => {
    expect(hostileProblems(phases, minutes([100], [Number.NaN]), RATE)).toHaveLength(1)
  })

  it('is not judged by one minute', () => {
    expect(growthOf(minutes([100]))).toBeNull()
  })
})

describe('attackers that do not get to attack', () => {
  it('make no run that counts', () => {
    expect(hostileProblems(turns([1], [1]), [], 0.9 * RATE)).toEqual([])
    expect(hostileProblems(turns([1], [1]), [], 179)).toEqual(['the attackers sent 179 frames a second, and should send 200'])
    expect(hostileProblems(turns([1], [1]), [], Number.NaN)).toHaveLength(1)
  })
})
