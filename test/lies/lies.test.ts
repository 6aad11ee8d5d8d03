import { afterEach, describe, expect, test } from 'vitest'
import { type Refund, type Refunds, read } from '../../client/lattice/tally/index.ts'
import { refundCodec } from '../../client/lattice/tally/refund.ts'
import { binding } from '../../client/lattice/tally/surface.ts'
import { type StreamHandler, serveLight } from '../../client/network/light/server.ts'
import type { Network } from '../../client/network/network.ts'
import { createNetwork } from '../../client/network/open.ts'
import { decode } from '../../client/primitives/codec.ts'
import type { Check, Verdict } from '../../client/verify/verdict.ts'
import { keyOf } from '../network/chain.ts'
import { addressOf, errorOf } from '../network/setup.ts'
import { World } from '../network/world.ts'
import { type Moment, SCENARIOS, type Scenario } from './scenarios.ts'
import { ASKED, CONFIG, HEARTBEAT, liarServer, type Stage, stageOf } from './stage.ts'

// Issue "The wallet", part 1: every lie of the table, told by a server of the real protocol to a reader in Node. Time is the world's.

/** Bytes that a reader waits for arrive within this, or it has given up: a unary answer's time, and the tries after it. */
const PATIENCE = 60_000

interface Scene {
  readonly world: World
  readonly stage: Stage
  readonly network: Network
  /** What the reader was shown of the surface, in order. */
  readonly shown: Refund[]
  /** A verified head, and every refund of it where `whole`. */
  readonly open: (whole?: boolean) => Promise<Refunds>
  /** From now on the liar lies. */
  readonly lie: () => void
  readonly serveLiar: () => void
  readonly serveHonest: () => void
  readonly next: () => Promise<void>
  /** What the reader has against each server, in the order of their addresses. */
  readonly problems: () => readonly (string | null)[]
}

/** A reader that takes the surface from its first refund on. */
const readingOf = (world: World, stage: Stage, network: Network) => {
  const shown: Refund[] = []
  let refunds: Refunds
  let tail: AsyncIterator<{ readonly value: Refund }>
  const next = async (): Promise<void> => void shown.push((await tail.next()).value.value)
  const open = async (whole = false): Promise<Refunds> => {
    refunds = await world.run(read(network, CONFIG))
    tail = refunds.since(0n)[Symbol.asyncIterator]()
    for (let i = 0; whole && i < stage.truth.chain.items.length; i++) await world.run(next())
    return refunds
  }
  return { shown, next, open, problems: () => refunds.state.peers.map(({ problem }) => problem) }
}

const sceneOf = ({ keys, plan, blocks }: Scenario, honestFirst = false): Scene => {
  const world = new World()
  const stage = stageOf(keys, () => world.now, blocks)
  const planned = plan(stage)
  const [liar, honest] = [keys === 'none' ? 'stranger' : 'peer 0', 'peer 2']
  let lies = false
  const at = { lies: () => lies, isLater: () => lies }
  const serve = (name: string, handler: StreamHandler): void => void world.serve(addressOf(name), { key: keyOf(name).public, handler })
  const names = honestFirst ? [honest, liar] : [liar, honest]
  const network = createNetwork(world.host(), [binding], { bootstrap: names.map(addressOf) })
  const source = () => [stage.truth.chain.source()]
  return {
    world,
    stage,
    network,
    ...readingOf(world, stage, network),
    lie: () => {
      lies = true
    },
    serveLiar: () => serve(liar, liarServer(stage, planned, world.host(), at)),
    serveHonest: () => serve(honest, serveLight(source, world.host())),
  }
}

type Failing = Exclude<Moment, 'stands' | 'lags'>

/** Brings the reader to where the lie is told, and gives what it wants there. */
const WANTED: Readonly<Record<Failing, (scene: Scene) => Promise<() => Promise<unknown>>>> = {
  opens: async ({ lie, open }) => {
    lie()
    return open
  },
  reads: async ({ lie, open, world, next }) => {
    await open()
    lie()
    return () => world.run(next(), PATIENCE)
  },
  asks: async ({ lie, open, world }) => {
    const refunds = await open(true)
    lie()
    return () => world.run(refunds.of(ASKED), PATIENCE)
  },
  looks: async ({ lie, open, world }) => {
    const refunds = await open(true)
    const { ref } = await world.run(refunds.latest())
    lie()
    return () => world.run(refunds.evidence(ref), PATIENCE)
  },
  follows: async ({ lie, open, stage, world, next }) => {
    await open(true)
    await world.settle()
    lie()
    stage.pay()
    return () => world.run(next(), PATIENCE)
  },
  returns: async ({ lie, open, stage, world, next }) => {
    await open(true)
    stage.pay()
    await world.run(next())
    lie()
    stage.pay()
    return () => world.run(next(), PATIENCE)
  },
  joins: async ({ open, stage, world, next, serveLiar }) => {
    await open(true)
    for (let i = 0; i < 2; i++) {
      stage.pay()
      await world.run(next())
    }
    serveLiar()
    return () => world.run(next(), PATIENCE)
  },
}

/** The failed checks that an error carries, or its name. */
const caughtBy = (error: unknown): string => {
  const { name, facts } = error as { readonly name: string; readonly facts?: { readonly verdict?: Verdict } }
  const failed = facts?.verdict && checksOf(facts.verdict).filter(({ state }) => state === 'failed')
  return failed === undefined ? name : failed.map((check) => check.name).join(' ')
}

const checksOf = ({ integrity, authority, freshness }: Verdict): readonly Check[] =>
  [integrity, authority, freshness].flatMap(({ checks }) => checks)

/** Every refund in the hands of the reader is the committee's own. */
const expectTruth = ({ shown, stage }: Scene): void => {
  const amounts = (item: Refund): unknown => (item.kind === 'attribution' ? [item.slot, item.recipients.map(({ amount }) => amount)] : item)
  const true_ = stage.truth.chain.items.map((item) => {
    const { value } = decode(refundCodec, item) as { readonly value: { slot: bigint; recipients: readonly { amount: bigint }[] } }
    return [value.slot, value.recipients.map(({ amount }) => amount)]
  })
  expect(shown.map(amounts)).toEqual(true_.slice(0, shown.length))
}

let scene: Scene
afterEach(async () => {
  await scene.network[Symbol.asyncDispose]()
  await scene.world.settle()
  expect(scene.world.openLinks).toBe(0)
})

const failing = SCENARIOS.filter(
  (scenario): scenario is Scenario & { readonly moment: Failing } => !['stands', 'lags'].includes(scenario.moment),
)

describe('API Verdict, PROTOCOL 3: a server that lies, and nobody else to ask', () => {
  test.each(failing)('$keys keys: $caught when it $lie', async (scenario) => {
    scene = sceneOf(scenario, scenario.moment === 'joins')
    if (scenario.moment === 'joins') scene.serveHonest()
    else scene.serveLiar()
    const want = await WANTED[scenario.moment](scene)
    const before = scene.shown.length
    expect(caughtBy(await errorOf(want()))).toBe(scenario.caught)
    expect(scene.shown.length).toBe(before)
    expectTruth(scene)
  })
})

describe('PROTOCOL 3 step 2: a server that lies, beside an honest member', () => {
  const isFork = ({ keys, caught }: Scenario): boolean => keys === 'two' && caught === 'commit.consistency'
  const expectAnswered = async (scenario: Scenario & { readonly moment: Failing }): Promise<void> => {
    scene = sceneOf(scenario)
    scene.serveLiar()
    scene.serveHonest()
    const want = await WANTED[scenario.moment](scene)
    const answer = (await want()) as Awaited<ReturnType<Refunds['of']>>
    if (scenario.moment === 'asks') expect(answer.value.map((item) => 'slot' in item && item.slot)).toEqual([2n, 3n])
    expectTruth(scene)
  }

  // Under a member's link: whom a reader asks first.
  const found = failing
    .filter((scenario) => !isFork(scenario))
    .map((scenario) => (scenario.keys === 'none' ? { ...scenario, keys: 'one' as const } : scenario))
  test.each(found)('the truth comes from the other one, and the liar is named, when it $lie', async (scenario) => {
    await expectAnswered(scenario)
    expect(scene.problems()[0]).toMatch(/./)
  })
})

describe('PROTOCOL 3 step 6: a server that replays an old head', () => {
  const of = (moment: Moment): Scenario => SCENARIOS.find((scenario) => scenario.moment === moment) as Scenario
  const freshness = async (refunds: Refunds) => {
    const { value, verdict } = await scene.world.run(refunds.latest())
    return {
      slot: value?.kind === 'attribution' && value.slot,
      checks: Object.fromEntries(verdict.freshness.checks.map((check) => [check.name, check])),
      verdict,
    }
  }

  test('alone: head.age is unproven, the light amber and the state stale', async () => {
    scene = sceneOf(of('stands'))
    scene.serveLiar()
    const refunds = await scene.open()
    const { slot, checks, verdict } = await freshness(refunds)
    expect(slot).toBe(3n)
    expect(checks['head.age']).toMatchObject({ state: 'unproven', found: expect.stringMatching(/stale$/) })
    expect(verdict.freshness.state).toBe('amber')
    expect(refunds.state.state).toBe('stale')
  })

  test('beside a member that shows a newer one: head.sources is unproven, and the newer one is gone over to', async () => {
    scene = sceneOf(of('lags'))
    const { world, stage } = scene
    scene.serveLiar()
    const refunds = await scene.open()
    await world.advance(HEARTBEAT)
    stage.pay()
    scene.serveHonest()
    // As soon as it is seen: a peer that lags is left two seconds later.
    while (refunds.state.peers[1]?.head !== '7') await world.advance(100)
    const old = await freshness(refunds)
    expect(refunds.state.peers.map(({ head }) => head)).toEqual(['6', '7'])
    expect(old).toMatchObject({
      slot: 6n,
      checks: { 'head.age': { state: 'passed' }, 'head.sources': { state: 'unproven', found: '1 of 4 members’ operators' } },
    })
    await world.advance(2 * HEARTBEAT)
    const now = await freshness(refunds)
    expect(now).toMatchObject({ slot: 7n, checks: { 'head.sources': { state: 'passed' } } })
    expect(refunds.state.state).toBe('live')
  })
})
