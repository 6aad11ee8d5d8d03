import { expect, test } from 'vitest'
import { seats } from '../chain.ts'
import { note } from '../notes.ts'
import { errorOf } from '../setup.ts'
import { COMMITTEE, close, HEAD_START, named, scene, take, visit } from './scene.ts'

// PROTOCOL.md section 3: "What is read from IndexedDB is verified like what comes from the wire." What a reload shows, and goes on from.

test('PROTOCOL 1 Membership, 3: offline, the last verified value is shown at once, with its age and as nothing fresher', async () => {
  const here = scene('a', 'b', 'c')
  const { world } = here
  await visit(here)
  here.offline()
  world.jump(40_000 - HEAD_START)
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
  await world.advance(HEAD_START)
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
