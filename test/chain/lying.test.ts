import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Trouble } from '../../client/lattice/tally/chain.ts'
import { refundCodec } from '../../client/lattice/tally/refund.ts'
import { decode } from '../../client/primitives/codec.ts'
import { createChainReader } from '../../node/chain/reader.ts'
import { type Anvil, startAnvil } from '../../node/devnet/anvil.ts'
import { bytesOf, groupDouble, provider } from '../lattice/tally/fixtures.ts'
import { follow, mine, PAYEE, payTo, type Rpc, rpcTo, tallyOf, until } from './devnet.ts'
import { lyingNode, type RpcDouble } from './rpc-double.ts'

const payment = { to: PAYEE, value: '0x2386f26fc10000', data: payTo([provider(1)], [5_000], bytesOf('ref')) }
const WORD = `0x${'5a'.repeat(32)}`

let anvil: Anvil
let rpc: Rpc
beforeAll(async () => {
  anvil = await startAnvil({ blockTime: 0 })
  rpc = rpcTo(anvil.url)
  await mine(rpc, [payment, payment])
  for (let i = 0; i < 3; i++) await mine(rpc, [])
})
afterAll(() => anvil[Symbol.asyncDispose]())

interface Block {
  readonly number: string
  readonly transactions: readonly object[]
}
type Lie = (method: string, result: never, call: { readonly params: readonly unknown[] }) => unknown

/** Changes the full block 1 on its way. */
const inBlock =
  (change: (block: Block) => object): Lie =>
  (method, result: Block, { params }) =>
    method === 'eth_getBlockByNumber' && params[1] === true && result.number === '0x1' ? change(result) : result
const inReceipts =
  (change: (receipts: object[]) => unknown): Lie =>
  (method, result) =>
    method === 'eth_getBlockReceipts' ? change(result) : result
const first = (block: Block, change: object): object => ({
  ...block,
  transactions: [{ ...block.transactions[0], ...change }, ...block.transactions.slice(1)],
})

const lies: readonly [what: string, lie: Lie, state: Trouble, detail: RegExp][] = [
  ['another chain id', (method, result) => (method === 'eth_chainId' ? '0x1' : result), 'inconsistent', /serves chain 1,/],
  ['a header field changed', inBlock((block) => ({ ...block, timestamp: '0x1' })), 'inconsistent', /hashes to .*, not to its own hash/],
  ['a hash changed', inBlock((block) => ({ ...block, hash: WORD })), 'inconsistent', /hashes to/],
  ['a header with a field left out', inBlock((block) => ({ ...block, requestsHash: undefined })), 'inconsistent', /hashes to/],
  [
    'a value changed, in the raw form too',
    (method, result, call) =>
      method === 'eth_getRawTransactionByHash' ? '0x02' : inBlock((block) => first(block, { value: '0x1' }))(method, result, call),
    'inconsistent',
    /neither fields nor a raw form that hash/,
  ],
  [
    'a value and its hash changed',
    inBlock((block) => first(block, { value: '0x1', hash: WORD })),
    'inconsistent',
    /transaction 0 of block 1 has fields that do not hash to its own hash/,
  ],
  [
    'a transaction left out',
    inBlock((block) => ({ ...block, transactions: block.transactions.slice(1) })),
    'inconsistent',
    /1 transactions and 2 receipts/,
  ],
  [
    'both sides cut',
    (...args) =>
      inReceipts((all) => all.slice(1))(
        args[0],
        inBlock((block) => ({ ...block, transactions: block.transactions.slice(1) }))(...args) as never,
        args[2],
      ),
    'inconsistent',
    /give root/,
  ],
  [
    'transactions in another order',
    inBlock((block) => ({ ...block, transactions: [...block.transactions].reverse() })),
    'inconsistent',
    /transactions of block 1 give root/,
  ],
  [
    'a status changed',
    inReceipts((all) => all.map((receipt) => ({ ...receipt, status: '0x0' }))),
    'inconsistent',
    /receipts of block 1 give root/,
  ],
  ['receipts left out', inReceipts(() => []), 'inconsistent', /2 transactions and 0 receipts/],
  ['receipts that are none', inReceipts(() => 'none'), 'inconsistent', /no list/],
  [
    'another block',
    (method, result, { params }) =>
      method === 'eth_getBlockByNumber' && params[0] === '0x1' ? rpc('eth_getBlockByNumber', '0x2', params[1]) : result,
    'inconsistent',
    /asked for block 1, the node gave block 2|block 1 has 0 transactions/,
  ],
  [
    'no block',
    (method, result, { params }) => (method === 'eth_getBlockByNumber' && params[0] === '0x1' ? null : result),
    'inconsistent',
    /block 1 is gone/,
  ],
  [
    'another origin',
    (method, result, { params }) =>
      method === 'eth_getBlockByNumber' && params[0] === '0x0' ? { ...(result as object), parentHash: WORD } : result,
    'inconsistent',
    /hashes to/,
  ],
]

const awaitResult = (lie: Lie) => (node: RpcDouble) => {
  const through = node.answer
  node.answer = async (call) => {
    const given = await through(call)
    return typeof given === 'object' && 'result' in given ? { result: await lie(call.method, given.result as never, call) } : given
  }
  return () => {
    node.answer = through
  }
}

describe('MSK-06 a node that lies', () => {
  for (const [what, lie, state, detail] of lies) {
    it(`gives ${what}: it is said so, nothing is signed, and the truth is taken afterwards`, async () => {
      const config = await tallyOf(rpc)
      const group = groupDouble(config)
      await using node = await lyingNode(anvil.url, (_, result) => result)
      const honest = awaitResult(lie)(node)
      await using member = follow(config, createChainReader({ urls: [node.url], attempts: 1 }), group)
      await until(`${state} for ${what}`, () => member.states.at(-1)?.state === state)
      expect(member.states.at(-1)?.detail).toMatch(detail)
      expect([group.commands.length, member.memory.said.size]).toEqual([0, 0])
      honest()
      await until('the truth', () => group.items.length === 1 && member.states.at(-1)?.state === 'following')
    })
  }

  it('gives fields that do not hash, and is asked for the raw form, which does', async () => {
    const config = await tallyOf(rpc)
    const group = groupDouble(config)
    await using node = await lyingNode(
      anvil.url,
      inBlock((block) => first(block, { value: '0x1' })),
    )
    await using member = follow(config, createChainReader({ urls: [node.url] }), group)
    await until('the truth', () => group.items.length === 1)
    expect(member.states.every(({ state }) => state === 'following')).toBe(true)
  })

  it('is left for another one', async () => {
    const config = await tallyOf(rpc)
    const group = groupDouble(config)
    await using liar = await lyingNode(
      anvil.url,
      inReceipts((all) => all.map((receipt) => ({ ...receipt, cumulativeGasUsed: '0x1' }))) as never,
    )
    await using member = follow(config, createChainReader({ urls: [liar.url, anvil.url] }), group)
    await until('the honest node', () => group.items.length === 1)
    expect(member.states[0]).toMatchObject({ state: 'inconsistent' })
  })

  it('is silent: down, within the time that an answer is given', async () => {
    const config = await tallyOf(rpc)
    const group = groupDouble(config)
    await using node = await lyingNode(anvil.url, (_, result) => result)
    const through = node.answer
    node.answer = () => 'silence'
    await using member = follow(config, createChainReader({ urls: [node.url], timeoutMs: 100, attempts: 1 }), group)
    await until('down', () => member.states.at(-1)?.state === 'down', 2_000)
    expect(member.states.at(-1)?.detail).toMatch(/no answer within 100 ms/)
    node.answer = through
    await until('the truth', () => group.items.length === 1)
  })
})

describe('MSK-06 a real reorganisation', () => {
  it('below what was agreed is said aloud, and nothing false is added; above it, nothing is noticed', { timeout: 60_000 }, async () => {
    await using own = await startAnvil({ blockTime: 0 })
    const chain = rpcTo(own.url)
    await mine(chain, [payment])
    for (let i = 0; i < 6; i++) await mine(chain, [payment])
    const deep = await tallyOf(chain, { inclusion: { kind: 'depth', value: { blocks: 3 } } })
    const hasty = await tallyOf(chain, { inclusion: { kind: 'depth', value: { blocks: 0 } } })
    const groups = [groupDouble(deep), groupDouble(hasty)] as const
    await using patient = follow(deep, createChainReader({ urls: [own.url] }), groups[0])
    await using eager = follow(hasty, createChainReader({ urls: [own.url] }), groups[1])
    await until('both at their depth', () => groups[0].items.length === 4 && groups[1].items.length === 7)
    await chain('anvil_reorg', 2, [])
    await until('reorganised', () => eager.states.at(-1)?.state === 'reorganised')
    expect(eager.states.at(-1)?.detail).toMatch(/block \d is .* here, the group agreed on .*/)
    for (let i = 0; i < 4; i++) await mine(chain, [])
    await until('the patient one goes on', () => groups[0].state().number === 8n)
    expect(groups[1].items.filter((item) => decode(refundCodec, item).kind === 'attribution').length).toBe(7)
    expect(patient.states.some(({ state }) => state === 'reorganised' || state === 'inconsistent')).toBe(false)
  })
})
