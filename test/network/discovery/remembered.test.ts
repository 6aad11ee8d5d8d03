import { expect, test } from 'vitest'
import { Catalog, LIGHT_LIMITS } from '../../../client/network/discovery/catalog.ts'
import { ENTRY_AGE, type SignedEntry } from '../../../client/network/discovery/entry.ts'
import { Remembered } from '../../../client/network/discovery/remembered.ts'
import { STORAGE_LIMITS } from '../../../client/network/keep/storage.ts'
import { type Bytes, equal, toHex } from '../../../client/primitives/bytes.ts'
import { asId, UNIVERSE } from '../../../client/primitives/id.ts'
import { type MemoryStorage, memoryStorage } from '../keep/memory-storage.ts'
import { World } from '../world.ts'
import { entryOf, goodbye, groupIn, peerIn, signedBy, told } from './peers.ts'

// PROTOCOL.md section 3: "What is read from IndexedDB is verified like what comes from the wire", for peer entries. MSK-09.

const GROUP = asId<'GroupId'>(groupIn(1))
const NAME = `peers ${toHex(UNIVERSE)} ${toHex(GROUP)}`

interface Device {
  readonly world: World
  readonly storage: MemoryStorage
  /** A start of the reader: an empty catalog. */
  readonly start: () => { readonly catalog: Catalog; readonly remembered: Remembered }
}

const isIn = ({ entry }: SignedEntry, group: Bytes): boolean => entry.groups.some((each) => equal(each, group))
const worth = (group: Bytes, signed: SignedEntry): number | null => {
  if (!isIn(signed, group)) return null
  return signed.entry.tags.includes('member') ? 2 : 1
}

const device = (): Device => {
  const world = new World()
  const storage = memoryStorage()
  const start = () => {
    const host = world.host()
    const catalog = new Catalog({ network: UNIVERSE, host, worth: () => 1, limits: LIGHT_LIMITS })
    return { catalog, remembered: new Remembered({ host, storage, network: UNIVERSE, catalog, worth }) }
  }
  return { world, storage, start }
}

/** Fills a catalog, and remembers it. */
const remember = async ({ start }: Device, entries: readonly SignedEntry[]): Promise<void> => {
  const { catalog, remembered } = start()
  await remembered.load(GROUP)
  for (const entry of entries) await catalog.offer(entry, null)
  await remembered.store(GROUP)
}

const peersIn = (catalog: Catalog): readonly string[] => catalog.list().map(({ peer }) => toHex(peer))
const hexOf = (...names: readonly string[]): readonly string[] => names.map((name) => toHex(peerIn(name))).toSorted()
const recordOf = ({ storage }: Device): Bytes => storage.rows.get(NAME) as Bytes

test('the next start knows the peers of the group, and no others', async () => {
  const here = device()
  const updateMs = here.world.now
  await remember(here, [
    await told('a', { updateMs }),
    await told('b', { updateMs, groups: [groupIn(1), groupIn(2)] }),
    await told('c', { updateMs, groups: [groupIn(2)] }),
    await goodbye('d', { updateMs }),
  ])
  const { catalog, remembered } = here.start()
  expect(await remembered.load(GROUP)).toBe(true)
  expect(peersIn(catalog)).toEqual(hexOf('a', 'b'))
  expect(await remembered.load(asId<'GroupId'>(groupIn(2)))).toBe(false)
})

test('what was said too long ago is passed over, and what was said since is not undone', async () => {
  const here = device()
  await remember(here, [await told('a', { updateMs: here.world.now }), await told('b', { updateMs: here.world.now - 1_000 })])
  await here.world.advance(ENTRY_AGE.stale)
  const { catalog, remembered } = here.start()
  const since = await told('a', { updateMs: here.world.now, tags: ['since'] })
  await catalog.offer(since, peerIn('source'))
  expect(await remembered.load(GROUP)).toBe(false)
  expect([peersIn(catalog), catalog.get(peerIn('a'))]).toEqual([hexOf('a'), since])
})

test('of many peers the members are remembered, and of others those that were heard of last', async () => {
  const here = device()
  const { now } = here.world
  const strangers = await Promise.all(Array.from({ length: 70 }, (_, i) => told(`peer ${i}`, { updateMs: now - i })))
  const member = await told('member', { updateMs: now - 500, tags: ['member'] })
  await remember(here, [...strangers, member])
  const { catalog, remembered } = here.start()
  await remembered.load(GROUP)
  expect(peersIn(catalog)).toEqual(hexOf('member', ...Array.from({ length: 63 }, (_, i) => `peer ${i}`)))
})

test('64 entries of the greatest length have room', async () => {
  const here = device()
  const tickets = [2_048, 2_048, 2_048, 1_500].map((size) => ({ class: groupIn(3), data: new Uint8Array(size) }))
  await remember(here, await Promise.all(Array.from({ length: 64 }, (_, i) => told(`peer ${i}`, { updateMs: here.world.now, tickets }))))
  expect(recordOf(here).length).toBeLessThanOrEqual(STORAGE_LIMITS.value)
  expect(recordOf(here).length).toBeGreaterThan(STORAGE_LIMITS.value / 3)
})

test('a record in which any byte is another one gives nothing that its peer did not say', async () => {
  const here = device()
  const honest = await told('a', { updateMs: here.world.now })
  await remember(here, [honest])
  const record = recordOf(here)
  for (let at = 0; at < record.length; at++) {
    const bent = record.slice()
    bent[at] = (bent[at] as number) ^ (1 << (at % 8))
    here.storage.rows.set(NAME, bent)
    const { catalog, remembered } = here.start()
    expect([at, await remembered.load(GROUP), catalog.size]).toEqual([at, false, 0])
  }
})

const garbage: readonly (readonly [string, unknown])[] = [
  ['nothing', new Uint8Array(0)],
  ['another version', Uint8Array.of(2, 0)],
  ['65 entries', Uint8Array.of(1, 65)],
  ['noise', new Uint8Array(1_000).fill(0x55)],
  ['no bytes', 'words'],
  ['more than a value may be', new Uint8Array(STORAGE_LIMITS.value + 1)],
]
test.each(garbage)('a record of %s is deleted, and costs nothing', async (_, value) => {
  const here = device()
  here.storage.rows.set(NAME, value)
  const { catalog, remembered } = here.start()
  expect(await remembered.load(GROUP)).toBe(false)
  expect([catalog.size, here.storage.rows.size]).toEqual([0, 0])
})

test('forged entries are not looked at beyond the first', async () => {
  const here = device()
  const { now } = here.world
  const forged = await Promise.all(Array.from({ length: 3 }, (_, i) => signedBy(entryOf(`peer ${i}`, { updateMs: now }), 'somebody')))
  const all: SignedEntry[] = [...forged, await told('a', { updateMs: now })]
  let checks = 0
  const host = here.world.host()
  const counting = {
    ...host,
    verify: (...given: Parameters<typeof host.verify>) => {
      checks += 1
      return host.verify(...given)
    },
  }
  // Written as a hostile page of the origin would write it: by a catalog that believes everybody.
  const believing = { all: () => all } as unknown as Catalog
  const hostile = new Remembered({ host, storage: here.storage, network: UNIVERSE, catalog: believing, worth: () => 1 })
  await hostile.load(GROUP)
  await hostile.store(GROUP)
  const catalog = new Catalog({ network: UNIVERSE, host: counting, worth: () => 1, limits: LIGHT_LIMITS })
  const remembered = new Remembered({ host, storage: here.storage, network: UNIVERSE, catalog, worth })
  expect(await remembered.load(GROUP)).toBe(false)
  expect([checks, catalog.size, here.storage.rows.size]).toEqual([1, 0, 0])
})

test('a place that fails costs what was remembered, and nothing is written over what could not be read', async () => {
  const here = device()
  await remember(here, [await told('a', { updateMs: here.world.now })])
  const before = recordOf(here)
  const { catalog, remembered } = here.start()
  here.storage.problem = 'gone'
  expect(await remembered.load(GROUP)).toBe(false)
  here.storage.problem = null
  await catalog.offer(await told('b', { updateMs: here.world.now }), null)
  await remembered.store(GROUP)
  expect(recordOf(here)).toEqual(before)
})

test('an empty catalog leaves what is remembered as it is', async () => {
  const here = device()
  await remember(here, [await told('a', { updateMs: here.world.now })])
  const before = recordOf(here)
  await remember(here, [])
  expect(recordOf(here)).toEqual(before)
})
