import { expect, test } from 'vitest'
import type { Certificate } from '../../client/groups/block.ts'
import type { Handle, StateReport } from '../../client/network/handle.ts'
import type { Response } from '../../client/network/light/messages.ts'
import { createNetwork } from '../../client/network/open.ts'
import { type Verify, verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { flipped } from '../liar.ts'
import type { Chain } from './chain.ts'
import { HEARTBEAT, type NoteDatum, note, notes } from './notes.ts'
import { addresses, lying, type Setup, serve, setup } from './setup.ts'

// PROTOCOL section 3, step 6, and issue 4: what a page that only watches costs, and that it is told no less for it.

const fill = (chain: Chain): void => void chain.commit([note('a', 1)])
const BEATS = 20

const head =
  (change: (head: Certificate) => Certificate) =>
  (response: Response): Response =>
    response.kind === 'opened' ? { kind: 'opened', value: { ...response.value, head: change(response.value.head) } } : response

/** The handle of a network of its own that counts the signatures it verifies. */
const counting = async ({ world, chain }: Setup): Promise<{ readonly handle: Handle<NoteDatum>; readonly count: () => number }> => {
  let count = 0
  const verify: Verify = (...given) => {
    count += 1
    return verifyWithNoble(...given)
  }
  const network = createNetwork(world.host({ verify }), [notes], { bootstrap: addresses(4) })
  const handle = await world.run(network.open({ name: 'notes.all' }, { roster: chain.roster }) as Promise<Handle<NoteDatum>>)
  return { handle, count: () => count }
}

const sources = async ({ world }: Setup, handle: Handle<NoteDatum>) => {
  const { verdict } = await world.run(handle.latest())
  return verdict.freshness.checks.find(({ name }) => name === 'head.sources')
}

test('a member that shows heads is looked at every second beat and greeted once a minute, and each of four confirms all the time', async () => {
  const setting = setup(4, fill)
  const { world, open, beat } = setting
  const handle = await open()
  await beat(3)
  // Between two beats: what was shown three of them ago no longer counts there.
  await world.advance(HEARTBEAT / 2)
  const before = world.streamsOpened
  for (let i = 0; i < BEATS; i++) {
    await beat()
    expect(await sources(setting, handle)).toMatchObject({ state: 'passed', found: '4 of 4 members’ operators' })
  }
  // The three that are not followed; what `latest` asks is in the head that is followed.
  expect(world.streamsOpened - before).toBeLessThanOrEqual((3 * BEATS) / 2 + 3)
  expect(world.streamsOpened - before).toBeGreaterThanOrEqual(3 * (BEATS / 2 - 1))
})

test('a member that shows nothing any more keeps its link, is greeted each beat, and is not counted after three', async () => {
  const setting = setup(4, fill)
  const { world, open, beat, places } = setting
  const handle = await open()
  await beat(3)
  const notYet: Response = { kind: 'error', value: { code: 2, have: 0n, retryMs: 0, text: '' } }
  for (const place of places.slice(1)) place.tamper = lying((response) => (response.kind === 'opened' ? notYet : response))
  await beat(5)
  expect(await sources(setting, handle)).toMatchObject({ state: 'unproven', found: '1 of 4 members’ operators' })
  const before = world.streamsOpened
  await beat(BEATS)
  expect(world.streamsOpened - before).toBe(2 * 3 * BEATS)
  expect(world.openLinks).toBe(4)
})

test('a head that is held is confirmed by whoever shows it, and none of the signatures beside it is verified anew', async () => {
  const setting = setup(4, fill)
  const { chain, beat, places } = setting
  const { handle, count } = await counting(setting)
  await beat(3)
  // Whoever is followed sends each block under three signatures; asked, all show it under none that is good.
  for (const place of places)
    place.tamper = lying(head(({ header, seal }) => ({ header, seal: { ...seal, signatures: seal.signatures.map(flipped) as never } })))
  const before = count()
  await beat(BEATS)
  expect(count() - before).toBe(3 * BEATS)
  expect(handle.state.head?.index).toBe(chain.head.index.toString())
  expect(await sources(setting, handle)).toMatchObject({ state: 'passed', found: '4 of 4 members’ operators' })
})

test('another head under the same signatures confirms nothing, and costs its member the link', async () => {
  const setting = setup(4, fill)
  const { open, beat, places } = setting
  const handle = await open()
  await beat(3)
  for (const place of places.slice(1))
    place.tamper = lying(head(({ header, seal }) => ({ header: { ...header, time_ms: header.time_ms + 1n }, seal })))
  await beat(5)
  expect(await sources(setting, handle)).toMatchObject({ state: 'unproven', found: '1 of 4 members’ operators' })
  expect(handle.state.peers.filter(({ problem }) => problem?.startsWith('commit.signatures failed')).length).toBe(3)
})

/** What a listener is told, and when. */
const told = (setting: Setup, handle: Handle<NoteDatum>): readonly (StateReport & { readonly atMs: number })[] => {
  const reports: (StateReport & { readonly atMs: number })[] = []
  handle.onState((report) => void reports.push({ ...report, atMs: setting.world.now }))
  return reports
}

test('a group of ten blocks a second tells of its heads once a second, the newest each time, and of all else at once', async () => {
  const setting = setup(4, fill)
  const { world, chain, open, beat } = setting
  const handle = await open()
  await beat(2)
  const reports = told(setting, handle)
  for (let i = 0; i < 50; i++) {
    await world.advance(100)
    chain.commit([], { timeMs: world.now })
  }
  expect(reports.length).toBeGreaterThanOrEqual(5)
  expect(reports.length).toBeLessThanOrEqual(7)
  await world.advance(HEARTBEAT)
  expect(reports.at(-1)?.head?.index).toBe(chain.head.index.toString())
  const [count, now] = [reports.length, world.now]
  chain.commit([], { timeMs: world.now })
  world.cut(handle.state.peers[3]?.address ?? '')
  await world.settle()
  expect(reports[count]).toMatchObject({ atMs: now, peers: [{}, {}, {}, { connected: false }] })
})

test('who shows a head for the first time is told of at once, with the head, however busy the group is', async () => {
  const setting = setup(4, fill, { served: 3 })
  const { world, chain, open } = setting
  const handle = await open()
  const reports = told(setting, handle)
  const late = serve(world, chain, 'peer 3')
  let shownAt: number | null = null
  late.tap = () => {
    shownAt ??= world.now
  }
  for (let i = 0; i < 100; i++) {
    await world.advance(100)
    chain.commit([], { timeMs: world.now })
    await world.settle()
  }
  const first = reports.find(({ peers }) => peers[3]?.head != null)
  expect(shownAt).not.toBeNull()
  expect(first?.atMs).toBe(shownAt)
})

test('a listener is told of a single newer head within a second, and nothing runs after the handle is closed', async () => {
  const setting = setup(1, fill)
  const { world, chain, open, network } = setting
  const handle = await open()
  const reports = told(setting, handle)
  await world.advance(200)
  for (let i = 0; i < 2; i++) {
    chain.commit([], { timeMs: world.now })
    await world.settle()
  }
  await world.advance(HEARTBEAT)
  expect(reports.at(-1)?.head?.index).toBe(chain.head.index.toString())
  chain.commit([], { timeMs: world.now })
  await world.settle()
  await handle[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
  await world.settle()
  expect(world.pendingTimers).toBe(0)
})
