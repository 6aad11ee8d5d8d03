import { describe, expect, it } from 'vitest'
import { REVERSIBLE } from '../../../client/lattice/tally/state.ts'
import { type Bytes, toHex } from '../../../client/primitives/bytes.ts'
import { testHost } from '../../groups/counter.ts'
import { brought, type ChainDouble, chainDouble, type Driven, driven, GENESIS, testConfig } from './chain-double.ts'
import { attributionIn, chainOf, type Double, groupDouble, type Made, memoryOf, provider, reversalIn, type Spec } from './fixtures.ts'

const pay: Spec = { value: 10_000n, providers: [provider(1)], bps: [5_000] }
const fake: Spec = { value: 10n ** 18n, providers: [provider(9)], bps: [10_000] }
const four: readonly (readonly Spec[])[] = [[pay], [], [pay, pay], [pay]]
const deep = { inclusion: { kind: 'depth', value: { blocks: 2 } } } as const

/** Four members with a chain each over one log, on one clock. */
const setUp = (specs: readonly (readonly Spec[])[], content: Parameters<typeof testConfig>[0] = {}) => {
  const config = testConfig(content, 4)
  const host = testHost()
  const group = groupDouble(config, host.now)
  const chains = [0, 1, 2, 3].map(() => chainDouble(specs)) as [ChainDouble, ChainDouble, ChainDouble, ChainDouble]
  for (const chain of chains) chain.top += 2n
  const memories = chains.map(() => memoryOf())
  const members: Driven[] = []
  const start = (seats = [0, 1, 2, 3]): void => {
    for (const seat of seats) members[seat] = driven(config, chains[seat] as ChainDouble, group.as(seat), host, memories[seat])
  }
  /** Seconds go by, each with a heartbeat of the log. */
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      await members.find((member) => member !== undefined)?.look()
      group.beat()
    }
  }
  const stop = (): Promise<unknown> => Promise.all(members.filter((member) => member !== undefined).map((member) => member.stop()))
  const stateOf = (seat: number) => members[seat]?.states.at(-1)
  return { config, host, group, chains, memories, start, pass, stop, stateOf }
}

/** The same heights on another branch, after the first `held` blocks. */
const rebranch = (chain: ChainDouble, held: number, specs: readonly (readonly Spec[])[], salt = 7): void => {
  const kept = chain.blocks.slice(0, held + 1)
  chain.blocks = [...kept, ...chainOf(specs, kept.at(-1)?.hash, BigInt(held + 1), salt)]
  chain.top = BigInt(chain.blocks.length + 1)
  chain.final = BigInt(chain.blocks.length - 1)
}
const given = ({ items }: Double): bigint[] => items.map((item) => attributionIn(item).slot)

describe('TAL-02 one bad node of four changes nothing', () => {
  for (const [rule, content] of [
    ['at the finalized tag', {}],
    ['by depth', deep],
  ] as const) {
    it(`${rule}: one that lies`, async () => {
      const { group, chains, start, pass, stop, stateOf } = setUp(four, content)
      rebranch(chains[2], 0, [[fake], [fake], [], []])
      start()
      await pass(20)
      expect(given(group)).toEqual([1n, 3n, 4n])
      expect(group.items.map((item) => toHex(attributionIn(item).blockHash))).toEqual(
        [1, 3, 4].map((i) => toHex(chains[0].blocks[i]?.hash as Bytes)),
      )
      expect([0, 1, 3].map((seat) => stateOf(seat)?.state)).toEqual(['following', 'following', 'following'])
      // It says so, and signs nothing on top of what is not on its chain.
      expect(stateOf(2)?.state).toBe('reorganised')
      expect(brought(group).filter((line) => line.endsWith('by 2')).length).toBeLessThanOrEqual(2)
      expect(chains[2].distrusted).toBeGreaterThan(0)
      // Its node is put right, and it goes on following.
      chains[2].blocks = chains[0].blocks
      await pass(40)
      expect(stateOf(2)).toMatchObject({ state: 'following', block: 4n })
      expect(given(group)).toEqual([1n, 3n, 4n])
      await stop()
    })

    it(`${rule}: one that is dead`, async () => {
      const { group, chains, start, pass, stop, stateOf } = setUp(four, content)
      chains[1].isDown = true
      start()
      await pass(20)
      expect(given(group)).toEqual([1n, 3n, 4n])
      expect([0, 1, 2, 3].map((seat) => stateOf(seat)?.state)).toEqual(['following', 'down', 'following', 'following'])
      await stop()
    })
  }
})

describe('TAL-05 two bad nodes of four stop agreement, and refund nothing', () => {
  it('says how many have spoken when two are dead', async () => {
    const { group, chains, start, pass, stop, stateOf } = setUp(four)
    chains[1].isDown = true
    chains[3].isDown = true
    start()
    await pass(20)
    expect(group.items).toEqual([])
    expect(stateOf(0)).toEqual({ state: 'waiting', detail: '2 members have spoken on block 1, 3 must agree', block: 1n })
    chains[1].isDown = false
    await pass(40)
    expect(given(group)).toEqual([1n, 3n, 4n])
    await stop()
  })

  it('says who differs when two lie, and that there is no other answer to what is final', async () => {
    const { group, chains, start, pass, stop, stateOf } = setUp(four)
    for (const seat of [2, 3]) rebranch(chains[seat] as ChainDouble, 0, [[fake], [fake], [], []])
    start()
    await pass(20)
    const [told, lied] = [chains[0], chains[2]].map((chain) => toHex(chain.blocks[1]?.hash as Bytes).slice(0, 16))
    expect([group.items, group.state().number]).toEqual([[], 0n])
    for (const seat of [0, 1, 2, 3]) {
      const detail = stateOf(seat)?.detail ?? ''
      expect(detail).toMatch(/^4 members have spoken on block 1, 3 must agree: /)
      expect(detail).toContain(`members 0, 1 say 0x${told}`)
      expect(detail).toContain(`members 2, 3 say 0x${lied}`)
      expect(detail).toMatch(/publish a config whose origin is the block before$/)
    }
    // All words are counted: nothing more is brought.
    expect(group.commands.length).toBe(4)
    await stop()
  })

  it('by depth goes on in the next round, once their nodes show the chain', async () => {
    const { group, chains, memories, start, pass, stop, stateOf } = setUp(four, deep)
    for (const seat of [2, 3]) rebranch(chains[seat] as ChainDouble, 0, [[fake], [fake], [], []])
    start()
    await pass(30)
    expect([group.items, group.commands.length]).toEqual([[], 4])
    expect(stateOf(0)?.detail).toMatch(/agree in a later round, which opens when one of their nodes shows another block/)
    chains[3].blocks = chains[0].blocks
    await pass(30)
    expect(given(group)).toEqual([1n, 3n, 4n])
    expect(brought(group).filter((line) => /observe 1 .*round 1/.test(line)).length).toBeGreaterThanOrEqual(3)
    // Nobody said two things in one round.
    for (const { said } of memories) expect(new Set(said.keys()).size).toBe(said.size)
    await stop()
  })
})

describe('TAL-04 a chain that goes back', () => {
  it('within its depth changes nothing', async () => {
    const { group, chains, start, pass, stop } = setUp(four, deep)
    for (const chain of chains) chain.top = 4n
    start()
    await pass(10)
    for (const chain of chains) rebranch(chain, 2, [[pay], [pay], []])
    await pass(20)
    expect(given(group)).toEqual([1n, 3n, 4n])
    expect(toHex(attributionIn(group.items[1] as Bytes).blockHash)).toBe(toHex(chains[0].blocks[3]?.hash as Bytes))
    await stop()
  })

  it('past it is reversed by a quorum, block by block, and given anew', async () => {
    const { group, chains, start, pass, stop, stateOf } = setUp(four, deep)
    start()
    await pass(20)
    expect(given(group)).toEqual([1n, 3n, 4n])
    const old = chains[0].blocks
    // Two see it first: the question is open again, and nothing is taken back by them alone.
    for (const seat of [0, 2]) rebranch(chains[seat] as ChainDouble, 1, [[pay], [], [pay], [pay]])
    await pass(10)
    expect([group.items.length, group.state().contested]).toEqual([3, 2n])
    expect(stateOf(1)).toMatchObject({
      state: 'waiting',
      block: 2n,
      detail: expect.stringMatching(/asked about again, in round 1, 3 must agree: /),
    })
    for (const seat of [1, 3]) rebranch(chains[seat] as ChainDouble, 1, [[pay], [], [pay], [pay]])
    await pass(40)
    const reversals = group.items.slice(3, 5).map(reversalIn)
    expect(reversals.map(({ of, blockHash }) => [of, toHex(blockHash)])).toEqual(
      [3, 4].map((slot) => [{ slot: BigInt(slot), revision: 0 }, toHex(old[slot]?.hash as Bytes)]),
    )
    expect(group.items.slice(5).map(attributionIn)).toMatchObject([
      { slot: 2n, revision: 0, blockHash: chains[0].blocks[2]?.hash },
      { slot: 4n, revision: 1, blockHash: chains[0].blocks[4]?.hash },
      { slot: 5n, revision: 0, blockHash: chains[0].blocks[5]?.hash },
    ])
    expect([0, 1, 2, 3].map((seat) => stateOf(seat))).toEqual(
      [0, 1, 2, 3].map(() => ({ state: 'following', detail: 'agreed up to block 5', block: 5n })),
    )
    await stop()
  })

  it('on one node only is said by that one, and reverses nothing', async () => {
    const { group, chains, start, pass, stop, stateOf } = setUp(four, deep)
    start()
    await pass(20)
    rebranch(chains[3], 1, [[fake], [fake], [fake]])
    await pass(20)
    const detail = expect.stringMatching(/1 of 4 members say that it is another one, 2 reopen the question/)
    expect(stateOf(3)).toEqual({ state: 'reorganised', block: 2n, detail })
    const before = group.commands.length
    await pass(20)
    expect([group.commands.length, group.items.length, stateOf(0)?.state]).toEqual([before, 3, 'following'])
    await stop()
  })

  it(`further than ${REVERSIBLE} agreed blocks is a state, and nothing is signed on it`, async () => {
    const { group, chains, start, pass, stop, stateOf } = setUp(
      Array.from({ length: REVERSIBLE + 3 }, () => []),
      deep,
    )
    start()
    await pass(5)
    expect(group.state().number).toBe(BigInt(REVERSIBLE + 3))
    const before = group.commands.length
    for (const chain of chains)
      rebranch(
        chain,
        1,
        Array.from({ length: REVERSIBLE + 2 }, () => []),
      )
    await pass(20)
    expect(group.commands.length).toBe(before)
    const detail = expect.stringMatching(/the newest 64 agreed blocks, which are all that can be taken back/)
    expect(stateOf(0)).toMatchObject({ state: 'reorganised', detail })
    await stop()
  })

  it('takes back what a committee of one has given', async () => {
    const config = testConfig(deep)
    const chain = chainDouble(four)
    chain.top += 2n
    const host = testHost()
    const group = groupDouble(config, host.now)
    const member = driven(config, chain, group, host)
    await member.look(5)
    rebranch(chain, 2, [[pay], [pay]])
    await member.look(10)
    expect(group.items.slice(3, 5).map((item) => reversalIn(item).of)).toEqual([3n, 4n].map((slot) => ({ slot, revision: 0 })))
    expect(group.items.slice(5).map(attributionIn)).toMatchObject([
      { slot: 3n, revision: 1 },
      { slot: 4n, revision: 1 },
    ])
    expect(member.states.at(-1)).toMatchObject({ state: 'following', block: 4n })
    await member.stop()
  })
})

describe('MSK-06 one signature a question and round', () => {
  it('is brought after a restart though the chain has gone on: the word was given', async () => {
    const { config, chains, group, memories } = setUp([[pay]], deep)
    const stuck = { ...group.as(1), submit: () => new Promise<never>(() => {}) }
    const first = driven(config, chains[1], stuck, undefined, memories[1])
    await first.look(2)
    await first.stop()
    expect([memories[1]?.said.size, group.commands.length]).toEqual([1, 0])
    const word = [...(memories[1]?.said.values() ?? [])]
    rebranch(chains[1], 0, [[fake]])
    const again = driven(config, chains[1], group.as(1), undefined, memories[1])
    await again.look(3)
    expect(brought(group)).toEqual(['observe 1 by 1'])
    expect(toHex(group.commands[0] as Bytes)).toContain(word[0])
    await again.stop()
  })

  it('is kept, and the member silent in that round, where nobody recalls the word', async () => {
    const { config, chains, group } = setUp([[pay]], deep)
    const { said, remember } = memoryOf()
    const forgetful = { said, remember, recall: async () => null }
    const stuck = { ...group.as(1), submit: () => new Promise<never>(() => {}) }
    const first = driven(config, chains[1], stuck, undefined, forgetful)
    await first.look(2)
    await first.stop()
    rebranch(chains[1], 0, [[fake]])
    const again = driven(config, chains[1], group.as(1), undefined, forgetful)
    await again.look(3)
    expect([group.commands.length, again.states.at(-1)?.state]).toEqual([0, 'inconsistent'])
    await again.stop()
  })
})

describe('the turns of four', () => {
  it('go on when the member whose turn it is cannot bring its proofs', async () => {
    const { config, chains, group, host, pass, start, stop } = setUp(four)
    const view = group.as(1)
    // Its words get through, its proofs do not: block 1 is member 1's turn.
    const slow = { ...view, submit: (command: Bytes) => (command[0] === 1 ? new Promise<never>(() => {}) : view.submit(command)) }
    const member = driven(config, chains[1], slow, host)
    start([0, 2, 3])
    await pass(20)
    expect(given(group)).toEqual([1n, 3n, 4n])
    expect(brought(group).filter((line) => line.startsWith('attribute'))).toEqual(['attribute 1', 'attribute 3', 'attribute 4'])
    await member.stop()
    await stop()
  })

  it('ask nothing of a node but how far it is, while a word is counted', async () => {
    const { config, chains, group, host } = setUp(four)
    let blocks = 0
    const block: ChainDouble['block'] = (number, options) => {
      blocks += 1
      return chains[2].block(number, options)
    }
    const member = driven(config, { ...chains[2], block }, group.as(2), host)
    for (let i = 0; i < 30; i++) {
      await member.look()
      group.beat()
    }
    expect([blocks, group.commands.length]).toEqual([1, 1])
    await member.stop()
  })

  it('bring each word and each proof once when all goes well', async () => {
    const { group, chains, start, pass, stop } = setUp(four)

    start()
    await pass(20)
    expect(brought(group).length).toBeLessThanOrEqual(4 * four.length + 3)
    expect(chains.map(({ distrusted }) => distrusted)).toEqual([0, 0, 0, 0])
    await stop()
  })

  it('survive a node that is down for a while in the middle of a contest', async () => {
    const { group, chains, start, pass, stop, stateOf } = setUp(four, deep)
    start()
    await pass(10)
    const other = chainOf([[pay], [pay], []], chains[0].blocks[1]?.hash, 2n, 3) as Made[]
    for (const chain of chains) chain.blocks = [GENESIS, chain.blocks[1] as Made, ...other]
    chains[1].isDown = true
    await pass(40)
    expect(group.state().hash).toEqual(other[2]?.hash)
    expect(stateOf(1)?.state).toBe('down')
    await stop()
  })
})
