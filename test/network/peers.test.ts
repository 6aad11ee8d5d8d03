import { expect, test } from 'vitest'
import type { Candidate, Candidates } from '../../client/network/candidates.ts'
import { keptRollback } from '../../client/network/keep/rollback.ts'
import { Links } from '../../client/network/reader/links.ts'
import { Reader } from '../../client/network/reader/reader.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { type Chain, keyOf } from './chain.ts'
import { HEARTBEAT, note, notes } from './notes.ts'
import { addresses, addressOf, type Setup, serve, setup } from './setup.ts'

// Issue 7, "Many sources" and "Progress and state": a peer is its link key, however many addresses lead to it.

const fill = (chain: Chain): void => void chain.commit([note('a', 1)])
const tcpOf = (name: string): string => addressOf(name).replace('/ws/', '/')

/** Candidates that a test changes. */
const changing = (first: readonly Candidate[]) => {
  let list = first
  const listeners = new Set<() => void>()
  const set = (next: readonly Candidate[]): void => {
    list = next
    for (const listener of [...listeners]) listener()
  }
  const onChange: Candidates['onChange'] = (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  return { list: () => list, onChange, set, listeners }
}

const reading = ({ world, chain }: Setup, candidates: Candidates) => {
  const host = world.host()
  const links = new Links({ host, bootstrap: addresses(4) })
  const identified = notes.identify(UNIVERSE, { roster: chain.roster })
  const ground = { identified, surface: 0, withstand: null, verify: host.verify }
  return new Reader({
    host,
    links,
    ground,
    candidates,
    keeping: null,
    rollback: keptRollback(host, null),
    component: 'notes.all',
    who: 'notes',
  })
}

const candidate = (i: number, ...more: readonly string[]): Candidate => ({
  peer: keyOf(`peer ${i}`).public,
  addresses: [addressOf(`peer ${i}`), ...more],
})

test('two addresses of one member are one peer, one link and one report, with both of them', async () => {
  const bootstrap = [addressOf('peer 0'), tcpOf('peer 0'), addressOf('peer 1')]
  const { world, open, places } = setup(4, fill, { served: 2, bootstrap })
  world.serve(tcpOf('peer 0'), places[0] as (typeof places)[number])
  const handle = await open()
  await world.advance(HEARTBEAT)
  expect(world.openLinks).toBe(2)
  expect(handle.state.peers.map(({ addresses }) => addresses)).toEqual([bootstrap.slice(0, 2), bootstrap.slice(2)])
  expect(handle.state.peers[0]).toMatchObject({ address: bootstrap[0], transport: 'ws', member: 0, connected: true })
})

test('a member is reached over its other address when the first leads nowhere, and the report says over what', async () => {
  const bootstrap = [addressOf('peer 0'), tcpOf('peer 0')]
  const { world, open, places } = setup(1, fill, { served: 1, bootstrap })
  const place = places[0] as (typeof places)[number]
  place.down = true
  world.serve(tcpOf('peer 0'), { key: place.key, handler: place.handler })
  const handle = await open()
  expect(handle.state.peers).toMatchObject([{ address: bootstrap[1], transport: 'tcp', connected: true }])
})

test('the report counts bytes both ways and one round trip, and no listener is told of those alone', async () => {
  const { world, open, beat, places } = setup(1, fill)
  const host = world.host()
  const delayed = places[0] as (typeof places)[number]
  const { handler } = delayed
  // A server that is 40 ms away.
  const slow: typeof handler = async (...given) => {
    await new Promise<void>((resolve) => void host.after(40, resolve))
    return handler(...given)
  }
  world.serve(addressOf('peer 0'), { ...delayed, handler: slow })
  const handle = await open()
  await beat(2)
  const [peer] = handle.state.peers
  expect(peer?.rttMs).toBe(40)
  expect(peer?.bytes.received).toBeGreaterThan(300)
  expect(peer?.bytes.sent).toBeGreaterThan(20)
  const told: string[] = []
  handle.onState(({ head, peers }) => void told.push(`${head?.index} ${peers[0]?.bytes.received}`))
  await beat(3)
  expect(new Set(told.map((line) => line.split(' ')[0])).size).toBe(told.length)
})

test('a candidate that comes while the reader runs is dialled, one that goes is let go of with its link', async () => {
  const setting = setup(4, fill, { served: 3 })
  const { world } = setting
  const candidates = changing([candidate(0)])
  const reader = reading(setting, candidates)
  await world.run(reader.until(() => reader.trusted, new AbortController().signal))
  expect(reader.report.peers.map(({ member }) => member)).toEqual([0])
  candidates.set([candidate(0), candidate(1)])
  await world.advance(HEARTBEAT)
  expect(reader.report.peers.map(({ member, connected }) => [member, connected])).toEqual([
    [0, true],
    [1, true],
  ])
  candidates.set([candidate(1), candidate(2)])
  await world.advance(HEARTBEAT)
  // Its link is good: only a new one would not be made.
  expect(reader.report.peers.map(({ member, connected }) => [member, connected])).toContainEqual([0, true])
  world.cut(addressOf('peer 0'))
  await world.advance(10_000)
  expect(reader.report.peers.map(({ member }) => member)).toEqual([1, 2])
  await reader.close()
  expect(candidates.listeners.size).toBe(0)
})

test('new addresses of a peer are used for its next link', async () => {
  const setting = setup(4, fill, { served: 2 })
  const { world, places } = setting
  const candidates = changing([candidate(0)])
  const reader = reading(setting, candidates)
  await world.run(reader.until(() => reader.trusted, new AbortController().signal))
  const moved = addressOf('peer 0').replace('127.0.0.1', '127.0.0.2')
  world.serve(moved, { ...(places[0] as (typeof places)[number]) })
  ;(places[0] as (typeof places)[number]).down = true
  candidates.set([{ peer: keyOf('peer 0').public, addresses: [moved] }])
  world.cut(addressOf('peer 0'))
  await world.advance(5_000)
  expect(reader.report.peers).toMatchObject([{ address: moved, connected: true }])
  await reader.close()
})

test('a peer that falls silent without a word is dialled anew after ten seconds', async () => {
  const setting = setup(4, fill, { served: 1 })
  const { world, open, places, chain } = setting
  const handle = await open()
  const place = places[0] as (typeof places)[number]
  // The process is gone and no packet says so: what was open stays open. Another process takes its place.
  Object.assign(place, { tamper: () => new Uint8Array(0), handler: () => new Promise(() => {}) })
  serve(world, chain, 'peer 0')
  await world.advance(HEARTBEAT + 9_000)
  expect([handle.state.peers[0]?.connected, world.openLinks]).toEqual([true, 1])
  await world.advance(3_000)
  chain.commit([note('b', 1)], { timeMs: world.now })
  await world.advance(HEARTBEAT)
  expect((await world.run(handle.latest())).value?.words).toBe('b')
  expect(world.openLinks).toBe(1)
})
