import { expect, test } from 'vitest'
import type { Handle } from '../../client/network/handle.ts'
import type { Check } from '../../client/verify/verdict.ts'
import { Chain, seats } from './chain.ts'
import { HEARTBEAT, type NoteDatum, note } from './notes.ts'
import { addresses, lying, type Setup, serve, setup } from './setup.ts'

const NOW = 1_700_000_000_000
const fill = (chain: Chain): void => void chain.commit([note('a', 1)], { timeMs: NOW })

const checks = async ({ world }: Setup, handle: Handle<NoteDatum>): Promise<Record<string, Check>> => {
  const { verdict } = await world.run(handle.latest())
  expect(verdict.ok).toBe(true)
  return Object.fromEntries(verdict.freshness.checks.map((check) => [check.name, check]))
}

test('PROTOCOL 1 Header, FAI-04: a group that stops turns amber after three heartbeats, stale after six, and keeps what it has', async () => {
  const setting = setup(1, fill)
  const { world, open, beat } = setting
  const handle = await open()
  await beat(3)
  expect((await checks(setting, handle))['head.age']?.state).toBe('passed')
  await world.advance(3.5 * HEARTBEAT)
  expect(handle.state.state).toBe('live')
  expect((await checks(setting, handle))['head.age']?.state).toBe('unproven')
  await world.advance(3 * HEARTBEAT)
  expect(handle.state).toMatchObject({ state: 'stale', head: { index: '4' } })
  expect(handle.state.detail).toMatch(/^the newest commit is \d s old, one is due every 1 s/)
  expect((await checks(setting, handle))['head.age']?.found).toContain('stale')
  // The majority is back: so is the reader.
  await beat(2)
  expect(handle.state.state).toBe('live')
})

test.each([
  ['ahead', 3_600_000],
  ['behind', -3_600_000],
])('API Verdict clock.skew: a device clock an hour %s is named, and does not make a fresh head stale', async (direction, clockOffsetMs) => {
  const setting = setup(4, fill, { clockOffsetMs })
  const handle = await setting.open()
  await setting.world.settle()
  const found = await checks(setting, handle)
  expect(found['clock.skew']).toMatchObject({ state: 'unproven', found: `this device’s clock 3600000 ms ${direction}` })
  expect(found['head.age']).toMatchObject({ state: 'passed', found: '0 ms, by the members’ clocks' })
  expect(handle.state.state).toBe('live')
})

test('API Verdict clock.skew: one lying clock of four moves nothing', async () => {
  const setting = setup(4, fill, { served: 3 })
  serve(setting.world, setting.chain, 'peer 0', 86_400_000)
  const handle = await setting.open()
  await setting.world.advance(10)
  const found = await checks(setting, handle)
  expect(found['clock.skew']).toMatchObject({ state: 'passed', found: 'agreement with 3 members' })
  expect(found['head.age']?.state).toBe('passed')
})

test('PROTOCOL 3 step 6: a head is confirmed by b+1 operators, and by nobody after three heartbeats of silence', async () => {
  for (const [served, state] of [
    [1, 'unproven'],
    [2, 'passed'],
  ] as const) {
    const setting = setup(4, fill, { served })
    const handle = await setting.open()
    await setting.world.advance(10)
    expect((await checks(setting, handle))['head.sources']).toMatchObject({ state, expected: '2 operators within 3000 ms' })
    for (let i = 0; i < served; i++) {
      const place = setting.places[i] as (typeof setting.places)[number]
      place.silent = true
      setting.world.cut(handle.state.peers[i]?.address ?? '')
    }
    await setting.world.advance(4 * HEARTBEAT)
    const stopped = await setting.world.run(handle.ask('of', 1)).catch((error: Error) => error.name)
    expect(stopped).toBe('Network.ConnectTimeoutError')
  }
})

test('PROTOCOL 3 step 6: two members of one operator are one source', async () => {
  const same = seats(4).map((seat) => ({ ...seat, member: { ...seat.member, operator: 'one operator' } }))
  const setting = setup(4, fill, { members: same })
  const handle = await setting.open()
  await setting.world.advance(10)
  expect((await checks(setting, handle))['head.sources']).toMatchObject({ state: 'unproven', found: '1 of 4 members’ operators' })
})

test('PROTOCOL 3: a member that withholds newer blocks is left for one that has them', async () => {
  const setting = setup(4, fill, { served: 2 })
  const { world, chain, open } = setting
  const frozen = new Chain(seats(4), NOW - 101 * HEARTBEAT)
  fill(frozen)
  serve(world, frozen, 'peer 0')
  const handle = await open()
  const tail = handle[Symbol.asyncIterator]().next()
  for (let i = 0; i < 12; i++) {
    await world.advance(HEARTBEAT)
    chain.commit([note(`n${i}`, 1)], { timeMs: world.now })
  }
  expect((await world.run(tail)).value.value.words).toBe('n0')
  expect(handle.state).toMatchObject({ state: 'live', head: { index: chain.head.index.toString() } })
})

test('a member that boasts of blocks it cannot show does not keep the reader from those that exist', async () => {
  const setting = setup(4, fill, { served: 2 })
  const { world, chain, open, places } = setting
  const boast = lying((response) =>
    response.kind === 'hello'
      ? { kind: 'hello', value: { ...response.value, served: response.value.served.map((entry) => ({ ...entry, newest: 1n << 60n })) } }
      : response,
  )
  if (places[0]) places[0].tamper = boast
  const handle = await open()
  const tail = handle[Symbol.asyncIterator]()
  for (let i = 0; i < 20; i++) {
    const next = tail.next()
    await world.advance(HEARTBEAT)
    chain.commit([note(`n${i}`, 1)], { timeMs: world.now })
    expect((await world.run(next, 20 * HEARTBEAT)).value.value.words).toBe(`n${i}`)
  }
})

test('a device that slept: stale at once, live again with what it missed, nothing twice', async () => {
  const setting = setup(1, fill, { bootstrap: addresses(1) })
  const { world, chain, open } = setting
  const handle = await open()
  const items = handle.since(0n)[Symbol.asyncIterator]()
  await world.run(items.next())
  world.cut(handle.state.peers[0]?.address ?? '')
  for (let i = 0; i < 3_000; i++) chain.commit(i % 1_000 === 0 ? [note(`n${i}`, 1)] : [], { timeMs: NOW + 3_600_000 })
  world.jump(3_600_000)
  expect(handle.state.state).toBe('stale')
  for (const words of ['n0', 'n1000', 'n2000']) expect((await world.run(items.next())).value.value.words).toBe(words)
  expect(handle.state.state).toBe('live')
})
