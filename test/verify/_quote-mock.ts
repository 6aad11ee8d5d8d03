import { createHash } from 'node:crypto'
import { type Bytes, concat, fromHex, utf8 } from '../../client/primitives/bytes.ts'
import { type Keys, newKeys } from '../pki.ts'
import { type Draft, draft, write } from '../wasm/_quote-writer.ts'
import { MOCK_QE_SIGNER, type MockPki, pem, signature } from './_collateral-writer.ts'

// Quotes of a mock platform: right in every part, with real signatures, unless a test asks for something else.

type Fields = Readonly<Record<string, number | Bytes>>

const TD10 = {
  ...{ teeTcbSvn: 16, mrSeam: 48, mrSignerSeam: 48, seamAttributes: 8, tdAttributes: 8, xfam: 8, mrTd: 48, mrConfigId: 48, mrOwner: 48 },
  ...{ mrOwnerConfig: 48, rtmr0: 48, rtmr1: 48, rtmr2: 48, rtmr3: 48, reportData: 64 },
} as const
const TD15 = { ...TD10, teeTcbSvn2: 16, mrServiceTd: 48 } as const
const SGX = {
  ...{ cpuSvn: 16, miscSelect: 4, reserved1: 12, isvExtProdId: 16, attributes: 16, mrEnclave: 32, reserved2: 32, mrSigner: 32 },
  ...{ reserved3: 32, configId: 64, isvProdId: 2, isvSvn: 2, configSvn: 2, reserved4: 42, isvFamilyId: 16, reportData: 64 },
} as const

/** A report: a field that is a number takes its place little-endian, one that is left out is zero. */
const report = (layout: Readonly<Record<string, number>>, fields: Fields): Bytes =>
  concat(
    ...Object.entries(layout).map(([name, size]) => {
      const value = fields[name] ?? 0
      const bytes = typeof value === 'number' ? Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i)) : value
      if (bytes.length !== size) throw new Error(`${name} has ${size} bytes, not ${bytes.length}`)
      return bytes
    }),
  )

/** Bytes of one value: `of(48, 0xa1)` is a measurement. */
export const of = (length: number, byte: number): Bytes => new Uint8Array(length).fill(byte)

/** The first SVNs of 16. */
export const svns = (...list: readonly number[]): Bytes => Uint8Array.from({ length: 16 }, (_, i) => list[i] ?? 0)

const TD: Fields = {
  ...{ teeTcbSvn: svns(5, 1, 6), teeTcbSvn2: svns(5, 1, 6), tdAttributes: fromHex('0000001000000000'), xfam: fromHex('e702060000000000') },
  ...{ mrTd: of(48, 0xa0), rtmr0: of(48, 0xb0), rtmr1: of(48, 0xb1), rtmr2: of(48, 0xb2), rtmr3: of(48, 0xb3), reportData: of(64, 0xd0) },
}
const ENCLAVE: Fields = { attributes: fromHex('05000000000000000700000000000000'), mrEnclave: of(32, 0xe1), mrSigner: of(32, 0xe2) }
const QE: Fields = { attributes: fromHex('1500000000000000e700000000000000'), mrSigner: fromHex(MOCK_QE_SIGNER), isvProdId: 2, isvSvn: 4 }

/** What of a quote is another thing than it should be. */
export interface QuoteChanges {
  readonly version?: 3 | 4 | 5
  /** 1 SGX, 2 TD 1.0, 3 TD 1.5, 4 TD 1.5 extended. */
  readonly bodyType?: 1 | 2 | 3 | 4
  readonly report?: Fields
  readonly qe?: Fields
  readonly auth?: Bytes
  /** Who signs the quote; the QE's report binds this key. */
  readonly attestationKeys?: Keys
  /** Whose key signs the QE's report. */
  readonly qeSignedBy?: Keys
  /** Parts of the quote as they are written, in place of what follows from the rest. */
  readonly parts?: Partial<Draft>
}

export const writeQuote = (pki: MockPki, changes: QuoteChanges = {}): Bytes => {
  const { version = 4, bodyType = 2, auth = of(32, 7), attestationKeys = newKeys() } = changes
  const key = attestationKeys.spki.slice(-64)
  const bound = new Uint8Array(createHash('sha256').update(concat(key, auth)).digest())
  const qeReport = report(SGX, { ...QE, reportData: concat(bound, new Uint8Array(32)), ...changes.qe })
  const unsigned = draft(version, bodyType, {
    ...{ body: bodyOf(bodyType, changes.report ?? {}), key, auth, qeReport },
    qeSignature: signature(qeReport, changes.qeSignedBy ?? pki.keys.pck),
    pck: utf8(pem(pki.pck, pki.authority, pki.root)),
    ...changes.parts,
  })
  const signed = write(unsigned).slice(0, 48 + (version === 5 ? 6 : 0) + unsigned.body.length)
  return write({ ...unsigned, value: signature(signed, attestationKeys), ...changes.parts })
}

const bodyOf = (bodyType: number, fields: Fields): Bytes => {
  if (bodyType === 1) return report(SGX, { ...ENCLAVE, ...fields })
  if (bodyType === 2) return report(TD10, { ...TD, ...fields })
  const td15 = report(TD15, { ...TD, ...fields })
  return bodyType === 3 ? td15 : concat(td15, new Uint8Array(237))
}
