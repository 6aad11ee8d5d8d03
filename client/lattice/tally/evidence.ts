import { hash } from '../../../wasm/core.ts'
import { CoalitionError } from '../../error.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { bytes, decode, encode, type Of, refine, struct, u32, vector } from '../../primitives/codec.ts'
import { type ExecutionHeader, headerFields } from '../../proofs/ethereum.ts'
import { verifyMpt } from '../../proofs/mpt.ts'
import { encodeInteger } from '../../proofs/rlp.ts'
import type { PaymentEvidence } from './index.ts'
import { type Candidate, lengthSize, type PaymentFact, readPayment, select, split } from './payment.ts'
import { type AttributionItem, LIMITS, type RefundItem, refundCodec } from './refund.ts'

/** One payment's way from both roots of the block header: docs/wire.md section 6. */
const paymentProofCodec = struct('PaymentProof', {
  index: u32,
  transaction: vector(bytes(150_000), 64),
  receipt: vector(bytes(500_000), 64),
})
const proofsShape = struct('PaymentProofs', { header: bytes(4_096), payments: vector(paymentProofCodec, LIMITS.payments) })
export type PaymentProof = Of<typeof paymentProofCodec>
export type PaymentProofs = Of<typeof proofsShape>

// Sizes are computed, not taken from an encoding: `select` asks for them before it is known which payments are encoded at all.
const bytesSize = (value: Bytes): number => lengthSize(value.length) + value.length
const nodesSize = (nodes: readonly Bytes[]): number => nodes.reduce((sum, node) => sum + bytesSize(node), lengthSize(nodes.length))

/** Bytes of an encoded PaymentProof; infinite when a node is longer than one may be, so that it fits no blob. */
export const proofSize = ({ transaction, receipt }: PaymentProof): number =>
  transaction.some(({ length }) => length > 150_000) || receipt.some(({ length }) => length > 500_000)
    ? Number.POSITIVE_INFINITY
    : 4 + nodesSize(transaction) + nodesSize(receipt)

/** Bytes of an encoded header in the blob. */
export const headerSize = (header: Bytes): number => bytesSize(header)

const blobSize = ({ header, payments }: PaymentProofs): number =>
  payments.reduce((sum, proof) => sum + proofSize(proof), bytesSize(header) + lengthSize(payments.length))

/** The blob that an attribution points at, at most 900,000 bytes encoded: with its command it fits a block. */
export const paymentProofsCodec = refine(proofsShape, 'PaymentProofs', (proofs) => {
  const size = blobSize(proofs)
  return size > LIMITS.blob ? `${size} bytes, at most ${LIMITS.blob}` : null
})

/** What proofs show by themselves: a block header, and payments that stand in its block. */
export interface Proven {
  readonly header: ExecutionHeader
  readonly payments: readonly PaymentFact[]
  /** H(canonical(PaymentProofs)): what the attribution names. */
  readonly hash: Bytes
  readonly blob: Bytes
}

/**
 * Checks every payment of a blob under its header: in both tries, succeeded, exactly a call of `pay` to `feeRecipient`, within the limits.
 * That the list is complete they cannot show: that is what the members agreed on.
 * @throws ProofError naming the payment, or what a trie or RLP check throws
 */
export const verifyProofs = (proofs: PaymentProofs, feeRecipient: Bytes): Proven => {
  const header = headerFields(proofs.header)
  const candidates = proofs.payments.map((proof, i): Candidate => {
    const before = proofs.payments[i - 1]
    if (before !== undefined && before.index >= proof.index) throw new ProofError(proof.index, 'does not ascend')
    return { fact: verifyPayment(proof, header, feeRecipient), bytes: proofSize(proof) }
  })
  // Passing the list through the rule again shows that an honest member could have counted it: none of it is past a limit.
  const { counted, omitted } = select(candidates, headerSize(proofs.header))
  if (omitted > 0) throw new ProofError(null, `${omitted} payments are past the limits of a block`)
  if (counted.length === 0) throw new ProofError(null, 'no payment')
  const blob = encode(paymentProofsCodec, proofs)
  return { header, payments: counted, hash: hash(blob), blob }
}

// rlp(index) is the key of both tries (yellow paper section 4.4), so one number says which receipt is of which transaction.
const verifyPayment = ({ index, transaction, receipt }: PaymentProof, header: ExecutionHeader, feeRecipient: Bytes): PaymentFact => {
  const key = encodeInteger(index)
  const raw = verifyMpt(header.transactionsRoot, key, transaction)
  const outcome = verifyMpt(header.receiptsRoot, key, receipt)
  if (raw === null || outcome === null) throw new ProofError(index, `is not in the block's ${raw === null ? 'transactions' : 'receipts'}`)
  const fact = readPayment(index, raw, outcome, feeRecipient)
  if (fact === null) throw new ProofError(index, 'is no payment to the fee recipient')
  return fact
}

/** What an attribution says beside what its proofs show: no header holds it, the committee's signatures do. */
export type Circumstances = Pick<AttributionItem, 'revision' | 'chainId' | 'committedAt'>

/** The item that proven payments make. */
export const attributionOf = ({ header, payments, hash }: Proven, { revision, chainId, committedAt }: Circumstances): AttributionItem => ({
  slot: header.number,
  revision,
  chainId,
  blockHash: header.hash,
  rule: { kind: 'publicPayment', value: null },
  ...split(payments),
  evidence: {
    kind: 'public',
    value: { block: header.number, hash: header.hash, txs: payments.map(({ index }) => index), proofs: hash },
  },
  committedAt,
})

/** That a block is gone is no Merkle proof's to show: a quorum said so. */
export const UNPROVEN = 'a reversal has no proofs of its own: ask for those of the attributions before and after it'

/**
 * Recomputes an item from its blob and compares the bytes: hash of the blob, block hash and number, every proof, recipients, pool, residual.
 * @throws ProofError, DecodeError, MptError, RlpError: the blob does not prove the item
 */
export const checkEvidence = ({ kind, value: item }: RefundItem, blob: Bytes, feeRecipient: Bytes): PaymentEvidence => {
  if (kind === 'reversal') throw new ProofError(null, UNPROVEN)
  const claimed = item.evidence.value
  const found = hash(blob)
  if (!equal(found, claimed.proofs))
    throw new ProofError(null, `the blob's hash is ${toHex(found)}, the item names ${toHex(claimed.proofs)}`)
  const proofs = decode(paymentProofsCodec, blob)
  const proven = verifyProofs(proofs, feeRecipient)
  const { hash: block, number, parentHash, timestamp } = proven.header
  if (!equal(block, claimed.hash)) throw new ProofError(null, `the header's hash is ${toHex(block)}, the item names ${toHex(claimed.hash)}`)
  if (number !== claimed.block) throw new ProofError(null, `the header is of block ${number}, the item of ${claimed.block}`)
  const recomputed: RefundItem = { kind: 'attribution', value: attributionOf(proven, item) }
  if (!equal(encode(refundCodec, recomputed), encode(refundCodec, { kind: 'attribution', value: item }))) {
    throw new ProofError(null, 'the payments give another attribution than the item')
  }
  return { block: { number, hash: block, parentHash, timestamp }, feeRecipient, payments: proven.payments, header: proofs.header, blob }
}

/** A blob that does not prove what it should; `index` is the transaction's place in the block, or null. */
export class ProofError extends CoalitionError {
  declare readonly index: number | null
  declare readonly problem: string

  constructor(index: number | null, problem: string) {
    super('Tally.ProofError', index === null ? problem : `transaction ${index} ${problem}`, { index, problem })
  }
}
