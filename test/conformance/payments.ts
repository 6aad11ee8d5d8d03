// docs/wire.md, section 6, "What counts": which calldata is a payment, which payments a block counts, and what each provider is due.

import { keccak_256 } from '@noble/hashes/sha3.js'
import { Refused, writeUleb } from './bcs.ts'
import { at, type Bytes, fromLittle, hex, join, same, utf8, zeros } from './hash.ts'
import { type Attribution, compareRecipients, factsHash, type PaymentFact, PROOFS_BYTES, type Recipient } from './tally.ts'

export const keccak = (data: Bytes): Bytes => keccak_256(data)

// --- calldata

export interface Pay {
  ref: Bytes
  providers: Bytes[]
  bps: number[]
}

export const SELECTOR: Bytes = keccak(utf8('pay(bytes32,address[],uint16[])')).slice(0, 4)

/** A number as a 32-byte big-endian word, an address as one, padded with zeros on the left. */
export const word = (value: bigint): Bytes => Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * (31 - i))) & 255n))
const addressWord = (address: Bytes): Bytes => join(zeros(12), address)

/** Selector, head (ref and the two offsets, counted from after the selector), then each array: its length and its items. */
export function encodePay({ ref, providers, bps }: Pay): Bytes {
  return join(
    SELECTOR,
    ref,
    word(0x60n),
    word(0x60n + 32n * BigInt(1 + providers.length)),
    word(BigInt(providers.length)),
    ...providers.map(addressWord),
    word(BigInt(bps.length)),
    ...bps.map((each) => word(BigInt(each))),
  )
}

function wordAt(calldata: Bytes, index: number): Bytes {
  const found = calldata.slice(4 + 32 * index, 36 + 32 * index)
  if (found.length < 32) throw new Refused('pay-length', `word ${index} is missing`)
  return found
}

const numberAt = (calldata: Bytes, index: number): bigint => fromLittle(wordAt(calldata, index).reverse())

/** The payment in calldata that is exactly the ABI encoding of `pay`, with what else the page asks of it. */
export function decodePay(calldata: Bytes): Pay {
  if (!same(calldata.slice(0, 4), SELECTOR)) throw new Refused('pay-selector', hex(calldata.slice(0, 4)))
  const ref = wordAt(calldata, 0)
  const n = numberAt(calldata, 3)
  if (numberAt(calldata, 1) !== 0x60n) throw new Refused('pay-offset', 'of the providers')
  if (n < 1n || n > 32n) throw new Refused('pay-count', `${n} providers`)
  const count = Number(n)
  if (numberAt(calldata, 2) !== 0x80n + 32n * n) throw new Refused('pay-offset', 'of the shares')
  if (numberAt(calldata, 4 + count) !== n) throw new Refused('pay-unequal', `${numberAt(calldata, 4 + count)} shares for ${n}`)
  const providers: Bytes[] = []
  const bps: number[] = []
  for (let i = 0; i < count; i++) {
    const provider = numberAt(calldata, 4 + i)
    const share = numberAt(calldata, 5 + count + i)
    if (provider >= 1n << 160n || share >= 1n << 16n) throw new Refused('pay-padding', `item ${i}`)
    if (provider === 0n) throw new Refused('pay-provider-zero', `provider ${i}`)
    providers.push(wordAt(calldata, 4 + i).slice(12))
    bps.push(Number(share))
  }
  if (calldata.length !== 4 + 32 * (5 + 2 * count)) throw new Refused('pay-length', `${calldata.length} bytes`)
  if (new Set(providers.map(hex)).size !== count) throw new Refused('pay-provider-twice', 'a provider stands twice')
  const sum = bps.reduce((a, b) => a + b, 0)
  if (sum > 10_000) throw new Refused('pay-sum', `${sum}`)
  return { ref, providers, bps }
}

export interface Transaction {
  index: number
  status: number
  to: Bytes | null
  value: bigint
  calldata: Bytes
}

/** The payment that a transaction makes, or the refusal that says why it makes none. */
export function paymentOf(transaction: Transaction, feeRecipient: Bytes): PaymentFact {
  if (transaction.status !== 1) throw new Refused('status', `${transaction.status}`)
  if (transaction.to === null || !same(transaction.to, feeRecipient)) throw new Refused('to', 'another address')
  if (transaction.value <= 0n) throw new Refused('value', 'nothing paid')
  return { index: transaction.index, value: transaction.value, ...decodePay(transaction.calldata) }
}

// --- counting

export interface Counted {
  /** Ascending by index. */
  facts: PaymentFact[]
  omitted: number
  pool: bigint
  recipients: Recipient[]
  residual: bigint
  payments: Bytes
}

const MOST = { payments: 256, providers: 256, pairs: 1_024, pool: 2n ** 128n - 1n }

const pairOf = (ref: Bytes, provider: Bytes): string => hex(join(ref, provider))
const share = (fact: PaymentFact, i: number): bigint => (fact.value * BigInt(at(fact.bps, i))) / 10_000n

/** Every provider that a counted payment names, and the pairs (ref, provider) to which some payment gives an amount above zero. */
function names(facts: PaymentFact[]): { providers: number; pairs: number } {
  const providers = new Set<string>()
  const pairs = new Set<string>()
  for (const fact of facts) {
    for (const [i, provider] of fact.providers.entries()) {
      providers.add(hex(provider))
      if (share(fact, i) > 0n) pairs.add(pairOf(fact.ref, provider))
    }
  }
  return { providers: providers.size, pairs: pairs.size }
}

/** How many bytes the block header takes, and the encoded PaymentProof of each payment: what counts depends on it. */
export interface ProofBytes {
  header: number
  of: (index: number) => number
}

function withinLimits(facts: PaymentFact[], bytes: ProofBytes): boolean {
  const { providers, pairs } = names(facts)
  const proofs = facts.reduce((sum, fact) => sum + bytes.of(fact.index), 0)
  const encoded = writeUleb(bytes.header).length + bytes.header + writeUleb(facts.length).length + proofs
  return (
    facts.length <= MOST.payments &&
    providers <= MOST.providers &&
    pairs <= MOST.pairs &&
    poolOf(facts) <= MOST.pool &&
    encoded <= PROOFS_BYTES
  )
}

const poolOf = (facts: PaymentFact[]): bigint => facts.reduce((sum, fact) => sum + fact.value, 0n)

/** Largest value first, lower index first among equals; one that would pass a limit is passed over, and the next one is tried. */
export function countPayments(all: PaymentFact[], bytes: ProofBytes = { header: 0, of: () => 0 }): Counted {
  const order = [...all].sort((a, b) => (a.value === b.value ? a.index - b.index : a.value > b.value ? -1 : 1))
  let facts: PaymentFact[] = []
  for (const fact of order) {
    const more = [...facts, fact]
    if (withinLimits(more, bytes)) facts = more
  }
  facts.sort((a, b) => a.index - b.index)
  const pool = poolOf(facts)
  const recipients = recipientsOf(facts)
  const residual = recipients.reduce((rest, recipient) => rest - recipient.amount, pool)
  return { facts, omitted: all.length - facts.length, pool, recipients, residual, payments: factsHash(facts) }
}

/** amount(ref, provider) = Σ ⌊value × bps / 10,000⌋: rounded down for each payment, then added. */
function recipientsOf(facts: PaymentFact[]): Recipient[] {
  const due = new Map<string, Recipient>()
  for (const fact of facts) {
    for (const [i, addr] of fact.providers.entries()) {
      const amount = share(fact, i)
      if (amount === 0n) continue
      const before = due.get(pairOf(fact.ref, addr))?.amount ?? 0n
      due.set(pairOf(fact.ref, addr), { addr, amount: before + amount, kind: { is: 'named', value: { ref: fact.ref } } })
    }
  }
  return [...due.values()].sort(compareRecipients)
}

export interface Circumstances {
  chainId: bigint
  block: bigint
  hash: Bytes
  proofs: Bytes
  committedAt: bigint
}

/** The attribution of a block whose counted payments are these. */
export function attributionOf(counted: Counted, { chainId, block, hash, proofs, committedAt }: Circumstances): Attribution {
  return {
    slot: block,
    revision: 0,
    chainId,
    blockHash: hash,
    rule: { is: 'publicPayment', value: null },
    pool: counted.pool,
    recipients: counted.recipients,
    residual: counted.residual,
    evidence: { is: 'public', value: { block, hash, txs: counted.facts.map((fact) => fact.index), proofs } },
    committedAt,
  }
}
