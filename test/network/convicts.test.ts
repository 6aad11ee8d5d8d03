import { expect, test } from 'vitest'
import type { EncodedContradiction } from '../../client/groups/contradiction.ts'
import type { Handle } from '../../client/network/handle.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { createNetwork } from '../../client/network/open.ts'
import { Chain, keyOf, seats } from './chain.ts'
import { contradiction } from './convicts.ts'
import { HEARTBEAT, type NoteDatum, note, notes } from './notes.ts'
import { addresses, addressOf } from './setup.ts'
import { World } from './world.ts'

// PROTOCOL.md section 1, "Evidence", and section 3, request 7: what members kept of liars reaches whoever reads.

/** Four members, all up; `kept` is what each of them answers to a request for evidence. */
const scene = async (kept: (chain: Chain) => readonly (readonly EncodedContradiction[])[], withstand?: number) => {
  const world = new World()
  const chain = new Chain(seats(4), world.now - 100 * HEARTBEAT)
  for (let i = 0; i < 3; i++) chain.commit([note(`${i}`, 1)], { signers: [0, 1, 2, 3] })
  kept(chain).forEach((items, i) => {
    const source = { ...chain.source(), evidence: async () => items }
    const host = world.host()
    world.serve(addressOf(`peer ${i}`), { key: keyOf(`peer ${i}`).public, handler: serveLight(() => [source], host) })
  })
  const network = createNetwork(world.host(), [notes], { bootstrap: addresses(4), ...(withstand !== undefined && { withstand }) })
  const handle = (await world.run(network.open({ name: 'notes.all' }, { roster: chain.roster }))) as Handle<NoteDatum>
  await world.advance(3 * HEARTBEAT)
  return { network, handle, world }
}

const of = (chain: Chain, ...members: number[]) => members.map((member) => contradiction(chain.head.roster, seats(4), member))

test('one liar of four is shown by its votes, and the reader goes on', async () => {
  const { handle, network } = await scene((chain) => [[], of(chain, 3), of(chain, 3), []])
  const { state, peers } = handle.state
  expect(state).not.toBe('wedged')
  expect(peers.find(({ member }) => member === 3)?.problem).toMatch(/^its votes in view 7 contradict each other/)
  expect(peers.filter(({ problem }) => problem?.includes('contradict'))).toHaveLength(1)
  await network[Symbol.asyncDispose]()
})

test('more liars than it withstands wedge it, wherever the proofs come from, and stay wedged', async () => {
  const { handle, network, world } = await scene((chain) => [[], of(chain, 3), of(chain, 2), []])
  expect(handle.state).toMatchObject({ state: 'wedged', detail: expect.stringMatching(/members (2, 3|3, 2) signed votes that contradict/) })
  await expect(world.run(handle.latest())).rejects.toMatchObject({ name: 'Network.ConvictedError', withstand: 1 })
  await network[Symbol.asyncDispose]()
})

test('a reader that withstands two is not wedged by two', async () => {
  const { handle, network } = await scene((chain) => [[], of(chain, 3), of(chain, 2), []], 2)
  expect(handle.state.state).not.toBe('wedged')
  await network[Symbol.asyncDispose]()
})

test('a proof that is none costs who brought it, and convicts nobody', async () => {
  const forged = (chain: Chain) =>
    of(chain, 2, 3).map((proof) => ({ ...proof, first: { ...proof.first, signature: proof.second.signature } }))
  const { handle, network } = await scene((chain) => [[], forged(chain), [], []])
  const { state, peers } = handle.state
  expect(state).not.toBe('wedged')
  expect(peers.filter(({ problem }) => problem !== null).map(({ member, problem }) => [member, problem])).toEqual([
    [1, expect.stringMatching(/^commit.signatures failed/)],
  ])
  await network[Symbol.asyncDispose]()
})
