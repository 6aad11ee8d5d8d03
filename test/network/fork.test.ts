import { beforeEach, describe, expect, test } from 'vitest'
import type { Handle } from '../../client/network/handle.ts'
import type { Network } from '../../client/network/network.ts'
import { createNetwork } from '../../client/network/open.ts'
import { verifyWithNoble } from '../../client/primitives/ed25519.ts'
import type { Evidence } from '../../client/verify/evidence/format.ts'
import { type Finding, verifyEvidence } from '../../client/verify/evidence/index.ts'
import { explain, type Verdict } from '../../client/verify/verdict.ts'
import { Chain, seats } from './chain.ts'
import { HEARTBEAT, type NoteDatum, note, notes } from './notes.ts'
import { addresses, errorOf, serve } from './setup.ts'
import { World } from './world.ts'

// Issue "The committee", "Must show": two of four vote keys in a liar's hands, and two servers, one side of a fork each. Members 0 and 1
// sign both sides; 2 was shown side A and 3 was shown side B, and each of them is honest.

const NOW = 1_700_000_000_000
const START = NOW - 100 * HEARTBEAT
const [A, B] = [
  [0, 1, 2],
  [0, 1, 3],
]

interface Scene {
  readonly world: World
  readonly sides: readonly [Chain, Chain]
  readonly network: Network
  /** A heartbeat on both sides. */
  readonly beat: (count?: number) => Promise<void>
  readonly open: (withstand?: number) => Promise<Handle<NoteDatum>>
}

/** `common` blocks that all four signed, then one block on each side. The servers are those of members 2 and 3. */
const scene = (common: number): Scene => {
  const world = new World()
  const sides = [new Chain(seats(4), START), new Chain(seats(4), START)] as const
  for (const chain of sides) for (let i = 0; i < common; i++) chain.commit([note(`common ${i}`, 1)], { signers: [0, 1, 2, 3] })
  const both = (words: string): void => {
    sides[0].commit([note(`A ${words}`, 1)], { timeMs: world.now, signers: A })
    sides[1].commit([note(`B ${words}`, 1)], { timeMs: world.now, signers: B })
  }
  both('0')
  serve(world, sides[0], 'peer 2')
  const network = createNetwork(world.host(), [notes], { bootstrap: addresses(4) })
  const open = (withstand?: number): Promise<Handle<NoteDatum>> => {
    const options = withstand === undefined ? {} : { withstand }
    return world.run(network.open({ name: 'notes.all' }, { roster: sides[0].roster }, options) as Promise<Handle<NoteDatum>>)
  }
  const beat = async (count = 1): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await world.advance(HEARTBEAT)
      both(`${sides[0].head.index}`)
    }
    await world.settle()
  }
  return { world, sides, network, beat, open }
}

const checksOf = ({ integrity, authority, freshness }: Verdict) =>
  Object.fromEntries([integrity, authority, freshness].flatMap(({ checks }) => checks).map(({ name, state }) => [name, state]))
const verifyOf = (evidence: Evidence | undefined): Promise<Finding> =>
  // Through text, as a file: nothing but JSON may be in it.
  verifyEvidence(JSON.parse(JSON.stringify(evidence)), { bindings: [notes], verify: verifyWithNoble })

describe('PROTOCOL 1 Certificate, Must show: a reader with default withstand on side A', () => {
  let it: Scene
  beforeEach(() => {
    it = scene(3)
  })

  test('meets side B on the link of another member: commit.consistency fails, both certificates are exported, and verify confirms it offline', async () => {
    const { world, sides, network, beat, open } = it
    const handle = await open()
    await beat(2)
    expect(handle.state).toMatchObject({ state: 'live', head: { index: '6' } })
    expect(await network.evidence()).toEqual([])
    const tail = handle[Symbol.asyncIterator]().next()
    serve(world, sides[1], 'peer 3')
    const error = (await errorOf(world.run(tail))) as Error & { readonly verdict: Verdict }
    expect(error).toMatchObject({ name: 'Network.EquivocationError' })
    expect(error.verdict.ok).toBe(false)
    expect(checksOf(error.verdict)).toMatchObject({
      'commit.consistency': 'failed',
      'commit.signatures': 'passed',
      'roster.chain': 'passed',
    })
    expect(explain(error.verdict)).toMatch(/^refused\n/)
    expect(handle.state).toMatchObject({ state: 'wedged' })

    const exported = await network.evidence()
    expect(exported).toMatchObject([{ kind: 'equivocation', surface: 'notes.all', verdict: error.verdict }])
    const finding = await verifyOf(exported[0])
    const both = [0, 1].map((member) => ({ member, operator: `operator ${member}` }))
    expect(finding).toMatchObject({ kind: 'equivocation', signedBoth: both, liars: 2 })
    // The network keeps it for its life, whoever closes what.
    await handle[Symbol.asyncDispose]()
    expect(await errorOf(open())).toMatchObject({ name: 'Network.EquivocationError' })
    expect(await network.evidence()).toEqual(exported)
    await network[Symbol.asyncDispose]()
    await world.settle()
    expect([world.openStreams, world.openLinks, world.pendingTimers]).toEqual([0, 0, 0])
  })

  test.each([
    ['is behind', -3],
    ['is ahead', 3],
  ])('meets a side B that %s: the proof is a leaf of a log', async (_, lead) => {
    const { world, sides, network, beat, open } = it
    const handle = await open()
    await beat(5)
    const behind = lead < 0 ? sides[1] : sides[0]
    const shown = new Chain(seats(4), START)
    for (let i = 0; i < 3; i++) shown.commit([note(`common ${i}`, 1)], { signers: [0, 1, 2, 3] })
    const blocks = Number(behind.head.index) - 3 + lead
    for (let i = 0; i < blocks; i++) shown.commit([note(`other ${i}`, 1)], { timeMs: world.now, signers: B })
    serve(world, shown, 'peer 3')
    await world.advance(6 * HEARTBEAT)
    expect(handle.state.state).toBe('wedged')
    const [evidence] = await network.evidence()
    expect(await verifyOf(evidence)).toMatchObject({ kind: 'equivocation', liars: 2 })
    expect(JSON.stringify(evidence)).toMatch(/"proof":"[0-9a-f]+"/)
  })

  test('loses its server and finds side B alone: nothing of it is shown', async () => {
    const { world, sides, network, beat, open } = it
    const handle = await open()
    await beat(2)
    const tail = handle[Symbol.asyncIterator]().next()
    const gone = addresses(4)[2] as string
    world.serve(gone, { key: new Uint8Array(32), handler: async () => {}, down: true })
    world.cut(gone)
    sides[1].commit([note('B more', 1)], { timeMs: world.now, signers: B })
    serve(world, sides[1], 'peer 3')
    expect(await errorOf(world.run(tail))).toMatchObject({ name: 'Network.EquivocationError', index: 6n })
    expect(await verifyOf((await network.evidence())[0])).toMatchObject({ kind: 'equivocation', index: '6', liars: 2 })
  })
})

describe('PROTOCOL 1 Strength, Must show: a reader with withstand 2 accepts neither side', () => {
  test('follows what all four signed, and nothing of the fork', async () => {
    const { world, sides, beat, open } = scene(3)
    serve(world, sides[1], 'peer 3')
    const handle = await open(2)
    const tail = handle[Symbol.asyncIterator]().next()
    let shown = 0
    void tail.then(() => {
      shown += 1
    })
    await beat(10)
    expect(handle.state).toMatchObject({ state: 'stale', head: { index: '3' } })
    expect((await world.run(handle.latest())).value?.words).toBe('common 2')
    expect(shown).toBe(0)
    // Four seats for two members: a server that sends a seal of three is refused at this strength.
    expect(handle.state.peers.filter(({ problem }) => problem?.startsWith('commit.'))).toEqual([])
  })

  test('has no head where all four never agreed, on either side', async () => {
    const { world, sides, open } = scene(0)
    serve(world, sides[1], 'peer 3')
    expect(await errorOf(open(2))).toMatchObject({ name: 'Network.ConnectTimeoutError', peersServing: 2 })
  })
})
