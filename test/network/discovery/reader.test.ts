import { expect, test } from 'vitest'
import { commitHash } from '../../../client/groups/block.ts'
import { Catalog, FULL_LIMITS } from '../../../client/network/discovery/catalog.ts'
import { Heads } from '../../../client/network/discovery/heads.ts'
import { CATALOG_PROTOCOL } from '../../../client/network/discovery/messages.ts'
import { serveCatalog } from '../../../client/network/discovery/server.ts'
import type { Handle } from '../../../client/network/handle.ts'
import { serveLight } from '../../../client/network/light/server.ts'
import { createNetwork } from '../../../client/network/open.ts'
import { toHex } from '../../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { Chain, keyOf, seats } from '../chain.ts'
import { type MemoryStorage, memoryStorage } from '../keep/memory-storage.ts'
import { GROUP, HEARTBEAT, type NoteDatum, note, notes } from '../notes.ts'
import { addressOf, serve } from '../setup.ts'
import { World } from '../world.ts'
import { goodbye, peerIn, publicOf, told } from './peers.ts'

// MSK-09: a tab finds peers by those it has, and keeps of what they tell what it reads. PROTOCOL.md section 4.

const committee = (n: number, blocks = 3) => {
  const world = new World()
  const chain = new Chain(seats(n), world.now - 100 * HEARTBEAT)
  for (let i = 0; i < blocks; i++) chain.commit([note(`p ${i}`, 1)])
  return { world, chain }
}

/** peer 0 serves, and a catalog besides. */
const withCatalog = ({ world, chain }: ReturnType<typeof committee>) => {
  const host = world.host()
  const catalog = new Catalog({ network: UNIVERSE, host, worth: () => 1, limits: FULL_LIMITS })
  const heads = new Heads(host)
  const place = world.serve(addressOf('peer 0'), {
    key: keyOf('peer 0').public,
    handler: serveLight(() => [chain.source()], host),
    others: { [CATALOG_PROTOCOL]: serveCatalog({ network: UNIVERSE, catalog, heads, host }) },
  })
  return { catalog, heads, place }
}

const reading = async (
  { world, chain }: ReturnType<typeof committee>,
  bootstrap = [addressOf('peer 0')],
  storage: MemoryStorage | null = null,
) => {
  const network = createNetwork(world.host({ storage }), [notes], { bootstrap })
  const handle = (await world.run(network.open({ name: 'notes.all' }, { roster: chain.roster }))) as Handle<NoteDatum>
  return { network, handle }
}

const linked = (handle: Handle<NoteDatum>) => handle.state.peers.filter(({ connected }) => connected).map(({ peer }) => peer)
const hex = (...names: string[]) => names.map((name) => toHex(keyOf(name).public))

test('a reader that was told of one member finds the others, and a mirror, and leaves other groups alone', async () => {
  const all = committee(4)
  const { world } = all
  const { catalog } = withCatalog(all)
  for (const name of ['peer 1', 'peer 2', 'peer 3', 'mirror']) {
    serve(world, all.chain, name)
    await catalog.offer(await told(name, { updateMs: world.now, addresses: [addressOf(name)], groups: [GROUP] }), null)
  }
  await catalog.offer(await told('other', { updateMs: world.now, addresses: [addressOf('other')] }), null)
  const { network, handle } = await reading(all)
  await world.advance(2_000)
  expect(linked(handle).toSorted()).toEqual(hex('peer 0', 'peer 1', 'peer 2', 'peer 3', 'mirror').toSorted())
  // Freshness is confirmed by members that the reader was not told of.
  await world.advance(HEARTBEAT)
  expect(handle.state.peers.filter(({ head }) => head === '3')).toHaveLength(5)
  await handle[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
  await world.settle()
  expect([world.openStreams, world.pendingTimers]).toEqual([0, 0])
})

test('a reader that starts again knows the peers of the last time, when nobody is there who would tell it', async () => {
  const all = committee(4)
  const { world } = all
  const { catalog, place } = withCatalog(all)
  const storage = memoryStorage()
  for (const name of ['peer 1', 'peer 2']) {
    serve(world, all.chain, name)
    await catalog.offer(await told(name, { updateMs: world.now, addresses: [addressOf(name)], groups: [GROUP] }), null)
  }
  const first = await reading(all, [addressOf('peer 0')], storage)
  await world.advance(2_000)
  expect(linked(first.handle)).toHaveLength(3)
  await first.network[Symbol.asyncDispose]()
  world.serve(addressOf('peer 0'), { ...place, down: true })
  const second = await reading(all, [addressOf('peer 0')], storage)
  await world.advance(3_000)
  expect(linked(second.handle).toSorted()).toEqual(hex('peer 1', 'peer 2').toSorted())
  await second.network[Symbol.asyncDispose]()
})

test('a member that moved is found where it is now', async () => {
  const all = committee(4)
  const { world } = all
  const { catalog } = withCatalog(all)
  serve(world, all.chain, 'peer 1')
  const { network, handle } = await reading(all, [addressOf('peer 0'), addressOf('peer 1')])
  await world.advance(2_000)
  expect(linked(handle)).toHaveLength(2)
  const moved = addressOf('peer 1').replace('/tcp/4006/', '/tcp/5006/')
  const place = world.serve(moved, { key: peerIn('peer 1'), handler: serveLight(() => [all.chain.source()], world.host()) })
  world.serve(addressOf('peer 1'), { ...place, down: true })
  world.cut(addressOf('peer 1'))
  await world.settle()
  expect(linked(handle)).toHaveLength(1)
  await catalog.offer(await told('peer 1', { updateMs: world.now, addresses: [moved], groups: [GROUP] }), null)
  // The loss of a link is a reason to ask, not sooner than five seconds after it asked last.
  await world.advance(12_000)
  expect(linked(handle)).toHaveLength(2)
  await network[Symbol.asyncDispose]()
})

test('a peer that says goodbye is no candidate any more; a member of the bootstrap list stays one', async () => {
  const all = committee(4)
  const { world } = all
  const { catalog } = withCatalog(all)
  serve(world, all.chain, 'mirror')
  await catalog.offer(await told('mirror', { startMs: 1, updateMs: world.now, addresses: [addressOf('mirror')], groups: [GROUP] }), null)
  const { network, handle } = await reading(all)
  await world.advance(2_000)
  expect(linked(handle)).toHaveLength(2)
  await catalog.offer(await goodbye('mirror', { startMs: 1, updateMs: world.now, groups: [GROUP] }), null)
  await catalog.offer(await goodbye('peer 0', { updateMs: world.now, groups: [GROUP] }), null)
  await world.advance(90_000)
  world.cut(addressOf('mirror'))
  await world.advance(30_000)
  expect(linked(handle)).toEqual(hex('peer 0'))
  await network[Symbol.asyncDispose]()
})

test('addresses inside of somebody’s network are not dialled for strangers, whatever their peers say', async () => {
  const all = committee(4)
  const { world } = all
  const { catalog, place } = withCatalog(all)
  world.serve(publicOf('peer 0'), place)
  serve(world, all.chain, 'peer 1')
  await catalog.offer(await told('peer 1', { updateMs: world.now, addresses: [addressOf('peer 1')], groups: [GROUP] }), null)
  const { network, handle } = await reading(all, [publicOf('peer 0')])
  await world.advance(10_000)
  expect(linked(handle)).toEqual(hex('peer 0'))
  expect(handle.state.peers.map(({ peer }) => peer)).toEqual(hex('peer 0'))
  await network[Symbol.asyncDispose]()
})

const hintOf = (chain: Chain) => {
  const { head } = chain
  return { group: GROUP, index: head.index, commit: commitHash(head), certificate: { header: head, seal: chain.seal(head) } }
}

test('PROTOCOL 1 Equivocation: a certificate of another history, by hearsay, wedges the reader with its proof', async () => {
  const all = committee(4)
  const { world, chain } = all
  const { heads } = withCatalog(all)
  const { network, handle } = await reading(all)
  const fork = new Chain(seats(4), world.now - 100 * HEARTBEAT)
  for (let i = 0; i < 3; i++) fork.commit([note(`other ${i}`, 1)])
  heads.add(hintOf(fork), peerIn('gossip'))
  await world.advance(90_000)
  expect(chain.head.index).toBe(fork.head.index)
  expect(handle.state.state).toBe('wedged')
  expect(await world.run(network.evidence())).toHaveLength(1)
  await network[Symbol.asyncDispose]()
})

test('a certificate that is none, by hearsay, changes nothing', async () => {
  const all = committee(4)
  const { world } = all
  const { heads } = withCatalog(all)
  const { network, handle } = await reading(all)
  const forged = new Chain(seats(4, 1), world.now - 100 * HEARTBEAT)
  forged.commit([note('x', 1)])
  heads.add(hintOf(forged), peerIn('gossip'))
  await world.advance(90_000)
  expect(['live', 'stale']).toContain(handle.state.state)
  expect(linked(handle)).toEqual(hex('peer 0'))
  await network[Symbol.asyncDispose]()
})
