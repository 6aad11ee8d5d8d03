import { readFileSync } from 'node:fs'
import { getAddress } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ZEROS } from '../../../client/groups/roster.ts'
import { tallyBlock } from '../../../client/lattice/tally/block.ts'
import { formatConfig } from '../../../client/lattice/tally/config.ts'
import { attributionOf, checkEvidence, paymentProofsCodec as proofsCodec, verifyProofs } from '../../../client/lattice/tally/evidence.ts'
import { formatAddress, type Refund, read, standing } from '../../../client/lattice/tally/index.ts'
import { type AttributionItem, type RefundItem, refundCodec, refundsSpec } from '../../../client/lattice/tally/refund.ts'
import { binding, parseAddress } from '../../../client/lattice/tally/surface.ts'
import type { Handle } from '../../../client/network/handle.ts'
import type { Network } from '../../../client/network/network.ts'
import { type Bytes, fromHex, toHex } from '../../../client/primitives/bytes.ts'
import { decode, encode } from '../../../client/primitives/codec.ts'
import { blockOf, bytesOf, CHAIN, configOf, FEE_RECIPIENT, provider, type Spec } from './fixtures.ts'

const { tally } = JSON.parse(readFileSync(new URL('../../vectors/conformance.json', import.meta.url), 'utf8'))

describe('TAL-03 the item', () => {
  it('has the bytes and the index keys of the second implementation', () => {
    const items = tally.surface.items as readonly { item: string; keys: readonly [string[], string[]] }[]
    for (const { item, keys } of items) {
      const refund = decode(refundCodec, fromHex(item))
      expect(toHex(encode(refundCodec, refund))).toBe(item)
      expect(refundsSpec.by.map((index) => index.keys(refund).map(toHex).sort())).toEqual(keys.map((each) => [...new Set(each)].sort()))
    }
    expect(items.length).toBeGreaterThan(3)
  })

  it('is refused where its parts contradict one another, or it is of a later version', () => {
    for (const { hex, why } of tally.refusedRefunds) expect(() => decode(refundCodec, fromHex(hex)), why).toThrow()
    expect(tally.refusedRefunds.length).toBeGreaterThan(15)
  })
})

const pay: Spec = { value: 9_999n, providers: [provider(1), provider(2)], bps: [5_000, 1] }
const block = blockOf(12n, bytesOf('parent'), [{ to: provider(8) }, pay, { status: 0 }, {}])
const proven = verifyProofs(tallyBlock(block, 12n, FEE_RECIPIENT).proofs, FEE_RECIPIENT)
const value = attributionOf(proven, { revision: 0, chainId: CHAIN, committedAt: 5n })
const item: RefundItem = { kind: 'attribution', value }
const { blob } = proven
const config = configOf()

const { evidence } = binding as Required<typeof binding>

describe('TAL-07 evidence', () => {
  it('recomputes the item from its blob alone', () => {
    const { hash, check } = evidence(item as never, config)
    expect(hash).toEqual(value.evidence.value.proofs)
    expect(check(blob)).toMatchObject({
      block: { number: 12n, hash: block.hash },
      payments: [{ index: 1, value: 9_999n }, { index: 3 }],
      header: block.header,
    })
  })

  it('reads the config in both of its forms: as data, and as the JSON that was published', () => {
    const published = JSON.parse(JSON.stringify(formatConfig(config))) as unknown
    expect(evidence(item as never, published).check(blob)).toEqual(evidence(item as never, config).check(blob))
  })

  it('is refused by every change of the item that its parts still agree on', () => {
    const [first, ...rest] = value.recipients as [AttributionItem['recipients'][0], ...AttributionItem['recipients']]
    const pointing = (change: object) => ({ evidence: { kind: 'public' as const, value: { ...value.evidence.value, ...change } } })
    const changes: Partial<AttributionItem>[] = [
      { recipients: rest, residual: value.residual + first.amount },
      { recipients: [{ ...first, amount: first.amount + 1n }, ...rest], residual: value.residual - 1n },
      { pool: value.pool + 1n, residual: value.residual + 1n },
      { slot: 13n, ...pointing({ block: 13n }) },
      { blockHash: ZEROS, ...pointing({ hash: ZEROS }) },
      pointing({ txs: [1] }),
      pointing({ proofs: ZEROS }),
    ]
    for (const change of changes) {
      const forged: RefundItem = decode(refundCodec, encode(refundCodec, { kind: 'attribution', value: { ...value, ...change } }))
      expect(() => checkEvidence(forged, blob, FEE_RECIPIENT), JSON.stringify(Object.keys(change))).toThrow(/hash|number|attribution|block/)
    }
    const elsewhere = configOf({ feeRecipient: provider(5) })
    expect(() => evidence(item as never, elsewhere).check(blob)).toThrow(/no payment to the fee recipient/)
    expect(() => evidence(item as never, { ...config, content: null }).check(blob)).toThrow(/content/)
    expect(() => checkEvidence(item, blob, provider(5))).toThrow(/no payment to the fee recipient/)
  })

  it('is refused by every changed byte of the blob', () => {
    fc.assert(
      fc.property(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const tampered = new Uint8Array(blob)
        tampered[at] = (tampered[at] as number) ^ change
        expect(() => checkEvidence(item, tampered, FEE_RECIPIENT)).toThrow(/blob's hash/)
        // With the item's hash forged to match, the proofs themselves must still refuse it.
        expect(() => verifyProofs(decodeProofs(tampered), FEE_RECIPIENT)).toThrow()
      }),
    )
  })
})

const decodeProofs = (bytes: Bytes) => {
  const proofs = tallyBlock(block, 12n, FEE_RECIPIENT).proofs
  // Bytes that no longer decode are refused by the codec; those that do are other proofs under the same header, or another header.
  const other = decode(proofsCodec, bytes)
  if (toHex(other.header) === toHex(proofs.header)) return other
  throw new Error('another header is another block hash')
}

describe('TAL-07 questions', () => {
  const { of, at } = binding.questions as Required<typeof binding.questions>
  const address = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045'

  it('take an address as bytes or hex, and hold a checksum to its word', () => {
    const bytes = fromHex(address)
    for (const given of [address, address.toLowerCase(), `0x${address.slice(2).toUpperCase()}`, bytes])
      expect(parseAddress(given)).toEqual(bytes)
    expect(of?.key(address)).toEqual(bytes)
    expect(formatAddress(bytes)).toBe(address.toLowerCase())
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (raw) => {
        const hex = `0x${toHex(raw)}`
        expect(parseAddress(getAddress(hex))).toEqual(new Uint8Array(raw))
      }),
    )
  })

  it('say what is wrong with one, and never repeat it', () => {
    const cases: [unknown, RegExp][] = [
      [address.replace('d8dA', 'D8dA'), /checksum/],
      [address.slice(0, -1), /39 given/],
      [`${address}00`, /42 given/],
      [address.slice(2), /begins with 0x/],
      [address.replace('F', 'g'), /character 8 is not a hex digit/],
      ['vitalik.eth', /ENS names are not resolved here/],
      [new Uint8Array(19), /20 bytes are wanted, 19/],
      [null, /null given/],
      [{ toString: () => address }, /object given/],
      [12n, /bigint given/],
    ]
    for (const [given, expected] of cases) expect(() => of?.key(given), String(given)).toThrow(expected)
    expect(() => of?.key('vitalik.eth')).toThrow(expect.objectContaining({ name: 'Tally.AddressError' }))
    expect(() => of?.key('correct horse battery staple')).not.toThrow(/horse/)
  })

  it('ask for a person by a bucket, for a block by its number', () => {
    expect([of?.by, of?.bucket, at?.by, at?.bucket]).toEqual([0, true, 1, false])
    expect(at?.key(12n)).toEqual(refundsSpec.by[1]?.keys(item)[0])
    for (const wrong of [12, '12', -1n, 1n << 64n, undefined])
      expect(() => at?.key(wrong)).toThrow(expect.objectContaining({ name: 'Tally.SlotError' }))
  })
})

describe('TAL-04 a reversal', () => {
  const reversal: RefundItem = {
    kind: 'reversal',
    value: {
      of: { slot: 12n, revision: 0 },
      chainId: CHAIN,
      blockHash: block.hash,
      reason: { kind: 'reorganised', value: { number: 11n, hash: bytesOf('another block') } },
      addresses: value.recipients.map(({ addr }) => addr).sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1)),
      committedAt: 9n,
    },
  }
  const show = (each: RefundItem): Refund => binding.datum(each as never, { position: 0n })

  it('stands under the keys of what it takes back, so that whoever is shown that one is shown this one', () => {
    for (const { keys } of refundsSpec.by) expect(new Set(keys(reversal).map(toHex))).toEqual(new Set(keys(item).map(toHex)))
    expect(decode(refundCodec, encode(refundCodec, reversal))).toEqual(reversal)
  })

  it('is plain data for a page, and takes its attribution out of a sum', () => {
    const datum = show(reversal)
    expect(structuredClone(datum)).toEqual(datum)
    expect(datum).toMatchObject({
      kind: 'reversal',
      of: { slot: 12n, revision: 0 },
      reason: { kind: 'reorganised', number: 11n },
      committedAt: 9,
    })
    const second: RefundItem = { kind: 'attribution', value: { ...value, revision: 1 } }
    expect(standing([show(item), datum, show(second)])).toEqual([show(second)])
    expect(standing([show(item)])).toEqual([show(item)])
  })

  it('has no proofs: asking for them says so', () => {
    expect(() => evidence(reversal as never, config)).toThrow(expect.objectContaining({ name: 'Tally.ProofError' }))
    expect(() => checkEvidence(reversal, blob, FEE_RECIPIENT)).toThrow(/no proofs of its own/)
  })

  it('is refused with addresses out of order, or for a block above it', () => {
    const { addresses, reason } = reversal.value
    const changes = [
      { addresses: [...addresses].reverse() },
      { addresses: [addresses[0] as Bytes, ...addresses] },
      { reason: { ...reason, value: { ...reason.value, number: 13n } } },
    ]
    for (const change of changes)
      expect(() => encode(refundCodec, { kind: 'reversal', value: { ...reversal.value, ...change } })).toThrow(
        /Reversal|reversal|addresses|reason/,
      )
  })
})

describe('Tally.read', () => {
  it('TAL-03 gives plain data that a channel clones, and questions with their types', async () => {
    const datum = binding.datum(item as never, { position: 0n })
    expect(structuredClone(datum)).toEqual(datum)
    expect(datum).toMatchObject({
      kind: 'attribution',
      slot: 12n,
      rule: 'publicPayment',
      committedAt: 5,
      evidence: { kind: 'public', txs: [1, 3] },
    })
    const asked: unknown[] = []
    let state = 'connecting'
    const handle = {
      get state() {
        return { state }
      },
      ask: async (...args: unknown[]) => asked.push(args),
      [Symbol.asyncDispose]: async () => void asked.push('disposed'),
    } as unknown as Handle<Refund>
    const network = { open: async () => handle } as unknown as Network
    await using refunds = await read(network, config)
    state = 'live'
    expect(refunds.state).toEqual({ state: 'live' })
    await refunds.of('0x00', { disclose: true })
    await refunds.at(4n)
    expect(asked).toEqual([
      ['of', '0x00', { disclose: true }],
      ['at', 4n, undefined],
    ])
  })
})
