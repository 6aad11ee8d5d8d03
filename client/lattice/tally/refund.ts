import type { SurfaceSpec } from '../../groups/machine.ts'
import { type Bytes, compare, concat } from '../../primitives/bytes.ts'
import { encode, fixed, type Of, refine, struct, u32, u64, u128, unit, variant, vector } from '../../primitives/codec.ts'

// The item of tally's one surface, docs/wire.md section 6. Its own file, because config.ts needs the specs for the genesis header and
// surface.ts needs the config.

/** Limits of one block: an item's index keys, its size and its proofs follow from them. */
export const LIMITS = {
  payments: 256,
  providers: 256,
  pairs: 1_024,
  shares: 32,
  bps: 10_000,
  pool: (1n << 128n) - 1n,
  blob: 900_000,
} as const

export const recipientCodec = struct('Recipient', {
  addr: fixed(20),
  amount: u128,
  kind: variant('Kind', { named: [4, struct('Named', { ref: fixed(32) })] }),
})
export type RecipientItem = Of<typeof recipientCodec>

const publicCodec = struct('Public', { block: u64, hash: fixed(32), txs: vector(u32, LIMITS.payments), proofs: fixed(32) })

// 0 and 1 of `rule` and 0 of `evidence` are kept for the pipeline's rules: a decoder of this version must not guess at them.
const fields = struct('Attribution', {
  slot: u64,
  revision: u32,
  chainId: u64,
  blockHash: fixed(32),
  rule: variant('Rule', { publicPayment: [2, unit] }),
  pool: u128,
  recipients: vector(recipientCodec, LIMITS.pairs),
  residual: u128,
  evidence: variant('Evidence', { public: [1, publicCodec] }),
  committedAt: u64,
})
export type AttributionItem = Of<typeof fields>

/** Order of recipients: by ref, then by address. */
export const recipientKey = ({ addr, kind }: Pick<RecipientItem, 'addr' | 'kind'>) => concat(kind.value.ref, addr)

// What an item says on its face. A reader that decodes one may add its amounts up without a further check.
const contradiction = ({ slot, blockHash, pool, recipients, residual, evidence }: AttributionItem): string | null => {
  const { block, hash, txs } = evidence.value
  if (block !== slot || compare(hash, blockHash) !== 0) return 'its evidence is of another block'
  if (txs.some((index, i) => i > 0 && index <= (txs[i - 1] as number))) return 'its transactions do not ascend'
  const keys = recipients.map(recipientKey)
  if (keys.some((key, i) => i > 0 && compare(keys[i - 1] as Uint8Array, key) >= 0)) return 'its recipients do not ascend'
  if (recipients.some(({ amount }) => amount === 0n)) return 'an amount is zero'
  return recipients.reduce((sum, { amount }) => sum + amount, residual) === pool ? null : 'amounts and residual are not the pool'
}

/** An attribution whose parts agree with one another: anything else is refused, on encoding and on decoding. */
export const attributionCodec = refine(fields, 'Attribution', contradiction)

const reversalFields = struct('Reversal', {
  of: struct('Reversed', { slot: u64, revision: u32 }),
  chainId: u64,
  blockHash: fixed(32),
  reason: variant('Reason', { reorganised: [0, struct('Reorganised', { number: u64, hash: fixed(32) })] }),
  addresses: vector(fixed(20), LIMITS.providers),
  committedAt: u64,
})
export type ReversalItem = Of<typeof reversalFields>

// It carries the addresses that its attribution gave to: an index takes its keys from the item, and without them a person would be shown
// the refund and never that it was taken back.
const reversalProblem = ({ of, reason, addresses }: ReversalItem): string | null => {
  if (addresses.some((addr, i) => i > 0 && compare(addresses[i - 1] as Uint8Array, addr) >= 0)) return 'its addresses do not ascend'
  return reason.value.number > of.slot ? 'its reason is a block above the one reversed' : null
}

/** Takes an attribution back: another block stands at its height, or below it. */
export const reversalCodec = refine(reversalFields, 'Reversal', reversalProblem)
export const refundCodec = variant('Refund', { attribution: [0, attributionCodec], reversal: [1, reversalCodec] })
export type RefundItem = Of<typeof refundCodec>

/** Canonical keys of the two indexes. */
export const slotKey = (slot: bigint) => encode(u64, slot)

/** The surface `refunds`: a vec with the indexes `recipient` and `slot`. */
export const refundsSpec: SurfaceSpec<RefundItem> = {
  name: 'refunds',
  kind: 'vec',
  item: refundCodec,
  by: [
    { name: 'recipient', keys: ({ kind, value }) => (kind === 'attribution' ? addressesOf(value) : value.addresses) },
    { name: 'slot', keys: ({ kind, value }) => [slotKey(kind === 'attribution' ? value.slot : value.of.slot)] },
  ],
}

/** Whom an attribution gives to, ascending. One provider may be named under many refs; an index takes each key once. */
export const addressesOf = ({ recipients }: Pick<AttributionItem, 'recipients'>): Bytes[] => {
  const sorted = recipients.map(({ addr }) => addr).sort(compare)
  return sorted.filter((addr, i) => i === 0 || compare(sorted[i - 1] as Uint8Array, addr) !== 0)
}

/** All surfaces of tally, in the order of every header. */
export const SPECS: readonly SurfaceSpec<never>[] = [refundsSpec as never]
