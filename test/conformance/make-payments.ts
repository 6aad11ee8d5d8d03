// Section 6, "What counts": calldata accepted and refused, transactions, and which payments a block counts.

import { encode } from './bcs.ts'
import { at, type Bytes, bytesOf, H, hex, join, zeros } from './hash.ts'
import { both, hexOf, type Row, upTo } from './kit.ts'
import { ruleOf } from './make-keys.ts'
import { attributionOf, countPayments, decodePay, encodePay, type Pay, paymentOf, SELECTOR, type Transaction, word } from './payments.ts'
import { BlockFacts, checkAttribution, PaymentFact, PaymentFacts, Refund } from './tally.ts'

const providers = (n: number, label = 'provider'): Bytes[] => upTo(n).map((i) => bytesOf(`${label} ${i}`, 20))
const ref = (label: string | number): Bytes => H(`ref ${label}`)
export const FEE_RECIPIENT: Bytes = bytesOf('fee recipient', 20)

// --- calldata

function accepted(): Row[] {
  const rows: [name: string, pay: Pay][] = [
    ['one provider, everything', { ref: ref(1), providers: providers(1), bps: [10_000] }],
    ['two providers, less than everything', { ref: ref(1), providers: providers(2), bps: [5_000, 1] }],
    ['three providers, in no order, one without a share', { ref: ref(2), providers: providers(3).reverse(), bps: [1, 0, 9_999] }],
    ['no share at all', { ref: zeros(32), providers: providers(2), bps: [0, 0] }],
    ['32 providers', { ref: ref(3), providers: providers(32), bps: upTo(32).map((i) => 312 + (i % 2)) }],
  ]
  return rows.map(([name, pay]) => {
    const calldata = encodePay(pay)
    const { ref: found, providers: to, bps } = decodePay(calldata)
    return { name, calldata: hex(calldata), ref: hex(found), providers: to.map(hex), bps }
  })
}

function refused(): Row[] {
  const rows: Row[] = []
  const add = (why: string, calldata: Bytes) => rows.push({ rule: ruleOf(() => decodePay(calldata)), why, calldata: hex(calldata) })
  const pay: Pay = { ref: ref(1), providers: providers(2), bps: [5_000, 5_000] }
  const good = encodePay(pay)
  /** The calldata with word i (after the selector) replaced. */
  const put = (i: number, ...words: Bytes[]): Bytes => join(good.slice(0, 4 + 32 * i), ...words, good.slice(4 + 32 * (i + words.length)))
  const w = (n: number | bigint): Bytes => word(BigInt(n))
  add('nothing', zeros(0))
  add('the selector alone', SELECTOR)
  add('three bytes', SELECTOR.slice(0, 3))
  add('another selector', join(Uint8Array.of(0), good.slice(1)))
  add('a byte missing', good.slice(0, -1))
  add('a word missing', good.slice(0, -32))
  add('a byte left over', join(good, zeros(1)))
  add('a word left over', join(good, zeros(32)))
  add('the providers start a word later', join(good.slice(0, 36), w(0x80), w(0xe0), w(0), good.slice(100)))
  add('the two arrays in the other order', join(good.slice(0, 36), w(0xc0), w(0x60), good.slice(196), good.slice(100, 196)))
  add('both offsets at one array', put(2, w(0x60)))
  add('the shares start a word later', join(put(2, w(0xe0)).slice(0, 196), w(0), good.slice(196)))
  add('a huge offset', put(1, w(2n ** 256n - 32n)))
  add('an offset with its high bits set', put(2, w(2n ** 64n + 0xc0n)))
  add('no providers', encodePay({ ...pay, providers: [], bps: [] }))
  add('33 providers', encodePay({ ...pay, providers: providers(33), bps: new Array<number>(33).fill(1) }))
  add('a huge count', put(3, w(2n ** 255n)))
  add('one share for two providers', encodePay({ ...pay, bps: [1] }))
  add('three shares for two providers', encodePay({ ...pay, bps: [1, 1, 1] }))
  add('a provider twice', encodePay({ ...pay, providers: [at(pay.providers, 0), at(pay.providers, 0)] }))
  add('the zero provider', encodePay({ ...pay, providers: [at(pay.providers, 0), zeros(20)] }))
  add('an address with a bit above its 20 bytes', put(4, join(zeros(11), Uint8Array.of(1), at(pay.providers, 0))))
  add('an address on the left of its word', put(4, join(at(pay.providers, 0), zeros(12))))
  add('a share of 17 bits', put(7, w(65_536 + 5_000)))
  add('shares of 10,001', encodePay({ ...pay, bps: [5_000, 5_001] }))
  add('shares whose sum wraps 16 bits', encodePay({ ...pay, bps: [40_000, 30_000] }))
  return rows
}

function transactions(): Row[] {
  const calldata = encodePay({ ref: ref(1), providers: providers(1), bps: [10_000] })
  const good: Transaction = { index: 3, status: 1, to: FEE_RECIPIENT, value: 5n, calldata }
  const cases: [name: string, transaction: Transaction][] = [
    ['a payment', good],
    ['status 0', { ...good, status: 0 }],
    ['to another address', { ...good, to: bytesOf('elsewhere', 20) }],
    ['a contract is made', { ...good, to: null }],
    ['nothing is paid', { ...good, value: 0n }],
    ['1 wei', { ...good, value: 1n }],
    ['no calldata', { ...good, calldata: zeros(0) }],
  ]
  return cases.map(([name, transaction]) => {
    let fact: string | null = null
    let rule: string | null = null
    if (name === 'a payment' || name === '1 wei') fact = hexOf(PaymentFact, paymentOf(transaction, FEE_RECIPIENT))
    else rule = ruleOf(() => paymentOf(transaction, FEE_RECIPIENT))
    const { index, status, to, value } = transaction
    return {
      name,
      index,
      status,
      to: to === null ? null : hex(to),
      value: value.toString(),
      calldata: hex(transaction.calldata),
      fact,
      rule,
    }
  })
}

// --- counting

const fact = (index: number, value: bigint, of: Bytes, to: Bytes[], bps: number[]): PaymentFact => ({
  index,
  ref: of,
  value,
  providers: to,
  bps,
})
const even = (n: number): number[] => new Array<number>(n).fill(Math.floor(10_000 / n))

interface Counting {
  name: string
  payments: PaymentFact[]
  /** The bytes of the header and of each payment's encoded PaymentProof, where they decide. */
  proofs?: { header: number; sizes: number[] }
}

function cases(): Counting[] {
  const [a, b, c] = providers(3) as [Bytes, Bytes, Bytes]
  const ether = 10n ** 18n
  /** 258 payments of one provider, given in an order that is neither that of the values nor that of the indexes. */
  const many = (value: (i: number) => bigint): PaymentFact[] =>
    upTo(258)
      .map((i) => (i * 5) % 258)
      .map((i) => fact(i, value(i), ref(0), [a], [9_999]))
  const crowd = (from: number, n: number): Bytes[] => upTo(n).map((i) => bytesOf(`crowd ${from + i}`, 20))
  return [
    { name: 'no payment', payments: [] },
    { name: 'one payment, one provider', payments: [fact(0, ether, ref(1), [a], [10_000])] },
    { name: 'rounding down for each provider', payments: [fact(7, 10n, ref(1), [a, b, c], [3_333, 3_333, 3_334])] },
    {
      name: 'rounding for each payment, not for the sum',
      payments: [fact(0, 1n, ref(1), [a], [5_000]), fact(1, 1n, ref(1), [a], [5_000])],
    },
    { name: 'rounding, then added', payments: [fact(0, 9_999n, ref(1), [a], [9_999]), fact(1, 9_999n, ref(1), [a], [9_999])] },
    { name: 'a zero share and a share that rounds to zero', payments: [fact(2, 99n, ref(1), [a, b, c], [0, 100, 5_000])] },
    { name: 'nothing for anybody: all of it is residual', payments: [fact(2, 1n, ref(1), [a, b], [5_000, 5_000])] },
    {
      name: 'the same provider under two refs',
      payments: [fact(4, 100n, ref(1), [a], [10_000]), fact(9, 50n, ref(2), [a, b], [6_000, 4_000])],
    },
    {
      name: 'one ref, two payments, given in the other order',
      payments: [fact(9, 7n, ref(1), [b, a], [2_000, 8_000]), fact(3, 11n, ref(1), [a, b], [1, 9_999])],
    },
    {
      name: 'very large values',
      payments: [fact(0, 2n ** 127n, ref(1), [a, b], [9_999, 1]), fact(1, 2n ** 126n + 1n, ref(2), [b], [10_000])],
    },
    {
      name: '258 payments: of the three smallest, which are equal, the two of the highest index are omitted',
      payments: many((i) => 1_000n + BigInt(Math.max((i * 7) % 258, 2))),
    },
    {
      name: '256 named providers: a ninth payment of 32 new ones is passed over, one of known ones counts, one that gives a new one nothing does not',
      payments: [
        ...upTo(8).map((i) => fact(i, 1_000_000n - BigInt(i), ref(0), crowd(32 * i, 32), even(32))),
        fact(8, 999_000n, ref(0), crowd(256, 32), even(32)),
        fact(9, 998_000n, ref(0), [at(crowd(256, 1), 0)], [10_000]),
        fact(10, 997_000n, ref(0), crowd(100, 3), even(3)),
        fact(11, 996_000n, ref(0), [at(crowd(0, 1), 0), at(crowd(256, 1), 0)], [10_000, 0]),
      ],
    },
    {
      name: '1,024 pairs: a payment of 32 new ones is passed over, two fill the limit, one more is passed over, one without amounts is not',
      payments: [
        ...upTo(31).map((i) => fact(i, 1_000_000n - BigInt(i), ref(i), crowd(0, 32), even(32))),
        fact(31, 900_000n, ref(31), crowd(0, 30), even(30)),
        fact(32, 800_000n, ref(32), crowd(0, 32), even(32)),
        fact(33, 700_000n, ref(5), crowd(3, 4), even(4)),
        fact(34, 600_000n, ref(33), crowd(0, 2), even(2)),
        fact(35, 500_000n, ref(34), crowd(0, 1), even(1)),
        fact(36, 400_000n, ref(35), crowd(0, 32), new Array<number>(32).fill(0)),
      ],
    },
    {
      name: 'a pool of 2^128 wei is passed over, one of 2^128 - 1 is not',
      payments: [2n ** 127n, 2n ** 127n, 2n ** 127n - 1n, 1n].map((value, i) => fact(i, value, ref(1), [a], [10_000])),
    },
  ]
}

/** Payments whose proofs are long: the blob is a limit like the others. */
function sized(): Counting[] {
  const [a] = providers(1) as [Bytes]
  return [
    {
      name: 'PaymentProofs of 900,603 bytes is passed over, one of 900,000 is not, then nothing more fits',
      payments: [10n, 9n, 8n, 7n].map((value, i) => fact(i, value, ref(1), [a], [10_000])),
      proofs: { header: 600, sizes: [700_000, 200_000, 199_397, 6] },
    },
    {
      name: 'a payment whose proof alone is too large, and a smaller one that fits',
      payments: [10n, 9n].map((value, i) => fact(i, value, ref(1), [a], [10_000])),
      proofs: { header: 127, sizes: [899_872, 899_871] },
    },
  ]
}

function caseRow({ name, payments, proofs }: Counting): Row {
  const sizes = new Map(proofs?.sizes.map((size, i) => [at(payments, i).index, size]))
  const counted = countPayments(payments, { header: proofs?.header ?? 0, of: (index) => sizes.get(index) ?? 0 })
  const circumstances = { chainId: 1n, block: 21_000_000n, hash: H('the block'), proofs: H('the proofs'), committedAt: 1_700_000_000_000n }
  const attribution = attributionOf(counted, circumstances)
  checkAttribution(attribution)
  const refund: Refund = { is: 'attribution', value: attribution }
  const facts = {
    hash: circumstances.hash,
    parent: H('its parent'),
    count: counted.facts.length,
    omitted: counted.omitted,
    payments: counted.payments,
  }
  const small = attribution.recipients.length < 10
  // The order of the list is the order in which they were found, and decides nothing.
  const found = { list: payments.map((payment) => hexOf(PaymentFact, payment)) }
  return {
    name,
    ...(proofs === undefined ? {} : { proofs }),
    ...(small && payments.length < 10 ? { values: payments.map((payment) => PaymentFact.show(payment)) } : {}),
    payments: found.list,
    counted: counted.facts.map((each) => each.index),
    omitted: counted.omitted,
    facts: both(BlockFacts, facts),
    recipients: counted.recipients.length,
    pool: counted.pool.toString(),
    residual: counted.residual.toString(),
    ...(small ? { refund: both(Refund, refund) } : {}),
    refundHash: hex(H(encode(Refund, refund))),
  }
}

export const makePayments = (): Row => ({
  selector: hex(SELECTOR),
  feeRecipient: hex(FEE_RECIPIENT),
  calldata: { accepted: accepted(), refused: refused() },
  transactions: transactions(),
  circumstances: {
    chainId: '1',
    block: '21000000',
    hash: hex(H('the block')),
    parent: hex(H('its parent')),
    proofs: hex(H('the proofs')),
    committedAt: '1700000000000',
  },
  cases: cases().map(caseRow),
  sized: sized().map(caseRow),
  emptyList: { hex: hexOf(PaymentFacts, []), hash: hex(H(encode(PaymentFacts, []))) },
})
