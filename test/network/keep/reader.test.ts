import { expect, test } from 'vitest'
import type { Log } from '../../../client/log.ts'
import type { Handle, Verified } from '../../../client/network/handle.ts'
import { verifyHeadRecord } from '../../../client/network/keep/head-record.ts'
import { Keep } from '../../../client/network/keep/keeping.ts'
import type { Network, OpenOptions } from '../../../client/network/network.ts'
import { createNetwork } from '../../../client/network/open.ts'
import { type Ground, trustGenesis } from '../../../client/network/reader/trust.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { type EquivocationEvidence, verifyEvidence } from '../../../client/verify/evidence/index.ts'
import type { Check, Verdict } from '../../../client/verify/verdict.ts'
import { Chain, type Seat, seats } from '../chain.ts'
import { HEARTBEAT, type NoteDatum, note, notes } from '../notes.ts'
import { addresses, addressOf, errorOf, serve } from '../setup.ts'
import { type Place, World } from '../world.ts'
import { type MemoryStorage, memoryStorage } from './memory-storage.ts'

// PROTOCOL.md section 3: "What is read from IndexedDB is verified like what comes from the wire."

const COMMITTEE = 4

interface Tab {
  readonly network: Network
  readonly open: (options?: OpenOptions) => Promise<Handle<NoteDatum>>
  readonly said: string[]
}

interface Scene {
  readonly world: World
  readonly chain: Chain
  readonly places: readonly Place[]
  readonly storage: MemoryStorage
  /** A tab: a network of its own on the same device. */
  readonly tab: (options?: { readonly storage?: boolean }) => Tab
  readonly say: (...words: readonly string[]) => void
  /** Every member out of reach, or back. */
  readonly offline: (isOffline?: boolean) => void
}

const scene = (...words: readonly string[]): Scene => sceneOf(seats(COMMITTEE), words)

const sceneOf = (members: readonly Seat[], words: readonly string[]): Scene => {
  const world = new World()
  const chain = new Chain(members, world.now - 100 * HEARTBEAT)
  // A timer may stand at a part of a millisecond, the group's clock does not.
  const say: Scene['say'] = (...more) =>
    void chain.commit(
      more.map((each) => note(each, 1)),
      { timeMs: Math.floor(world.now) },
    )
  for (const word of words) say(word)
  const names = Array.from({ length: COMMITTEE }, (_, i) => `peer ${i}`)
  const places = names.map((name) => serve(world, chain, name))
  const storage = memoryStorage()
  const tab: Scene['tab'] = (options = {}) => {
    const said: string[] = []
    // Of keeping alone: peers have their own sentences.
    const log: Log = (_, message) => void (message.includes('kept') && said.push(message))
    const network = createNetwork(world.host({ storage, log }), [notes], { bootstrap: addresses(COMMITTEE), ...options })
    const open = (limits?: OpenOptions): Promise<Handle<NoteDatum>> =>
      world.run(network.open({ name: 'notes.all' }, { roster: chain.roster }, limits) as Promise<Handle<NoteDatum>>)
    return { network, open, said }
  }
  const offline: Scene['offline'] = (isOffline = true) => {
    for (const place of places) place.down = isOffline
    if (isOffline) for (const address of addresses(COMMITTEE)) world.cut(address)
  }
  return { world, chain, places, storage, tab, say, offline }
}

const close = (world: World, { network }: Tab): Promise<void> => world.run(Promise.resolve(network[Symbol.asyncDispose]()))

/** A tab that reads and is closed: what it verified is kept. */
const visit = async ({ world, tab }: Scene, from?: bigint): Promise<void> => {
  const first = tab()
  const handle = await first.open()
  if (from !== undefined) await world.run(handle.since(from)[Symbol.asyncIterator]().next())
  await close(world, first)
}

const take = async (world: World, items: AsyncIterator<Verified<NoteDatum>>, n: number): Promise<readonly string[]> => {
  const words: string[] = []
  for (let i = 0; i < n; i++) words.push((await world.run(items.next())).value.value.words)
  return words
}

const named = ({ integrity, authority, freshness }: Verdict, name: string): Check | undefined =>
  [...integrity.checks, ...authority.checks, ...freshness.checks].find((check) => check.name === name)

const headKey = ({ storage }: Scene): string => [...storage.rows.keys()].find((key) => key.startsWith('head ')) as string
const forkKey = ({ storage }: Scene): string => [...storage.rows.keys()].find((key) => key.startsWith('fork ')) as string

test('PROTOCOL 1 Membership, 3: offline, the last verified value is shown at once, with its age and as nothing fresher', async () => {
  const here = scene('a', 'b', 'c')
  const { world } = here
  await visit(here)
  here.offline()
  world.jump(40_000)
  const tab = here.tab()
  const asked = world.now
  const handle = await tab.open()
  const { value, verdict } = await world.run(handle.latest())
  expect([value?.words, world.now]).toEqual(['c', asked])
  expect(verdict).toMatchObject({ ok: true, integrity: { state: 'green' }, authority: { state: 'green' }, freshness: { state: 'amber' } })
  expect(named(verdict, 'head.age')).toMatchObject({ state: 'unproven', found: '40000 ms, stale' })
  expect(named(verdict, 'head.sources')).toMatchObject({ state: 'unproven' })
  expect(named(verdict, 'start.point')).toMatchObject({ state: 'passed', found: 'stored head 3, 40 s old' })
  expect(handle.state).toMatchObject({ state: 'stale', head: { index: '3' } })
  expect(handle.state.detail).toContain('40 s old')
  expect(handle.state.detail).toContain('what is shown was kept on this device')
  await close(world, tab)
})

test('a head of a moment ago, no member reached yet: connecting, and never called fresh', async () => {
  const here = scene('a')
  await visit(here)
  here.offline()
  const tab = here.tab()
  const handle = await tab.open()
  expect(handle.state).toMatchObject({ state: 'connecting', detail: expect.stringContaining('what is shown was kept on this device') })
  expect((await here.world.run(handle.latest())).verdict.freshness.state).toBe('amber')
  await close(here.world, tab)
})

test('MSK-12, reload: rows that were read come from what was kept, then live, with no gap and none twice', async () => {
  const here = scene(...Array.from({ length: 30 }, (_, i) => `${i}`))
  const { world, say } = here
  await visit(here, 10n)
  here.offline()
  const tab = here.tab()
  const items = (await tab.open()).since(10n)[Symbol.asyncIterator]()
  expect(await take(world, items, 20)).toEqual(Array.from({ length: 20 }, (_, i) => `${10 + i}`))
  say('while away')
  say('too')
  here.offline(false)
  expect(await take(world, items, 2)).toEqual(['while away', 'too'])
  say('live')
  expect(await take(world, items, 1)).toEqual(['live'])
  await close(world, tab)
})

test('the verdict goes on from the stored head: a later head has it in its log', async () => {
  const here = scene('a', 'b')
  const { world, say } = here
  await visit(here)
  world.jump(10_000)
  say('c')
  const tab = here.tab()
  const handle = await tab.open()
  await world.settle()
  const { value, verdict } = await world.run(handle.latest())
  expect(value?.words).toBe('c')
  expect(named(verdict, 'commit.consistency')).toMatchObject({ state: 'passed', found: expect.stringContaining('from block 2') })
  expect(named(verdict, 'start.point')).toMatchObject({ found: 'stored head 2, 10 s old' })
  expect(handle.state).toMatchObject({ state: 'live', detail: null })
  await close(world, tab)
})

test('PROTOCOL 1 Former members: a stored head beyond the horizon of 90 days is amber', async () => {
  const here = scene('a')
  await visit(here)
  here.offline()
  here.world.jump(91 * 86_400_000)
  const tab = here.tab()
  const { verdict } = await here.world.run((await tab.open()).latest())
  expect(named(verdict, 'start.point')).toMatchObject({ state: 'unproven', found: 'stored head 1, 7862400 s old' })
  expect(verdict.authority.state).toBe('amber')
  await close(here.world, tab)
})

test('PROTOCOL 1 Membership: a head that was kept after handovers is reached from epoch 0 again', async () => {
  const here = scene('a')
  const { world, chain } = here
  for (const epoch of [1, 2]) {
    chain.commit([note(`last of ${epoch}`, 1)], { timeMs: world.now, next: seats(COMMITTEE, epoch) })
    await visit(here)
    here.offline()
    const tab = here.tab()
    const { value, verdict } = await world.run((await tab.open()).latest())
    expect([value?.words, named(verdict, 'roster.chain')?.found]).toEqual([`last of ${epoch}`, `epoch ${epoch - 1} from epoch 0`])
    await close(world, tab)
    here.offline(false)
  }
  here.say('in epoch 2')
  const tab = here.tab()
  const items = (await tab.open()).since(2n)[Symbol.asyncIterator]()
  expect(await take(world, items, 2)).toEqual(['last of 2', 'in epoch 2'])
  await close(world, tab)
})

test('nothing is kept that asks for another strength', async () => {
  const here = scene('a')
  await visit(here)
  here.offline()
  const tab = here.tab()
  expect(await errorOf(tab.open({ withstand: 2, timeout: 500 }))).toMatchObject({ name: 'Network.ConnectTimeoutError' })
  expect(await tab.open({ timeout: 500 })).toBeTruthy()
  await close(here.world, tab)
})

test('storage: false keeps nothing and reads nothing', async () => {
  const here = scene('a')
  const tab = here.tab({ storage: false })
  await tab.open()
  await close(here.world, tab)
  expect(here.storage.rows.size).toBe(0)
  await visit(here)
  here.offline()
  expect(await errorOf(here.tab({ storage: false }).open({ timeout: 500 }))).toMatchObject({ name: 'Network.ConnectTimeoutError' })
})

/** What is kept of a committee with other keys. */
const foreign = async (): Promise<unknown> => {
  const other = sceneOf(seats(COMMITTEE, 9), ['theirs'])
  await visit(other)
  return other.storage.rows.get(headKey(other))
}
const changed = (row: Bytes, at: number): Bytes => row.map((byte, i) => (i === at ? byte ^ 1 : byte))

test.each<[string, (row: Bytes) => unknown]>([
  ['garbage', () => new Uint8Array(2_000).fill(0xa5)],
  ['nothing', () => new Uint8Array(0)],
  ['no bytes', () => 'head'],
  ['a record that was cut', (row) => row.slice(0, -1)],
  ['a record with more behind it', (row) => Uint8Array.from([...row, 0])],
  ['another version', (row) => changed(row, 0)],
  ['a claim to be newer than it is', (row) => changed(row, 2)],
  ['an item that nobody committed', (row) => changed(row, row.length - 40)],
  ['more than a value may be', () => new Uint8Array(2_000_000)],
  ['a head of another committee', foreign],
])('hostile storage, %s: nothing of it is shown, it is deleted, said once, and the reader starts cold', async (_, damage) => {
  const here = scene('a', 'b')
  const { world, storage } = here
  await visit(here)
  const key = headKey(here)
  storage.rows.set(key, await damage(storage.rows.get(key) as Bytes))
  here.offline()
  const tab = here.tab()
  expect(await errorOf(tab.open({ timeout: 500 }))).toMatchObject({ name: 'Network.ConnectTimeoutError' })
  expect(storage.rows.has(key)).toBe(false)
  expect(tab.said).toEqual(['what was kept does not verify: starting without it'])
  here.offline(false)
  expect((await world.run((await tab.open()).latest())).value?.words).toBe('b')
  await close(world, tab)
})

test('two tabs: a newer head is never written over by an older one, and an older one by a newer', async () => {
  const here = scene('a')
  const { world, chain, storage, say } = here
  await visit(here)
  const older = storage.rows.get(headKey(here)) as Bytes
  say('b')
  await visit(here)
  const newer = storage.rows.get(headKey(here)) as Bytes
  const host = world.host({ storage })
  const ground: Ground = {
    identified: notes.identify(UNIVERSE, { roster: chain.roster }),
    surface: 0,
    withstand: null,
    verify: host.verify,
  }
  const write = async (record: Bytes): Promise<unknown> => {
    const { trusted, tail } = await verifyHeadRecord(ground, trustGenesis(ground), record)
    const tab = new Keep(host, storage).of(ground, 'notes.all')
    tab.note(() => ({ trusted, tail }))
    await world.run(tab.close())
    return storage.rows.get(headKey(here))
  }
  expect(await write(older)).toEqual(newer)
  storage.rows.set(headKey(here), older)
  expect(await write(newer)).toEqual(newer)
})

test('many heads a second are written once a second, the newest at the end', async () => {
  const here = scene('a')
  const { world, storage, say } = here
  const tab = here.tab()
  const handle = await tab.open()
  await world.advance(1_000)
  const before = storage.writes
  for (let i = 0; i < 40; i++) {
    say(`${i}`)
    await world.advance(100)
  }
  expect(storage.writes - before).toBeGreaterThanOrEqual(3)
  expect(storage.writes - before).toBeLessThanOrEqual(5)
  expect(handle.state.head?.index).toBe('41')
  await close(world, tab)
  here.offline()
  const next = here.tab()
  expect((await next.open()).state.head?.index).toBe('41')
  await close(world, next)
})

test('a place that fails is named once, and the reader goes on without it', async () => {
  const here = scene('a')
  const { world, storage, say } = here
  storage.problem = 'QuotaExceededError: no room'
  const tab = here.tab()
  const handle = await tab.open()
  for (let i = 0; i < 5; i++) {
    say(`${i}`)
    await world.advance(60_000)
  }
  expect((await world.run(handle.latest())).value?.words).toBe('4')
  await close(world, tab)
  expect(tab.said).toEqual(['what is verified is not kept on this device'])
})

test('a disk that is full for a while is written to again later', async () => {
  const here = scene('a')
  const { world, storage, say } = here
  const tab = here.tab()
  await tab.open()
  await world.advance(1_000)
  storage.problem = 'QuotaExceededError: no room'
  say('b')
  await world.advance(1_000)
  storage.problem = null
  say('c')
  await world.advance(35_000)
  expect(tab.said).toEqual(['what is verified is not kept on this device'])
  await close(world, tab)
  here.offline()
  const next = here.tab()
  expect((await world.run((await next.open()).latest())).value?.words).toBe('c')
  await close(world, next)
})

test('a place that never answers costs two seconds, and its content is not written over', async () => {
  const here = scene('a')
  const { world, storage, say } = here
  await visit(here)
  const kept = storage.rows.get(headKey(here))
  say('b')
  storage.isSilent = true
  const tab = here.tab()
  const asked = world.now
  const handle = await tab.open()
  expect(world.now - asked).toBeLessThan(2_500)
  expect((await world.run(handle.latest())).value?.words).toBe('b')
  storage.isSilent = false
  say('c')
  await world.advance(5_000)
  await close(world, tab)
  expect(tab.said).toEqual(['what is verified is not kept on this device'])
  expect(storage.rows.get(headKey(here))).toEqual(kept)
})

/** The same committee, another history: what a rewritten server shows. */
const rewrite = ({ world, chain, places }: Scene, ...words: readonly string[]): Chain => {
  const other = new Chain(seats(COMMITTEE), world.now - 100 * HEARTBEAT)
  for (const word of words) other.commit([note(word, 1)], { timeMs: world.now })
  places.forEach((place, i) => {
    world.serve(addressOf(`peer ${i}`), Object.assign(place, serve(world, other, `peer ${i}`)))
  })
  expect(other.roster).toEqual(chain.roster)
  return other
}

const openCaught = async (here: Scene): Promise<readonly EquivocationEvidence[]> => {
  const tab = here.tab()
  expect(await errorOf(tab.open())).toMatchObject({ name: 'Network.EquivocationError' })
  const evidence = JSON.parse(JSON.stringify(await tab.network.evidence())) as readonly EquivocationEvidence[]
  await close(here.world, tab)
  return evidence
}

test('PROTOCOL 1 Certificate: history that was rewritten behind the stored head is evidence, and it is kept: caught stays caught', async () => {
  const here = scene('a', 'b')
  const { world, storage } = here
  await visit(here)
  rewrite(here, 'x', 'y', 'z')
  const tab = here.tab()
  const handle = await tab.open()
  // What was kept is shown, until the first member answers.
  expect(await errorOf(world.run(handle.since(2n)[Symbol.asyncIterator]().next()))).toMatchObject({
    name: 'Network.EquivocationError',
    facts: { index: 2n },
  })
  expect(handle.state.state).toBe('wedged')
  await close(world, tab)
  // Nobody is asked again.
  here.offline()
  const [evidence] = await openCaught(here)
  expect(await verifyEvidence(evidence, { bindings: [notes], verify: world.host().verify })).toMatchObject({ index: '2', liars: 2 })
  expect(evidence?.verdict?.integrity.state).toBe('red')
  // A reader who asks for another strength reads the same group.
  const strict = here.tab()
  expect(await errorOf(strict.open({ withstand: 0 }))).toMatchObject({ name: 'Network.EquivocationError' })
  await close(world, strict)
  expect([...storage.rows.keys()].filter((key) => key.startsWith('fork '))).toHaveLength(1)
})

test.each<[string, (row: Bytes, here: Scene) => unknown]>([
  ['garbage', () => new Uint8Array(500).fill(1)],
  ['a vote that does not verify', (row) => changed(row, row.length - 60)],
  ['one history twice', (row) => Uint8Array.from([...row.subarray(0, 9), ...repeated(row)])],
  ['no bytes', () => ({})],
])('hostile storage cannot wedge a group: %s as the proof against it is deleted, and the reader goes on', async (_, damage) => {
  const here = scene('a', 'b')
  await visit(here)
  rewrite(here, 'x', 'y')
  const caught = here.tab()
  await caught.open().catch(() => {})
  await here.world.settle()
  await close(here.world, caught)
  const key = forkKey(here)
  here.storage.rows.set(key, damage(here.storage.rows.get(key) as Bytes, here))
  here.offline()
  const tab = here.tab()
  expect((await here.world.run((await tab.open()).latest())).value?.words).toBe('b')
  expect(here.storage.rows.has(key)).toBe(false)
  expect(tab.said).toEqual(['what was kept does not verify: starting without it'])
  await close(here.world, tab)
})

/** The first branch of two that are equally long, twice. */
const repeated = (row: Bytes): readonly number[] => {
  const branch = [...row.subarray(9, 9 + (row.length - 9) / 2)]
  return [...branch, ...branch]
}
