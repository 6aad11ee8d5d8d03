import { expect, test } from 'vitest'
import { Lag } from '../../client/network/reader/lag.ts'
import { toHex } from '../../client/primitives/bytes.ts'
import type { Chain } from './chain.ts'
import { HEARTBEAT, note } from './notes.ts'
import { type Setup, setup } from './setup.ts'
import { World } from './world.ts'

// Issue 7, "Many sources": a read fails over in the middle of a stream, also from a peer whose end no transport tells.

const fill = (chain: Chain): void => void chain.commit([note('a', 1)])

const watching = () => {
  const world = new World()
  const left: number[] = []
  const start = world.now
  let trusted = 5n
  const lag = new Lag({ host: world.host(), isBehind: (index) => index > trusted, leave: () => void left.push(world.now - start) })
  const bring = (index: bigint): void => {
    trusted = index
  }
  return { world, lag, left, bring }
}

test('a peer that does not bring within two seconds what another has shown is left', async () => {
  const { world, lag, left } = watching()
  lag.notice(5n)
  await world.advance(5_000)
  expect(left).toEqual([])
  lag.notice(6n)
  await world.advance(1_000)
  // Shown again: the wait is not begun anew.
  lag.notice(7n)
  await world.advance(5_000)
  expect(left).toEqual([7_000])
})

test('one that brings it in time is not, whatever else was shown meanwhile', async () => {
  const { world, lag, left, bring } = watching()
  lag.notice(6n)
  await world.advance(1_900)
  bring(6n)
  lag.notice(8n)
  await world.advance(100)
  expect(left).toEqual([])
  lag.notice(8n)
  await world.advance(2_000)
  expect(left).toEqual([4_000])
})

test('one peer after another gets longer, and the first length again after a quiet time', async () => {
  const { world, lag, left } = watching()
  const waited: number[] = []
  for (let i = 0; i < 7; i++) {
    const before = world.now
    const count = left.length
    lag.notice(9n)
    while (left.length === count) await world.advance(500)
    waited.push(world.now - before)
  }
  expect(waited).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  await world.advance(121_000)
  lag.notice(9n)
  await world.advance(2_000)
  expect(left.length).toBe(8)
})

test('its end takes its timer with it', () => {
  const { world, lag } = watching()
  lag.notice(6n)
  lag.end()
  expect(world.pendingTimers).toBe(0)
})

/** The peer that a reader follows falls silent, its links still open: a process that died behind UDP. */
const silence = ({ places }: Setup, key: string): void => {
  const place = places.find((place) => toHex(place.key) === key)
  Object.assign(place ?? {}, { tamper: () => new Uint8Array(0), handler: () => new Promise(() => {}) })
}

test('a stream goes on within four heartbeats of a second when its source falls silent, without a gap or a double', async () => {
  const setting = setup(4, fill)
  const { open, chain, world } = setting
  const handle = await open()
  const followed = (): string => handle.state.peers.find(({ followed }) => followed)?.peer ?? ''
  const seen: string[] = []
  void (async () => {
    for await (const { value } of handle.since(0n)) seen.push(value.words)
  })()
  let silent = ''
  for (let i = 0; i < 12; i++) {
    if (i === 5) {
      silent = followed()
      silence(setting, silent)
    }
    await world.advance(HEARTBEAT)
    chain.commit([note(`n${i}`, 1)], { timeMs: world.now })
    await world.settle()
    if (i === 6) expect([followed(), seen.at(-1)]).toEqual([silent, 'n4'])
    if (i === 9) expect(seen.at(-1)).toBe('n9')
  }
  expect(followed()).not.toBe(silent)
  expect(silent).toMatch(/^[0-9a-f]{64}$/)
  expect(seen).toEqual(['a', ...Array.from({ length: 12 }, (_, i) => `n${i}`)])
})
