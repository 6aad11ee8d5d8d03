import { tallyBlock } from '../../client/lattice/tally/block.ts'
import { paymentProofsCodec, verifyProofs } from '../../client/lattice/tally/evidence.ts'
import { paymentFactCodec } from '../../client/lattice/tally/payment.ts'
import { type Bytes, concat, equal, toHex, u32le } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { headerFields, receiptStatus, transactionFields } from '../../client/proofs/ethereum.ts'
import { buildTrie, encodeBytes, encodeInteger, encodeList, keccak, verifyMpt } from '../../client/proofs/index.ts'
import { type RlpField, readList } from '../../client/proofs/rlp.ts'
import { blockOf, FEE_RECIPIENT, provider } from '../lattice/tally/fixtures.ts'
import { nth } from '../proofs/reference.ts'
import { jointsOf, mutate } from './_mutate.ts'
import { below, chance, type Draw, pick, type Trial } from './_seeded.ts'
import type { Prepared } from './_trees.ts'
import { warp } from './_warp.ts'

// Changed evidence of Ethereum: tries, RLP, and the payments that both together prove.

const LIMITS = { bytes: 1_048_576, items: 64, depth: 8 }

/** What the fields of a list are the only encoding of. */
const again = (fields: readonly RlpField[]): Bytes =>
  encodeList(fields.map(({ list, payload, raw }) => (list ? again(readList('inner', raw, LIMITS)) : encodeBytes(payload))))

const SOME = [3, 300, 70_000].map(encodeInteger)
const addressed = encodeBytes(provider(1))
const word = encodeBytes(new Uint8Array(32).fill(7))
const access = encodeList([encodeList([addressed, encodeList([word, word])])])

/** One of each type, by hand: what is signed does not matter here. */
const TRANSACTIONS: readonly Bytes[] = [
  encodeList([...SOME, addressed, nth(SOME, 1), word, ...SOME]),
  concat(Uint8Array.of(1), encodeList([...SOME, nth(SOME, 0), addressed, nth(SOME, 1), word, access, ...SOME])),
  concat(Uint8Array.of(2), encodeList([...SOME, ...SOME.slice(1), addressed, nth(SOME, 1), word, access, ...SOME])),
  concat(Uint8Array.of(3), encodeList([...SOME, ...SOME.slice(1), addressed, nth(SOME, 1), word, access, word, access, ...SOME])),
  concat(Uint8Array.of(4), encodeList([...SOME, ...SOME.slice(1), addressed, nth(SOME, 1), word, access, access, ...SOME])),
]

const BLOCK = blockOf(
  7n,
  new Uint8Array(32),
  Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? { value: 1_000n + BigInt(i), padding: i * 40 } : { value: 0n })),
)

/** Bytes where RLP has lengths: its first ones, and anywhere. */
const JOINTS = Array.from({ length: 12 }, (_, i) => i)

const read = (draw: Draw, input: Bytes): string => {
  switch (below(draw, 3)) {
    case 0:
      return transactionFields(input) === null ? 'no transaction' : 'a transaction'
    case 1:
      return receiptStatus(input) === null ? 'no receipt' : 'a receipt'
    default:
      headerFields(input)
      return 'a header'
  }
}

export const rlp = (): Prepared => {
  const bases = [...TRANSACTIONS, ...BLOCK.transactions.slice(0, 4), ...BLOCK.receipts.slice(0, 2), BLOCK.header]
  return (trial) => {
    const { draw } = trial
    trial.input = mutate(draw, pick(draw, bases), { joints: JOINTS, others: bases })
    if (chance(draw, 0.5)) trial.tally(read(draw, trial.input))
    const body = (trial.input[0] ?? 0) < 0x80 ? trial.input.slice(1) : trial.input
    return equal(again(readList('fuzz', body, LIMITS)), body) ? null : 'a list that has another encoding'
  }
}

const values = (count: number, size: number) => Array.from({ length: count }, (_, i) => concat(u32le(i + 1), new Uint8Array(size)))
const TRIES = [[], values(1, 3), values(3, 30), values(17, 2), values(140, 40), values(300, 0)].map((all) => ({
  all,
  trie: buildTrie(all),
}))

const nodesOf = (trial: Trial, honest: readonly Bytes[], donors: readonly Bytes[]): readonly Bytes[] => {
  const { draw } = trial
  if (honest.length === 0 || chance(draw, 0.4)) return warp(draw, honest, [donors])
  const place = below(draw, honest.length)
  trial.input = mutate(draw, nth(honest, place), { joints: JOINTS, others: donors })
  return honest.with(place, trial.input)
}

/** What a trie of these values holds under an index's key, by the definition. */
const heldAt = (all: readonly Bytes[], key: Bytes): Bytes | null => all.find((_, i) => equal(encodeInteger(i), key)) ?? null

const isSame = (one: readonly Bytes[], other: readonly Bytes[]): boolean =>
  one.length === other.length && one.every((node, i) => equal(node, nth(other, i)))

/** A key's proof, changed, under the true root; or under a root that a lying chain would give it, where nothing is true or false. */
export const tries = (): Prepared => (trial) => {
  const { draw } = trial
  const { all, trie } = pick(draw, TRIES)
  const index = below(draw, all.length + 3)
  const isIndex = chance(draw, 0.9)
  const key = isIndex ? encodeInteger(index) : mutate(draw, encodeInteger(index))
  const donors = [trie.prove(below(draw, 400)), pick(draw, TRIES).trie.prove(index)].flat()
  const nodes = nodesOf(trial, trie.prove(index), donors)
  const isTrue = chance(draw, 0.6)
  const value = verifyMpt(isTrue ? trie.root : keccak(nodes[0] ?? new Uint8Array(0)), key, nodes)
  if (!isTrue) return null
  const found = heldAt(all, key)
  const agrees = value === null || found === null ? value === found : equal(value, found)
  if (!agrees) return `key ${toHex(key)} with ${value === null ? 'nothing' : toHex(value)}`
  // The empty trie alone has two proofs, geth's and anvil's.
  const isOne = !isIndex || all.length === 0 || isSame(nodes, trie.prove(index))
  return isOne ? null : `a second proof of key ${toHex(key)}`
}

/** The blob behind an attribution: each payment in it is one of the block, or none is shown. */
export const payments = (): Prepared => {
  const { proofs } = tallyBlock(BLOCK, BLOCK.number, FEE_RECIPIENT)
  const truth = verifyProofs(proofs, FEE_RECIPIENT)
  const facts = new Map(truth.payments.map((fact) => [fact.index, encode(paymentFactCodec, fact)]))
  const honest = encode(paymentProofsCodec, proofs)
  const joints = jointsOf(paymentProofsCodec, honest)
  return (trial) => {
    const { draw } = trial
    const isValue = chance(draw, 0.5)
    if (!isValue) trial.input = mutate(draw, honest, { joints, others: [honest] })
    const shown = verifyProofs(isValue ? warp(draw, proofs) : decode(paymentProofsCodec, trial.input), FEE_RECIPIENT)
    // Another header of the same roots is another block with the same payments.
    const isBlock =
      equal(shown.header.transactionsRoot, truth.header.transactionsRoot) && equal(shown.header.receiptsRoot, truth.header.receiptsRoot)
    const wrong = shown.payments.filter((fact) => !equal(encode(paymentFactCodec, fact), facts.get(fact.index) ?? new Uint8Array(0)))
    return isBlock && wrong.length === 0 ? null : `payments ${wrong.map(({ index }) => index).join()} that the block has not`
  }
}
