import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bytes, concat, fromHex, toHex } from '../../client/primitives/bytes.ts'
import { headerFields, receiptStatus, transactionFields } from '../../client/proofs/ethereum.ts'
import { keccak, verifyMpt } from '../../client/proofs/mpt.ts'
import { encodeBytes, encodeInteger, encodeList } from '../../client/proofs/rlp.ts'
import { buildTrie } from '../../client/proofs/trie.ts'
import { nth } from './reference.ts'

// A real execution client mines the block, so roots and proofs meet a trie that none of our code built.

// The platform's own binary: the package's wrapper would leave it running when it is killed (ARCHITECTURE.md section 3).
const BINARY = fileURLToPath(
  new URL(
    `../../node_modules/@foundry-rs/anvil-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}/bin/anvil`,
    import.meta.url,
  ),
)
// Keys of anvil's published test mnemonic.
const SENDER = new Wallet('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
const OTHER = new Wallet('0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d')

type Json = Readonly<Record<string, string>>
interface Log {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}
type Receipt = Json & { readonly logs: readonly Log[] }

let anvil: ChildProcess
let url: string
let id = 0

const rpc = async <T>(method: string, ...params: readonly unknown[]): Promise<T> => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: id++, method, params })
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const { result, error } = (await response.json()) as { readonly result: T; readonly error?: unknown }
  if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`)
  return result
}

beforeAll(async () => {
  anvil = spawn(BINARY, ['--port', '0', '--no-mining', '--hardfork', 'prague'], { stdio: ['ignore', 'pipe', 'inherit'] })
  if (anvil.stdout === null) throw new Error('anvil has no output')
  for await (const line of createInterface({ input: anvil.stdout })) {
    const listening = /Listening on (\S+)/.exec(line)
    if (listening === null) continue
    url = `http://${listening[1]}`
    break
  }
}, 30_000)

afterAll(() => {
  anvil.kill()
})

const integer = (hex: string) => encodeInteger(BigInt(hex))
const bytes = (hex: string) => encodeBytes(fromHex(hex))

const headerOf = (block: Json): Bytes => {
  const field = (name: string) => (block[name] === undefined ? [] : [block[name]])
  const hashes = ['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom']
  return encodeList([
    ...hashes.flatMap(field).map(bytes),
    ...['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp'].flatMap(field).map(integer),
    ...['extraData', 'mixHash', 'nonce'].flatMap(field).map(bytes),
    ...field('baseFeePerGas').map(integer),
    ...field('withdrawalsRoot').map(bytes),
    ...['blobGasUsed', 'excessBlobGas'].flatMap(field).map(integer),
    ...['parentBeaconBlockRoot', 'requestsHash'].flatMap(field).map(bytes),
  ])
}

const receiptOf = (receipt: Receipt): Bytes => {
  const { type = '0x0', status = '', cumulativeGasUsed = '', logsBloom = '', logs } = receipt
  const encodedLogs = logs.map(({ address, topics, data }) => encodeList([bytes(address), encodeList(topics.map(bytes)), bytes(data)]))
  const body = encodeList([integer(status), integer(cumulativeGasUsed), bytes(logsBloom), encodeList(encodedLogs)])
  return type === '0x0' ? body : concat(Uint8Array.of(Number(type)), body)
}

interface Mined {
  readonly block: Json & { readonly transactions: readonly string[] }
  readonly transactions: readonly Bytes[]
  readonly receipts: readonly Bytes[]
}

const mine = async (): Promise<Mined> => {
  await rpc('evm_mine')
  const block = await rpc<Mined['block']>('eth_getBlockByNumber', 'latest', false)
  const transactions = await Promise.all(block.transactions.map((hash) => rpc<string>('eth_getRawTransactionByHash', hash)))
  const receipts = await rpc<readonly Receipt[]>('eth_getBlockReceipts', 'latest')
  return { block, transactions: transactions.map((raw) => fromHex(raw)), receipts: receipts.map(receiptOf) }
}

const expectBlock = ({ block, transactions, receipts }: Mined) => {
  const header = headerFields(headerOf(block))
  expect(`0x${toHex(header.hash)}`).toBe(block.hash)
  expect(`0x${toHex(header.parentHash)}`).toBe(block.parentHash)
  expect(header.number).toBe(BigInt(block.number ?? ''))
  expect(header.timestamp).toBe(BigInt(block.timestamp ?? ''))
  for (const [root, values] of [
    [header.transactionsRoot, transactions],
    [header.receiptsRoot, receipts],
  ] as const) {
    const trie = buildTrie(values)
    expect(toHex(trie.root)).toBe(toHex(root))
    for (const [i, value] of values.entries()) expect(verifyMpt(root, encodeInteger(i), trie.prove(i))).toEqual(value)
    expect(verifyMpt(root, encodeInteger(values.length), trie.prove(values.length))).toBe(null)
  }
}

describe('blocks of a real execution client', () => {
  const fees = { maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 1n, gasLimit: 500_000n, chainId: 31_337 }
  let nonce = 0
  const send = async (fields: Parameters<Wallet['signTransaction']>[0]) =>
    rpc<string>('eth_sendRawTransaction', await SENDER.signTransaction({ ...fields, nonce: nonce++ }))

  it('X-26 the roots of a block with every kind of transaction are rebuilt, and each of them is proven', async () => {
    const { maxFeePerGas, maxPriorityFeePerGas, ...legacy } = { ...fees, gasPrice: 10n ** 11n }
    const accessList = [{ address: OTHER.address, storageKeys: [`0x${'01'.repeat(32)}`] }]
    await send({ ...legacy, type: 0, to: OTHER.address, value: 5n, data: '0x1234' })
    await send({ ...legacy, type: 1, to: OTHER.address, value: 6n, accessList })
    await send({ ...fees, maxFeePerGas, maxPriorityFeePerGas, type: 2, to: OTHER.address, value: 7n, data: `0x${'ab'.repeat(900)}` })
    const authorization = await OTHER.authorize({ address: SENDER.address, nonce: 0, chainId: 31_337 })
    await send({ ...fees, type: 4, to: OTHER.address, value: 8n, authorizationList: [authorization] })
    // LOG1(0, 32, 7): a receipt with a log, and a contract of no code.
    await send({ ...fees, type: 2, to: null, data: '0x600760205fa100' })
    const mined = await mine()
    expect(mined.transactions).toHaveLength(5)
    expectBlock(mined)
    const read = mined.transactions.map(transactionFields)
    expect(read.map((transaction) => transaction?.type)).toEqual([0, 1, 2, 4, 2])
    expect(read.map((transaction) => transaction?.value)).toEqual([5n, 6n, 7n, 8n, 0n])
    expect(read.map((transaction) => transaction?.data.length)).toEqual([2, 0, 900, 0, 7])
    expect(mined.receipts.map(receiptStatus)).toEqual([1, 1, 1, 1, 1])
    // Without a log in it the list that nests deepest would not have been read.
    expect(nth(mined.receipts, 4).length - nth(mined.receipts, 3).length).toBeGreaterThan(32)
  })

  it('TAL-05 a failed transaction has status 0 and a proof like any other', async () => {
    await send({ ...fees, type: 2, to: null, data: '0x5f5ffd' })
    await send({ ...fees, type: 2, to: OTHER.address, value: 1n })
    const mined = await mine()
    expectBlock(mined)
    expect(mined.receipts.map(receiptStatus)).toEqual([0, 1])
  })

  it('indexes past 127, whose keys have two bytes', async () => {
    for (let i = 0; i < 131; i++) await send({ ...fees, gasLimit: 30_000n, type: 2, to: OTHER.address, value: BigInt(i) })
    const mined = await mine()
    expect(mined.transactions).toHaveLength(131)
    expectBlock(mined)
  }, 60_000)

  it('an empty block has empty tries', async () => {
    expectBlock(await mine())
  })

  it('accounts and storage are proven present and absent (EIP-1186)', async () => {
    const block = await rpc<Json>('eth_getBlockByNumber', 'latest', false)
    const absent = `0x${'77'.repeat(20)}`
    for (const address of [SENDER.address, OTHER.address, absent]) {
      const { accountProof } = await rpc<{ readonly accountProof: readonly string[] }>('eth_getProof', address, [], 'latest')
      const nodes = accountProof.map((node) => fromHex(node))
      const account = verifyMpt(fromHex(block.stateRoot ?? ''), keccak(fromHex(address)), nodes)
      expect(account === null).toBe(address === absent)
      expect(() => verifyMpt(fromHex(block.stateRoot ?? ''), keccak(fromHex(address)), [...nodes, nth(nodes, 0)])).toThrow()
    }
  })
})
