import { expect, test } from 'vitest'
import type { Handle, Verified } from '../../client/network/handle.ts'
import type { Chain } from './chain.ts'
import { HEARTBEAT, type NoteDatum, note } from './notes.ts'
import { errorOf, refusal, type Setup, setup } from './setup.ts'

const NOW = 1_700_000_000_000
const fill =
  (count: number) =>
  (chain: Chain): void => {
    for (let i = 0; i < count; i++) chain.commit([note(`note ${i}`, i % 3, 100 + i)])
    chain.commit([], { timeMs: NOW })
  }

const words = async ({ world }: Setup, items: AsyncIterator<Verified<NoteDatum>>, count: number): Promise<string[]> => {
  const taken: string[] = []
  while (taken.length < count) {
    const next = await world.run(items.next())
    if (next.done) break
    expect(next.value.verdict.ok).toBe(true)
    taken.push(next.value.value.words)
  }
  return taken
}
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `note ${from + i}`)
const from = (handle: Handle<NoteDatum>, position: bigint) => handle.since(position)[Symbol.asyncIterator]()

test.each([1, 4, 7])(
  'TAL-03 PROTOCOL 3: a reader of a committee of %i opens, reads the newest item and says why it may be believed',
  async (n) => {
    const { world, open } = setup(n, fill(20))
    const handle = await open()
    await world.settle()
    expect(handle.state).toMatchObject({ state: 'live', detail: null, head: { index: '21', timeMs: NOW } })
    const { value, ref, verdict } = await world.run(handle.latest())
    expect(value).toMatchObject({ position: 19n, words: 'note 19' })
    expect(ref).toMatchObject({ surface: 'notes.all', position: '19', index: '21' })
    expect([verdict.ok, verdict.integrity.state, verdict.authority.state, verdict.freshness.state]).toEqual([
      true,
      'green',
      'green',
      'green',
    ])
    expect(verdict.at).toMatchObject({ index: '21', commit: handle.state.head?.commit })
    expect(verdict.disclosed).toBe('nothing')
    expect(verdict.assumes).toBe(
      {
        1: '1 of 1 notes members signed; crash faults only: a single lying member suffices',
        4: '3 of 4 notes members signed; at least 2 would have to lie',
        7: '5 of 7 notes members signed; at least 3 would have to lie',
      }[n],
    )
    const names = [verdict.integrity, verdict.authority, verdict.freshness].flatMap(({ checks }) => checks.map(({ name }) => name))
    expect(names).toEqual([
      'commit.header',
      'commit.consistency',
      'item.inclusion',
      'start.point',
      'roster.chain',
      'commit.signatures',
      'head.age',
      'head.sources',
      'clock.skew',
    ])
  },
)

test('PROTOCOL 2 Complete answers: all of a key and nothing else, in order; none is proven too, and what was disclosed is said', async () => {
  const { world, open } = setup(1, fill(20))
  const handle = await open()
  const mine = await world.run(handle.ask<readonly NoteDatum[]>('of', 1))
  expect(mine.value.map((item) => item.words)).toEqual([1, 4, 7, 10, 13, 16, 19].map((i) => `note ${i}`))
  expect(mine.verdict.disclosed).toBe('bucket of 23')
  expect(mine.verdict.integrity.checks.find(({ name }) => name === 'answer.complete')).toMatchObject({
    state: 'passed',
    found: '7 items, link closed',
  })
  const none = await world.run(handle.ask<readonly NoteDatum[]>('of', 5))
  expect([none.value, none.ref.position, none.verdict.ok]).toEqual([[], null, true])
  expect((await world.run(handle.ask('of', 1, { disclose: true }))).verdict.disclosed).toBe('this key')
  // A question that is about no person asks for its key.
  const first = await world.run(handle.ask<NoteDatum>('first', 'note 12'))
  expect([first.value.words, first.verdict.disclosed]).toEqual(['note 12', 'this key'])
  expect(await errorOf(world.run(handle.ask('constructor', 1)))).toMatchObject({ name: 'Network.HandleError' })
})

test('PROTOCOL 2: an empty surface is proven empty, and its first item arrives', async () => {
  const setting = setup(1, (chain) => void chain.commit([], { timeMs: NOW }))
  const handle = await setting.open()
  expect(await setting.world.run(handle.latest())).toMatchObject({ value: null, ref: { position: null }, verdict: { ok: true } })
  expect(await setting.world.run(handle.ask('of', 1))).toMatchObject({ value: [], verdict: { disclosed: 'nothing' } })
  const live = from(handle, 0n).next()
  setting.chain.commit([note('note 0', 1)], { timeMs: setting.world.now })
  expect((await setting.world.run(live)).value.value.words).toBe('note 0')
})

test('API Handle: since gives history and then the tail, iteration the tail alone; each in order, once', async () => {
  const setting = setup(4, fill(20))
  const { chain, world, open } = setting
  const handle = await open()
  const tail = handle[Symbol.asyncIterator]()
  const live = tail.next()
  const all = from(handle, 0n)
  expect(await words(setting, all, 20)).toEqual(numbers(0, 20))
  for (let i = 20; i < 25; i++) chain.commit([note(`note ${i}`, 1)], { timeMs: world.now })
  expect(await words(setting, all, 5)).toEqual(numbers(20, 25))
  expect((await world.run(live)).value.value.words).toBe('note 20')
  expect(await words(setting, tail, 4)).toEqual(numbers(21, 25))
  expect(await words(setting, from(handle, 18n), 3)).toEqual(numbers(18, 21))
})

test('PROTOCOL 3 Watch: a restarted reader resumes after its last item, without gap or duplicate', async () => {
  const setting = setup(1, fill(30))
  const first = await setting.open()
  const seen = await words(setting, from(first, 0n), 12)
  await first[Symbol.asyncDispose]()
  for (let i = 30; i < 40; i++) setting.chain.commit([note(`note ${i}`, 1)], { timeMs: NOW })
  const again = await setting.open()
  seen.push(...(await words(setting, from(again, BigInt(seen.length)), 28)))
  expect(seen).toEqual(numbers(0, 40))
})

test('PROTOCOL 3 Watch: after a gap of more than 1,024 blocks the reader opens again and reads the rest by range', async () => {
  const setting = setup(1, fill(5))
  const { world, chain, open, places } = setting
  const handle = await open()
  const items = from(handle, 3n)
  expect(await words(setting, items, 2)).toEqual(numbers(3, 5))
  const place = places[0] as (typeof places)[number]
  place.down = true
  world.cut([...handle.state.peers][0]?.address ?? '')
  await world.advance(10)
  expect(handle.state.state).not.toBe('live')
  for (let i = 5; i < 1_205; i++) chain.commit(i % 100 === 0 ? [note(`note ${i}`, 1)] : [], { timeMs: world.now })
  place.down = false
  const next = await words(setting, items, 12)
  expect(next).toEqual(Array.from({ length: 12 }, (_, i) => `note ${(i + 1) * 100}`))
  expect(handle.state.state).toBe('live')
})

test('PROTOCOL 3 back-pressure: a consumer that lags reads back from the server; nothing grows meanwhile', async () => {
  const setting = setup(1, fill(1))
  const { world, chain, open } = setting
  const handle = await open()
  const slow = from(handle, 0n)
  const seen = await words(setting, slow, 1)
  const blocks = 60
  const large = 'x'.repeat(40_000)
  for (let i = 0; i < blocks; i++) {
    chain.commit([note(`${i} ${large}`, 1), note(`${i}b ${large}`, 2)], { timeMs: world.now })
    await world.settle()
  }
  // 4.8 MB went by, 2 MiB of it are kept; the consumer's next items are no longer among them.
  seen.push(...(await words(setting, slow, 2 * blocks)))
  expect(seen.slice(1).map((text) => text.split(' ')[0])).toEqual(Array.from({ length: blocks }, (_, i) => [`${i}`, `${i}b`]).flat())
})

test('FAI-04 ERR: a broken link is opened again, and the live tail goes on where it was', async () => {
  const setting = setup(1, fill(3))
  const { world, chain, open } = setting
  const handle = await open()
  const states: string[] = []
  handle.onState(({ state }) => void (states.at(-1) !== state && states.push(state)))
  const tail = handle[Symbol.asyncIterator]()
  for (let i = 3; i < 9; i++) {
    world.cut(handle.state.peers[0]?.address ?? '')
    const next = tail.next()
    chain.commit([note(`note ${i}`, 1)], { timeMs: world.now })
    expect((await world.run(next)).value.value.words).toBe(`note ${i}`)
  }
  expect(states).toContain('connecting')
  expect(states.at(-1)).toBe('live')
})

test('PROTOCOL 3: with a second member up, a member that stops is left without the consumer noticing', async () => {
  const setting = setup(4, fill(3), { served: 2 })
  const { world, chain, open, places } = setting
  const handle = await open()
  const tail = handle[Symbol.asyncIterator]()
  for (let i = 3; i < 7; i++) {
    const place = places[i % 2] as (typeof places)[number]
    place.down = true
    world.cut(handle.state.peers[i % 2]?.address ?? '')
    const next = tail.next()
    await world.settle()
    chain.commit([note(`note ${i}`, 1)], { timeMs: world.now })
    expect((await world.run(next)).value.value.words).toBe(`note ${i}`)
    place.down = false
    await world.advance(40_000)
    setting.chain.commit([], { timeMs: world.now })
  }
})

test('API signal: an aborted question or iteration throws the reason; a closed handle ends its iterations quietly; nothing is left over', async () => {
  const { world, open, network, chain } = setup(4, fill(3))
  const handle = await open()
  const controller = new AbortController()
  const waiting = handle.since(3n, { signal: controller.signal })[Symbol.asyncIterator]().next()
  const ended = handle[Symbol.asyncIterator]().next()
  controller.abort(new Error('enough'))
  expect(await errorOf(world.run(waiting))).toMatchObject({ message: 'enough' })
  expect(await errorOf(world.run(handle.latest({ signal: AbortSignal.abort(new Error('no')) })))).toMatchObject({ message: 'no' })
  await handle[Symbol.asyncDispose]()
  expect(await world.run(ended)).toEqual({ done: true, value: undefined })
  expect(refusal(await errorOf(world.run(handle.latest())))).toBe('Network.ShutdownError')
  await network[Symbol.asyncDispose]()
  await world.settle()
  expect([world.openStreams, world.openLinks, world.pendingTimers, chain.listeners]).toEqual([0, 0, 0, 0])
})

test('a state listener that throws disturbs nobody, and one that was taken back hears nothing', async () => {
  const { world, open, beat } = setup(1, fill(1))
  const handle = await open()
  const heard: string[] = []
  handle.onState(() => {
    throw new Error('a mistake of the page')
  })
  const stop = handle.onState(({ head }) => void heard.push(head?.index ?? ''))
  await beat(2)
  await world.advance(HEARTBEAT)
  stop()
  await beat(1)
  await world.settle()
  expect([...new Set(heard)]).toEqual(['2', '3', '4'])
  expect(handle.state.head?.index).toBe('5')
})

test('MSK-12: the same surface opened twice is followed once; the reader ends with its last handle', async () => {
  const { world, open, network, chain } = setup(1, fill(3))
  const one = await open()
  const streams = world.streamsOpened
  const two = await open()
  expect(world.streamsOpened).toBe(streams)
  expect([world.openLinks, chain.listeners]).toEqual([1, 1])
  await one[Symbol.asyncDispose]()
  await world.advance(HEARTBEAT)
  expect((await world.run(two.latest())).value?.words).toBe('note 2')
  await two[Symbol.asyncDispose]()
  await world.settle()
  expect([chain.listeners, world.openStreams, world.pendingTimers]).toEqual([0, 0, 0])
  await network[Symbol.asyncDispose]()
  expect(await errorOf(network.open({ name: 'notes.all' }, {}))).toMatchObject({ name: 'Network.ShutdownError' })
})
