import { expect, test } from 'vitest'
import { serveLight } from '../../client/network/light/server.ts'
import { createNetwork } from '../../client/network/open.ts'
import { toHex } from '../../client/primitives/bytes.ts'
import { derive, UNIVERSE } from '../../client/primitives/id.ts'
import { Chain, keyOf, seats } from './chain.ts'
import { GROUP, note, notes } from './notes.ts'
import { addresses, addressOf, errorOf, lying, refusal, setup } from './setup.ts'
import { World } from './world.ts'

const NOW = 1_700_000_000_000
const fill = (chain: Chain): void => void chain.commit([note('a', 1)], { timeMs: NOW })

test('ERR-03 ERR-07: nobody there: ConnectTimeoutError with ids, inputs, deadline and peers, and no claim of a cause', async () => {
  const { open, world } = setup(1, fill, { served: 0 })
  const started = world.now
  const error = await errorOf(open({ timeout: 4_000 }))
  expect(error).toMatchObject({
    name: 'Network.ConnectTimeoutError',
    component: 'notes.all',
    deadlineMs: 4_000,
    peersSeen: 0,
    peersServing: 0,
    inputs: { name: 'notes', epoch: 0 },
    ids: { network: toHex(UNIVERSE), group: toHex(GROUP) },
  })
  expect(world.now - started).toBe(4_000)
  expect((error as Error).message).toContain(toHex(GROUP))
  expect((error as Error).message).not.toMatch(/not found|does not exist|unknown/i)
  await world.settle()
  expect([world.openStreams, world.pendingTimers]).toEqual([0, 0])
})

test('MSK-15: the default deadline is 15 s, and a signal ends it before', async () => {
  const { open, world } = setup(1, fill, { served: 0 })
  const started = world.now
  expect(await errorOf(open())).toMatchObject({ deadlineMs: 15_000 })
  expect(world.now - started).toBe(15_000)
  const controller = new AbortController()
  const opening = open({ signal: controller.signal })
  controller.abort(new Error('no longer wanted'))
  expect(await errorOf(opening)).toMatchObject({ message: 'no longer wanted' })
})

test('ERR-01 ERR-02 ERR-04: another id is a group that nobody serves, seen by the peers that answered', async () => {
  const world = new World()
  const chain = new Chain(seats(1), NOW - 100_000)
  fill(chain)
  world.serve(addressOf('peer 0'), { key: keyOf('peer 0').public, handler: serveLight(() => [chain.source()], world.host()) })
  const other = {
    ...notes,
    identify: (...given: Parameters<typeof notes.identify>) => ({
      ...notes.identify(...given),
      group: derive(UNIVERSE, 'nobody runs this') as never,
    }),
  }
  const network = createNetwork(world.host(), [other], { bootstrap: addresses(1) })
  expect(await errorOf(world.run(network.open({ name: 'notes.all' }, { roster: chain.roster })))).toMatchObject({
    name: 'Network.ConnectTimeoutError',
    peersSeen: 1,
    peersServing: 0,
  })
})

test('ERR-03: a member that is up before its first block is served once it has one', async () => {
  const { open, world, chain } = setup(1, () => {})
  const opening = open()
  await world.settle()
  world.host().after(5_000, () => chain.commit([note('first', 1)], { timeMs: world.now }))
  const handle = await opening
  expect((await world.run(handle.latest())).value?.words).toBe('first')
})

test('ERR-08: a surface that this host does not list is an error about the host', async () => {
  const { network } = setup(1, fill)
  expect(await errorOf(network.open({ name: 'tally.unknown' }, {}))).toMatchObject({
    name: 'Network.SurfaceError',
    surface: 'tally.unknown',
    listed: ['notes.all'],
  })
})

test('MSK-11: another universe has other ids, and finds nobody here', async () => {
  const { open } = setup(1, fill, { network: 'ab'.repeat(32) })
  expect(refusal(await errorOf(open()))).toBe('roster.chain')
  expect(() => createNetwork(new World().host(), [], { bootstrap: [], network: 'abcd' })).toThrow(/64 digits/)
})

test('a peer with another key than its address names is not asked', async () => {
  const { open, world, places } = setup(1, fill)
  const [address] = addresses(1)
  world.serve(address as string, { ...(places[0] as (typeof places)[number]), key: keyOf('stranger').public })
  const error = await errorOf(open({ timeout: 2_000 }))
  expect(error).toMatchObject({ name: 'Network.ConnectTimeoutError', peersSeen: 0 })
  expect(JSON.stringify((error as { facts: { problems: unknown } }).facts.problems)).toContain('another key')
  expect(world.openLinks).toBe(0)
})

test('PROTOCOL 3 step 2: members are dialled before mirrors, and a mirror serves when no member answers', async () => {
  const mirror = addressOf('mirror')
  const up = setup(1, fill, { bootstrap: [mirror, addresses(1)[0] as string] })
  up.world.serve(mirror, { key: keyOf('mirror').public, handler: serveLight(() => [up.chain.source()], up.world.host()) })
  const handle = await up.open()
  expect(handle.state.peers.map(({ member, operator }) => [member, operator])).toEqual([
    [null, null],
    [0, 'operator 0'],
  ])
  ;(up.places[0] as (typeof up.places)[number]).down = true
  up.world.cut(addresses(1)[0] as string)
  const tail = handle[Symbol.asyncIterator]().next()
  up.chain.commit([note('b', 1)], { timeMs: up.world.now })
  expect((await up.world.run(tail)).value.value.words).toBe('b')
})

test('ERR EvidenceError: with one liar and one honest member the reader opens at the honest one, and names the liar', async () => {
  const { open, places, world } = setup(4, fill, { served: 2 })
  const forge = lying((response) =>
    response.kind === 'opened'
      ? {
          kind: 'opened',
          value: { ...response.value, head: { ...response.value.head, header: { ...response.value.head.header, time_ms: 1n } } },
        }
      : response,
  )
  if (places[0]) places[0].tamper = forge
  const handle = await open()
  expect((await world.run(handle.latest())).value?.words).toBe('a')
  await world.advance(100)
  const [liar] = handle.state.peers
  expect(liar?.problem === null || liar?.problem?.startsWith('commit.signatures failed')).toBe(true)
})

test('PROTOCOL 3: a member whose tail lies is left for the other in mid-stream: nothing false is shown, nothing true is lost', async () => {
  const { open, places, world, chain } = setup(4, fill, { served: 2 })
  const handle = await open()
  const seen: string[] = []
  const tail = handle.since(0n)[Symbol.asyncIterator]()
  const drop = lying((response) =>
    response.kind === 'commits'
      ? {
          kind: 'commits',
          value: { ...response.value, appended: response.value.appended.map((lists) => lists.map((items) => items.slice(1))) },
        }
      : response,
  )
  for (let i = 0; i < 6; i++) {
    for (const place of places) place.tamper = undefined
    // The one that is followed lies, whichever it is.
    const followed = handle.state.peers.findIndex(({ problem, connected }) => connected && problem === null)
    if (i % 2 === 1) (places[followed] as (typeof places)[number]).tamper = drop
    chain.commit([note(`n${i}`, 1), note(`m${i}`, 2)], { timeMs: world.now })
    while (seen.length < 3 + 2 * i) seen.push((await world.run(tail.next())).value.value.words)
    await world.advance(61_000)
    chain.commit([], { timeMs: world.now })
    await world.settle()
  }
  expect(seen).toEqual(['a', ...[0, 1, 2, 3, 4, 5].flatMap((i) => [`n${i}`, `m${i}`])])
})

test('PROTOCOL 3: a question that one server answers falsely is answered by the next', async () => {
  const { open, places, world } = setup(4, fill, { served: 2 })
  const handle = await open()
  const hide = lying((response) =>
    response.kind === 'proven'
      ? {
          kind: 'proven',
          value: {
            answers: response.value.answers.map((answer) =>
              answer.kind === 'tail' ? { ...answer, value: { ...answer.value, runs: [] } } : answer,
            ),
          },
        }
      : response,
  )
  if (places[0]) places[0].tamper = hide
  const answer = await world.run(handle.ask<readonly { words: string }[]>('of', 1))
  expect(answer.value.map(({ words }) => words)).toEqual(['a'])
  expect(answer.verdict.ok).toBe(true)
})
