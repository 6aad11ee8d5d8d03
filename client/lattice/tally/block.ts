import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { type ExecutionHeader, headerFields } from '../../proofs/ethereum.ts'
import { buildTrie, type Trie } from '../../proofs/trie.ts'
import { ChainError, type RawBlock } from './chain.ts'
import { headerSize, type PaymentProof, type PaymentProofs, proofSize } from './evidence.ts'
import { type BlockFacts, type Candidate, paymentsHash, readPayment, select } from './payment.ts'

/** A block that holds together: what a member says of it, and the proofs of its counted payments. */
export interface TalliedBlock {
  readonly header: ExecutionHeader
  readonly facts: BlockFacts
  readonly proofs: PaymentProofs
}

/** A header that is of the block asked for. @throws ChainError */
export const readHeader = (rlp: Bytes, number: bigint): ExecutionHeader => {
  const header = sound(number, () => headerFields(rlp))
  if (header.number !== number)
    throw new ChainError('inconsistent', `asked for block ${number}, the node gave block ${header.number}`, number)
  return header
}

/**
 * What a raw block says about payments. Both tries are rebuilt from every transaction and receipt, so that a node can neither add, change
 * nor leave out a payment without finding another header.
 * @throws ChainError when the parts do not hash to the header's roots
 */
export const tallyBlock = (raw: RawBlock, number: bigint, feeRecipient: Bytes): TalliedBlock => {
  const header = readHeader(raw.header, number)
  const transactions = rebuilt('transactions', raw.transactions, header.transactionsRoot, number)
  const receipts = rebuilt('receipts', raw.receipts, header.receiptsRoot, number)
  // Both roots hold, so these are the block's own; a receipt's place is its transaction's.
  const found = sound(number, () =>
    raw.transactions.map((transaction, i) => readPayment(i, transaction, raw.receipts[i] as Bytes, feeRecipient)),
  )
  const candidates = found
    .filter((fact) => fact !== null)
    .map((fact): Candidate => ({ fact, bytes: proofSize(proofOf(fact.index, transactions, receipts)) }))
  const { counted, omitted } = select(candidates, headerSize(raw.header))
  const { hash, parentHash: parent } = header
  return {
    header,
    facts: { hash, parent, count: counted.length, omitted, payments: paymentsHash(counted) },
    proofs: { header: raw.header, payments: counted.map(({ index }) => proofOf(index, transactions, receipts)) },
  }
}

/** The trie of `values`, if its root is the header's. */
const rebuilt = (what: 'transactions' | 'receipts', values: readonly Bytes[], root: Bytes, number: bigint): Trie => {
  const trie = sound(number, () => buildTrie(values))
  if (equal(trie.root, root)) return trie
  throw new ChainError(
    'inconsistent',
    `the ${values.length} ${what} of block ${number} give root ${toHex(trie.root)}, its header has ${toHex(root)}`,
    number,
  )
}

const proofOf = (index: number, transactions: Trie, receipts: Trie): PaymentProof => ({
  index,
  transaction: transactions.prove(index),
  receipt: receipts.prove(index),
})

// What cannot be read hashes to the header all the same, or not: either way it is nothing to sign.
const sound = <T>(number: bigint, run: () => T): T => {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof ChainError) throw cause
    throw new ChainError(
      'inconsistent',
      `block ${number} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      number,
      cause,
    )
  }
}
