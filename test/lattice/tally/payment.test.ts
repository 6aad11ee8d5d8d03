import { readFileSync } from 'node:fs'
import { AbiCoder, concat as concatHex, id } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { attributionOf } from '../../../client/lattice/tally/evidence.ts'
import {
  type Candidate,
  decodePay,
  encodePay,
  lengthSize,
  type Pay,
  type PaymentFact,
  paymentFactCodec,
  paymentsHash,
  readPayment,
  select,
  split,
} from '../../../client/lattice/tally/payment.ts'
import { LIMITS, refundCodec } from '../../../client/lattice/tally/refund.ts'
import { compare, fromHex, toHex } from '../../../client/primitives/bytes.ts'
import { decode, encode } from '../../../client/primitives/codec.ts'
import { countPayments } from '../../conformance/payments.ts'
import { factsHash, type PaymentFact as OtherFact } from '../../conformance/tally.ts'
import { blockOf, bytesOf, FEE_RECIPIENT, provider } from './fixtures.ts'

interface Case {
  readonly name: string
  readonly payments: readonly string[]
  readonly counted: readonly number[]
  /** Bytes of the header, and of each encoded PaymentProof, where the case is about their sum. */
  readonly proofs?: { readonly header: number; readonly sizes: readonly number[] }
  readonly omitted: number
  readonly facts: { readonly value: { readonly payments: string; readonly count: number } }
  readonly refund?: { readonly hex: string }
  readonly pool: string
  readonly residual: string
}
const { tally } = JSON.parse(readFileSync(new URL('../../vectors/conformance.json', import.meta.url), 'utf8'))
const vectors = tally.payments as {
  readonly calldata: {
    readonly accepted: readonly { calldata: string; ref: string; providers: string[]; bps: number[] }[]
    readonly refused: readonly { why: string; calldata: string }[]
  }
  readonly circumstances: Record<'chainId' | 'block' | 'hash' | 'parent' | 'proofs' | 'committedAt', string>
  readonly cases: readonly Case[]
}

const pays = fc
  .record({
    ref: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    providers: fc.uniqueArray(fc.integer({ min: 0, max: 40 }).map(provider), {
      minLength: 1,
      maxLength: 32,
      comparator: (a, b) => compare(a, b) === 0,
    }),
    bps: fc.array(fc.integer({ min: 0, max: 312 }), { minLength: 32, maxLength: 32 }),
  })
  .map(({ ref, providers, bps }): Pay => ({ ref: new Uint8Array(ref), providers, bps: bps.slice(0, providers.length) }))

const facts = (most: number) =>
  fc
    .array(fc.tuple(pays, fc.bigInt({ min: 1n, max: 10n ** 20n })), { maxLength: most })
    .map((list) => list.map(([pay, value], index): PaymentFact => ({ index, value, ...pay })))

const candidates = (list: readonly PaymentFact[], bytes = 0): Candidate[] => list.map((fact) => ({ fact, bytes }))

describe('calldata of pay(bytes32,address[],uint16[])', () => {
  it('is what the Solidity ABI makes of the arguments', () => {
    fc.assert(
      fc.property(pays, (pay) => {
        const body = AbiCoder.defaultAbiCoder().encode(
          ['bytes32', 'address[]', 'uint16[]'],
          [`0x${toHex(pay.ref)}`, pay.providers.map((each) => `0x${toHex(each)}`), pay.bps],
        )
        const selector = id('pay(bytes32,address[],uint16[])').slice(0, 10)
        expect(`0x${toHex(encodePay(pay))}`).toBe(concatHex([selector, body]))
        expect(decodePay(encodePay(pay))).toEqual(pay)
      }),
    )
  })

  it('is a payment in that form only: no changed bit keeps it one, unless it is a value', () => {
    fc.assert(
      fc.property(pays, fc.nat(), fc.integer({ min: 0, max: 7 }), (pay, place, bit) => {
        const data = encodePay(pay)
        const at = place % data.length
        data[at] = (data[at] as number) ^ (1 << bit)
        const found = decodePay(data)
        if (found !== null) expect(encodePay(found)).toEqual(data)
      }),
      { numRuns: 500 },
    )
  })

  it('accepts and refuses what the second implementation does', () => {
    for (const { calldata, ref, providers, bps } of vectors.calldata.accepted) {
      const found = decodePay(fromHex(calldata))
      expect(found && { ref: toHex(found.ref), providers: found.providers.map(toHex), bps: found.bps }).toEqual({ ref, providers, bps })
    }
    for (const { why, calldata } of vectors.calldata.refused) expect(decodePay(fromHex(calldata)), why).toBeNull()
    expect(vectors.calldata.refused.length).toBeGreaterThan(20)
  })
})

describe('TAL-01 what a block counts', () => {
  it('counts, omits and splits as the second implementation does', () => {
    const { chainId, block, hash, parent, proofs, committedAt } = vectors.circumstances
    for (const { name, payments, proofs: sizes, counted: kept, omitted, facts: agreed, refund, pool, residual } of vectors.cases) {
      const list = payments.map((hex) => decode(paymentFactCodec, fromHex(hex)))
      const sized = list.map((fact, i): Candidate => ({ fact, bytes: sizes?.sizes[i] ?? 0 }))
      const found = select(sized, sizes === undefined ? 0 : lengthSize(sizes.header) + sizes.header)
      expect(
        found.counted.map(({ index }) => index),
        name,
      ).toEqual(kept)
      expect(found.omitted, name).toBe(omitted)
      expect(toHex(paymentsHash(found.counted)), name).toBe(agreed.value.payments)
      const sums = split(found.counted)
      expect([sums.pool, sums.residual], name).toEqual([BigInt(pool), BigInt(residual)])
      if (refund === undefined) continue
      const header = {
        hash: fromHex(hash),
        parentHash: fromHex(parent),
        number: BigInt(block),
        timestamp: 0n,
        transactionsRoot: fromHex(hash),
        receiptsRoot: fromHex(hash),
      }
      const item = attributionOf(
        { header, payments: found.counted, hash: fromHex(proofs), blob: fromHex('') },
        { revision: 0, chainId: BigInt(chainId), committedAt: BigInt(committedAt) },
      )
      expect(toHex(encode(refundCodec, { kind: 'attribution', value: item })), name).toBe(refund.hex)
    }
  })

  it('agrees with the second implementation on any list, in any order', () => {
    fc.assert(
      fc.property(facts(60), fc.func(fc.integer()), (list, order) => {
        const shuffled = [...list].sort((a, b) => order(a.index) - order(b.index))
        const found = select(candidates(shuffled), 0)
        const other = countPayments(list as OtherFact[])
        expect(found.counted.map(({ index }) => index)).toEqual(other.facts.map(({ index }) => index))
        expect(found.omitted).toBe(other.omitted)
        expect(paymentsHash(found.counted)).toEqual(factsHash(other.facts))
      }),
      { numRuns: 60 },
    )
  })

  it('TAL-01 gives out every wei once: Σ amounts + residual = pool', () => {
    fc.assert(
      fc.property(facts(40), (list) => {
        const { counted } = select(candidates(list), 0)
        const { pool, recipients, residual } = split(counted)
        expect(recipients.reduce((sum, { amount }) => sum + amount, residual)).toBe(pool)
        expect(residual >= 0n && recipients.every(({ amount }) => amount > 0n)).toBe(true)
        expect(recipients.length).toBeLessThanOrEqual(LIMITS.pairs)
        expect(new Set(recipients.map(({ addr }) => toHex(addr))).size).toBeLessThanOrEqual(LIMITS.providers)
      }),
      { numRuns: 60 },
    )
  })

  it('passes over what would make the blob too long, and takes a smaller one instead', () => {
    const [large, small] = [1_000n, 10n].map(
      (value, index): PaymentFact => ({ index, value, ref: bytesOf('r'), providers: [provider(0)], bps: [1] }),
    )
    const both = [
      { fact: large as PaymentFact, bytes: 600_000 },
      { fact: { ...(large as PaymentFact), index: 1, value: 999n }, bytes: 400_000 },
      { fact: { ...(small as PaymentFact), index: 2 }, bytes: 200_000 },
    ]
    const { counted, omitted } = select(both, 600)
    expect([counted.map(({ index }) => index), omitted]).toEqual([[0, 2], 1])
  })

  it('passes over what would lift the pool past 2^128 − 1 wei', () => {
    const fact = (index: number, value: bigint): PaymentFact => ({ index, value, ref: bytesOf('r'), providers: [provider(0)], bps: [1] })
    const { counted, omitted } = select(candidates([fact(0, 1n << 200n), fact(1, LIMITS.pool), fact(2, 1n)]), 0)
    expect([counted.map(({ index }) => index), omitted]).toEqual([[1], 2])
  })
})

describe('a transaction that counts', () => {
  const read = (spec: Parameters<typeof blockOf>[2] = []) => {
    const { transactions, receipts } = blockOf(1n, bytesOf('parent'), spec)
    return transactions.map((raw, i) => readPayment(i, raw, receipts[i] as never, FEE_RECIPIENT))
  }

  it('TAL-05 succeeded, went to the fee recipient, paid something and said for whom', () => {
    const good = read([{ value: 7n }])[0]
    expect(good).toMatchObject({ index: 0, value: 7n, bps: [5_000] })
    const none = [
      { status: 0 as const },
      { to: provider(3) },
      { to: null },
      { value: 0n },
      { data: new Uint8Array(0) },
      { providers: [new Uint8Array(20)] },
    ]
    expect(read(none)).toEqual(none.map(() => null))
    expect(read([{ bps: [10_001] }, { bps: [10_000] }]).map((fact) => fact !== null)).toEqual([false, true])
  })

  it('is no payment when it is too long to be proven', () => {
    expect(read([{ padding: 150_000 }, { padding: 140_000 }]).map((fact) => fact !== null)).toEqual([false, true])
  })
})
