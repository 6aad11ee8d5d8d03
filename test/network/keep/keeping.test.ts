import { expect, test } from 'vitest'
import { verifyHeadRecord } from '../../../client/network/keep/head-record.ts'
import { Keep, type Newest } from '../../../client/network/keep/keeping.ts'
import type { Storage } from '../../../client/network/keep/storage.ts'
import { type Ground, trustGenesis } from '../../../client/network/reader/trust.ts'
import { sleep } from '../../../client/network/scope.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { notes } from '../notes.ts'
import { close, headKey, type Scene, scene, visit } from './scene.ts'

// ARCHITECTURE.md section 3, "storage": when a reader writes what it verified, and what it does where it cannot.

/** What keeps for one reader of the scene, and the heads that it may keep. */
const keeper = ({ world, chain, storage }: Scene, place: Storage = storage) => {
  const host = world.host({ storage: place })
  const identified = notes.identify(UNIVERSE, { roster: chain.roster })
  const ground: Ground = { identified, surface: 0, withstand: null, verify: host.verify }
  const headOf = async (record: Bytes): Promise<Newest> => verifyHeadRecord(ground, trustGenesis(ground), record)
  return { keeping: new Keep(host, place).of(ground, 'notes.all'), headOf }
}

/** A scene in which two heads were kept, one after the other. */
const twoHeads = async () => {
  const here = scene('a')
  const { storage, say } = here
  await visit(here)
  const older = storage.rows.get(headKey(here)) as Bytes
  say('b')
  await visit(here)
  return { here, older, newer: storage.rows.get(headKey(here)) as Bytes }
}

const NEVER = new AbortController().signal

test('two tabs: a newer head is never written over by an older one, and an older one by a newer', async () => {
  const { here, older, newer } = await twoHeads()
  const { world, storage } = here
  const write = async (record: Bytes): Promise<unknown> => {
    const { keeping, headOf } = keeper(here)
    const head = await headOf(record)
    keeping.note(() => head)
    await world.run(keeping.close())
    return storage.rows.get(headKey(here))
  }
  expect(await write(older)).toEqual(newer)
  storage.rows.set(headKey(here), older)
  expect(await write(newer)).toEqual(newer)
})

test('the first head is written at once, then rarely, and in the end once in ten seconds; a reader that is closed leaves the newest', async () => {
  const here = scene('a')
  const { world, storage, say } = here
  const tab = here.tab()
  const handle = await tab.open()
  let said = 1
  const heads = async (ms: number, everyMs = 250): Promise<number> => {
    const before = storage.writes
    for (let passed = 0; passed < ms; passed += everyMs) {
      say(`${said++}`)
      await world.advance(everyMs)
    }
    return storage.writes - before
  }
  expect([await heads(250), await heads(1_000), await heads(4_000)]).toEqual([1, 1, 1])
  expect(await heads(100_000, 2_000)).toBe(10)
  expect(handle.state.head?.index).toBe(`${said}`)
  await close(world, tab)
  here.offline()
  const next = here.tab()
  expect((await next.open()).state.head?.index).toBe(`${said}`)
  await close(world, next)
})

test('a tab that is killed loses ten seconds at most', async () => {
  const here = scene('a')
  const { world, say } = here
  await here.tab().open()
  for (let i = 0; i < 97; i++) {
    say(`${i}`)
    await world.advance(500)
  }
  here.offline()
  const next = here.tab()
  const { head } = (await next.open()).state
  expect(world.now - (head?.timeMs ?? 0)).toBeLessThanOrEqual(10_000)
  await close(world, next)
})

test('what comes while something is being written is written too, though the reader is closed meanwhile', async () => {
  const { here, older, newer } = await twoHeads()
  const { world, storage } = here
  storage.rows.clear()
  const slow: Storage = { ...storage, put: (key, next) => sleep(world.host(), 500, NEVER).then(() => storage.put(key, next)) }
  const { keeping, headOf } = keeper(here, slow)
  const [first, second] = [await headOf(older), await headOf(newer)]
  keeping.note(() => first)
  await world.advance(300)
  keeping.note(() => second)
  await world.run(keeping.close())
  expect(storage.rows.get(headKey(here))).toEqual(newer)
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
