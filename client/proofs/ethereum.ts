import type { Bytes } from '../primitives/bytes.ts'
import { keccak } from './mpt.ts'
import { bytesOf, integerOf, RlpError, type RlpField, type RlpLimits, readList } from './rlp.ts'

/** What a proof needs of an execution block's header. */
export interface ExecutionHeader {
  /** keccak-256 of the header's RLP: the block hash. */
  readonly hash: Bytes
  readonly parentHash: Bytes
  readonly transactionsRoot: Bytes
  readonly receiptsRoot: Bytes
  readonly number: bigint
  /** Seconds since 1970. */
  readonly timestamp: bigint
}

/** What a payment is read from. `to` is null where a contract is created; `value` is in wei. */
export interface Transaction {
  readonly type: 0 | 1 | 2 | 3 | 4
  readonly to: Bytes | null
  readonly value: bigint
  readonly data: Bytes
}

// 15 fields since the first block; forks add at the end (baseFeePerGas, withdrawalsRoot, … EIP-1559, 4895, 4844, 4788, 7685). Whatever
// is added hashes into the block hash as it is, so a header of a later fork is read without knowing its new fields.
const HEADER: RlpLimits = { bytes: 4_096, items: 64, depth: 4 }
const FIXED = [32, 32, 20, 32, 32, 32, 256] as const

/** @throws RlpError when the bytes are not a block header's canonical RLP */
export const headerFields = (rlp: Bytes): ExecutionHeader => {
  const fields = readList('block header', rlp, HEADER)
  if (fields.length < 15) throw new RlpError('block header', 0, `${fields.length} fields, expected 15 or more`)
  const [parentHash, , , , transactionsRoot, receiptsRoot] = FIXED.map((length, i) => bytesOf(`block header field ${i}`, fields[i], length))
  return {
    hash: keccak(rlp),
    parentHash: parentHash as Bytes,
    transactionsRoot: transactionsRoot as Bytes,
    receiptsRoot: receiptsRoot as Bytes,
    number: integerOf('block number', fields[8], 8),
    timestamp: integerOf('block timestamp', fields[11], 8),
  }
}

// Access lists nest deepest: transaction, list, entry, storage keys (EIP-2930). The bytes bound is that of a proof's node.
const TRANSACTION: RlpLimits = { bytes: 150_000, items: 14, depth: 4 }

// By type: how many fields, and where `to` stands; `value` and `data` follow it. Types: yellow paper 4.3, EIP-2930, 1559, 4844, 7702.
const SHAPES = [
  { fields: 9, to: 3 },
  { fields: 11, to: 4 },
  { fields: 12, to: 5 },
  { fields: 14, to: 5 },
  { fields: 13, to: 5 },
] as const

/**
 * A raw transaction as a block's trie holds it.
 *
 * @returns null for a type that is not known here (a rollup's own, or a later fork's): it has no fields to read, and is no fault
 * @throws RlpError when the bytes are not the canonical RLP of their type
 */
export const transactionFields = (raw: Bytes): Transaction | null => {
  const { type, body } = envelope('transaction', raw)
  const shape = SHAPES[type]
  if (shape === undefined) return null
  const fields = readList('transaction', body, TRANSACTION)
  if (fields.length !== shape.fields) throw new RlpError('transaction', 0, `${fields.length} fields, expected ${shape.fields}`)
  const to = bytesOf('transaction to', fields[shape.to], 0, 20)
  // Types 3 and 4 create no contract (EIP-4844 "Blob transaction", EIP-7702 "Set code transaction").
  if (to.length === 0 && type >= 3) throw new RlpError('transaction to', 0, `empty in type ${type}`)
  return {
    type: type as Transaction['type'],
    to: to.length === 0 ? null : to,
    value: integerOf('transaction value', fields[shape.to + 1], 32),
    data: bytesOf('transaction data', fields[shape.to + 2]),
  }
}

// Receipt, logs, log, topics.
const RECEIPT: RlpLimits = { bytes: 500_000, items: 4, depth: 4 }

/**
 * The status of a raw receipt: 1 succeeded, 0 failed (EIP-658).
 *
 * @returns null where there is none to read: a state root instead (before Byzantium), or a type that is not known here
 * @throws RlpError when the bytes are not the canonical RLP of their type
 */
export const receiptStatus = (raw: Bytes): 0 | 1 | null => {
  const { type, body } = envelope('receipt', raw)
  if (SHAPES[type] === undefined) return null
  const fields = readList('receipt', body, RECEIPT)
  if (fields.length !== 4) throw new RlpError('receipt', 0, `${fields.length} fields, expected 4`)
  const status = bytesOf('receipt status', fields[0], 0, 1, 32)
  expectReceipt(fields)
  if (status.length === 32) return type === 0 ? null : unreadable('a state root in a typed receipt')
  if (status.length === 0) return 0
  return status[0] === 1 ? 1 : unreadable('a status other than 0 and 1')
}

// The rest of the shape, so that nothing but a receipt is taken for one.
const expectReceipt = (fields: readonly RlpField[]): void => {
  integerOf('receipt gas', fields[1], 8)
  bytesOf('receipt bloom', fields[2], 256)
  if (fields[3]?.list !== true) throw new RlpError('receipt logs', 0, 'not a list')
}

const unreadable = (problem: string): never => {
  throw new RlpError('receipt status', 0, problem)
}

// EIP-2718: a first byte of 0xc0 or more begins a legacy list, one below 0x80 is a type; type 0 is kept free there, so nothing has two forms.
const envelope = (subject: string, raw: Bytes): { readonly type: number; readonly body: Bytes } => {
  const first = raw[0]
  if (first === undefined) throw new RlpError(subject, 0, 'empty')
  if (first >= 0xc0) return { type: 0, body: raw }
  if (first >= 0x80) throw new RlpError(subject, 0, 'neither a list nor a type')
  return { type: first === 0 ? -1 : first, body: raw.subarray(1) }
}
