import { Transaction as Signed, SigningKey, type TransactionLike } from 'ethers'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, fromHex } from '../../client/primitives/bytes.ts'
import { headerFields, receiptStatus, transactionFields } from '../../client/proofs/ethereum.ts'
import { keccak } from '../../client/proofs/mpt.ts'
import { encodeBytes, encodeInteger, encodeList } from '../../client/proofs/rlp.ts'
import { flips, nth, refuses } from './reference.ts'

const fill = (length: number, byte: number): Bytes => new Uint8Array(length).fill(byte)
const TO = fill(20, 0xaa)
const DATA = fill(70, 3)
const KEY = new SigningKey(fill(32, 1))

const signed = (fields: TransactionLike): Bytes => {
  const transaction = Signed.from({
    chainId: 31_337,
    nonce: 1,
    gasLimit: 50_000,
    value: 10n ** 18n,
    data: DATA,
    to: `0x${'aa'.repeat(20)}`,
    ...fields,
  } as TransactionLike)
  transaction.signature = KEY.sign(transaction.unsignedHash)
  return fromHex(transaction.serialized)
}
const accessList = [{ address: `0x${'bb'.repeat(20)}`, storageKeys: [`0x${'01'.repeat(32)}`] }]
const fees = { maxFeePerGas: 100n, maxPriorityFeePerGas: 1n }

// A blob transaction by hand: ethers wants a KZG library to make one.
const blob = (to: Bytes, fields = 14): Bytes => {
  const all = [1, 0, 1, 100, 50_000]
    .map(encodeInteger)
    .concat([encodeBytes(to), encodeInteger(10n ** 18n), encodeBytes(DATA), encodeList([])])
  const tail = [
    encodeInteger(7),
    encodeList([encodeBytes(fill(32, 1))]),
    encodeInteger(1),
    encodeBytes(fill(32, 9)),
    encodeBytes(fill(32, 8)),
  ]
  return concat(Uint8Array.of(3), encodeList([...all, ...tail].slice(0, fields)))
}

const TRANSACTIONS: readonly (readonly [number, Bytes])[] = [
  [0, signed({ type: 0, gasPrice: 100n })],
  [1, signed({ type: 1, gasPrice: 100n, accessList })],
  [2, signed({ type: 2, ...fees, accessList })],
  [3, blob(TO)],
  [
    4,
    signed({
      type: 4,
      ...fees,
      authorizationList: [{ address: `0x${'cc'.repeat(20)}`, nonce: 1n, chainId: 1n, signature: KEY.sign(fill(32, 2)) }],
    }),
  ],
]

describe('a raw transaction', () => {
  it('X-26 gives type, to, value and data for legacy and for types 1 to 4', () => {
    for (const [type, raw] of TRANSACTIONS) expect(transactionFields(raw)).toEqual({ type, to: TO, value: 10n ** 18n, data: DATA })
    expect(transactionFields(signed({ type: 2, ...fees, to: null, value: 0, data: '0x' }))).toEqual({
      type: 2,
      to: null,
      value: 0n,
      data: fill(0, 0),
    })
  })

  it('of a type that is not known here has no fields, and is no fault', () => {
    for (const type of [0x00, 0x05, 0x7e, 0x7f]) expect(transactionFields(concat(Uint8Array.of(type), fill(9, 1)))).toBe(null)
  })

  it('is refused when it is not the canonical list of its type', () => {
    const refused = (raw: Bytes) => refuses(['Proof.RlpError'], () => transactionFields(raw))
    refused(fill(0, 0))
    refused(Uint8Array.of(0x80))
    for (const [, raw] of TRANSACTIONS) {
      refused(raw.slice(0, -1))
      refused(concat(raw, fill(1, 0)))
    }
    refused(blob(TO, 13))
    // No contract is created by types 3 and 4, and an address is 20 bytes.
    refused(blob(fill(0, 0)))
    refused(blob(fill(19, 1)))
    // A field list of one type behind the byte of another.
    refused(concat(Uint8Array.of(1), nth(TRANSACTIONS, 2)[1].slice(1)))
    refused(concat(Uint8Array.of(4), nth(TRANSACTIONS, 3)[1].slice(1)))
  })

  it('does not alias its input', () => {
    const raw = signed({ type: 2, ...fees })
    const fields = transactionFields(raw)
    raw.fill(0)
    expect(fields).toMatchObject({ to: TO, data: DATA })
  })
})

const LOG = encodeList([encodeBytes(TO), encodeList([encodeBytes(fill(32, 4))]), encodeBytes(DATA)])
const receipt = (status: Bytes, logs = encodeList([LOG]), bloom = 256): Bytes =>
  encodeList([encodeBytes(status), encodeInteger(21_000), encodeBytes(fill(bloom, 0)), logs])

describe('a raw receipt', () => {
  it('TAL-05 tells success from failure, legacy and typed', () => {
    for (const prefix of [[], [1], [2], [3], [4]]) {
      const typed = (body: Bytes) => concat(Uint8Array.from(prefix), body)
      expect(receiptStatus(typed(receipt(Uint8Array.of(1))))).toBe(1)
      expect(receiptStatus(typed(receipt(fill(0, 0))))).toBe(0)
    }
  })

  it('without a status says so: before Byzantium, or of an unknown type', () => {
    expect(receiptStatus(receipt(fill(32, 6)))).toBe(null)
    expect(receiptStatus(concat(Uint8Array.of(0x7e), receipt(Uint8Array.of(1))))).toBe(null)
    expect(receiptStatus(concat(Uint8Array.of(0), receipt(Uint8Array.of(1))))).toBe(null)
  })

  it('is refused when it is not the canonical list of a receipt', () => {
    const refused = (raw: Bytes) => refuses(['Proof.RlpError'], () => receiptStatus(raw))
    refused(fill(0, 0))
    refused(receipt(Uint8Array.of(2)))
    refused(receipt(Uint8Array.of(0)))
    refused(receipt(fill(2, 1)))
    refused(concat(Uint8Array.of(2), receipt(fill(32, 6))))
    refused(receipt(Uint8Array.of(1), encodeBytes(fill(1, 1))))
    refused(receipt(Uint8Array.of(1), encodeList([]), 255))
    refused(encodeList([encodeInteger(1), encodeInteger(1), encodeBytes(fill(256, 0))]))
    refused(encodeList([encodeInteger(1), encodeInteger(1), encodeBytes(fill(256, 0)), encodeList([]), encodeInteger(1)]))
    refused(receipt(Uint8Array.of(1)).slice(0, -1))
  })
})

const FIELDS: readonly Bytes[] = [
  ...[32, 32, 20, 32, 32, 32, 256].map((length, i) => encodeBytes(fill(length, i + 1))),
  ...[0, 17_000_000, 30_000_000, 21_000, 1_700_000_000].map(encodeInteger),
  encodeBytes(fill(5, 7)),
  encodeBytes(fill(32, 8)),
  encodeBytes(fill(8, 9)),
]

describe('a block header', () => {
  it('X-26 gives its hash, parent, roots, number and time, whatever fields later forks add', () => {
    for (const extra of [
      [],
      [encodeInteger(7)],
      [encodeInteger(7), encodeBytes(fill(32, 1)), encodeList([encodeList([encodeInteger(1)])])],
    ]) {
      const rlp = encodeList([...FIELDS, ...extra])
      expect(headerFields(rlp)).toEqual({
        hash: keccak(rlp),
        parentHash: fill(32, 1),
        transactionsRoot: fill(32, 5),
        receiptsRoot: fill(32, 6),
        number: 17_000_000n,
        timestamp: 1_700_000_000n,
      })
    }
  })

  it('has another hash with any byte changed, or is refused', () => {
    const rlp = encodeList(FIELDS)
    const { hash } = headerFields(rlp)
    for (const changed of flips(rlp)) {
      let found: Bytes | undefined
      try {
        found = headerFields(changed).hash
      } catch {
        continue
      }
      expect(found).not.toEqual(hash)
    }
  })

  it('is refused when it is not the canonical list of a header', () => {
    const refused = (rlp: Bytes) => refuses(['Proof.RlpError'], () => headerFields(rlp))
    refused(encodeList(FIELDS.slice(0, 14)))
    refused(concat(encodeList(FIELDS), fill(1, 0)))
    for (const i of [0, 1, 2, 3, 4, 5, 6]) refused(encodeList(FIELDS.with(i, encodeBytes(fill(31, 1)))))
    refused(encodeList(FIELDS.with(8, encodeBytes(fill(9, 1)))))
    refused(encodeList(FIELDS.with(8, encodeBytes(Uint8Array.of(0, 1)))))
    refused(encodeList(FIELDS.with(11, encodeList([]))))
    refused(encodeList([...FIELDS, encodeBytes(fill(4_000, 1))]))
  })
})
