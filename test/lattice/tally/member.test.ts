import { describe, expect, it } from 'vitest'
import { CoalitionError } from '../../../client/error.ts'
import { tallyBlock } from '../../../client/lattice/tally/block.ts'
import { checkEvidence } from '../../../client/lattice/tally/evidence.ts'
import { refundCodec } from '../../../client/lattice/tally/refund.ts'
import { type Bytes, toHex } from '../../../client/primitives/bytes.ts'
import { decode } from '../../../client/primitives/codec.ts'
import { testHost } from '../../groups/counter.ts'
import { brought, chainDouble, driven, GENESIS, single, testConfig } from './chain-double.ts'
import {
  attributionIn,
  blockOf,
  bytesOf,
  chainOf,
  FEE_RECIPIENT,
  groupDouble,
  type Made,
  memoryOf,
  provider,
  type Spec,
} from './fixtures.ts'

const pay: Spec = { value: 10_001n, providers: [provider(1), provider(2)], bps: [3_333, 1_000] }
const four: readonly (readonly Spec[])[] = [[pay], [], [{}, pay], [pay]]
const slots = (items: readonly Bytes[]): bigint[] => items.map((item) => attributionIn(item).slot)

describe('MSK-06 a driver', () => {
  it('TAL-04 brings each final block, then the proofs of each with payments', async () => {
    const { config, chain, group, host } = single(four)
    const member = driven(config, chain, group, host)
    await member.look()
    expect(slots(group.items)).toEqual([1n, 3n, 4n])
    expect(brought(group)).toEqual([
      'observe 1 by 0',
      'attribute 1',
      'observe 2 by 0',
      'observe 3 by 0',
      'attribute 3',
      'observe 4 by 0',
      'attribute 4',
    ])
    expect(member.states.at(-1)).toEqual({ state: 'following', detail: 'agreed up to block 4', block: 4n })
    for (const item of group.items) {
      const { evidence, slot } = attributionIn(item)
      const blob = group.blobs.get(toHex(evidence.value.proofs)) as Bytes
      expect(checkEvidence(decode(refundCodec, item), blob, FEE_RECIPIENT).block.number).toBe(slot)
    }
    await member.stop()
  })

  it('TAL-05 brings nothing that is not final yet', async () => {
    const { config, chain, group, host } = single(four)
    chain.final = null
    const member = driven(config, chain, group, host)
    await member.look()
    expect([member.state(), group.commands.length]).toEqual(['waiting', 0])
    chain.final = 2n
    await member.look(2)
    expect([group.state().number, member.state()]).toEqual([2n, 'following'])
    chain.final = 4n
    await member.look(2)
    expect(slots(group.items)).toEqual([1n, 3n, 4n])
    await member.stop()
  })

  it('TAL-05 counts depth from the head where the config says so', async () => {
    const { config, chain, group, host } = single(four, { inclusion: { kind: 'depth', value: { blocks: 3 } } })
    const member = driven(config, chain, group, host)
    await member.look(2)
    expect(group.state().number).toBe(1n)
    chain.top = 6n
    await member.look(2)
    expect(group.state().number).toBe(3n)
    await member.stop()
  })

  it('TAL-02 agrees with three others on one log, and only the member whose turn it is brings the proofs', async () => {
    const config = testConfig({}, 4)
    const chain = chainDouble(four)
    const host = testHost()
    const group = groupDouble(config, host.now)
    const members = [0, 1, 2, 3].map((member) => driven(config, chain, group.as(member), host))
    for (let i = 0; i < 12; i++) await members[0]?.look()
    expect(slots(group.items)).toEqual([1n, 3n, 4n])
    expect(brought(group).filter((line) => line.startsWith('attribute'))).toEqual(['attribute 1', 'attribute 3', 'attribute 4'])
    await Promise.all(members.map((member) => member.stop()))
  })

  it('TAL-02 waits, and says for whom, while too few have spoken', async () => {
    const config = testConfig({}, 4)
    const chain = chainDouble(four)
    const group = groupDouble(config)
    const member = driven(config, chain, group.as(2))
    await member.look(3)
    expect(member.states.at(-1)).toEqual({ state: 'waiting', detail: '1 members have spoken on block 1, 3 must agree', block: 1n })
    expect(brought(group)).toEqual(['observe 1 by 2'])
    await member.stop()
  })

  it('brings the proofs itself when the member whose turn it is does not', async () => {
    const config = testConfig({}, 4)
    const chain = chainDouble(four)
    const host = testHost()
    const group = groupDouble(config, host.now)
    // Block 1 is member 1's turn, and member 1 is away.
    const members = [0, 2, 3].map((member) => driven(config, chain, group.as(member), host))
    for (let i = 0; i < 6; i++) await members[0]?.look()
    expect(slots(group.items)[0]).toBe(1n)
    await Promise.all(members.map((member) => member.stop()))
  })
})

describe('MSK-06 a chain that lies', () => {
  const [genuine] = chainOf([[pay]], GENESIS.hash) as [Made]
  const swapped = chainOf([[{ ...pay, value: 10n ** 18n }]], GENESIS.hash)[0] as Made
  const lies: [string, (block: Made) => Made | null, RegExp][] = [
    ['leaves a transaction out', (block) => ({ ...block, transactions: [], receipts: [] }), /0 transactions of block 1 give root/],
    [
      'adds a transaction',
      (block) => ({ ...block, transactions: [...block.transactions, ...block.transactions] }),
      /transactions of block 1 give root/,
    ],
    ['changes a value', (block) => ({ ...block, transactions: swapped.transactions }), /transactions of block 1 give root/],
    [
      'says that a failed payment succeeded',
      (block) => ({ ...block, receipts: blockOf(1n, GENESIS.hash, [{ status: 0 }]).receipts }),
      /receipts of block 1/,
    ],
    ['gives another block', () => blockOf(7n, GENESIS.hash, [pay]), /gave block 7/],
    ['gives a header that is none', (block) => ({ ...block, header: new Uint8Array(80) }), /cannot be read/],
    ['gives a block on another parent', () => blockOf(1n, bytesOf('elsewhere'), [pay]), /has parent/],
    ['has no such block', () => null, /is gone/],
  ]
  for (const [what, lie, detail] of lies) {
    it(`is told from a true one when it ${what}, and nothing is signed`, async () => {
      const { config, chain, group, host } = single([[pay]])
      chain.bend = (block) => (block.number === 1n ? lie(block) : block)
      const member = driven(config, chain, group, host)
      await member.look(3)
      expect(member.states.at(-1)).toMatchObject({ state: 'inconsistent', block: 1n, detail: expect.stringMatching(detail) })
      expect([group.commands.length, member.memory.said.size]).toEqual([0, 0])
      expect(chain.distrusted).toBeGreaterThan(0)
      chain.bend = (block) => block
      await member.look(40)
      expect(slots(group.items)).toEqual([genuine.number])
      await member.stop()
    })
  }

  it('is told by its chain id and by its origin', async () => {
    const { config, chain, group, host } = single([[pay]])
    chain.id = 1n
    const member = driven(config, chain, group, host)
    await member.look()
    expect(member.states.at(-1)?.detail).toMatch(/serves chain 1, this tally is of chain 31337/)
    chain.id = 31_337n
    chain.bend = (block) => (block.number === 0n ? blockOf(0n, bytesOf('other')) : block)
    await member.look(4)
    expect(member.states.at(-1)).toMatchObject({ state: 'inconsistent', detail: expect.stringMatching(/the config begins at/) })
    expect(group.commands.length).toBe(0)
    await member.stop()
  })

  it('is told when its finalized block goes back', async () => {
    const { config, chain, group, host } = single(four)
    chain.final = 3n
    const member = driven(config, chain, group, host)
    await member.look(2)
    chain.final = 1n
    await member.look(2)
    expect(member.states.at(-1)).toMatchObject({ state: 'inconsistent', detail: expect.stringMatching(/went back from 3 to 1/) })
    chain.final = 4n
    await member.look(40)
    expect(slots(group.items)).toEqual([1n, 3n, 4n])
    await member.stop()
  })

  it('never gets a second answer to one question: what was signed is remembered', async () => {
    const config = testConfig({}, 4)
    const chain = chainDouble([[pay]])
    const group = groupDouble(config)
    const memory = memoryOf()
    const first = driven(config, chain, group.as(1), undefined, memory)
    await first.look()
    await first.stop()
    const said = [...memory.said.values()]
    expect(said).toEqual([toHex(new Uint8Array([...blockFacts(chain.blocks[1] as Made)]))])
    chain.blocks = [GENESIS, ...chainOf([[{ ...pay, value: 5n }]], GENESIS.hash)]
    // The group has lost its word (it was in no final block), the member has not.
    const fresh = groupDouble(config)
    const again = driven(config, chain, fresh.as(1), undefined, memory)
    await again.look(3)
    expect(again.states.at(-1)).toMatchObject({ state: 'inconsistent', detail: expect.stringMatching(/signed another answer/) })
    expect([fresh.commands.length, [...memory.said.values()]]).toEqual([0, said])
    await again.stop()
  })

  it('gets the same signed bytes again after a restart', async () => {
    const config = testConfig({}, 4)
    const chain = chainDouble([[pay]])
    const memory = memoryOf()
    const sent: string[] = []
    for (let i = 0; i < 2; i++) {
      const group = groupDouble(config)
      const member = driven(config, chain, group.as(1), undefined, memory)
      await member.look()
      await member.stop()
      sent.push(toHex(group.commands[0] as Bytes))
    }
    expect(sent[0]).toBe(sent[1])
  })
})

const blockFacts = (block: Made): Bytes => {
  const { facts } = tallyBlock(block, block.number, FEE_RECIPIENT)
  const word = (value: number): Bytes => Uint8Array.of(value, 0, 0, 0)
  return new Uint8Array([...facts.hash, ...facts.parent, ...word(facts.count), ...word(facts.omitted), ...facts.payments])
}

describe('MSK-06 a chain that fails', () => {
  it('is down, then asked less and less often, and followed again once it answers', async () => {
    const { config, chain, group, host } = single(four)
    chain.isDown = true
    let asked = 0
    const chainId: typeof chain.chainId = (options) => {
      asked += 1
      return chain.chainId(options)
    }
    const counted = { ...chain, chainId }
    const member = driven(config, counted, group, host)
    await member.look(100)
    expect([member.state(), member.states.length]).toEqual(['down', 1])
    // 0.5 + 1 + 2 + 4 + 8 + 16 + 30 + 30 s …
    expect(asked).toBeLessThan(12)
    chain.isDown = false
    await member.look(31)
    expect([member.state(), slots(group.items)]).toEqual(['following', [1n, 3n, 4n]])
    await member.stop()
  })

  it('is reorganised when a block that was agreed on is no longer there: nothing more is attributed, and it says what to do', async () => {
    const { config, chain, group, host } = single(four)
    chain.final = 2n
    const member = driven(config, chain, group, host)
    await member.look(2)
    const before = chain.blocks
    chain.blocks = [GENESIS, ...chainOf(four, GENESIS.hash, 1n, 77)]
    chain.final = 4n
    await member.look(3)
    expect(member.states.at(-1)).toMatchObject({
      state: 'reorganised',
      block: 2n,
      detail: expect.stringMatching(/publish a config whose origin is on the new branch/),
    })
    expect([group.state().number, slots(group.items)]).toEqual([2n, [1n]])
    chain.blocks = before
    await member.look(40)
    expect(slots(group.items)).toEqual([1n, 3n, 4n])
    await member.stop()
  })

  it('is waited for when the node is behind the group', async () => {
    const { config, chain, group, host } = single(four)
    const first = driven(config, chain, group, host)
    await first.look(2)
    await first.stop()
    const behind = chainDouble(four.slice(0, 2))
    const member = driven(config, behind, group, host)
    await member.look(2)
    expect(member.states.at(-1)).toMatchObject({ state: 'waiting', detail: expect.stringMatching(/the node is behind/) })
    await member.stop()
  })
})

describe('the end of a driver', () => {
  it('comes with its signal, even when the group commits nothing', async () => {
    const { config, chain, group, host } = single(four)
    const stuck = { ...group, submit: () => new Promise<never>(() => {}) }
    const member = driven(config, chain, stuck, host)
    await member.look(2)
    await member.stop()
  })

  it('comes aloud when the memory of what was signed fails', async () => {
    const { config, chain, group, host } = single(four)
    const full = { ...memoryOf(), remember: () => Promise.reject(new CoalitionError('Store.FullError', 'the disk is full')) }
    const member = driven(config, chain, group, host, full)
    await expect(member.ended).rejects.toThrow('the disk is full')
    expect(group.commands.length).toBe(0)
  })
})
