import { expect, test } from 'vitest'
import type { Handle, Verified } from '../../client/network/handle.ts'
import { serveLight } from '../../client/network/light/server.ts'
import type { Check } from '../../client/verify/verdict.ts'
import { Chain, keyOf, seats } from './chain.ts'
import { HEARTBEAT, type NoteDatum, note } from './notes.ts'
import { addresses, addressOf, errorOf, refusal, type Setup, serve, setup } from './setup.ts'

// A committee of four behind four servers: how many signatures a reader asks for, whom it believes to be fresh, and what it does when
// members go and come back.

const NOW = 1_700_000_000_000
const ALL = [0, 1, 2, 3]
const fill = (chain: Chain): void => void chain.commit([note('first', 1)], { timeMs: NOW, signers: ALL })

const found = (verdict: Verified<unknown>['verdict'], name: Check['name']): Check | undefined =>
  [verdict.integrity, verdict.authority, verdict.freshness].flatMap(({ checks }) => checks).find((check) => check.name === name)
const checkOf = async ({ world }: Setup, handle: Handle<NoteDatum>, name: Check['name']): Promise<Check | undefined> =>
  found((await world.run(handle.latest())).verdict, name)
const connected = (handle: Handle<NoteDatum>): readonly boolean[] => handle.state.peers.map((peer) => peer.connected)
const down = ({ world, places }: Setup, members: readonly number[], isDown: boolean): void => {
  for (const member of members) {
    const place = places[member] as (typeof places)[number]
    place.down = isDown
    if (isDown) world.cut(addresses(4)[member] as string)
  }
}

test.each([
  [0, 3],
  [1, 3],
  [2, 4],
])('PROTOCOL 1 Strength: of four members, a reader who withstands %i asks for %i signatures', async (withstand, needed) => {
  const setting = setup(4, fill, { withstand })
  const handle = await setting.open()
  expect(await checkOf(setting, handle, 'commit.signatures')).toMatchObject({ state: 'passed', expected: `${needed} of 4 needed` })
  const { world, chain } = setting
  const tail = handle[Symbol.asyncIterator]().next()
  chain.commit([note('by three', 1)], { timeMs: world.now })
  if (needed === 3) expect((await world.run(tail)).value.value.words).toBe('by three')
  await world.advance(HEARTBEAT / 2)
  expect(handle.state.head?.index).toBe(needed === 3 ? '2' : '1')
})

test('PROTOCOL 1 Strength: withstanding three of four is refused aloud, before anybody is asked', async () => {
  const { open, world } = setup(4, fill)
  const error = await errorOf(open({ withstand: 3 }))
  expect(error).toMatchObject({ name: 'Group.WithstandError', n: 4, withstand: 3, needed: 5 })
  expect((error as Error).message).toContain('a committee of 4 cannot withstand 3: 5 signatures would be needed')
  expect(world.openLinks).toBe(0)
})

test('PROTOCOL 1 Late finalize: a reader of strength four follows seals that reach four signatures after the fact', async () => {
  const setting = setup(4, fill, { withstand: 2 })
  const { world, chain, open } = setting
  const handle = await open()
  const items = handle.since(0n)[Symbol.asyncIterator]()
  const seen: string[] = [(await world.run(items.next())).value.value.words]
  for (let i = 0; i < 8; i++) {
    chain.commit([note(`n${i}`, 1)], { timeMs: world.now })
    // The fourth signature comes a block later: by then a newer block has three.
    if (i > 0) chain.grow(chain.head.index - 1n, ALL)
    await world.advance(HEARTBEAT)
    expect(handle.state.head?.index).toBe(String(1 + i))
  }
  for (let i = 0; i < 7; i++) seen.push((await world.run(items.next())).value.value.words)
  expect(seen).toEqual(['first', ...[0, 1, 2, 3, 4, 5, 6].map((i) => `n${i}`)])
  // The newest has no four signatures and is not shown; once it has, it is, though no block follows it.
  const last = items.next()
  await world.advance(10)
  chain.grow(chain.head.index, ALL)
  expect((await world.run(last)).value.value.words).toBe('n7')
  expect(handle.state.state).toBe('live')
  const { verdict } = await world.run(handle.latest())
  expect(found(verdict, 'commit.signatures')?.found).toBe('4 of 4 signed')
  await world.advance(2 * HEARTBEAT)
  expect(await checkOf(setting, handle, 'head.sources')).toMatchObject({ state: 'passed' })
})

test('PROTOCOL 1 Late finalize: many blocks with three signatures below one with four are one batch, and a gap where they are too many', async () => {
  for (const blocks of [40, 150]) {
    const setting = setup(4, fill, { withstand: 2 })
    const { world, chain, open } = setting
    const handle = await open()
    const items = handle.since(1n)[Symbol.asyncIterator]()
    for (let i = 0; i < blocks; i++) chain.commit([note(`n${i}`, 1)], { timeMs: world.now, signers: i === blocks - 1 ? ALL : [0, 1, 2] })
    for (let i = 0; i < blocks; i++) expect((await world.run(items.next())).value.value.words).toBe(`n${i}`)
    expect(handle.state).toMatchObject({ state: 'live', head: { index: String(blocks + 1) } })
    // Nobody was blamed for a batch that ends where only three signed.
    expect(handle.state.peers.filter(({ problem }) => problem?.includes('failed'))).toEqual([])
  }
})

test('a default reader is not kept waiting by signatures that come late', async () => {
  const { world, chain, open } = setup(4, fill)
  const handle = await open()
  const tail = handle[Symbol.asyncIterator]()
  for (let i = 0; i < 4; i++) {
    const next = tail.next()
    chain.commit([note(`n${i}`, 1)], { timeMs: world.now })
    chain.grow(chain.head.index, ALL)
    expect((await world.run(next)).value.value.words).toBe(`n${i}`)
  }
})

test('PROTOCOL 3 step 2: a link to every member that bootstrap names, and to two mirrors at most', async () => {
  const mirrors = [1, 2, 3].map((i) => addressOf(`mirror ${i}`))
  const { world, open, chain } = setup(4, fill, { bootstrap: [...mirrors, ...addresses(4)] })
  for (const [i, mirror] of mirrors.entries())
    world.serve(mirror, { key: keyOf(`mirror ${i + 1}`).public, handler: serveLight(() => [chain.source()], world.host()) })
  const handle = await open()
  await world.advance(HEARTBEAT)
  expect(connected(handle).slice(3)).toEqual([true, true, true, true])
  expect(connected(handle).slice(0, 3).filter(Boolean).length).toBe(2)
})

test('PROTOCOL 3 step 6: b+1 members confirm by their certificates: one that only says so does not', async () => {
  const setting = setup(4, fill, { served: 1 })
  const { world, open, chain } = setting
  // It says hello with the right number, and shows the certificate of nobody.
  const place = serve(world, chain, 'peer 1')
  place.tamper = (chunk) => {
    if (chunk[chunk.findIndex((byte) => byte < 0x80) + 1] !== 1) return chunk
    const bent = chunk.slice()
    bent[bent.length - 1] = (bent[bent.length - 1] as number) ^ 1
    return bent
  }
  const handle = await open()
  await world.advance(HEARTBEAT)
  expect(await checkOf(setting, handle, 'head.sources')).toMatchObject({ state: 'unproven', found: '1 of 4 members’ operators' })
  place.tamper = undefined
  await world.advance(35_000)
  chain.commit([], { timeMs: world.now })
  await world.advance(HEARTBEAT)
  expect(await checkOf(setting, handle, 'head.sources')).toMatchObject({ state: 'passed' })
})

test('FAI-04: one of four dies in mid-stream, whichever: no gap, no duplicate, and the head stays confirmed', async () => {
  const setting = setup(4, fill)
  const { world, chain, open } = setting
  const handle = await open()
  const items = handle.since(0n)[Symbol.asyncIterator]()
  const seen: string[] = [(await world.run(items.next())).value.value.words]
  for (let i = 0; i < 12; i++) {
    const member = i % 4
    const place = setting.places[member] as (typeof setting.places)[number]
    // Every second time it dies with half of its answer on the wire.
    if (i % 2 === 1) {
      place.tamper = (chunk) => {
        place.tamper = undefined
        world.host().after(0, () => down(setting, [member], true))
        return chunk.slice(0, chunk.length - 1)
      }
    } else down(setting, [member], true)
    chain.commit([note(`n${i}`, 1), note(`m${i}`, 2)], { timeMs: world.now })
    for (let item = 0; item < 2; item++) {
      const { value } = await world.run(items.next())
      expect(value.verdict.ok).toBe(true)
      seen.push(value.value.words)
    }
    await world.advance(HEARTBEAT)
    chain.commit([], { timeMs: world.now })
    await world.advance(HEARTBEAT / 2)
    expect(await checkOf(setting, handle, 'head.sources')).toMatchObject({ state: 'passed' })
    expect(handle.state.state).toBe('live')
    place.tamper = undefined
    down(setting, [member], false)
    await world.advance(HEARTBEAT)
  }
  expect(seen).toEqual(['first', ...Array.from({ length: 12 }, (_, i) => [`n${i}`, `m${i}`]).flat()])
})

test('FAI-04: two of four gone: stale, what was verified stays, nothing unverified is shown; it goes on within seconds of their return', async () => {
  const setting = setup(4, fill)
  const { world, chain, open } = setting
  const handle = await open()
  const tail = handle[Symbol.asyncIterator]()
  let shown = 0
  const next = tail.next().then((result) => {
    shown += 1
    return result
  })
  down(setting, [1, 2], true)
  // A block that two signed is on the disks of those who are left, and is none.
  chain.commit([note('by two', 1)], { timeMs: world.now, signers: [0, 3] })
  await world.advance(60_000)
  expect(handle.state).toMatchObject({ state: 'stale', head: { index: '1' } })
  expect(handle.state.detail).toMatch(/^the newest commit is 6\d s old, one is due every 1 s/)
  expect(shown).toBe(0)
  const { value, verdict } = await world.run(handle.latest())
  expect([value?.words, verdict.ok, verdict.freshness.state]).toEqual(['first', true, 'amber'])
  expect((await world.run(handle.ask<readonly NoteDatum[]>('of', 1))).value.map(({ words }) => words)).toEqual(['first'])
  down(setting, [1, 2], false)
  const back = world.now
  chain.grow(2n, [0, 1, 2, 3])
  chain.commit([], { timeMs: world.now })
  expect((await world.run(next)).value.value.words).toBe('by two')
  expect(world.now - back).toBeLessThan(5_000)
  while (connected(handle).includes(false) && world.now - back < 30_000) await world.advance(100)
  expect(world.now - back).toBeLessThan(5_500)
  expect(handle.state.state).toBe('live')
})

test('FAI-04: all four gone and back after an hour: connected again within seconds', async () => {
  const setting = setup(4, fill)
  const { world, chain, open } = setting
  const handle = await open()
  const next = handle[Symbol.asyncIterator]().next()
  down(setting, ALL, true)
  await world.advance(3_600_000)
  expect(handle.state).toMatchObject({ state: 'stale', head: { index: '1' } })
  down(setting, ALL, false)
  const back = world.now
  chain.commit([note('again', 1)], { timeMs: world.now })
  expect((await world.run(next)).value.value.words).toBe('again')
  expect(world.now - back).toBeLessThan(5_500)
})

test('PROTOCOL 1 Strength: with only three of four alive a reader of strength four is stale, and says what is missing; others read on', async () => {
  const setting = setup(4, fill)
  const { world, chain, open } = setting
  const [strong, usual] = [await open({ withstand: 2 }), await open()]
  for (let i = 0; i < 10; i++) {
    chain.commit([note(`n${i}`, 1)], { timeMs: world.now })
    await world.advance(HEARTBEAT)
  }
  expect([strong.state.state, strong.state.head?.index]).toEqual(['stale', '1'])
  expect([usual.state.state, usual.state.head?.index]).toEqual(['live', '11'])
  expect(refusal(await errorOf(open({ withstand: 9 })))).toBe('Group.WithstandError')
})

test('PROTOCOL 3: a member that was never up costs nothing, and is met when it comes', async () => {
  const setting = setup(4, fill, { served: 3 })
  const handle = await setting.open()
  await setting.beat(30)
  expect(connected(handle)).toEqual([true, true, true, false])
  expect(handle.state).toMatchObject({ state: 'live', detail: null })
  serve(setting.world, setting.chain, 'peer 3')
  await setting.beat(6)
  expect(connected(handle)).toEqual([true, true, true, true])
})

test('a reader of one member of another committee’s history is not shown it', async () => {
  const setting = setup(4, fill, { served: 1 })
  const other = new Chain(seats(4, 5), NOW - 1)
  fill(other)
  serve(setting.world, other, 'peer 1')
  const handle = await setting.open()
  await setting.world.advance(HEARTBEAT)
  expect(handle.state.peers[1]?.problem).toMatch(/roster\.chain failed/)
  expect(handle.state.state).toBe('live')
})
