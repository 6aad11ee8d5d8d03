import { expect, test } from 'vitest'
import type { Handle } from '../../client/network/handle.ts'
import type { Response } from '../../client/network/light/messages.ts'
import type { Chain } from './chain.ts'
import { HEARTBEAT, type NoteDatum, note } from './notes.ts'
import { addressOf, lying, type Setup, setup } from './setup.ts'

// Issue 7, "One worker per origin": visibility and Save-Data are respected. What is verified stays the same, and verdicts say what was not done.

const fill = (chain: Chain): void => void chain.commit([note('a', 1)])

const sources = async ({ world }: Setup, handle: Handle<NoteDatum>) => {
  const { verdict } = await world.run(handle.latest())
  return verdict.freshness.checks.find(({ name }) => name === 'head.sources')
}
const linked = (handle: Handle<NoteDatum>): number => handle.state.peers.filter(({ connected }) => connected).length

const thrifty = async (n: number, before: (setting: Setup) => void = () => {}) => {
  const setting = setup(n, fill)
  setting.world.isSaving = true
  before(setting)
  return { setting, handle: await setting.open() }
}

test.each([
  [1, 1],
  [4, 2],
  [7, 3],
])('Save-Data: of %i members so many are linked as confirm a head, %i, and they confirm it all the time', async (n, needed) => {
  const { setting, handle } = await thrifty(n)
  for (let i = 0; i < 10; i++) {
    await setting.beat()
    expect([linked(handle), setting.world.openLinks]).toEqual([needed, needed])
    expect(await sources(setting, handle)).toMatchObject({ state: 'passed', found: `${needed} of ${n} members’ operators` })
  }
})

test('Save-Data: another member takes the place of one that is gone, and items go on', async () => {
  const { setting, handle } = await thrifty(4)
  const { world, chain, places, beat } = setting
  await beat(2)
  const index = handle.state.peers.findIndex(({ followed }) => followed)
  Object.assign(places[index] ?? {}, { down: true })
  world.cut(addressOf(`peer ${index}`))
  chain.commit([note('b', 1)], { timeMs: world.now })
  await world.advance(HEARTBEAT)
  expect(linked(handle)).toBe(2)
  expect((await world.run(handle.latest())).value?.words).toBe('b')
  await beat(2)
  expect(await sources(setting, handle)).toMatchObject({ state: 'passed' })
})

test('Save-Data: one more is linked for each that does not show its head, until the head is confirmed', async () => {
  const notYet: Response = { kind: 'error', value: { code: 2, have: 0n, retryMs: 0, text: '' } }
  const { setting, handle } = await thrifty(4, ({ places }) => {
    Object.assign(places[1] ?? {}, { tamper: lying((response) => (response.kind === 'opened' ? notYet : response)) })
  })
  await setting.beat(3)
  expect(await sources(setting, handle)).toMatchObject({ state: 'passed' })
  expect(linked(handle)).toBe(3)
  await setting.beat(10)
  expect(linked(handle)).toBe(3)
})

test('unseen: each block comes as before, and what is not followed is looked at once a minute, which verdicts say', async () => {
  const setting = setup(4, fill)
  const { world, chain, open, beat } = setting
  const handle = await open()
  await beat(3)
  world.isUnseen = true
  // What was begun before goes on to its end.
  await beat(3)
  const before = world.streamsOpened
  await beat(60)
  // Of the three: a greeting, a head, and what is known of liars; the one that is followed shows its heads by itself.
  expect(world.streamsOpened - before).toBeLessThanOrEqual(3 * 3 + 1)
  chain.commit([note('b', 1)], { timeMs: world.now })
  await world.settle()
  expect((await world.run(handle.latest())).value?.words).toBe('b')
  await beat(10)
  expect(handle.state.state).toBe('live')
  expect(await sources(setting, handle)).toMatchObject({ state: 'unproven', found: '1 of 4 members’ operators' })
  world.isUnseen = false
  world.wake()
  await world.settle()
  expect(await sources(setting, handle)).toMatchObject({ state: 'passed', found: '4 of 4 members’ operators' })
  await beat(5)
  expect(await sources(setting, handle)).toMatchObject({ state: 'passed' })
})
