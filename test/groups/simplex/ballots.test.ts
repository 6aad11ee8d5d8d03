import { describe, expect, it } from 'vitest'
import type { VoteKind } from '../../../client/groups/block.ts'
import { ZEROS } from '../../../client/groups/roster.ts'
import { Ballots, type Vote } from '../../../client/groups/simplex/ballots.ts'
import { type Bytes, utf8 } from '../../../client/primitives/bytes.ts'
import { hash } from '../../../wasm/core.ts'

const [A, B, C] = ['a', 'b', 'c'].map((name) => hash(utf8(name))) as [Bytes, Bytes, Bytes]
const vote = (member: number, kind: VoteKind, commit: Bytes): Vote => ({
  view: 7n,
  kind,
  hash: commit,
  member,
  signature: Uint8Array.of(member),
})

describe('the votes of one view', () => {
  it('counts a vote once, by kind, hash and member', () => {
    const ballots = new Ballots(7n)
    expect(ballots.add(vote(0, 'notarize', A))).toBe(true)
    expect(ballots.add(vote(0, 'notarize', A))).toBe(false)
    expect(ballots.add(vote(1, 'notarize', A))).toBe(true)
    expect(ballots.add(vote(1, 'finalize', A))).toBe(true)
    expect([...ballots.by('notarize', A).keys()]).toEqual([0, 1])
    expect(ballots.reached('notarize', 2)).toEqual([A])
    expect(ballots.reached('finalize', 2)).toEqual([])
  })

  it('counts at most two hashes of a member and kind: a third shows nothing new, and would let it fill the memory', () => {
    const ballots = new Ballots(7n)
    expect([A, B, C].map((commit) => ballots.add(vote(0, 'notarize', commit)))).toEqual([true, true, false])
    expect(ballots.by('notarize', C).size).toBe(0)
  })

  it('finds what a vote contradicts: another hash of its kind, and finalize beside nullify', () => {
    for (const [first, second] of [
      [vote(0, 'propose', A), vote(0, 'propose', B)],
      [vote(0, 'notarize', A), vote(0, 'notarize', B)],
      [vote(0, 'finalize', A), vote(0, 'finalize', B)],
      [vote(0, 'finalize', A), vote(0, 'nullify', ZEROS)],
      [vote(0, 'nullify', ZEROS), vote(0, 'finalize', A)],
    ] as const) {
      const ballots = new Ballots(7n)
      ballots.add(first)
      expect(ballots.contradicts(second), `${first.kind}, ${second.kind}`).toEqual(first)
    }
  })

  it('lets an honest member notarize and then nullify, and each member vote for itself', () => {
    const ballots = new Ballots(7n)
    ballots.add(vote(0, 'notarize', A))
    expect(ballots.contradicts(vote(0, 'nullify', ZEROS))).toBeNull()
    expect(ballots.contradicts(vote(0, 'finalize', B))).toBeNull()
    expect(ballots.contradicts(vote(1, 'notarize', B))).toBeNull()
    expect(ballots.contradicts(vote(0, 'notarize', A))).toBeNull()
  })

  it('gives back every vote as it came', () => {
    const ballots = new Ballots(7n)
    const votes = [vote(0, 'propose', A), vote(0, 'notarize', A), vote(2, 'notarize', B), vote(1, 'nullify', ZEROS)]
    for (const each of votes) ballots.add(each)
    expect(ballots.all()).toEqual(votes)
  })
})
