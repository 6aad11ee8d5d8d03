import { expect, test } from 'vitest'
import type { Handle } from '../../client/network/handle.ts'
import { wakes } from '../../client/network/wake.ts'
import type { Chain } from './chain.ts'
import { type NoteDatum, note } from './notes.ts'
import { addresses, type Setup, serve, setup } from './setup.ts'

// Issue 7, "One worker per origin": sleep and offline are handled. Timers stop while a device sleeps, and no transport tells of a link that died.

const fill = (chain: Chain): void => void chain.commit([note('a', 1)])

/** A clock and its timers, both by hand. */
const clock = () => {
  let now = 1_000_000
  const timers: (() => void)[] = []
  const after = (_: number, run: () => void) => {
    timers.push(run)
    return () => void timers.splice(timers.indexOf(run), 1)
  }
  const fire = (passedMs: number): void => {
    now += passedMs
    timers.shift()?.()
  }
  return { host: { now: () => now, after }, timers, fire }
}

test('a timer that is far too late by the clock is a wake; one that is a little late is none, and a clock is set for one at most', () => {
  const { host, fire } = clock()
  let woken = 0
  wakes(host)(() => void woken++)
  for (const late of [0, 3_000, 10_000]) fire(1_000 + late)
  expect(woken).toBe(0)
  fire(1_000 + 10_001)
  expect(woken).toBe(1)
  fire(1_000)
  fire(-3_600_000)
  expect(woken).toBe(1)
  fire(3_600_000)
  for (let i = 0; i < 10; i++) fire(1_000)
  expect(woken).toBe(2)
})

test('a network that is back is a wake, once; one that is gone is none', () => {
  const { host, fire } = clock()
  let [woken, isOnline] = [0, true]
  wakes(host, { isOnline: () => isOnline })(() => void woken++)
  fire(1_000)
  isOnline = false
  for (let i = 0; i < 10; i++) fire(1_000)
  expect(woken).toBe(0)
  isOnline = true
  for (let i = 0; i < 10; i++) fire(1_000)
  expect(woken).toBe(1)
})

test('other news is told too, to everybody who listens, and nothing runs for nobody', () => {
  const { host, timers } = clock()
  let news: (() => void) | null = null
  const onWake = wakes(host, {
    news: (tell) => {
      news = tell
      return () => {
        news = null
      }
    },
  })
  const heard: string[] = []
  expect([timers.length, news]).toEqual([0, null])
  const first = onWake(() => void heard.push('first'))
  const second = onWake(() => void heard.push('second'))
  ;(news as (() => void) | null)?.()
  first()
  first()
  ;(news as (() => void) | null)?.()
  expect(heard).toEqual(['first', 'second', 'second'])
  second()
  expect([timers.length, news]).toEqual([0, null])
})

const isLinked = (handle: Handle<NoteDatum>): readonly boolean[] => handle.state.peers.map(({ connected }) => connected)
const followed = (handle: Handle<NoteDatum>): string | null => handle.state.peers.find((peer) => peer.followed)?.peer ?? null

/** What a reader sees of the log, from its beginning on. */
const reading = (handle: Handle<NoteDatum>): readonly string[] => {
  const seen: string[] = []
  void (async () => {
    for await (const { value } of handle.since(0n)) seen.push(value.words)
  })()
  return seen
}

test('a network that is back: members that were out of reach are dialled at once, and the reader is live without waiting', async () => {
  const { world, chain, open, places } = setup(4, fill)
  const handle = await open()
  const seen = reading(handle)
  for (const place of places) place.down = true
  for (const address of addresses(4)) world.cut(address)
  await world.advance(60_000)
  expect(handle.state.state).toBe('stale')
  for (const place of places) place.down = false
  chain.commit([note('b', 1)], { timeMs: world.now })
  await world.settle()
  expect(isLinked(handle)).toEqual([false, false, false, false])
  const since = world.now
  world.wake()
  await world.settle()
  expect([isLinked(handle), world.now]).toEqual([[true, true, true, true], since])
  await world.settle()
  expect([handle.state.state, seen]).toEqual(['live', ['a', 'b']])
})

test('who lied is left alone, whatever wakes the host', async () => {
  const { world, open, beat, places } = setup(4, fill)
  const handle = await open()
  await beat(2)
  const liar = places[1] as (typeof places)[number]
  liar.tamper = (chunk) => chunk.map((byte) => byte ^ 0x55)
  await beat(3)
  expect(isLinked(handle)).toEqual([true, false, true, true])
  liar.tamper = undefined
  world.wake()
  await world.settle()
  expect(isLinked(handle)).toEqual([true, false, true, true])
})

/** Everything that is open is dead, and nothing says so. A new link is sound. */
const dieSilently = ({ world, chain, places }: Setup, which: (i: number) => boolean = () => true): void => {
  for (const [i, place] of places.entries()) {
    if (!which(i)) continue
    Object.assign(place, { tamper: () => new Uint8Array(0), handler: () => new Promise(() => {}) })
    serve(world, chain, `peer ${i}`)
  }
}

test('after a sleep, links that died in silence are left within two seconds, and items go on without a gap or a double', async () => {
  const setting = setup(4, fill)
  const { world, chain, open, beat } = setting
  const handle = await open()
  const seen = reading(handle)
  await beat(3)
  dieSilently(setting)
  for (const words of ['b', 'c', 'd']) chain.commit([note(words, 1)], { timeMs: world.now })
  world.wake()
  await world.advance(1_999)
  expect([seen, isLinked(handle)]).toEqual([['a'], [true, true, true, true]])
  await world.advance(1)
  expect(isLinked(handle)).toEqual([false, false, false, false])
  await world.advance(500)
  expect([seen, handle.state.state]).toEqual([['a', 'b', 'c', 'd'], 'live'])
  chain.commit([note('e', 1)], { timeMs: world.now })
  await world.settle()
  expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('the peer that is followed, dead alone, is left for one that lives, though nobody shows anything newer and its link does not end', async () => {
  const setting = setup(4, fill)
  const { world, chain, open, beat } = setting
  const handle = await open()
  const seen = reading(handle)
  await beat(3)
  const before = followed(handle)
  const index = handle.state.peers.findIndex(({ peer }) => peer === before)
  Object.assign(setting.places[index] ?? {}, { clings: true })
  dieSilently(setting, (i) => i === index)
  world.wake()
  await world.advance(1_999)
  expect(followed(handle)).toBe(before)
  await world.advance(1)
  expect(followed(handle)).not.toBe(before)
  chain.commit([note('b', 1)], { timeMs: world.now })
  await world.settle()
  expect(seen).toEqual(['a', 'b'])
})

test('a head that grew old meanwhile is called stale at once, and live again by the first answer', async () => {
  const { world, chain, open, beat } = setup(4, fill)
  const handle = await open()
  await beat(2)
  const told: string[] = []
  handle.onState(({ state }) => void told.push(state))
  world.jump(600_000)
  world.wake()
  await world.settle()
  expect([handle.state.state, told.at(-1)]).toEqual(['stale', 'stale'])
  chain.commit([note('b', 1)], { timeMs: world.now })
  await world.settle()
  expect(handle.state.state).toBe('live')
})

test('a wake without a reason costs one look at each peer, a hundred of them no more, and no link', async () => {
  const { world, open, beat } = setup(4, fill)
  const handle = await open()
  await beat(3)
  const [streams, peer] = [world.streamsOpened, followed(handle)]
  for (let i = 0; i < 100; i++) world.wake()
  await world.settle()
  // A greeting each, and the heads of the three that are not followed.
  expect(world.streamsOpened - streams).toBe(4 + 3)
  await beat(10)
  expect([world.openLinks, followed(handle)]).toEqual([4, peer])
})

test('a peer behind a slow line gets four of its round trips', async () => {
  const setting = setup(1, fill)
  const { world, open, places } = setting
  const place = places[0] as (typeof places)[number]
  const { handler } = place
  let delayMs = 1_500
  Object.assign(place, {
    handler: async (...given: Parameters<typeof handler>) => {
      await new Promise<void>((resolve) => void world.host().after(delayMs, resolve))
      return handler(...given)
    },
  })
  const handle = await open()
  await world.advance(2_000)
  expect(handle.state.peers[0]?.rttMs).toBe(1_500)
  const received = handle.state.peers[0]?.bytes.received ?? 0
  delayMs = 5_000
  world.wake()
  await world.advance(5_500)
  // The same link: another one would count anew.
  expect(handle.state.peers[0]?.bytes.received).toBeGreaterThan(received)
})

test('nobody listens when the reader is closed', async () => {
  const { world, open, network } = setup(4, fill)
  await open()
  expect(world.sleepers).toBe(1)
  await world.run(Promise.resolve(network[Symbol.asyncDispose]()))
  expect(world.sleepers).toBe(0)
})
