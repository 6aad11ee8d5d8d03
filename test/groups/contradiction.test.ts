import { expect, test } from 'vitest'
import { VOTE, type VoteKind, voteMessage } from '../../client/groups/block.ts'
import { convictedBy, type EncodedContradiction } from '../../client/groups/contradiction.ts'
import { rosterId, ZEROS } from '../../client/groups/roster.ts'
import { verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { seats } from '../network/chain.ts'
import { contradiction } from '../network/convicts.ts'
import { GROUP } from '../network/notes.ts'

// PROTOCOL.md section 1, "Evidence": what two votes of one member convict it, and what do not.

const members = seats(4)
const roster = { epoch: 0, members: members.map(({ member }) => member) }
const id = rosterId(UNIVERSE, GROUP, ZEROS, roster)
const accused = { roster, rosterId: id, verify: verifyWithNoble }
const problem = (of: EncodedContradiction): Promise<unknown> =>
  convictedBy(of, accused).catch((error: { problem: unknown }) => error.problem)

test.each<[VoteKind, VoteKind]>([
  ['propose', 'propose'],
  ['notarize', 'notarize'],
  ['finalize', 'finalize'],
  ['finalize', 'nullify'],
  ['nullify', 'finalize'],
])('%s and %s in one view convict', async (first, second) => {
  expect(await convictedBy(contradiction(id, members, 2, { first, second }), accused)).toBe(2)
})

test.each<[VoteKind, VoteKind]>([
  ['notarize', 'nullify'],
  ['notarize', 'finalize'],
  ['propose', 'notarize'],
  ['nullify', 'nullify'],
])('%s and %s in one view are lawful', async (first, second) => {
  expect(await problem(contradiction(id, members, 2, { first, second }))).toBe('an honest member may cast both votes')
})

test('a copy of one vote, another view, another member, a seat that is none and another roster convict nobody', async () => {
  const good = contradiction(id, members, 1)
  expect(await problem({ ...good, second: good.first })).toBe('an honest member may cast both votes')
  expect(await problem({ ...good, second: contradiction(id, members, 1, { view: 8n }).second })).toBe(
    'an honest member may cast both votes',
  )
  expect(await problem({ ...good, second: contradiction(id, members, 2).second })).toBe('it is of no one member')
  expect(await problem({ ...good, first: { ...good.first, member: 4 }, second: { ...good.second, member: 4 } })).toBe(
    'it is of no one member',
  )
  expect(await problem({ ...good, roster: ZEROS })).toMatch('it is of the roster 00')
})

test('both signatures count, each over its own vote and under this roster', async () => {
  const good = contradiction(id, members, 1)
  for (const part of ['first', 'second'] as const) {
    const other = part === 'first' ? good.second : good.first
    expect(await problem({ ...good, [part]: { ...good[part], signature: other.signature } })).toBe('a signature does not verify')
  }
  expect(voteMessage(id, 7n, 'propose', ZEROS)).not.toEqual(voteMessage(ZEROS, 7n, 'propose', ZEROS))
  expect(Object.values(VOTE)).toEqual([1, 2, 3, 4])
})
