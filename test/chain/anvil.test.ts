import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tallyBlock } from '../../client/lattice/tally/block.ts'
import { checkEvidence } from '../../client/lattice/tally/evidence.ts'
import { createMachine } from '../../client/lattice/tally/machine.ts'
import { refundCodec } from '../../client/lattice/tally/refund.ts'
import { type Bytes, toHex } from '../../client/primitives/bytes.ts'
import { decode } from '../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { keccak } from '../../client/proofs/mpt.ts'
import { createChainReader } from '../../node/chain/reader.ts'
import { type Anvil, startAnvil } from '../../node/devnet/anvil.ts'
import { payBuilder } from '../../node/devnet/traffic.ts'
import { bytesOf, CHAIN, FEE_RECIPIENT, groupDouble, provider } from '../lattice/tally/fixtures.ts'
import { attribution, expected, follow, giveCode, mine, PAYEE, payTo, type Rpc, rpcTo, tallyOf, until } from './devnet.ts'
import { lyingNode } from './rpc-double.ts'

const options = { signal: new AbortController().signal }
const ether = (milli: number, odd = 0n): string => `0x${(BigInt(milli) * 10n ** 15n + odd).toString(16)}`
const pay = (milli: number, providers: readonly number[], bps: readonly number[], ref = 'ref') => ({
  to: PAYEE,
  value: ether(milli),
  data: payTo(providers.map(provider), bps, bytesOf(ref)),
})

let anvil: Anvil
let rpc: Rpc
beforeAll(async () => {
  anvil = await startAnvil({ blockTime: 0 })
  rpc = rpcTo(anvil.url)
  await giveCode(rpc)
})
afterAll(() => anvil[Symbol.asyncDispose]())

describe('TAL-04 the thread, on a real chain', () => {
  it('TAL-01 TAL-05 attributes what the chain paid, by the second implementation, and its blobs prove it', {
    timeout: 60_000,
  }, async () => {
    const config = await tallyOf(rpc)
    const group = groupDouble(config, () => Date.now())
    await mine(rpc, [
      pay(100, [1, 2], [5_000, 2_500]),
      pay(7, [2], [10_000], 'another'),
      pay(100, [2, 1], [1, 3_333]),
      { ...pay(3, [1], [100]), value: ether(3, 1n) },
      { ...pay(3, [1], [100]), to: `0x${'77'.repeat(20)}` },
      { ...pay(3, [1], [100]), value: '0x0' },
      { to: PAYEE, value: ether(5), data: '0x' },
      { data: '0x00' },
    ])
    await mine(rpc, [])
    await mine(rpc, [pay(1, [9], [9_999]), { ...pay(2, [3, 3], [1, 1]) }])
    await mine(rpc, [])
    await mine(rpc, [pay(5, [4], [1])])
    await mine(rpc, [])
    await using member = follow(config, createChainReader({ urls: [anvil.url] }), group)
    await until('block 4 agreed on', () => group.state().number === 4n && group.state().pending.length === 0)
    // Blocks 5 and 6 stand, and are not final: nothing of them is attributed.
    expect(group.items.map((item) => attribution(item).slot)).toEqual([1n, 3n])
    for (const item of group.items) await compare(item, group.blobs)
    expect(attribution(group.items[0] as Bytes).evidence.value.txs.length).toBe(3)
    await mine(rpc, [])
    await until('block 5 attributed', () => group.items.length === 3)
    expect(member.states.at(-1)?.state).toBe('following')
  })

  const compare = async (item: Bytes, blobs: ReadonlyMap<string, Bytes>): Promise<void> => {
    const found = attribution(item)
    const other = await expected(rpc, found.slot)
    expect(found).toMatchObject({ chainId: CHAIN, revision: 0, pool: other.pool, residual: other.residual, recipients: other.recipients })
    expect([toHex(found.blockHash), found.evidence.value.txs]).toEqual([other.hash.slice(2), other.facts.map(({ index }) => index)])
    const blob = blobs.get(toHex(found.evidence.value.proofs)) as Bytes
    expect(checkEvidence(decode(refundCodec, item), blob, FEE_RECIPIENT).payments).toEqual(other.facts)
  }

  it('reads transactions of every type that anvil makes, in one block', async () => {
    const wallet = new Wallet(`0x${toHex(bytesOf('wallet'))}`)
    await rpc('anvil_setBalance', wallet.address, ether(10_000))
    const gasPrice = '0x2540be400'
    const authorization = await wallet.authorize({ address: PAYEE, nonce: 1, chainId: CHAIN })
    const fees = { chainId: CHAIN, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n, gasLimit: 200_000n }
    const type4 = await wallet.signTransaction({ type: 4, nonce: 0, to: PAYEE, value: 2n, authorizationList: [authorization], ...fees })
    await rpc('evm_setAutomine', false)
    await rpc('eth_sendRawTransaction', type4)
    const accessList = [{ address: PAYEE, storageKeys: [`0x${toHex(bytesOf('slot'))}`] }]
    await mine(rpc, [{ ...pay(1, [1], [1]), gasPrice }, { ...pay(2, [1], [1]), gasPrice, accessList }, pay(4, [1], [1])])
    const reader = createChainReader({ urls: [anvil.url] })
    const number = await reader.head(options)
    const raw = await reader.block(number, options)
    const types = raw?.transactions.map((transaction) => ((transaction[0] as number) >= 0xc0 ? 0 : transaction[0])).sort()
    expect(types).toEqual([0, 1, 2, 4])
    expect(tallyBlock(raw as never, number, FEE_RECIPIENT).facts.count).toBe(3)
  })

  it('reads blocks one receipt at a time where a node cannot give them all', async () => {
    const unknown = { error: { code: -32_601, message: 'Method not found' } }
    await using node = await lyingNode(anvil.url, (_, result) => result)
    const through = node.answer
    node.answer = (call) => (call.method === 'eth_getBlockReceipts' ? unknown : through(call))
    const reader = createChainReader({ urls: [node.url] })
    expect(await reader.block(1n, options)).toEqual(await createChainReader({ urls: [anvil.url] }).block(1n, options))
    expect(node.calls.filter(({ method }) => method === 'eth_getTransactionReceipt').length).toBe(8)
  })

  it('takes a block of 200 payments in good time', { timeout: 60_000 }, async () => {
    await mine(
      rpc,
      Array.from({ length: 200 }, (_, i) => pay(1 + i, [i, i + 1, i + 2], [1_000, 2_000, 3_000], `ref ${i % 50}`)),
    )
    const reader = createChainReader({ urls: [anvil.url] })
    const number = await reader.head(options)
    const config = await tallyOf(rpc)
    const machine = createMachine(config)
    const times: Record<string, number> = {}
    const timed = async <T>(name: string, run: () => Promise<T> | T): Promise<T> => {
      const start = performance.now()
      const value = await run()
      times[name] = Math.round(performance.now() - start)
      return value
    }
    const raw = await timed('read', () => reader.block(number, options))
    const { proofs, facts } = await timed('tally', () => tallyBlock(raw as never, number, FEE_RECIPIENT))
    const { context } = groupDouble(config)
    await timed('admit', () => machine.admit({ kind: 'attribute', value: { number, proofs } }, { ...context, verify: verifyWithNoble }))
    console.info(`a block of 200 payments, ms: ${JSON.stringify(times)}`)
    expect(facts.count).toBe(200)
    // A generous bound: it is here to catch a square where a line is meant, on a machine that runs other tests beside this one.
    expect(Object.values(times).reduce((sum, ms) => sum + ms, 0)).toBeLessThan(5_000)
  })

  it('rebuilds the header of every fork that anvil makes', { timeout: 60_000 }, async () => {
    for (const fork of ['berlin', 'london', 'paris', 'shanghai', 'cancun', 'prague', 'osaka']) {
      await using node = await startAnvil({ blockTime: 0, more: ['--hardfork', fork] })
      const other = rpcTo(node.url)
      await mine(other, [{ to: PAYEE, value: '0x1', gasPrice: '0x2540be400' }])
      const { hash } = (await other('eth_getBlockByNumber', '0x1', false)) as { hash: string }
      const raw = await createChainReader({ urls: [node.url] }).block(1n, options)
      expect(`0x${toHex(keccak(raw?.header as Bytes))}`, fork).toBe(hash)
      expect(tallyBlock(raw as never, 1n, FEE_RECIPIENT).facts.count, fork).toBe(0)
    }
  })
})

describe('a chain that is started again', () => {
  it('goes on from its file: same blocks, same history, and a member that never noticed a reorganisation', {
    timeout: 60_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coalition-anvil-'))
    const state = join(folder, 'chain.json')
    try {
      const first = await startAnvil({ state })
      let upstream = first.url
      // Anvil comes back on another port; a node that is asked by name does not.
      await using door = await lyingNode('', (_, result) => result)
      door.answer = async ({ method, params }) => ({ result: await rpcTo(upstream)(method, ...params) })
      const config = await tallyOf(rpcTo(first.url))
      const group = groupDouble(config, () => Date.now())
      await using member = follow(config, createChainReader({ urls: [door.url], attempts: 1, timeoutMs: 1_000 }), group)
      const stop = new AbortController()
      const sent: string[] = []
      const traffic = payBuilder(
        { url: door.url, feeRecipient: FEE_RECIPIENT, everyMs: 200, signal: stop.signal, log: () => {} },
        ({ hash }) => sent.push(hash),
      )
      await until('a first attribution', () => group.items.length > 0)
      const { number: before, hash } = group.state()
      await first[Symbol.asyncDispose]()
      await until('the chain is down', () => member.states.at(-1)?.state === 'down')
      await using second = await startAnvil({ state })
      upstream = second.url
      const agreed = (): bigint => group.state().number
      await until('more blocks agreed on', () => agreed() > before + 3n, 25_000)
      stop.abort()
      await traffic
      const again = (await rpcTo(second.url)('eth_getBlockByNumber', `0x${before.toString(16)}`, false)) as { hash: string }
      expect(again.hash).toBe(`0x${toHex(hash)}`)
      expect(await rpcTo(second.url)('eth_getTransactionReceipt', sent[0])).toMatchObject({ status: '0x1' })
      expect(member.states.filter((each) => each.state === 'reorganised' || each.state === 'inconsistent')).toEqual([])
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('says in one line why it cannot be had', async () => {
    await expect(startAnvil({ more: ['--no-such-flag'] })).rejects.toThrow(/^anvil ended with code 2/)
    await expect(startAnvil({ timeoutMs: 0 })).rejects.toThrow(/does not listen after 0 ms/)
  })
})
