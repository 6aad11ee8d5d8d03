import { expect, test } from 'vitest'
import type { Seal } from '../../client/groups/block.ts'
import type { Response } from '../../client/network/light/messages.ts'
import { type Bytes, toHex } from '../../client/primitives/bytes.ts'
import { Chain, seats } from './chain.ts'
import { HEARTBEAT, note } from './notes.ts'
import { addresses, errorOf, lying, refusal, setup } from './setup.ts'

const NOW = 1_700_000_000_000

/** `epochs` handovers, a note in each epoch, and a fresh head. */
const handovers =
  (epochs: number, n: number) =>
  (chain: Chain): void => {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      chain.commit([note(`epoch ${epoch}`, 1)])
      chain.commit([], { next: seats(n, epoch) })
    }
    chain.commit([], { timeMs: NOW })
  }

test.each([
  [1, 3],
  [4, 3],
])('PROTOCOL 1 Membership: a reader with the first roster of %i is led through %i epochs', async (n, epochs) => {
  const { world, open } = setup(n, handovers(epochs, n))
  const handle = await open()
  const { value, verdict } = await world.run(handle.latest())
  expect(value?.words).toBe(`epoch ${epochs}`)
  expect(verdict.authority.checks.find(({ name }) => name === 'roster.chain')).toMatchObject({
    state: 'passed',
    found: `epoch ${epochs} from epoch 0`,
  })
})

test('PROTOCOL 3 Open: more epochs than one answer holds are asked for in turn', async () => {
  const { world, open } = setup(1, handovers(70, 1))
  const handle = await open()
  expect((await world.run(handle.latest())).value?.words).toBe('epoch 70')
})

test('PROTOCOL 1 Membership: a handover is followed live, and the items go on', async () => {
  const { world, open, chain } = setup(4, handovers(0, 4))
  const handle = await open()
  const items = handle.since(0n)[Symbol.asyncIterator]()
  const seen: string[] = []
  for (let epoch = 1; epoch <= 3; epoch++) {
    chain.commit([note(`before ${epoch}`, 1)], { timeMs: world.now })
    chain.commit([note(`last ${epoch}`, 1)], { timeMs: world.now, next: seats(4, epoch) })
    await world.settle()
    chain.commit([note(`after ${epoch}`, 1)], { timeMs: world.now })
    for (let i = 0; i < 3; i++) seen.push((await world.run(items.next())).value.value.words)
  }
  expect(seen).toEqual([1, 2, 3].flatMap((epoch) => [`before ${epoch}`, `last ${epoch}`, `after ${epoch}`]))
  expect(handle.state.peers.filter(({ problem }) => problem !== null)).toEqual([])
})

test('PROTOCOL 1 Membership: a head that is itself the last of its epoch is good, before the next epoch has a block', async () => {
  const { world, open, chain } = setup(4, (chain) => {
    chain.commit([note('a', 1)])
    chain.commit([note('b', 1)], { next: seats(4, 1), timeMs: NOW })
  })
  const handle = await open()
  expect((await world.run(handle.latest())).value?.words).toBe('b')
  const tail = handle[Symbol.asyncIterator]()
  const next = tail.next()
  chain.commit([note('c', 1)], { timeMs: world.now })
  expect((await world.run(next)).value.value.words).toBe('c')
})

type Opened = Extract<Response, { kind: 'opened' }>['value']
const steps = (change: (steps: Opened['steps']) => Opened['steps']) =>
  lying((response) =>
    response.kind === 'opened' ? { kind: 'opened', value: { ...response.value, steps: change(response.value.steps) } } : response,
  )
const first = (change: (step: Opened['steps'][number]) => Opened['steps'][number]) =>
  steps(([step, ...rest]) => [change(step as never), ...rest])

test.each([
  [
    'roster.chain',
    'another roster than was announced',
    first(({ certificate, roster }) => ({ certificate, roster: { ...roster, members: roster.members.toReversed() } })),
  ],
  ['roster.chain', 'an epoch left out', steps((all) => all.slice(1))],
  ['roster.chain', 'epochs exchanged', steps((all) => all.toReversed())],
  ['roster.chain', 'the last epoch left out', steps((all) => all.slice(0, -1))],
  [
    'commit.signatures',
    'a handover that too few signed',
    first(({ certificate: { header, seal }, roster }) => ({
      roster,
      certificate: { header, seal: { ...seal, signers: Uint8Array.of(1), signatures: seal.signatures.slice(0, 1) } },
    })),
  ],
  [
    'commit.signatures',
    'a handover that nobody signed',
    first(({ certificate: { header, seal }, roster }) => ({ roster, certificate: { header: { ...header, time_ms: 5n }, seal } })),
  ],
] as const)('PROTOCOL 1 Membership: %s fails for %s', async (check, _, tamper) => {
  const { open, places } = setup(4, handovers(2, 4), { served: 1, bootstrap: addresses(1) })
  if (places[0]) places[0].tamper = tamper
  expect(refusal(await errorOf(open()))).toBe(check)
})

test('PROTOCOL 1 Membership: roster.chain fails for a roster of strangers behind a genuine handover, whatever they signed', async () => {
  // Two histories that are one up to the handover; the second hands over to keys that the liar holds, and goes on under them.
  const [honest, forged] = [setup(4, handovers(1, 4), { served: 1, bootstrap: addresses(1) }), setup(4, handovers(0, 4))]
  const evil = new Chain(seats(4), forged.world.now - 100 * HEARTBEAT)
  evil.commit([note('epoch 1', 1)])
  evil.commit([], { next: seats(4, 66) })
  evil.commit([note('forged', 1)], { timeMs: NOW })
  const head = { header: evil.head, seal: evil.seals.at(-1) as Seal }
  const roster = evil.epoch.roster
  const lie = (response: Response): Response =>
    response.kind === 'opened'
      ? {
          kind: 'opened',
          value: {
            ...response.value,
            head,
            steps: response.value.steps.map(({ certificate }) => ({ certificate, roster: { ...roster, epoch: 1 } })),
          },
        }
      : response
  if (honest.places[0]) honest.places[0].tamper = lying(lie)
  const error = await errorOf(honest.open())
  expect([refusal(error), (error as Error).cause]).toMatchObject([
    'roster.chain',
    { expected: toHex(honest.chain.steps[0]?.certificate.header.next as Bytes) },
  ])
})

test('PROTOCOL 1 Former members: roster.chain fails for what a committee signs after it has handed over', async () => {
  const { open, places, world } = setup(4, handovers(1, 4), { served: 1, bootstrap: addresses(1) })
  const former = new Chain(seats(4), world.now - 100 * HEARTBEAT)
  for (let i = 0; i < 4; i++) former.commit([note('forged', 1)], { timeMs: i === 3 ? NOW : NOW - 1_000 })
  const head = { header: former.head, seal: former.seals.at(-1) as Seal }
  if (places[0])
    places[0].tamper = lying((response) => (response.kind === 'opened' ? { kind: 'opened', value: { ...response.value, head } } : response))
  expect(refusal(await errorOf(open()))).toBe('roster.chain')
})

test('PROTOCOL 1 Membership: roster.chain fails for an epoch number that does not follow, though the committee signed it', async () => {
  const { open } = setup(4, (chain) => {
    chain.commit([], { next: seats(4, 1), nextEpoch: 7 })
    chain.commit([], { timeMs: NOW })
  })
  expect(refusal(await errorOf(open()))).toBe('roster.chain')
})

test('PROTOCOL 1 Strength: who withstands more needs more signatures, in every epoch and on every head', async () => {
  const weak = setup(4, (chain) => void chain.commit([note('a', 1)], { timeMs: NOW }), { withstand: 2 })
  // Three of four signed: the member has no head of four signatures to show, and says so.
  expect(await errorOf(weak.open({ timeout: 3_000 }))).toMatchObject({ name: 'Network.ConnectTimeoutError' })
  const strong = setup(4, (chain) => void chain.commit([note('a', 1)], { timeMs: NOW, signers: [0, 1, 2, 3] }), { withstand: 2 })
  const handle = await strong.open()
  const { verdict } = await strong.world.run(handle.latest())
  expect(verdict.assumes).toBe('4 of 4 notes members signed; at least 3 would have to lie')
  expect(verdict.authority.checks.at(-1)).toMatchObject({ expected: '4 of 4 needed', found: '4 of 4 signed' })
})

test('PROTOCOL 1 Strength: the live tail waits for the head that has enough, and then shows all before it', async () => {
  const { world, open, chain } = setup(4, (chain) => void chain.commit([note('a', 1)], { timeMs: NOW, signers: [0, 1, 2, 3] }), {
    withstand: 2,
  })
  const handle = await open()
  const tail = handle[Symbol.asyncIterator]()
  const next = tail.next()
  chain.commit([note('weak', 1)], { timeMs: world.now })
  await world.advance(HEARTBEAT)
  expect(handle.state.head?.index).toBe('1')
  chain.commit([note('strong', 1)], { timeMs: world.now, signers: [0, 1, 2, 3] })
  expect((await world.run(next)).value.value.words).toBe('weak')
})

test('PROTOCOL 1 Strength: c > n is said aloud, before anybody is asked', async () => {
  const { open, world } = setup(4, handovers(0, 4), { withstand: 3 })
  expect(await errorOf(open())).toMatchObject({ name: 'Group.WithstandError', facts: { n: 4, withstand: 3 } })
  expect(world.streamsOpened).toBe(0)
  expect(await errorOf(open({ withstand: 1 }).then(() => Promise.reject(new Error('opened'))))).toMatchObject({ message: 'opened' })
})

test('PROTOCOL 1 Strength: a handover to a committee that is too small for the reader ends its reading aloud', async () => {
  const { world, open, chain } = setup(4, (chain) => void chain.commit([note('a', 1)], { timeMs: NOW, signers: [0, 1, 2, 3] }), {
    withstand: 2,
  })
  const handle = await open()
  const next = handle[Symbol.asyncIterator]().next()
  chain.commit([], { timeMs: world.now, signers: [0, 1, 2, 3], next: seats(1, 1) })
  await world.settle()
  chain.commit([note('b', 1)], { timeMs: world.now })
  expect(await errorOf(world.run(next))).toMatchObject({ name: 'Group.WithstandError', facts: { n: 1, withstand: 2 } })
  expect(handle.state.detail).toContain('cannot withstand 2')
})

test('a roster whose keys two members could read differently is refused before anybody is asked', async () => {
  const [one, two] = seats(2) as [ReturnType<typeof seats>[number], ReturnType<typeof seats>[number]]
  const { open } = setup(2, () => {}, { members: [one, { ...two, member: { ...two.member, peer: one.member.peer } }] })
  expect(await errorOf(open())).toMatchObject({ name: 'Group.RosterError' })
})
