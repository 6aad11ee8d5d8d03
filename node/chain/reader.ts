import { ChainError, type ChainReader, type RawBlock, type ReadOptions } from '../../client/lattice/tally/chain.ts'
import { type Bytes, equal, toHex } from '../../client/primitives/bytes.ts'
import { keccak } from '../../client/proofs/mpt.ts'
import { headerRlp, rawReceipt, rawTransaction } from './encode.ts'
import { data, type Fields, fields, list, malformed, quantity } from './json.ts'
import { createRpc, type Rpc, RpcError, type RpcOptions } from './rpc.ts'

/** Receipts asked for at once where a node has no `eth_getBlockReceipts`. */
const AT_ONCE = 16
/** Most transactions of a block: 36 million gas hold 1,714 of the cheapest. */
const TRANSACTIONS = 65_536

/** Most bytes of a raw transaction: 36 million gas pay for less than a megabyte of calldata (EIP-7623). */
const RAW_BYTES = 4_194_304

/** Reads an EVM chain over JSON-RPC. Anvil 1.7.1 and every node with the standard `eth_` methods answer what it asks. */
export const createChainReader = (options: RpcOptions): ChainReader => {
  const rpc = createRpc(options)
  const ask = (method: string, params: readonly unknown[], { signal }: ReadOptions) => refused(method, rpc.call(method, params, { signal }))
  const answered = async (method: string, options: ReadOptions): Promise<bigint> =>
    quantity(fields(method, { result: await ask(method, [], options) }), 'result')
  return {
    distrust: rpc.turn,
    chainId: (options) => answered('eth_chainId', options),
    head: (options) => answered('eth_blockNumber', options),
    finalized: (options) => finalized(rpc, options),
    header: async (number, options) => {
      const answer = await ask('eth_getBlockByNumber', [hex(number), false], options)
      return answer === null ? null : headerOf(fields(`block ${number}`, answer))
    },
    block: async (number, options) => {
      const answer = await ask('eth_getBlockByNumber', [hex(number), true], options)
      return answer === null ? null : blockOf(rpc, fields(`block ${number}`, answer), number, options)
    },
  }
}

const finalized = async (rpc: Rpc, { signal }: ReadOptions): Promise<bigint | null> => {
  const asked = rpc.call('eth_getBlockByNumber', ['finalized', false], { signal })
  // A chain without a finalized block yet: null on some nodes, "finalized block not found" or "Unknown block" on others.
  const none = (error: unknown): null => {
    if (error instanceof RpcError && /finalized|unknown block|not found/i.test(error.message)) return null
    throw error
  }
  const answer = await refused('eth_getBlockByNumber', asked.catch(none))
  if (answer === null) return null
  const block = fields('finalized block', answer)
  headerOf(block)
  return quantity(block, 'number')
}

/** The header's RLP, if it hashes to what the node calls the block's hash. */
const headerOf = (block: Fields): Bytes => {
  const rlp = headerRlp(block)
  const hash = data(block, 'hash', { size: 32 })
  const found = keccak(rlp)
  // A forged field, or a fork that adds one which is not known here.
  if (!equal(found, hash)) throw malformed(block.what, `hashes to ${toHex(found)}, not to its own hash ${toHex(hash)}`)
  return rlp
}

// Roots are not compared here: the driver does it for whatever reader it is given, this one included.
const blockOf = async (rpc: Rpc, block: Fields, number: bigint, options: ReadOptions): Promise<RawBlock> => {
  const header = headerOf(block)
  const listed = list(block, 'transactions', TRANSACTIONS).map((json, i) => fields(`transaction ${i} of block ${number}`, json))
  const receipts = await receiptsOf(rpc, listed, number, options)
  const transactions: Bytes[] = []
  for (const transaction of listed) transactions.push(await transactionOf(rpc, transaction, options))
  return { header, transactions, receipts: receipts.map(rawReceipt) }
}

/** From its fields, or in raw form where its type is not known here, or has a field that is not. */
const transactionOf = async (rpc: Rpc, transaction: Fields, { signal }: ReadOptions): Promise<Bytes> => {
  const hash = data(transaction, 'hash', { size: 32 })
  const encoded = rawTransaction(transaction)
  if (encoded !== null && equal(keccak(encoded), hash)) return encoded
  const method = 'eth_getRawTransactionByHash'
  const answer = await refused(method, rpc.call(method, [`0x${toHex(hash)}`], { signal }))
  if (answer === null) throw malformed(transaction.what, 'has fields that do not hash to its own hash, and no raw form')
  const raw = data(fields(transaction.what, { raw: answer }), 'raw', { most: RAW_BYTES })
  if (!equal(keccak(raw), hash)) throw malformed(transaction.what, 'has neither fields nor a raw form that hash to its own hash')
  return raw
}

// By number: should the block have changed since it was asked for, its receipts no longer give the root in its header.
const receiptsOf = async (rpc: Rpc, transactions: readonly Fields[], number: bigint, options: ReadOptions): Promise<readonly Fields[]> => {
  const asked = rpc.call('eth_getBlockReceipts', [hex(number)], options).catch((error: unknown) => {
    if (error instanceof RpcError && error.isUnknownMethod) return oneByOne(rpc, transactions, options)
    throw error
  })
  const answer = fields(`receipts of block ${number}`, { result: await refused('eth_getBlockReceipts', asked) })
  const receipts = list(answer, 'result', TRANSACTIONS).map((json, i) => fields(`receipt ${i} of block ${number}`, json))
  if (receipts.length === transactions.length) return receipts
  throw malformed(`block ${number}`, `has ${transactions.length} transactions and ${receipts.length} receipts`)
}

/** For nodes that have no method for a block's receipts, a few at a time, so that a large block does not open a thousand sockets. */
const oneByOne = async (rpc: Rpc, transactions: readonly Fields[], { signal }: ReadOptions): Promise<readonly unknown[]> => {
  const receipts: unknown[] = []
  for (let i = 0; i < transactions.length; i += AT_ONCE) {
    const hashes = transactions.slice(i, i + AT_ONCE).map((transaction) => `0x${toHex(data(transaction, 'hash', { size: 32 }))}`)
    receipts.push(...(await Promise.all(hashes.map((hash) => rpc.call('eth_getTransactionReceipt', [hash], { signal })))))
  }
  return receipts
}

const hex = (number: bigint): string => `0x${number.toString(16)}`

/** A refusal by the node is a chain that cannot be read now: a method that is switched off, a block that was pruned. */
const refused = async <T>(method: string, answer: Promise<T>): Promise<T> => {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    throw new ChainError('down', `the node refuses ${method}: ${error.message} (code ${error.code})`, null, error)
  }
}
