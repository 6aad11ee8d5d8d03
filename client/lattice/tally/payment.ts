import { hash } from '../../../wasm/core.ts'
import { type Bytes, compare, concat, equal, fromHex, toHex } from '../../primitives/bytes.ts'
import { encode, fixed, type Of, struct, u16, u32, u64, u128, vector } from '../../primitives/codec.ts'
import { receiptStatus, transactionFields } from '../../proofs/ethereum.ts'
import { LIMITS, type RecipientItem, recipientKey } from './refund.ts'

// What counts as a payment and who gets what of it: docs/wire.md section 6, "What counts". The machine, the driver and the reader's check
// of evidence all compute it here, so that they cannot disagree.

/** One payment as members agree on it. */
export const paymentFactCodec = struct('PaymentFact', {
  index: u32,
  ref: fixed(32),
  value: u128,
  providers: vector(fixed(20), LIMITS.shares, 1),
  bps: vector(u16, LIMITS.shares, 1),
})
export type PaymentFact = Of<typeof paymentFactCodec>

/** One block as members agree on it; `payments` is the hash of the counted ones. */
export const blockFactsCodec = struct('BlockFacts', { hash: fixed(32), parent: fixed(32), count: u32, omitted: u32, payments: fixed(32) })
export type BlockFacts = Of<typeof blockFactsCodec>

/** Question kind 1: the payments of block `number` of chain `chainId`. */
export const QUESTION_KIND = 1
export const subjectCodec = struct('Subject', { chainId: u64, number: u64 })

const paymentsCodec = vector(paymentFactCodec, LIMITS.payments)

/** H(canonical(list of PaymentFact)), ascending by index. */
export const paymentsHash = (payments: readonly PaymentFact[]): Bytes => hash(encode(paymentsCodec, payments))

/** The arguments of `pay(bytes32 ref, address[] providers, uint16[] bps)`. */
export type Pay = Pick<PaymentFact, 'ref' | 'providers' | 'bps'>

// keccak-256("pay(bytes32,address[],uint16[])"), first four bytes.
const SELECTOR = /* @__PURE__ */ fromHex('fabccef8')

const word = (value: number): Bytes => {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(28, value)
  return bytes
}

/** The one calldata of a call of `pay`: selector, ref, the two offsets, then each array with its length (Solidity ABI specification). */
export const encodePay = ({ ref, providers, bps }: Pay): Bytes => {
  const n = providers.length
  const addresses = providers.map((provider) => concat(new Uint8Array(12), provider))
  return concat(SELECTOR, ref, word(0x60), word(0x80 + 32 * n), word(n), ...addresses, word(bps.length), ...bps.map(word))
}

// Selector, ref, two offsets and two lengths; each share adds two words.
const PAY_BYTES = 4 + 5 * 32

/** The arguments, or null for calldata that is not exactly the encoding of a call whose shares are in order. */
export const decodePay = (data: Bytes): Pay | null => {
  const n = (data.length - PAY_BYTES) / 64
  if (!Number.isInteger(n) || n < 1 || n > LIMITS.shares) return null
  const at = (place: number): Bytes => data.slice(4 + 32 * place, 36 + 32 * place)
  const places = Array.from({ length: n }, (_, i) => i)
  const providers = places.map((i) => at(4 + i).slice(12))
  const bps = places.map((i) => new DataView(at(5 + n + i).buffer).getUint16(30))
  const pay = { ref: at(0), providers, bps }
  // Read by place, then written again: padding, offsets, lengths and selector are all compared at once, and nothing is left over.
  if (!equal(encodePay(pay), data)) return null
  const isDistinct = new Set(providers.map(toHex)).size === n
  const isNamed = providers.every((provider) => provider.some((byte) => byte !== 0))
  return isDistinct && isNamed && bps.reduce((sum, share) => sum + share, 0) <= LIMITS.bps ? pay : null
}

// Bounds of a proof's last node: what is longer can have no proof, and is no payment either.
const TRANSACTION_BYTES = 150_000
const RECEIPT_BYTES = 500_000

/**
 * The payment that a transaction of a block is, or null.
 * @throws RlpError when the bytes are no transaction or no receipt
 */
export const readPayment = (index: number, transaction: Bytes, receipt: Bytes, feeRecipient: Bytes): PaymentFact | null => {
  if (transaction.length > TRANSACTION_BYTES || receipt.length > RECEIPT_BYTES) return null
  const fields = transactionFields(transaction)
  if (fields === null || fields.to === null || !equal(fields.to, feeRecipient) || fields.value === 0n) return null
  const pay = decodePay(fields.data)
  return pay !== null && receiptStatus(receipt) === 1 ? { index, value: fields.value, ...pay } : null
}

/** A payment and the bytes that its encoded PaymentProof takes in the blob. */
export interface Candidate {
  readonly fact: PaymentFact
  readonly bytes: number
}

/** wei of one provider's share. */
const shareOf = (value: bigint, bps: number): bigint => (value * BigInt(bps)) / BigInt(LIMITS.bps)

const namedKey = (ref: Bytes, addr: Bytes): string => toHex(recipientKey({ addr, kind: { kind: 'named', value: { ref } } }))

/** Amounts of one payment by (ref, address), zeros left out. */
const sharesOf = ({ ref, value, providers, bps }: PaymentFact) =>
  providers
    .map((addr, i) => ({ addr, ref, key: namedKey(ref, addr), amount: shareOf(value, bps[i] as number) }))
    .filter(({ amount }) => amount > 0n)

/**
 * The payments of a block that are counted, ascending by index, and how many are not. Taken by value, largest first, lower index first among
 * equals, so that nobody crowds out a larger payment with small ones; one that would pass a limit is passed over, and a smaller may still fit.
 * The size of the blob is a limit like the others: without it a few payments with long access lists could never be proven, and as blocks are
 * attributed in their order, nothing after them either.
 *
 * @param header bytes that the encoded header takes in the blob
 */
export const select = (
  candidates: readonly Candidate[],
  header: number,
): { readonly counted: readonly PaymentFact[]; readonly omitted: number } => {
  const largestFirst = [...candidates].sort((a, b) =>
    a.fact.value === b.fact.value ? a.fact.index - b.fact.index : a.fact.value < b.fact.value ? 1 : -1,
  )
  const counted: PaymentFact[] = []
  let named: Named = { providers: new Set(), pairs: new Set() }
  let pool = 0n
  let size = header
  for (const { fact, bytes } of largestFirst) {
    const most = LIMITS.blob - lengthSize(counted.length + 1)
    if (counted.length === LIMITS.payments || size + bytes > most || pool + fact.value > LIMITS.pool) continue
    const more = naming(named, fact)
    if (more.pairs.size > LIMITS.pairs || more.providers.size > LIMITS.providers) continue
    counted.push(fact)
    named = more
    pool += fact.value
    size += bytes
  }
  return { counted: counted.sort((a, b) => a.index - b.index), omitted: candidates.length - counted.length }
}

/** Bytes of a ULEB128 length. */
export const lengthSize = (length: number): number => (length < 128 ? 1 : 1 + lengthSize(Math.floor(length / 128)))

/** All providers that are named, and the (ref, provider) pairs that are given an amount. */
interface Named {
  readonly providers: ReadonlySet<string>
  readonly pairs: ReadonlySet<string>
}

const naming = ({ providers, pairs }: Named, fact: PaymentFact): Named => ({
  providers: new Set([...providers, ...fact.providers.map(toHex)]),
  pairs: new Set([...pairs, ...sharesOf(fact).map(({ key }) => key)]),
})

/** What counted payments give to whom: amounts summed by (ref, address), the rest is the residual. */
export const split = (
  payments: readonly PaymentFact[],
): { readonly pool: bigint; readonly recipients: readonly RecipientItem[]; readonly residual: bigint } => {
  const sums = new Map<string, RecipientItem>()
  for (const { key, addr, ref, amount } of payments.flatMap(sharesOf)) {
    sums.set(key, { addr, amount: (sums.get(key)?.amount ?? 0n) + amount, kind: { kind: 'named', value: { ref } } })
  }
  const recipients = [...sums.values()].sort((a, b) => compare(recipientKey(a), recipientKey(b)))
  const pool = payments.reduce((sum, { value }) => sum + value, 0n)
  return { pool, recipients, residual: recipients.reduce((rest, { amount }) => rest - amount, pool) }
}
