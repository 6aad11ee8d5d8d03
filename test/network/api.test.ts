import { expect, test } from 'vitest'
import type { Progress } from '../../client/network/network.ts'
import { createNetwork } from '../../client/network/open.ts'
import type { ConnectTimeoutError } from '../../client/network/reader/state.ts'
import { toHex } from '../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { serveNetwork } from '../../client/rpc/serve.ts'
import type { EvidenceError } from '../../client/verify/verdict.ts'
import { channel, connectPage } from '../rpc/pages.ts'
import type { Chain } from './chain.ts'
import { GROUP, note, notes } from './notes.ts'
import { addresses, errorOf, lying, refusal, setup } from './setup.ts'
import { World } from './world.ts'

const NOW = 1_700_000_000_000
const fill = (chain: Chain): void => void chain.commit([note('a', 1), note('b', 2), note('c', 3)], { timeMs: NOW })

/** A server that leaves the runs out of every complete answer. */
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

test.each([
  ['a bucket', {}, 'bucket of about 3'],
  ['the key itself', { disclose: true }, 'this key'],
])('PROTOCOL 3 Disclosure: an answer that is refused says that the server was told %s', async (_, options, told) => {
  const { open, places, world } = setup(1, fill)
  const handle = await open()
  for (const place of places) place.tamper = hide
  const error = await errorOf(world.run(handle.ask('of', 1, options)))
  expect(refusal(error)).toBe('answer.complete')
  const { verdict, cause } = error as EvidenceError
  expect(verdict.disclosed).toBe(told)
  expect([verdict.ok, verdict.integrity.state, verdict.at?.group]).toEqual([false, 'red', toHex(GROUP)])
  expect(cause).toMatchObject({ name: 'Network.CheckError', check: 'answer.complete' })
})

test('PROTOCOL 3 Disclosure: raw evidence that is refused was asked for by its hash, and the refusal says so', async () => {
  const { open, places, world } = setup(1, fill)
  const handle = await open()
  const { ref } = await world.run(handle.latest())
  const flip = lying((response) =>
    response.kind === 'blob'
      ? { kind: 'blob', value: { ...response.value, bytes: response.value.bytes.map((byte) => byte ^ 1) } }
      : response,
  )
  for (const place of places) place.tamper = flip
  const error = await errorOf(world.run(handle.ask('evidence', ref)))
  expect([refusal(error), (error as EvidenceError).verdict.disclosed]).toEqual(['evidence.inclusion', 'this key'])
})

test('PROTOCOL 3 Disclosure: a head that is refused was asked for without telling anything', async () => {
  const { open, places } = setup(1, fill)
  const forge = lying((response) => {
    if (response.kind !== 'opened') return response
    const { head } = response.value
    return { kind: 'opened', value: { ...response.value, head: { ...head, header: { ...head.header, time_ms: 1n } } } }
  })
  for (const place of places) place.tamper = forge
  const error = await errorOf(open({ timeout: 2_000 }))
  expect([refusal(error), (error as EvidenceError).verdict.disclosed]).toEqual(['commit.signatures', 'nothing'])
})

test('API timeouts: a question has a deadline of its own, 30 s unless another is given', async () => {
  const { open, places, world } = setup(1, fill)
  const handle = await open()
  for (const place of places) place.down = true
  for (const address of addresses(1)) world.cut(address)
  await world.settle()
  for (const [options, deadlineMs] of [
    [{ timeout: 700 }, 700],
    [{}, 30_000],
  ] as const) {
    const asked = world.now
    const error = await errorOf(world.run(handle.ask('of', 1, options)))
    expect(error).toMatchObject({ name: 'Network.ConnectTimeoutError', deadlineMs, component: 'notes.all' })
    expect((error as Error).message).toContain('no verified answer')
    expect(world.now - asked).toBe(deadlineMs)
  }
})

test.each([Number.NaN, -1, '5' as never])('API timeouts: %s is no length of time', async (timeout) => {
  const { open, world } = setup(1, fill)
  expect(await errorOf(open({ timeout }))).toMatchObject({ name: 'RangeError' })
  const handle = await open()
  expect(await errorOf(world.run(handle.latest({ timeout })))).toMatchObject({ name: 'RangeError' })
})

test('API timeouts: Infinity waits as long as a timer can', async () => {
  const { open, world, chain } = setup(1, () => {})
  const opening = open({ timeout: Number.POSITIVE_INFINITY })
  await world.settle()
  world.host().after(60_000, () => chain.commit([note('late', 1)], { timeMs: world.now }))
  const handle = await opening
  expect((await world.run(handle.latest({ timeout: Number.POSITIVE_INFINITY }))).value?.words).toBe('late')
})

test('ERR-03 ERR-07: ConnectTimeoutError reaches a page whole: ids in hex, inputs by name, peers, a line for each address', async () => {
  const world = new World()
  const { port1, port2 } = channel()
  const roster = setup(1, fill).chain.roster
  serveNetwork(port2, async (options) => createNetwork(world.host(), [notes], options))
  const network = await connectPage(port1, { bootstrap: addresses(2), channel })
  const opening = errorOf(network.open({ name: 'notes.all' }, { roster }, { timeout: 4_000 }))
  // The request crosses in real tasks, its deadline passes in virtual time.
  await expect.poll(() => world.advance(500).then(() => world.now - NOW >= 4_000)).toBe(true)
  const error = (await opening) as ConnectTimeoutError
  expect(error).toMatchObject({
    name: 'Network.ConnectTimeoutError',
    component: 'notes.all',
    ids: { network: toHex(UNIVERSE), group: toHex(GROUP) },
    inputs: { name: 'notes', epoch: 0 },
    deadlineMs: 4_000,
    peersSeen: 0,
    peersServing: 0,
    problems: addresses(2).map((address) => expect.stringContaining(`${address}: `)),
  })
  expect(error.message).toContain(error.ids.group)
  await network[Symbol.asyncDispose]()
})

const stages = (told: readonly Progress[]): readonly string[] => [...new Set(told.map(({ stage }) => stage))]

test('API onProgress: what stands between read and its handle is told in stages, with counts', async () => {
  const told: Progress[] = []
  const { open, world } = setup(4, fill, { served: 3, onProgress: (progress) => void told.push(progress) })
  const handle = await open()
  expect(stages(told)).toEqual(['dialing', 'syncing', 'live'])
  expect(told[0]).toEqual({
    stage: 'dialing',
    surface: 'notes.all',
    group: toHex(GROUP),
    reached: 0,
    peers: 4,
    detail: 'no member reached yet',
  })
  expect(told.at(-1)).toMatchObject({ stage: 'live', peers: 4, detail: null })
  expect(told.at(-1)?.reached).toBeGreaterThan(0)
  const count = told.length
  await world.advance(20_000)
  expect([told.length, handle.state.peers.length]).toEqual([count, 4])
})

test('API onProgress: the reason why nobody is reached is told, an end is not; a listener that throws changes nothing', async () => {
  const told: Progress[] = []
  const nobody = setup(1, fill, { served: 0, onProgress: (progress) => void told.push(progress) })
  await errorOf(nobody.open({ timeout: 4_000 }))
  expect(stages(told)).toEqual(['dialing'])
  expect(told.at(-1)?.detail).not.toMatch(/closed|no member reached yet/)
  const { open } = setup(1, fill, {
    onProgress: () => {
      throw new Error('of the page')
    },
  })
  expect((await open()).state.head?.index).toBe('1')
})

test('API onProgress: it crosses to a page, where it ends with the opening', async () => {
  const told: Progress[] = []
  const { world, chain } = setup(1, fill)
  const { port1, port2 } = channel()
  serveNetwork(port2, async (options) => createNetwork(world.host(), [notes], options))
  const network = await connectPage(port1, { bootstrap: addresses(1), channel, onProgress: (progress) => void told.push(progress) })
  const opening = network.open({ name: 'notes.all' }, { roster: chain.roster })
  let isOpen = false
  void opening.then(() => {
    isOpen = true
  })
  await expect.poll(() => world.advance(100).then(() => isOpen)).toBe(true)
  await expect.poll(() => told.at(-1)?.stage).toBe('live')
  expect(told[0]).toMatchObject({ stage: 'dialing', surface: 'notes.all', group: toHex(GROUP) })
  await network[Symbol.asyncDispose]()
})
