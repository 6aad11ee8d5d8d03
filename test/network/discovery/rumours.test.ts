import { beforeEach, expect, test } from 'vitest'
import { commitHash } from '../../../client/groups/block.ts'
import { Catalog, FULL_LIMITS } from '../../../client/network/discovery/catalog.ts'
import { type HeadHint, Heads, headHintCodec } from '../../../client/network/discovery/heads.ts'
import { type KnownCommittee, MAX_RUMOUR, Rumours, rumour } from '../../../client/network/discovery/rumours.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { encode } from '../../../client/primitives/codec.ts'
import { asId, UNIVERSE } from '../../../client/primitives/id.ts'
import { Chain, seats } from '../chain.ts'
import { GROUP, HEARTBEAT, note } from '../notes.ts'
import { World } from '../world.ts'
import { entryOf, groupIn, peerIn, signedBy, told } from './peers.ts'

// docs/wire.md section 10, "Gossip": what goes on, what is dropped, and what costs the neighbour that brought it.

const NEIGHBOUR = peerIn('neighbour')
let world = new World()
beforeEach(() => {
  world = new World()
})

const node = (committees: readonly KnownCommittee[] = []) => {
  const host = world.host()
  const catalog = new Catalog({ network: UNIVERSE, host, worth: () => 1, limits: FULL_LIMITS })
  const heads = new Heads(host)
  const rumours = new Rumours({ host, catalog, heads, committees })
  const hear = (data: Bytes, source = NEIGHBOUR) => rumours.judge(data, source)
  return { catalog, heads, hear }
}

const entry = async (...args: Parameters<typeof told>) => rumour({ kind: 'entry', value: await told(...args) })
const head = (value: HeadHint): Bytes => rumour({ kind: 'head', value })

test('an entry goes on when it is new, and while it is fresh where it came by a catalog; not when it is old', async () => {
  const { catalog, hear } = node()
  const start = world.now
  expect(await hear(await entry('a', { updateMs: start }))).toBe('accept')
  expect(await hear(await entry('a', { startMs: 1, updateMs: start - 1 }))).toBe('ignore')
  const known = await told('b', { updateMs: start })
  await catalog.offer(known, null)
  expect(await hear(rumour({ kind: 'entry', value: known }))).toBe('accept')
  await world.advance(120_000)
  expect(await hear(rumour({ kind: 'entry', value: known }))).toBe('ignore')
})

test('what no honest node passes on is rejected: noise, what is too long, forged entries, those of another network', async () => {
  const { hear } = node()
  expect(await hear(Uint8Array.of(7, 7, 7))).toBe('reject')
  expect(await hear(new Uint8Array(MAX_RUMOUR + 1))).toBe('reject')
  expect(await hear(rumour({ kind: 'entry', value: await signedBy(entryOf('a', { updateMs: world.now }), 'b') }))).toBe('reject')
  expect(await hear(await entry('a', { updateMs: world.now, network: asId<'UniqueId'>(groupIn(3)) }))).toBe('reject')
})

test('two entries of one version are held against their peer, and not against who passed one on', async () => {
  const { hear } = node()
  await hear(await entry('a', { updateMs: world.now }))
  const other = await entry('a', { updateMs: world.now, tags: ['b'] })
  expect(await hear(other)).toBe('ignore')
  expect(await hear(other, peerIn('a'))).toBe('reject')
})

test('a neighbour that floods is rejected whatever it brings, and others are heard', async () => {
  const { hear } = node()
  const old = await entry('a', { startMs: 1, updateMs: 2 })
  for (let i = 0; i < 6_000; i++) expect(await hear(old)).toBe('ignore')
  expect(await hear(await entry('b', { updateMs: world.now }))).toBe('reject')
  expect(await hear(await entry('b', { updateMs: world.now }), peerIn('b'))).toBe('accept')
})

const group = (blocks: number, from = 0) => {
  const chain = new Chain(seats(4, from), world.now - 100 * HEARTBEAT)
  for (let i = 0; i < blocks; i++) chain.commit([note(`${i}`, 1)])
  return chain
}

const hintOf = (chain: Chain): HeadHint => {
  const { head: header } = chain
  return { group: GROUP, index: header.index, commit: commitHash(header), certificate: { header, seal: chain.seal(header) } }
}

const committeeOf = (chain: Chain): KnownCommittee => ({ group: GROUP, roster: () => chain.roster, rosterId: () => chain.head.roster })

test('a head without its certificate goes no further, and is kept for who asks here', async () => {
  const { heads, hear } = node()
  expect(await hear(head({ group: GROUP, index: 5n, commit: groupIn(9), certificate: null }))).toBe('ignore')
  expect(heads.of(GROUP).map(({ index }) => index)).toEqual([5n])
})

test('a certificate is of the block that it comes with', () => {
  const hint = hintOf(group(2))
  expect(() => encode(headHintCodec, { ...hint, index: 3n })).toThrow('of another block')
  expect(() => encode(headHintCodec, { ...hint, commit: groupIn(1) })).toThrow('of another block')
})

test('where the roster is known a head goes on if its certificate holds and it is newer, once in ten seconds', async () => {
  const chain = group(3)
  const { heads, hear } = node([committeeOf(chain)])
  expect(await hear(head(hintOf(chain)))).toBe('accept')
  chain.commit([note('more', 1)])
  expect(await hear(head(hintOf(chain)))).toBe('ignore')
  await world.advance(10_000)
  expect(await hear(head(hintOf(chain)))).toBe('accept')
  await world.advance(10_000)
  expect(await hear(head(hintOf(chain)))).toBe('ignore')
  expect(heads.of(GROUP).map(({ index }) => index)).toEqual([4n])
})

test('one whose certificate does not hold is rejected; one of another roster is dropped', async () => {
  const chain = group(3)
  const { heads, hear } = node([committeeOf(chain)])
  const hint = hintOf(chain)
  const seal = chain.seal(chain.head, [0, 1])
  expect(await hear(head({ ...hint, certificate: { header: chain.head, seal } }))).toBe('reject')
  expect(await hear(head(hintOf(group(3, 1))))).toBe('ignore')
  expect(heads.of(GROUP)).toEqual([])
})

test('where it is not known a head goes on for a group that somebody serves, once in ten seconds, and nobody is pushed out by a high index', async () => {
  const { catalog, heads, hear } = node()
  const chain = group(3)
  expect(await hear(head(hintOf(chain)))).toBe('ignore')
  await catalog.offer(await told('a', { updateMs: world.now, groups: [GROUP] }), null)
  const forged = hintOf(group(9, 1))
  expect(await hear(head(forged), peerIn('liar'))).toBe('accept')
  expect(await hear(head(hintOf(chain)))).toBe('ignore')
  await world.advance(10_000)
  expect(await hear(head(hintOf(chain)))).toBe('accept')
  expect(heads.of(GROUP).map(({ index }) => index)).toEqual([3n, 9n])
  await world.advance(60_000)
  expect(heads.of(GROUP)).toEqual([])
})
