import { Signature, Transaction, type TransactionLike, toQuantity } from 'ethers'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../client/primitives/bytes.ts'
import { transactionFields } from '../../client/proofs/ethereum.ts'
import { keccak } from '../../client/proofs/mpt.ts'
import { headerRlp, rawTransaction } from '../../node/chain/encode.ts'
import { fields } from '../../node/chain/json.ts'

const to = `0x${'a1'.repeat(20)}`
const key = (byte: string): string => `0x${byte.repeat(32)}`
// r and s short by a byte or two: nodes write quantities, and a padded one would hash to another transaction.
const r = 0x00af_e4db_5fe2_ac9an
const s = 0x04da_291a_5e0fn
const signature = (yParity: 0 | 1) =>
  Signature.from({ r: `0x${r.toString(16).padStart(64, '0')}`, s: `0x${s.toString(16).padStart(64, '0')}`, yParity })
const common = { nonce: 7, gasLimit: 90_000n, to, value: 10n ** 18n, data: '0x1234', chainId: 31_337n }
const accessList = [
  { address: to, storageKeys: [key('01'), key('02')] },
  { address: `0x${'b2'.repeat(20)}`, storageKeys: [] },
]
const fees = { maxPriorityFeePerGas: 1n, maxFeePerGas: 2_000_000_000n }
const authorizationList = [{ address: to, nonce: 0n, chainId: 31_337n, signature: signature(1) }]

const cases: readonly [string, TransactionLike][] = [
  ['legacy with its chain in v', { type: 0, ...common, gasPrice: 5n }],
  ['legacy, a contract', { type: 0, ...common, to: null, gasPrice: 5n }],
  ['type 1', { type: 1, ...common, gasPrice: 5n, accessList }],
  ['type 2', { type: 2, ...common, ...fees, accessList: [] }],
  ['type 2, a contract', { type: 2, ...common, to: null, ...fees, accessList }],
  ['type 3', { type: 3, ...common, ...fees, accessList, maxFeePerBlobGas: 3n, blobVersionedHashes: [key('01')] }],
  ['type 4', { type: 4, ...common, ...fees, accessList: [], authorizationList }],
]

/** As a node writes it: execution-apis, schemas/transaction.yaml. */
const asJson = (like: TransactionLike, yParity: 0 | 1): Record<string, unknown> => {
  const quantity = (value: unknown): string => toQuantity(value as bigint)
  const present = Object.entries(like).filter(
    ([name]) => !['data', 'gasLimit', 'accessList', 'authorizationList', 'blobVersionedHashes'].includes(name),
  )
  const legacy = like.type === 0
  return {
    ...Object.fromEntries(present.map(([name, value]) => [name, name === 'to' ? value : quantity(value)])),
    gas: quantity(like.gasLimit),
    input: like.data,
    r: quantity(r),
    s: quantity(s),
    v: quantity(legacy ? 31_337n * 2n + 35n + BigInt(yParity) : yParity),
    ...(legacy ? {} : { yParity: quantity(yParity), accessList: like.accessList }),
    ...(like.type === 3 ? { blobVersionedHashes: like.blobVersionedHashes } : {}),
    ...(like.type === 4
      ? { authorizationList: [{ chainId: '0x7a69', address: to, nonce: '0x0', yParity: '0x1', r: quantity(r), s: quantity(s) }] }
      : {}),
  }
}

describe('a transaction from its JSON', () => {
  for (const [name, like] of cases)
    for (const yParity of [0, 1] as const)
      it(`is the raw one of ethers: ${name}, parity ${yParity}`, () => {
        const expected = Transaction.from({ ...like, signature: signature(yParity) })
        const raw = rawTransaction(fields('transaction', asJson(like, yParity)))
        expect(raw && `0x${toHex(raw)}`).toBe(expected.serialized)
        expect(raw && `0x${toHex(keccak(raw))}`).toBe(expected.hash)
        expect(raw && transactionFields(raw)).toMatchObject({ type: like.type, value: common.value })
      })

  it('is asked for in raw form where its type is not known', () => {
    expect(rawTransaction(fields('transaction', { type: '0x7e' }))).toBeNull()
    expect(() => rawTransaction(fields('transaction', { type: '0x80' }))).toThrow(/type 128/)
  })

  it('reads parity from v where a node gives no yParity', () => {
    const [, like] = cases[3] as (typeof cases)[number]
    const json: Record<string, unknown> = { ...asJson(like, 1), v: '0x1', yParity: undefined }
    expect(rawTransaction(fields('transaction', json))).toEqual(rawTransaction(fields('transaction', asJson(like, 1))))
  })
})

describe('a header from its JSON', () => {
  it('is the one of mainnet block 1: keccak-256 of the first 15 fields', () => {
    // Public data of the chain itself; the hash is what every node and explorer shows for block 1.
    const block = {
      parentHash: '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',
      sha3Uncles: '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347',
      miner: '0x05a56e2d52c817161883f50c441c3228cfe54d9f',
      stateRoot: '0xd67e4d450343046425ae4271474353857ab860dbc0a1dde64b41b5cd3a532bf3',
      transactionsRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
      receiptsRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
      logsBloom: `0x${'00'.repeat(256)}`,
      ...{ difficulty: '0x3ff800000', number: '0x1', gasLimit: '0x1388', gasUsed: '0x0', timestamp: '0x55ba4224' },
      extraData: '0x476574682f76312e302e302f6c696e75782f676f312e342e32',
      mixHash: '0x969b900de27b6ac6a67742365dd65f55a0526c41fd18e1b16f1a1215c2e66f59',
      nonce: '0x539bd4979fef1ec4',
    }
    expect(toHex(keccak(headerRlp(fields('block 1', block))))).toBe('88e96d4537bea4d9c05d12549907b32561d3bf31f45aae734cdc119f13406cb6')
  })
})
