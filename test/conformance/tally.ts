// docs/wire.md, section 6: the tally's structs, its config, and the digests over its payments. The rules of what counts are in payments.ts.

import {
  bytes,
  decode,
  encode,
  fixed,
  list,
  type Of,
  option,
  Refused,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  u128,
  unit,
  variant,
} from './bcs.ts'
import { type Declared, KINDS, Observation } from './blocks.ts'
import { Roster } from './committee.ts'
import { type Bytes, compare, H, join, same } from './hash.ts'
import { aclFingerprint, contentFingerprint, latticeId, organismIds, UNIVERSE } from './ids.ts'
import { TdxGate } from './tdx.ts'

// --- refunds

/** 0–3 are kept: order flow, bid, co-builder, proposer. */
const Kind = variant({ named: [4, struct({ ref: fixed(32) })] }, [0, 1, 2, 3])
export const Recipient = struct({ addr: fixed(20), amount: u128, kind: Kind })
export type Recipient = Of<typeof Recipient>

/** 0 and 1 are kept: referenced split, flat tax. */
const Rule = variant({ publicPayment: [2, unit] }, [0, 1])

const PublicEvidence = struct({ block: u64, hash: fixed(32), txs: list(u32, 256), proofs: fixed(32) })
/** 0 is kept: pipeline. */
const Evidence = variant({ public: [1, PublicEvidence] }, [0])

export const Attribution = struct({
  slot: u64,
  revision: u32,
  chainId: u64,
  blockHash: fixed(32),
  rule: Rule,
  pool: u128,
  recipients: list(Recipient, 1_024),
  residual: u128,
  evidence: Evidence,
  committedAt: u64,
})
export type Attribution = Of<typeof Attribution>

const Reason = variant({ reorganised: [0, struct({ number: u64, hash: fixed(32) })] })
export const Reversal = struct({
  of: struct({ slot: u64, revision: u32 }),
  chainId: u64,
  blockHash: fixed(32),
  reason: Reason,
  addresses: list(fixed(20), 256),
  committedAt: u64,
})
export type Reversal = Of<typeof Reversal>

export const Refund = variant({ attribution: [0, Attribution], reversal: [1, Reversal] })
export type Refund = Of<typeof Refund>

export const TALLY_SURFACES: Declared[] = [{ name: 'refunds', kind: KINDS.vec, by: ['recipient', 'slot'] }]

/** The keys that an item carries under index 0 (recipient, [20]) and index 1 (slot, u64). */
export function refundKeys(by: number, item: Bytes): Bytes[] {
  const refund = decode(Refund, item)
  if (refund.is === 'reversal') return by === 0 ? refund.value.addresses : [encode(u64, refund.value.of.slot)]
  return by === 0 ? refund.value.recipients.map((r) => r.addr) : [encode(u64, refund.value.slot)]
}

const refOf = (recipient: Recipient): Bytes => recipient.kind.value.ref

/** "ascending by (ref, addr)", bytewise, each pair once. */
export const compareRecipients = (a: Recipient, b: Recipient): number => compare(join(refOf(a), a.addr), join(refOf(b), b.addr))

export function checkAttribution(attribution: Attribution): void {
  let sum = 0n
  for (const [i, recipient] of attribution.recipients.entries()) {
    const before = attribution.recipients[i - 1]
    if (before !== undefined && compareRecipients(before, recipient) >= 0) throw new Refused('recipient-order', `recipient ${i}`)
    if (recipient.amount === 0n) throw new Refused('recipient-zero', `recipient ${i}`)
    sum += recipient.amount
  }
  if (attribution.residual !== attribution.pool - sum) throw new Refused('residual', `${attribution.residual} of ${attribution.pool}`)
  const { txs, block, hash } = attribution.evidence.value
  for (const [i, tx] of txs.entries()) if (i > 0 && (txs[i - 1] ?? 0) >= tx) throw new Refused('txs-order', `transaction ${i}`)
  if (block !== attribution.slot || !same(hash, attribution.blockHash)) throw new Refused('evidence', 'evidence of another block')
}

export function checkReversal({ of, reason, addresses }: Reversal): void {
  for (const [i, address] of addresses.entries()) {
    const before = addresses[i - 1]
    if (before !== undefined && compare(before, address) >= 0) throw new Refused('address-order', `address ${i}`)
  }
  if (reason.value.number > of.slot) throw new Refused('reason', `block ${reason.value.number} for ${of.slot}`)
}

export const checkRefund = (refund: Refund): void =>
  refund.is === 'attribution' ? checkAttribution(refund.value) : checkReversal(refund.value)

// --- proofs and facts

export const PaymentProof = struct({ index: u32, transaction: list(bytes(150_000), 64), receipt: list(bytes(500_000), 64) })
export const PaymentProofs = struct({ header: bytes(4_096), payments: list(PaymentProof, 256) })
export type PaymentProofs = Of<typeof PaymentProofs>

/** "at most 900,000 bytes in all": of the encoding. */
export const PROOFS_BYTES = 900_000

/** What can be said of them without the chain: their size and their order. */
export function checkProofs(proofs: PaymentProofs): void {
  const { length } = encode(PaymentProofs, proofs)
  if (length > PROOFS_BYTES) throw new Refused('proofs-size', `${length}`)
  for (const [i, { index }] of proofs.payments.entries()) {
    const before = proofs.payments[i - 1]
    if (before !== undefined && before.index >= index) throw new Refused('proofs-order', `payment ${i}`)
  }
}

export function proofsHash(proofs: PaymentProofs): Bytes {
  checkProofs(proofs)
  return H(encode(PaymentProofs, proofs))
}

export const PaymentFact = struct({ index: u32, ref: fixed(32), value: u128, providers: list(fixed(20), 32, 1), bps: list(u16, 32, 1) })
export type PaymentFact = Of<typeof PaymentFact>
export const PaymentFacts = list(PaymentFact, 256)

export const BlockFacts = struct({ hash: fixed(32), parent: fixed(32), count: u32, omitted: u32, payments: fixed(32) })
export type BlockFacts = Of<typeof BlockFacts>

/** Kind 1's subject: "what stands in block `number` of chain `chainId`". */
export const BlockSubject = struct({ chainId: u64, number: u64 })

/** 0 observe, 1 attribute: what stands in the `machine` body of a command. */
export const MachineCommand = variant({
  observe: [0, struct({ claim: Observation, member: u8, signature: fixed(64) })],
  attribute: [1, struct({ number: u64, proofs: PaymentProofs })],
})
export type MachineCommand = Of<typeof MachineCommand>

// --- config

export const SIGNATURE = 'tally/public-payment@1'
export const CONTENT_SCHEMA = 'tally content@1'
export const ACL_SCHEMA = 'tally acl@1'

const Origin = struct({ number: u64, hash: fixed(32) })
const Inclusion = variant({ finalized: [0, unit], depth: [1, struct({ blocks: u32 })] })
const Timers = struct({ view_ms: u32, short_ms: u32, skew_ms: u32, heartbeat_ms: u32 })

export const Content = struct({
  signature: text(64),
  feeRecipient: fixed(20),
  origin: Origin,
  inclusion: Inclusion,
  timers: Timers,
  predecessor: option(fixed(32)),
})
export type Content = Of<typeof Content>

export const Acl = struct({
  roster: Roster,
  admission: variant({ roster: [0, unit], tdx: [1, TdxGate] }),
  readers: variant({ anyone: [0, unit] }),
})
export type Acl = Of<typeof Acl>

/** The ids of a tally: the last of them is its `group`. */
export function tallyIds(name: string, chainId: bigint, content: Content, acl: Acl) {
  const lattice = latticeId(name, chainId)
  const contentHash = contentFingerprint(CONTENT_SCHEMA, encode(Content, content))
  const aclHash = aclFingerprint(ACL_SCHEMA, encode(Acl, acl))
  return { network: UNIVERSE, lattice, content: contentHash, acl: aclHash, ...organismIds(lattice, 'tally', contentHash, aclHash) }
}

/** `payments` of BlockFacts: over the counted ones, ascending by index. */
export const factsHash = (facts: PaymentFact[]): Bytes => H(encode(PaymentFacts, facts))
