import { expect, it } from 'vitest'
import { Tally, type Verified } from '../../client/page/index.ts'
import { toCsv } from '../../demo/wallet/save.ts'
import { sumOf } from '../../demo/wallet/sum.ts'

const addr = new Uint8Array(20).fill(0x5a)
const other = new Uint8Array(20).fill(0x77)
const ref = new Uint8Array(32).fill(1)

const attribution = (slot: bigint, revision: number, amount: bigint): Tally.Attribution => ({
  kind: 'attribution',
  slot,
  revision,
  chainId: 1n,
  blockHash: new Uint8Array(32),
  rule: 'publicPayment',
  pool: amount + 1n,
  recipients: [
    { addr, amount, kind: 'named', ref },
    { addr: other, amount: 1n, kind: 'named', ref },
  ],
  residual: 0n,
  evidence: { kind: 'public', block: slot, hash: new Uint8Array(32), txs: [0], proofs: new Uint8Array(32) },
  committedAt: 1_700_000_000_000,
})

const reversal: Tally.Reversal = {
  kind: 'reversal',
  of: { slot: 2n, revision: 0 },
  chainId: 1n,
  blockHash: new Uint8Array(32),
  reason: { kind: 'reorganised', number: 2n, hash: new Uint8Array(32) },
  addresses: [addr],
  committedAt: 1_700_000_000_000,
}

const light = { state: 'green', checks: [] } as const
const answer = (value: readonly Tally.Refund[]): Verified<readonly Tally.Refund[]> => ({
  value,
  ref: { group: 'ab', surface: 'tally.refunds', position: null, index: '9', commit: 'cd' },
  verdict: { ok: true, integrity: light, authority: light, freshness: light, assumes: '', disclosed: '', at: null },
})

const BIG = 10n ** 30n + 1n

it('TAL-03 sums are exact, of one address alone, and count nothing that was taken back', () => {
  const rows = [attribution(1n, 0, BIG), attribution(2n, 0, 5n), reversal, attribution(2n, 1, 7n)]
  expect(sumOf(Tally.formatAddress(addr).toUpperCase().replace('0X', '0x'), Tally.standing(rows))).toBe(BIG + 7n)
})

it('a file of rows has a line for each share, with its exact amount, its state and its verdict', () => {
  const lines = toCsv({ name: 'devnet.local', chainId: 1n }, answer([attribution(1n, 0, BIG), attribution(2n, 0, 5n), reversal])).split(
    '\r\n',
  )
  expect(lines).toHaveLength(6)
  expect(lines[1]).toBe(
    `1,0,attributed,0x${'5a'.repeat(20)},${BIG},1000000000000.000000000000000001,0x${'01'.repeat(32)},0x${'00'.repeat(32)},devnet.local,1,2023-11-14T22:13:20.000Z,green,green,green,9,cd`,
  )
  expect(lines[3]).toMatch(/^2,0,taken back,/)
  expect(lines.at(-1)).toBe('')
})

it('a name that a spreadsheet would run stays a text, and quotes do not end a cell', () => {
  const [, line = ''] = toCsv({ name: '=HYPERLINK("https://x.example")', chainId: 1n }, answer([attribution(1n, 0, 1n)])).split('\r\n')
  expect(line).toContain(`,"'=HYPERLINK(""https://x.example"")",1,`)
})
