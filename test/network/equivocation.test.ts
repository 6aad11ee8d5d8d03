import { expect, test } from 'vitest'
import { certificateCodec, commitHash } from '../../client/groups/block.ts'
import { verifySeal } from '../../client/groups/certificate.ts'
import { type Bytes, equal } from '../../client/primitives/bytes.ts'
import { decode } from '../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { type EquivocationEvidence, verifyEvidence } from '../../client/verify/evidence/index.ts'
import { Chain, seats } from './chain.ts'
import { HEARTBEAT, note, notes } from './notes.ts'
import { addresses, errorOf, refusal, serve, setup } from './setup.ts'

// A committee that signs two histories. Whatever a reader does afterwards, it must not look as if nothing had happened.

const NOW = 1_700_000_000_000
const START = NOW - 100 * HEARTBEAT
const fork = (first: string, blocks: number): Chain => {
  const chain = new Chain(seats(4), START)
  chain.commit([note('common', 1)], { timeMs: START + 1 })
  for (let i = 0; i < blocks; i++) chain.commit([note(`${first} ${i}`, 1)], { timeMs: i === blocks - 1 ? NOW : START + 2 + i })
  return chain
}

const ours = (chain: Chain): void => {
  chain.commit([note('common', 1)], { timeMs: START + 1 })
  for (let i = 0; i < 2; i++) chain.commit([note(`ours ${i}`, 1)], { timeMs: i === 1 ? NOW : START + 2 + i })
}

test.each([
  ['at the same index', 2],
  ['further on, with a log proof of the other leaf', 5],
])(
  'PROTOCOL 1 Certificate: two certified histories, the other one shown %s: wedged, the evidence kept, nothing more is shown',
  async (_, blocks) => {
    const { world, open, network, chain } = setup(4, ours, { served: 1, bootstrap: addresses(2) })
    const handle = await open()
    const tail = handle[Symbol.asyncIterator]().next()
    serve(world, fork('theirs', blocks), 'peer 1')
    // The first member is gone; the second shows what it has.
    world.serve(addresses(1)[0] as string, { key: new Uint8Array(32), handler: async () => {}, down: true })
    world.cut(addresses(1)[0] as string)
    const error = (await errorOf(world.run(tail))) as {
      name: string
      facts: { index: bigint; ours: Bytes; theirs: Bytes; certificates: readonly Bytes[] }
    }
    expect(error.name).toBe('Network.EquivocationError')
    expect(error.facts.index).toBe(3n)
    expect(equal(error.facts.ours, commitHash(chain.head))).toBe(true)
    // Anybody can check what was kept: both are certified by the same roster.
    const { roster, id } = chain.epoch
    for (const encoded of error.facts.certificates) {
      const certificate = decode(certificateCodec, encoded)
      await verifySeal({ ...certificate, roster, rosterId: id, needed: 3, verify: verifyWithNoble })
    }
    expect(handle.state).toMatchObject({ state: 'wedged', head: { index: '3' } })
    expect(handle.state.detail).toContain('two certified blocks at index 3')
    expect(await errorOf(world.run(handle.latest()))).toMatchObject({ name: 'Network.EquivocationError' })
    expect(await errorOf(world.run(handle.ask('of', 1)))).toMatchObject({ name: 'Network.EquivocationError' })
    await handle[Symbol.asyncDispose]()
    // Closing and opening again does not make it undone.
    expect(await errorOf(open())).toMatchObject({ name: 'Network.EquivocationError' })
    await network[Symbol.asyncDispose]()
    await world.settle()
    expect([world.openStreams, world.pendingTimers]).toEqual([0, 0])
  },
)

test('PROTOCOL 1 Certificate: a certified block on another parent, shown live, is evidence too', async () => {
  const { world, open, chain, network } = setup(1, (chain) => void chain.commit([note('common', 1)], { timeMs: NOW }))
  const other = new Chain(seats(1), START)
  other.commit([note('other', 1)], { timeMs: NOW })
  const handle = await open()
  const tail = handle[Symbol.asyncIterator]().next()
  await world.settle()
  for (let i = 0; i < 3; i++) other.commit([note(`next ${i}`, 1)], { timeMs: NOW, unsealed: i < 2 })
  // The server's own history changes under it: the next block it sends stands on another one than it showed.
  Object.assign(chain, { headers: [...other.headers], seals: [...other.seals], items: [...other.items], sizes: [...other.sizes] })
  chain.notify()
  expect(await errorOf(world.run(tail))).toMatchObject({ name: 'Network.EquivocationError', facts: { index: 1n } })
  expect(handle.state.state).toBe('wedged')
  // By the headers between: the server gave no log proof, and none is needed.
  const [evidence] = JSON.parse(JSON.stringify(await network.evidence())) as readonly EquivocationEvidence[]
  expect(evidence?.histories.map(({ headers }) => headers?.length)).toEqual([undefined, 2])
  const options = { bindings: [notes], verify: verifyWithNoble }
  expect(await verifyEvidence(evidence, options)).toMatchObject({ index: '1', liars: 1, signedBoth: [{ member: 0 }] })
  const [ours, theirs] = (evidence as EquivocationEvidence).histories
  for (const headers of [theirs.headers?.slice(1), theirs.headers?.toReversed(), []]) {
    const broken = { ...evidence, histories: [ours, { ...theirs, headers }] }
    expect(refusal(await errorOf(verifyEvidence(broken, options)))).toBe('commit.consistency')
  }
})
