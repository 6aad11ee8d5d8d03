import { beforeAll, beforeEach, expect, test } from 'vitest'
import { Catalog, FULL_LIMITS, LIGHT_LIMITS } from '../../../client/network/discovery/catalog.ts'
import { syncCatalog } from '../../../client/network/discovery/client.ts'
import { type SignedEntry, signedEntryCodec } from '../../../client/network/discovery/entry.ts'
import { Heads } from '../../../client/network/discovery/heads.ts'
import {
  CATALOG_LIMITS,
  CATALOG_PROTOCOL,
  type CatalogResponse,
  catalogRequestCodec,
  catalogResponseCodec,
  type Entries,
  type Sync,
} from '../../../client/network/discovery/messages.ts'
import { serveCatalog } from '../../../client/network/discovery/server.ts'
import type { Link } from '../../../client/network/host.ts'
import { frame, frames } from '../../../client/network/light/frame.ts'
import type { StreamHandler } from '../../../client/network/light/server.ts'
import { type Bytes, compare, equal, toHex } from '../../../client/primitives/bytes.ts'
import { decode, encode } from '../../../client/primitives/codec.ts'
import { createVerify, type Verify } from '../../../client/primitives/ed25519.ts'
import { asId, UNIVERSE } from '../../../client/primitives/id.ts'
import { nodeSubtle } from '../../../node/ed25519.ts'
import { streamPair, World } from '../world.ts'
import { entryOf, groupIn, peerIn, publicOf, signedBy, told } from './peers.ts'

// docs/wire.md section 10, `/coalition/catalog/1`. MSK-09.

let verify: Verify
let world = new World()

beforeAll(async () => {
  verify = await createVerify(nodeSubtle)
})
beforeEach(() => {
  world = new World()
})

const SERVER = peerIn('server')
const READER = peerIn('reader')
const { signal } = new AbortController()

const serverOf = () => {
  const host = world.host({ verify })
  const catalog = new Catalog({ network: UNIVERSE, host, worth: () => 0, limits: { ...FULL_LIMITS, entries: 8_192 } })
  const heads = new Heads(host)
  return { catalog, heads, handler: serveCatalog({ network: UNIVERSE, catalog, heads, host }) }
}

/** A link to a peer that answers the catalog protocol so. */
const linkTo = async (handler: StreamHandler): Promise<Link> => {
  world.serve(publicOf('server'), { key: SERVER, handler: async () => {}, others: { [CATALOG_PROTOCOL]: handler } })
  return world.run(world.host({ key: READER }).dial(publicOf('server'), { signal }))
}

const readerOf = (limits = LIGHT_LIMITS) => new Catalog({ network: UNIVERSE, host: world.host({ verify }), worth: () => 1, limits })

const sync = (link: Link, catalog: Catalog, groups: readonly Bytes[] = [groupIn(1)]) =>
  world.run(syncCatalog(link, { host: world.host(), network: UNIVERSE, catalog, groups, signal }))

const now = () => world.now

test('a reader gets the entries of its groups and no others, then what is newer, and nothing twice', async () => {
  const { catalog, handler } = serverOf()
  await catalog.offer(await told('a', { updateMs: now() }), null)
  await catalog.offer(await told('b', { updateMs: now(), groups: [groupIn(1), groupIn(2)] }), null)
  await catalog.offer(await told('c', { updateMs: now(), groups: [groupIn(2)] }), null)
  const link = await linkTo(handler)
  const reader = readerOf()
  expect((await sync(link, reader)).taken).toBe(2)
  expect(
    reader
      .list()
      .map(({ peer }) => toHex(peer))
      .toSorted(),
  ).toEqual(['a', 'b'].map((name) => toHex(peerIn(name))).toSorted())
  const before = world.bytesDown
  expect((await sync(link, reader)).taken).toBe(0)
  expect(world.bytesDown - before).toBeLessThan(10)
  await catalog.offer(await told('a', { startMs: now(), updateMs: now() + 1, tags: ['newer'] }), null)
  expect((await sync(link, reader)).taken).toBe(1)
  expect(reader.get(peerIn('a'))?.entry.tags).toEqual(['newer'])
})

test('a catalog of more than a request can name is brought up in pages, entry by entry once', async () => {
  const { catalog, handler } = serverOf()
  const all = await Promise.all(Array.from({ length: 1_100 }, (_, i) => told(`peer ${i}`, { updateMs: now() })))
  for (const entry of all) await catalog.offer(entry, null)
  const link = await linkTo(handler)
  const reader = readerOf(FULL_LIMITS)
  expect((await sync(link, reader, [])).taken).toBe(1_100)
  const before = world.bytesDown
  const fresh = await told('peer 700', { startMs: now(), updateMs: now() + 1 })
  await catalog.offer(fresh, null)
  expect((await sync(link, reader, [])).taken).toBe(1)
  expect(world.bytesDown - before).toBeLessThan(encode(signedEntryCodec, fresh).length + 150)
}, 40_000)

test('what is heard of the newest block of a group goes to who reads it', async () => {
  const { heads, handler } = serverOf()
  const hint = { group: asId<'GroupId'>(groupIn(1)), index: 7n, commit: groupIn(9), certificate: null }
  heads.add(hint, peerIn('a'))
  heads.add({ ...hint, index: 8n }, peerIn('b'))
  heads.add({ ...hint, group: asId<'GroupId'>(groupIn(2)) }, peerIn('a'))
  const link = await linkTo(handler)
  expect((await sync(link, readerOf())).heads.map(({ index }) => index)).toEqual([8n, 7n])
})

// Servers that lie.

const answering =
  (response: (request: Sync) => CatalogResponse | Bytes): StreamHandler =>
  async (stream) => {
    const asked = await frames(stream.chunks).next()
    if (asked.done) return
    const made = response(decode(catalogRequestCodec, asked.value).value)
    await stream.write(made instanceof Uint8Array ? made : frame(encode(catalogResponseCodec, made)))
    await stream.finish()
  }

const entries = (value: Partial<Entries>): CatalogResponse => ({ kind: 'entries', value: { entries: [], next: null, heads: [], ...value } })

const refusalOf = async (handler: StreamHandler): Promise<unknown> => {
  const reader = readerOf()
  const link = await linkTo(handler)
  const error = await sync(link, reader).catch((thrown: unknown) => thrown)
  expect(reader.size).toBe(0)
  expect(world.openStreams).toBe(0)
  return error
}

const lie = (part: string, problem: RegExp) => ({ name: 'Discovery.CatalogError', part, problem: expect.stringMatching(problem) })

test('an entry of a group that was not asked for is refused', async () => {
  const other = await told('a', { updateMs: now(), groups: [groupIn(2)] })
  expect(await refusalOf(answering(() => entries({ entries: [other] })))).toMatchObject(lie('answer', /no group that was asked for/))
})

test('a forged entry is refused, and one of another network', async () => {
  const forged = await signedBy(entryOf('a', { updateMs: now() }), 'b')
  expect(await refusalOf(answering(() => entries({ entries: [forged] })))).toMatchObject(lie('entry', /did not sign/))
  const foreign = await told('a', { updateMs: now(), network: asId<'UniqueId'>(groupIn(3)) })
  expect(await refusalOf(answering(() => entries({ entries: [foreign] })))).toMatchObject(lie('entry', /another network/))
})

test('what the reader named as held is not taken as an answer, nor anything older', async () => {
  const held = await told('a', { startMs: now() - 5, updateMs: now() })
  for (const again of [held, await told('a', { startMs: now() - 5, updateMs: now() - 1 })]) {
    const reader = readerOf()
    await reader.offer(held, null)
    const link = await linkTo(answering(() => entries({ entries: [again] })))
    await expect(sync(link, reader)).rejects.toMatchObject(lie('answer', /no newer than the one that was named/))
  }
})

test('entries out of order, a next that does not go on, and heads that were not asked for are refused', async () => {
  const two = await Promise.all(['a', 'b'].map((name) => told(name, { updateMs: now() })))
  const descending = two.toSorted((x: SignedEntry, y: SignedEntry) => compare(y.entry.peer, x.entry.peer))
  expect(await refusalOf(answering(() => entries({ entries: descending })))).toMatchObject(lie('answer', /ascend/))
  expect(await refusalOf(answering(({ from }) => entries({ next: from })))).toMatchObject(lie('answer', /go on/))
  const hint = { group: asId<'GroupId'>(groupIn(5)), index: 7n, commit: groupIn(9), certificate: null }
  expect(await refusalOf(answering(() => entries({ heads: [hint] })))).toMatchObject(lie('answer', /head that was not asked/))
})

test('a server that always has one more page is left', async () => {
  const more = answering(({ from }) => {
    const next = from.slice()
    next[31] = (next[31] as number) + 1
    return entries({ next })
  })
  expect(await refusalOf(more)).toMatchObject(lie('answer', /more than 64 answers/))
})

test.each([
  ['bytes that are no answer', () => frame(Uint8Array.of(9, 9, 9)), 'Codec.DecodeError'],
  ['a frame that is too long', () => Uint8Array.of(0xff, 0xff, 0x7f), 'Light.FrameError'],
  ['an end before an answer', () => new Uint8Array(0), 'Discovery.CatalogError'],
])('%s is refused', async (_, response, name) => {
  expect(await refusalOf(answering(response))).toMatchObject({ name })
})

test('a server that says nothing is left after ten seconds, and the stream with it', async () => {
  const silent: StreamHandler = async (stream) => {
    for await (const _ of stream.chunks);
    await new Promise<void>((resolve) => world.host().after(60_000, resolve))
  }
  const link = await linkTo(silent)
  const started = now()
  expect(await sync(link, readerOf()).catch((error: unknown) => error)).toMatchObject({ part: 'timeout' })
  expect(now() - started).toBe(CATALOG_LIMITS.stepMs)
})

// Clients that lie.

const raw = (handler: StreamHandler, peer = READER) => {
  const { client, server } = streamPair()
  const served = handler(server, peer)
  const reply = async (): Promise<CatalogResponse | null> => {
    const next = await world.run(frames(client.chunks, CATALOG_LIMITS.frame).next())
    return next.done ? null : decode(catalogResponseCodec, next.value)
  }
  return { client, served, reply }
}

const asking = (value: Partial<Sync>): Bytes =>
  frame(
    encode(catalogRequestCodec, { kind: 'sync', value: { network: UNIVERSE, groups: [], from: new Uint8Array(32), have: [], ...value } }),
  )

test.each([
  ['garbage', Uint8Array.of(3, 1, 2, 3), 7],
  ['a frame that is too long', Uint8Array.of(0xff, 0xff, 0x7f), 7],
  ['another network', asking({ network: asId<'UniqueId'>(groupIn(4)) }), 9],
])('%s is answered with an error', async (_, bytes, code) => {
  const { client, reply } = raw(serverOf().handler)
  await client.write(bytes)
  expect(await reply()).toMatchObject({ kind: 'error', value: { code } })
})

test('a peer that opens streams and says nothing has four of them for ten seconds, and others are served meanwhile', async () => {
  const { catalog, handler } = serverOf()
  await catalog.offer(await told('a', { updateMs: now() }), null)
  const held = Array.from({ length: 6 }, () => raw(handler))
  await held[5]?.client.write(asking({}))
  expect(await held[5]?.reply()).toMatchObject({ kind: 'error', value: { code: 6 } })
  const honest = raw(handler, peerIn('honest'))
  await honest.client.write(asking({}))
  expect(await honest.reply()).toMatchObject({ kind: 'entries', value: { entries: [{}] } })
  await world.advance(CATALOG_LIMITS.stepMs)
  await Promise.all(held.map(({ served }) => served))
  const again = raw(handler)
  await again.client.write(asking({}))
  expect(await again.reply()).toMatchObject({ kind: 'entries' })
})

test('what one peer may ask for in a minute is bounded in bytes, whatever it asks for; others are not affected', async () => {
  const { handler } = serverOf()
  const ask = async (peer: Bytes): Promise<CatalogResponse | null> => {
    const { client, reply, served } = raw(handler, peer)
    await client.write(asking({}))
    const response = await reply()
    await served
    return response
  }
  let answered = 0
  while ((await ask(READER))?.kind === 'entries') answered += 1
  expect(answered).toBe(384)
  expect(await ask(READER)).toMatchObject({ kind: 'error', value: { code: 6, retryMs: 60_000 } })
  expect(await ask(peerIn('honest'))).toMatchObject({ kind: 'entries' })
  await world.advance(60_000)
  expect(await ask(READER)).toMatchObject({ kind: 'entries' })
})

test('an answer is a frame at most, and says where the next one begins', async () => {
  const { catalog, handler } = serverOf()
  const ticket = { class: groupIn(1), data: new Uint8Array(2_000) }
  for (let i = 0; i < 60; i++) await catalog.offer(await told(`p${i}`, { updateMs: now(), tickets: [ticket, ticket, ticket] }), null)
  const { client, reply } = raw(handler)
  await client.write(asking({}))
  const response = await reply()
  if (response?.kind !== 'entries') throw new Error('no entries')
  const { next, entries: page } = response.value
  const rest = catalog.all().slice(page.length)
  expect(page.length).toBeGreaterThan(20)
  expect(next !== null && equal(next, rest[0]?.entry.peer as Bytes)).toBe(true)
})
