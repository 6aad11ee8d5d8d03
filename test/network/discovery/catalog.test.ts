import { beforeEach, expect, test } from 'vitest'
import { mayDial } from '../../../client/network/address.ts'
import { Catalog, type CatalogLimits, LIGHT_LIMITS, type Worth } from '../../../client/network/discovery/catalog.ts'
import { addressesIn, ENTRY_AGE } from '../../../client/network/discovery/entry.ts'
import { equal, toHex } from '../../../client/primitives/bytes.ts'
import { asId, UNIVERSE } from '../../../client/primitives/id.ts'
import { World } from '../world.ts'
import { entryOf, goodbye, groupIn, peerIn, publicOf, signedBy, textOf, told } from './peers.ts'

// PROTOCOL.md section 4: "strictly newer wins, future stamps refused on every path"; docs/wire.md section 10. MSK-09.

const SOURCE = peerIn('source')
let world = new World()

beforeEach(() => {
  world = new World()
})

const catalogOf = (options: { readonly worth?: Worth; readonly limits?: Partial<CatalogLimits> } = {}): Catalog =>
  new Catalog({ network: UNIVERSE, host: world.host(), worth: options.worth ?? (() => 1), limits: { ...LIGHT_LIMITS, ...options.limits } })

const names = (catalog: Catalog): readonly string[] => catalog.list().map(({ peer }) => toHex(peer))

test('strictly newer wins: by start, then by update', async () => {
  const catalog = catalogOf()
  const now = world.now
  expect(await catalog.offer(await told('a', { startMs: now - 9, updateMs: now - 5 }), SOURCE)).toEqual({ kind: 'taken' })
  expect(await catalog.offer(await told('a', { startMs: now - 9, updateMs: now - 4, tags: ['b'] }), SOURCE)).toEqual({ kind: 'taken' })
  const older = await told('a', { startMs: now - 9, updateMs: now - 5 })
  expect(await catalog.offer(older, SOURCE)).toEqual({ kind: 'ignored', problem: 'an older entry' })
  // A later update of an earlier run is older than the run that came after it.
  const run = await told('a', { startMs: now - 10, updateMs: now })
  expect(await catalog.offer(run, SOURCE)).toEqual({ kind: 'ignored', problem: 'an older entry' })
  expect(catalog.get(peerIn('a'))?.entry.tags).toEqual(['b'])
  expect(await catalog.offer(await told('a', { startMs: now - 8, updateMs: now - 8 }), SOURCE)).toEqual({ kind: 'taken' })
})

test('the same again is known; another entry of the same version is refused, and its peer is blamed and not who carried it', async () => {
  const catalog = catalogOf({ limits: { faults: 1 } })
  const one = await told('a', { updateMs: world.now })
  const two = await told('a', { updateMs: world.now, tags: ['b'] })
  expect(await catalog.offer(one, SOURCE)).toEqual({ kind: 'taken' })
  expect(await catalog.offer(structuredClone(one), SOURCE)).toEqual({ kind: 'known' })
  expect(await catalog.offer(two, SOURCE)).toEqual({ kind: 'refused', problem: 'two entries of one version', by: 'peer' })
  expect(catalog.get(peerIn('a'))).toEqual(one)
  expect([catalog.isCutOff(SOURCE), catalog.isCutOff(peerIn('a'))]).toEqual([false, true])
})

test.each(['source', 'own'])('a stamp in the future is refused, from anybody and from oneself: %s', async (path) => {
  const catalog = catalogOf()
  const source = path === 'own' ? null : SOURCE
  const late = await told('a', { startMs: world.now, updateMs: world.now + ENTRY_AGE.ahead + 1 })
  expect(await catalog.offer(late, source)).toEqual({ kind: 'refused', problem: 'a stamp in the future', by: 'peer' })
  const start = await told('b', { startMs: world.now + ENTRY_AGE.ahead + 1, updateMs: world.now + ENTRY_AGE.ahead + 1 })
  expect(await catalog.offer(start, source)).toMatchObject({ kind: 'refused' })
  expect(catalog.size).toBe(0)
  // Not for ever: the same bytes are good once their time has come.
  await world.advance(2)
  expect(await catalog.offer(late, source)).toEqual({ kind: 'taken' })
})

test('an entry that was not renewed in time is neither taken nor shown, and can not be brought back', async () => {
  const catalog = catalogOf()
  const entry = await told('a', { updateMs: world.now })
  await catalog.offer(entry, SOURCE)
  await world.advance(ENTRY_AGE.stale)
  expect(catalog.list()).toHaveLength(1)
  await world.advance(1)
  expect(catalog.list()).toHaveLength(0)
  const gone: string[] = []
  catalog.onChange((peer) => gone.push(toHex(peer)))
  catalog.sweep()
  expect(gone).toEqual([toHex(peerIn('a'))])
  expect([catalog.size, catalog.bytes]).toEqual([0, 0])
  expect(await catalog.offer(entry, SOURCE)).toEqual({ kind: 'ignored', problem: 'a stale entry' })
})

test('a departure is remembered until every entry before it would be stale', async () => {
  const catalog = catalogOf()
  const before = await told('a', { startMs: world.now - 2, updateMs: world.now - 1 })
  await catalog.offer(before, SOURCE)
  await catalog.offer(await goodbye('a', { startMs: world.now - 2, updateMs: world.now }), SOURCE)
  expect(catalog.list()).toEqual([])
  expect(await catalog.offer(before, SOURCE)).toEqual({ kind: 'ignored', problem: 'an older entry' })
  await world.advance(ENTRY_AGE.stale + 1)
  catalog.sweep()
  expect(catalog.size).toBe(0)
  expect(await catalog.offer(before, SOURCE)).toEqual({ kind: 'ignored', problem: 'a stale entry' })
  expect(await catalog.offer(await told('a', { updateMs: world.now }), SOURCE)).toEqual({ kind: 'taken' })
})

test('what its peer did not sign is refused and held against who brought it, until nothing of him is looked at', async () => {
  const catalog = catalogOf({ limits: { faults: 3 } })
  const forged = await signedBy(entryOf('a', { updateMs: world.now }), 'b')
  for (let i = 0; i < 3; i++)
    expect(await catalog.offer(forged, SOURCE)).toEqual({ kind: 'refused', problem: 'an entry that its peer did not sign', by: 'source' })
  const honest = await told('a', { updateMs: world.now })
  expect(await catalog.offer(honest, SOURCE)).toEqual({ kind: 'ignored', problem: 'its source offers too much' })
  // Others are served meanwhile, the peer whose name was taken too; and a minute later it may try again.
  expect(await catalog.offer(honest, peerIn('a'))).toEqual({ kind: 'taken' })
  await world.advance(60_000)
  expect(await catalog.offer(honest, SOURCE)).toEqual({ kind: 'known' })
})

test('forged stamps spoil nobody else’s name', async () => {
  const catalog = catalogOf({ limits: { faults: 1 } })
  const forged = await signedBy(entryOf('a', { updateMs: world.now + 10 * ENTRY_AGE.ahead }), 'b')
  expect(await catalog.offer(forged, SOURCE)).toMatchObject({ kind: 'refused', by: 'source' })
  expect([catalog.isCutOff(SOURCE), catalog.isCutOff(peerIn('a'))]).toEqual([true, false])
})

test('an entry of another network is refused', async () => {
  const network = asId<'UniqueId'>(groupIn(7))
  expect(await catalogOf().offer(await told('a', { updateMs: world.now, network }), SOURCE)).toMatchObject({
    kind: 'refused',
    by: 'source',
  })
})

test('a flood of one source ends with the minute’s share, and costs others nothing', async () => {
  const catalog = catalogOf({ limits: { offers: 5 } })
  const kinds: string[] = []
  for (let i = 0; i < 7; i++) kinds.push((await catalog.offer(await told(`p${i}`, { updateMs: world.now }), SOURCE)).kind)
  expect(kinds).toEqual(['taken', 'taken', 'taken', 'taken', 'taken', 'ignored', 'ignored'])
  expect((await catalog.offer(await told('p6', { updateMs: world.now }), peerIn('p6'))).kind).toBe('taken')
})

const READ = groupIn(1)
const worth: Worth = (entry) => (equal(entry.peer, peerIn('member')) ? 2 : entry.groups.some((group) => equal(group, READ)) ? 1 : 0)

test('when it is full an entry that nobody reads gives way, members never, and among equals who was there stays', async () => {
  const catalog = catalogOf({ worth, limits: { entries: 3 } })
  const offer = async (name: string, group: number) =>
    (await catalog.offer(await told(name, { updateMs: world.now, groups: [groupIn(group)] }), SOURCE)).kind
  expect([await offer('other', 2), await offer('mirror', 1), await offer('member', 1)]).toEqual(['taken', 'taken', 'taken'])
  expect(await offer('other 2', 2)).toBe('ignored')
  expect(await offer('mirror 2', 1)).toBe('taken')
  expect(catalog.get(peerIn('other'))).toBeNull()
  expect(await offer('mirror 3', 1)).toBe('ignored')
  expect(names(catalog).toSorted()).toEqual(['member', 'mirror', 'mirror 2'].map((name) => toHex(peerIn(name))).toSorted())
})

test('its bytes are bounded too, and an update counts once', async () => {
  const one = await told('a', { updateMs: world.now })
  const free = catalogOf({ worth })
  await free.offer(one, SOURCE)
  const catalog = catalogOf({ worth, limits: { bytes: free.bytes + 100 } })
  await catalog.offer(one, SOURCE)
  expect((await catalog.offer(await told('b', { updateMs: world.now }), SOURCE)).kind).toBe('ignored')
  for (let i = 1; i < 4; i++)
    expect((await catalog.offer(await told('a', { startMs: world.now, updateMs: world.now + i }), SOURCE)).kind).toBe('taken')
  expect(catalog.bytes).toBe(free.bytes)
})

test('entries of groups that are not read are not kept, and are let go of when their reader leaves', async () => {
  let isRead = true
  const catalog = catalogOf({ worth: ({ groups }) => (isRead && groups.some((group) => equal(group, READ)) ? 1 : null) })
  expect((await catalog.offer(await told('a', { updateMs: world.now, groups: [groupIn(2)] }), SOURCE)).kind).toBe('ignored')
  expect((await catalog.offer(await told('b', { updateMs: world.now }), SOURCE)).kind).toBe('taken')
  isRead = false
  catalog.sweep()
  expect(catalog.size).toBe(0)
})

test('of an entry’s addresses those are dialled that lead to its own peer, from where they were told, and can be read', () => {
  const entry = entryOf('a', {
    updateMs: 5,
    addresses: [
      publicOf('a'),
      publicOf('b'),
      `/ip4/127.0.0.1/tcp/1/p2p/${textOf('a')}`,
      `/ip4/192.168.1.1/tcp/1/p2p/${textOf('a')}`,
      '/newer/than/us',
      `/dns4/internal.example/tcp/1/ws/p2p/${textOf('a')}`,
    ],
  })
  expect(addressesIn(entry, mayDial([{ reach: 'public' }]))).toEqual([publicOf('a')])
  // A network of one's own device dials there, and nowhere inside of the building.
  expect(addressesIn(entry, mayDial([{ reach: 'loopback' }]))).toEqual([publicOf('a'), `/ip4/127.0.0.1/tcp/1/p2p/${textOf('a')}`])
})
