import type { Bytes } from '../../client/primitives/bytes.ts'
import { concat } from '../../client/primitives/bytes.ts'
import { encodeBytes, encodeInteger, encodeList } from '../../client/proofs/rlp.ts'
import { data, each, type Fields, has, malformed, quantity, words } from './json.ts'

// From a node's JSON back to the bytes that the chain hashes. Field orders: yellow paper section 4.3, EIP-2718, 2930, 1559, 4844, 7702.

/** What no honest node exceeds, far below what would fill the memory. */
const MOST = { input: 4_194_304, entries: 65_536, topics: 4, extra: 1_024 } as const

type Reader = (from: Fields) => Bytes

const number =
  (name: string, size = 8): Reader =>
  (from) =>
    encodeInteger(quantity(from, name, size))
const exact =
  (name: string, size: number): Reader =>
  (from) =>
    encodeBytes(data(from, name, { size }))
const upTo =
  (name: string, most: number): Reader =>
  (from) =>
    encodeBytes(data(from, name, { most }))

// The fifteen of every block since the first (yellow paper 4.4.3); mixHash holds RANDAO since the merge (EIP-4399).
const HEADER: readonly Reader[] = [
  exact('parentHash', 32),
  exact('sha3Uncles', 32),
  exact('miner', 20),
  exact('stateRoot', 32),
  exact('transactionsRoot', 32),
  exact('receiptsRoot', 32),
  exact('logsBloom', 256),
  number('difficulty', 32),
  number('number'),
  number('gasLimit'),
  number('gasUsed'),
  number('timestamp'),
  upTo('extraData', MOST.extra),
  exact('mixHash', 32),
  exact('nonce', 8),
]

// In the order in which forks added them: London, Shanghai, Cancun (three), Prague. A header has all of them up to its own fork.
const LATER: readonly (readonly [name: string, read: Reader])[] = [
  ['baseFeePerGas', number('baseFeePerGas', 32)],
  ['withdrawalsRoot', exact('withdrawalsRoot', 32)],
  ['blobGasUsed', number('blobGasUsed')],
  ['excessBlobGas', number('excessBlobGas')],
  ['parentBeaconBlockRoot', exact('parentBeaconBlockRoot', 32)],
  ['requestsHash', exact('requestsHash', 32)],
]

/** A block header's RLP. That its keccak-256 is the block hash is for the caller to check. @throws ChainError */
export const headerRlp = (block: Fields): Bytes => {
  const present = LATER.findLastIndex(([name]) => has(block, name)) + 1
  return encodeList([...HEADER, ...LATER.slice(0, present).map(([, read]) => read)].map((read) => read(block)))
}

// null where a contract is created: an empty string in RLP (yellow paper 4.2).
const to: Reader = (from) => (has(from, 'to') ? exact('to', 20)(from) : encodeBytes(new Uint8Array(0)))
const input = upTo('input', MOST.input)

const accessList: Reader = (from) =>
  encodeList(
    each(from, 'accessList', MOST.entries, (entry) =>
      encodeList([exact('address', 20)(entry), encodeList(words(entry, 'storageKeys', MOST.entries, 32).map(encodeBytes))]),
    ),
  )

const blobHashes: Reader = (from) => encodeList(words(from, 'blobVersionedHashes', MOST.entries, 32).map(encodeBytes))

// Nodes write the parity of a typed signature as yParity, older ones as v alone.
const parity: Reader = (from) => number(has(from, 'yParity') ? 'yParity' : 'v')(from)
const signature: readonly Reader[] = [parity, number('r', 32), number('s', 32)]

const authorizations: Reader = (from) =>
  encodeList(
    each(from, 'authorizationList', MOST.entries, (entry) =>
      encodeList([number('chainId', 32), exact('address', 20), number('nonce'), ...signature].map((read) => read(entry))),
    ),
  )

const call: readonly Reader[] = [number('gas'), to, number('value', 32), input]
const fees: readonly Reader[] = [number('maxPriorityFeePerGas', 32), number('maxFeePerGas', 32)]

// By type. A legacy v holds chain id and parity together (EIP-155), so it is taken as it stands.
const TRANSACTIONS: readonly (readonly Reader[])[] = [
  [number('nonce'), number('gasPrice', 32), ...call, number('v', 32), number('r', 32), number('s', 32)],
  [number('chainId', 32), number('nonce'), number('gasPrice', 32), ...call, accessList, ...signature],
  [number('chainId', 32), number('nonce'), ...fees, ...call, accessList, ...signature],
  [number('chainId', 32), number('nonce'), ...fees, ...call, accessList, number('maxFeePerBlobGas', 32), blobHashes, ...signature],
  [number('chainId', 32), number('nonce'), ...fees, ...call, accessList, authorizations, ...signature],
]

/** A transaction as its block's trie holds it; null for a type whose fields are not known here. @throws ChainError */
export const rawTransaction = (transaction: Fields): Bytes | null => {
  const type = typeOf(transaction)
  const readers = TRANSACTIONS[type]
  return readers === undefined ? null : enveloped(type, encodeList(readers.map((read) => read(transaction))))
}

// Address, topics, data: yellow paper 4.3.1. Places of a log in its block are no part of the receipt.
const log = (entry: Fields): Bytes =>
  encodeList([
    exact('address', 20)(entry),
    encodeList(words(entry, 'topics', MOST.topics, 32).map(encodeBytes)),
    upTo('data', MOST.input)(entry),
  ])

/** A receipt as its block's trie holds it: status, or state root before Byzantium, gas, bloom, logs. @throws ChainError */
export const rawReceipt = (receipt: Fields): Bytes => {
  const outcome = has(receipt, 'status') ? number('status', 1) : exact('root', 32)
  const logs = encodeList(each(receipt, 'logs', MOST.entries, log))
  return enveloped(
    typeOf(receipt),
    encodeList([outcome(receipt), number('cumulativeGasUsed')(receipt), exact('logsBloom', 256)(receipt), logs]),
  )
}

// Nodes from before EIP-2718 name no type: everything is legacy there.
const typeOf = (from: Fields): number => {
  const type = has(from, 'type') ? Number(quantity(from, 'type', 1)) : 0
  if (type > 0x7f) throw malformed(from.what, `has type ${type}`)
  return type
}

const enveloped = (type: number, body: Bytes): Bytes => (type === 0 ? body : concat(Uint8Array.of(type), body))
