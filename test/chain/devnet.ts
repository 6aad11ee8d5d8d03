import { setTimeout as delay } from 'node:timers/promises'
import { Interface } from 'ethers'
import type { ChainReader, ChainState } from '../../client/lattice/tally/chain.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import { drive } from '../../client/lattice/tally/member.ts'
import { type Bytes, fromHex, toHex } from '../../client/primitives/bytes.ts'
import { decode as decodeOther } from '../conformance/bcs.ts'
import { type Counted, countPayments, paymentOf } from '../conformance/payments.ts'
import { type PaymentFact, Refund } from '../conformance/tally.ts'
import { configOf, type Double, FEE_RECIPIENT, memoryOf, signer } from '../lattice/tally/fixtures.ts'

// What a test says to anvil, and what the second implementation makes of the answers: nothing here goes through node/chain.

export type Rpc = (method: string, ...params: readonly unknown[]) => Promise<never>

export const rpcTo =
  (url: string): Rpc =>
  async (method, ...params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } }
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result as never
  }

export const PAYEE = `0x${toHex(FEE_RECIPIENT)}`
const PAY = new Interface(['function pay(bytes32 ref, address[] providers, uint16[] bps)'])

/** Reverts when the value is odd, else logs one topic and 32 bytes: both kinds of receipt, and logs in the bloom. */
const CODE = '0x34600116600f57602a60206000a1005b60006000fd'
export const giveCode = (rpc: Rpc): Promise<unknown> => rpc('anvil_setCode', PAYEE, CODE)

export const payTo = (providers: readonly Bytes[], bps: readonly number[], ref: Bytes): string =>
  PAY.encodeFunctionData('pay', [`0x${toHex(ref)}`, providers.map((each) => `0x${toHex(each)}`), bps])

/** Sends transactions from the dev accounts and puts all of them in one block. */
export const mine = async (rpc: Rpc, transactions: readonly object[]): Promise<void> => {
  const accounts = (await rpc('eth_accounts')) as string[]
  await rpc('evm_setAutomine', false)
  for (const [i, transaction] of transactions.entries())
    await rpc('eth_sendTransaction', { from: accounts[i % accounts.length], gas: '0x30d40', ...transaction })
  await rpc('evm_mine')
}

interface Block {
  readonly hash: string
  readonly transactions: readonly { readonly hash: string; readonly to: string | null; readonly value: string; readonly input: string }[]
}

/** What block `number` pays by the second implementation, from the node's JSON. */
export const expected = async (rpc: Rpc, number: bigint): Promise<Counted & { readonly hash: string }> => {
  const block = (await rpc('eth_getBlockByNumber', `0x${number.toString(16)}`, true)) as Block
  const facts: PaymentFact[] = []
  for (const [index, { hash, to, value, input }] of block.transactions.entries()) {
    const { status } = (await rpc('eth_getTransactionReceipt', hash)) as { status: string }
    const paid = { index, status: Number(status), to: to === null ? null : fromHex(to), value: BigInt(value), calldata: fromHex(input) }
    try {
      facts.push(paymentOf(paid, FEE_RECIPIENT))
    } catch {
      // Not a payment: the second implementation says so by a refusal.
    }
  }
  return { ...countPayments(facts), hash: block.hash }
}

export const attribution = (item: Bytes) => {
  const refund = decodeOther(Refund, item)
  if (refund.is !== 'attribution') throw new Error(`a ${refund.is}`)
  return refund.value
}

export const tallyOf = async (rpc: Rpc, content: Partial<TallyConfig['content']> = {}): Promise<TallyConfig> => {
  const [number, { hash }] = [0n, (await rpc('eth_getBlockByNumber', '0x0', false)) as { hash: string }]
  return configOf({ origin: { number, hash: fromHex(hash) }, ...content })
}

/** A driver on the real clock, looking every 25 ms. */
export const follow = (config: TallyConfig, chain: ChainReader, group: Double) => {
  const states: ChainState[] = []
  const controller = new AbortController()
  const after = (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  }
  const host = { now: () => Date.now(), after, log: () => {} }
  const memory = memoryOf()
  const onState = (state: ChainState): void => void states.push(state)
  const sign = signer(group.member)
  const done = drive({ config, chain, group, sign, remember: memory.remember, host, onState, signal: controller.signal, pollMs: 25 })
  return {
    states,
    memory,
    stop: async (): Promise<void> => {
      controller.abort()
      await done
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      controller.abort()
      await done
    },
  }
}

export const until = async (what: string, holds: () => boolean, ms = 15_000): Promise<void> => {
  for (const end = Date.now() + ms; !holds(); await delay(10)) if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
}
