import { afterEach, expect, test } from 'vitest'
import { silent } from '../../../client/log.ts'
import { Catalog, LIGHT_LIMITS } from '../../../client/network/discovery/catalog.ts'
import { syncCatalog } from '../../../client/network/discovery/client.ts'
import { rumour, topicOf } from '../../../client/network/discovery/rumours.ts'
import { type Bytes, toHex, utf8 } from '../../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { SCORES } from '../../../node/discovery/gossip.ts'
import { type Joined, join } from '../../../node/discovery/join.ts'
import { createNodeHost, type NodeHost } from '../../../node/host.ts'
import { hash } from '../../../wasm/core.ts'
import { entryOf, groupIn, signedBy } from '../../network/discovery/peers.ts'

// PROTOCOL.md section 4: gossip and catalog sync over libp2p's own gossipsub. MSK-09.

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const hostOf = async (name: string): Promise<NodeHost> => {
  const host = await createNodeHost({
    seed: hash(utf8(name)),
    listen: ['/ip4/127.0.0.1/tcp/0/ws'],
    log: silent,
    gossip: topicOf(UNIVERSE),
  })
  closing.push(() => host.close())
  return host
}

const joined = async (host: NodeHost, bootstrap: readonly string[]): Promise<Joined> => {
  const all = await join(host, { network: UNIVERSE, bootstrap, committees: [] })
  closing.push(async () => all[Symbol.asyncDispose]())
  return all
}

const isThere = ({ presence }: Joined, peer: Bytes): boolean => presence.catalog.list().some((entry) => toHex(entry.peer) === toHex(peer))
const soon = { timeout: 15_000, interval: 50 }

test('an entry reaches every node, and so does its departure', async () => {
  const [a, b, c] = [await hostOf('a'), await hostOf('b'), await hostOf('c')]
  // A line: what a says reaches c by b alone, until c has heard of a.
  const first = await joined(a, [])
  const second = await joined(b, a.addresses())
  const third = await joined(c, b.addresses())
  const nodes = [first, second, third]
  await expect.poll(() => nodes.every((node) => [a, b, c].every(({ peer }) => isThere(node, peer))), soon).toBe(true)
  expect(third.presence.catalog.get(a.peer)?.entry.addresses).toEqual(a.addresses())
  await first[Symbol.asyncDispose]()
  await expect.poll(() => [second, third].some((node) => isThere(node, a.peer)), soon).toBe(false)
  expect(third.presence.catalog.get(a.peer)?.entry.tags).toEqual(['gone'])
}, 40_000)

test('an entry says where its node wants to be reached, as of now', async () => {
  const [a, b] = [await hostOf('a'), await hostOf('b')]
  let port = 443
  const addresses = (): readonly string[] => [`/ip4/203.0.113.7/tcp/${port}/ws/p2p/${a.addresses()[0]?.split('/p2p/')[1]}`]
  const first = await join(a, { network: UNIVERSE, bootstrap: [], addresses, committees: [] })
  closing.push(async () => first[Symbol.asyncDispose]())
  const second = await joined(b, a.addresses())
  await expect.poll(() => second.presence.catalog.get(a.peer)?.entry.addresses, soon).toEqual(addresses())
  port = 444
  await first.presence.announce()
  await expect.poll(() => second.presence.catalog.get(a.peer)?.entry.addresses, soon).toEqual(addresses())
}, 40_000)

test('a light client asks a node for its groups over a real stream', async () => {
  const host = await hostOf('a')
  const { presence } = await joined(host, [])
  const now = Date.now()
  await presence.catalog.offer(await signedBy(entryOf('m', { updateMs: now, groups: [groupIn(1)] }), 'm'), null)
  await presence.catalog.offer(await signedBy(entryOf('n', { updateMs: now, groups: [groupIn(2)] }), 'n'), null)
  const reader = await createNodeHost({ seed: hash(utf8('reader')), listen: [], log: silent })
  closing.push(() => reader.close())
  const { signal } = new AbortController()
  const link = await reader.dial(host.addresses()[0] as string, { signal })
  const catalog = new Catalog({ network: UNIVERSE, host: reader, worth: () => 1, limits: LIGHT_LIMITS })
  expect(await syncCatalog(link, { host: reader, network: UNIVERSE, catalog, groups: [groupIn(1)], signal })).toMatchObject({ taken: 1 })
  expect(catalog.list().map(({ groups }) => groups)).toEqual([[groupIn(1)]])
  // Nothing is sent twice.
  expect(await syncCatalog(link, { host: reader, network: UNIVERSE, catalog, groups: [groupIn(1)], signal })).toMatchObject({ taken: 0 })
}, 20_000)

test('a node that forges entries is not listened to any more, and others still are', async () => {
  const [a, liar, c] = [await hostOf('a'), await hostOf('liar'), await hostOf('c')]
  const first = await joined(a, [])
  const third = await joined(c, a.addresses())
  // It speaks gossipsub as it should, and publishes what it likes.
  liar.gossip?.join(async () => 'accept')
  const { signal } = new AbortController()
  await liar.gossip?.meet(a.addresses()[0] as string, { signal })
  await expect.poll(() => liar.gossip?.neighbours().length, soon).toBe(1)
  await expect.poll(() => isThere(first, c.peer), soon).toBe(true)
  expect(a.gossip?.score(liar.peer)).toBeGreaterThanOrEqual(0)
  let count = 0
  const forge = async (): Promise<number> => {
    const forged = await signedBy(entryOf(`victim ${count++}`, { updateMs: Date.now() }), 'liar')
    await liar.gossip?.publish(rumour({ kind: 'entry', value: forged }))
    return a.gossip?.score(liar.peer) ?? 0
  }
  await expect.poll(forge, soon).toBeLessThan(SCORES.graylistThreshold)
  // What is true is not taken from it either: it is not listened to.
  const honest = await signedBy(entryOf('honest', { updateMs: Date.now() }), 'honest')
  await liar.gossip?.publish(rumour({ kind: 'entry', value: honest }))
  await third.presence.announce()
  const told = third.presence.catalog.get(c.peer)?.entry.version.update_ms
  await expect.poll(() => first.presence.catalog.get(c.peer)?.entry.version.update_ms === told, soon).toBe(true)
  expect(
    first.presence.catalog
      .list()
      .map(({ peer }) => toHex(peer))
      .toSorted(),
  ).toEqual([toHex(a.peer), toHex(c.peer)].toSorted())
  expect(isThere(third, entryOf('victim 0', { updateMs: 1 }).peer)).toBe(false)
}, 40_000)
