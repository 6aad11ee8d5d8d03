import { expect, test } from 'vitest'
import { genesisOf } from '../../client/groups/genesis.ts'
import { peerIdOf } from '../../client/network/address.ts'
import type { Binding } from '../../client/network/binding.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { createNetwork } from '../../client/network/open.ts'
import { type Bytes, utf8 } from '../../client/primitives/bytes.ts'
import { add, counter, identityOf, type Note, openCounter } from '../groups/counter.ts'
import { memoryStore } from '../groups/memory-store.ts'
import { World } from './world.ts'

// The other tests read a history that test code wrote. This one reads what a group wrote, from its own archive.

const identity = identityOf(1)
const binding: Binding<Note> = {
  name: 'counter.notes',
  identify: (network) => ({
    network,
    group: identity.group,
    roster: identity.roster,
    genesis: genesisOf(counter.surfaces, identity.rosterId),
    heartbeatMs: 1_000,
    inputs: {},
  }),
  published: (config) => config,
  surface: 0,
  specs: counter.surfaces,
  datum: (note: Note) => note,
  questions: { of: { by: 0, bucket: true, key: (word) => utf8(String(word)), answer: (items) => items } },
}
const address = `/ip4/127.0.0.1/tcp/4000/ws/p2p/${peerIdOf(identity.roster.members[0]?.peer as Bytes)}`

test('MSK-02 TAL-03: what a group commits is read from its archive, live, complete, and again after its restart', async () => {
  const world = new World()
  const [votes, archive] = [memoryStore(), memoryStore()]
  const start = () => world.run(openCounter(votes, archive, world.host() as never))
  let group = await start()
  const serve = () =>
    world.serve(address, { key: identity.roster.members[0]?.peer as never, handler: serveLight(() => [group.source], world.host()) })
  serve()
  for (let i = 1; i <= 12; i++) await world.run(group.execute(add(i, i % 2 === 0 ? 'even' : 'odd')))
  const network = createNetwork(world.host(), [binding], { bootstrap: [address] })
  const handle = await world.run(network.open<Note, object>({ name: 'counter.notes' }, {}))
  expect((await world.run(handle.latest())).value?.total).toBe(78n)
  const even = await world.run(handle.ask<readonly Note[]>('of', 'even'))
  expect(even.value.map(({ total }) => total)).toEqual([3n, 10n, 21n, 36n, 55n, 78n])
  expect(even.verdict.ok).toBe(true)
  const items = handle.since(10n)[Symbol.asyncIterator]()
  const totals: bigint[] = []
  for (let i = 13; i <= 15; i++) await world.run(group.execute(add(i, 'late')))
  for (let i = 0; i < 5; i++) totals.push((await world.run(items.next())).value.value.total)
  expect(totals).toEqual([66n, 78n, 91n, 105n, 120n])
  // Idle: heartbeats keep the head fresh.
  await world.advance(10_000)
  expect(handle.state.state).toBe('live')
  await world.run(group[Symbol.asyncDispose]())
  world.cut(address)
  group = await start()
  serve()
  const next = items.next()
  await world.run(group.execute(add(80, 'again')))
  expect((await world.run(next)).value.value.total).toBe(200n)
  await network[Symbol.asyncDispose]()
  await group[Symbol.asyncDispose]()
})
