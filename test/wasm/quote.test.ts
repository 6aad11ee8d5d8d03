import { createHash, createPublicKey, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, toHex } from '../../client/primitives/bytes.ts'
import { type Quote, readQuote } from '../../wasm/quote.ts'
import { FormatError, MAX_INPUT } from '../../wasm/reading.ts'
import { readIndependently } from './_quote-reader.ts'
import { draft, filled, QUOTES, write } from './_quote-writer.ts'
import { refusalOf } from './_refusal.ts'
import { corpus } from './_tdx-corpus.ts'

const rangesOf = (value: object): readonly Bytes[] =>
  Object.values(value).flatMap((each: unknown) =>
    each instanceof Uint8Array ? [each as Bytes] : typeof each === 'object' && each !== null ? rangesOf(each) : [],
  )

/** With ranges in hex, which compare in a hundredth of the time. */
const inHex = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return toHex(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inHex(each)]))
}

describe('a quote', () => {
  it.each(QUOTES)('of %s has the fields that an independent reader finds', (_, right) => {
    const bytes = write({ ...right, trailing: filled(70, 9) })
    expect(readQuote(bytes)).toEqual(readIndependently(bytes))
  })

  it('has the parts that it was written from', () => {
    const from = draft(5, 4, { trailing: filled(39, 9) })
    const { header, body, signed, signature, trailing } = readQuote(write(from))
    expect(header).toEqual({ version: 5, teeType: 'tdx', qeSvn: 0x109, pceSvn: 0x20e, userData: from.userData })
    expect([body.kind, body.bytes, signed.length]).toEqual(['td15ex', from.body, 48 + 6 + 885])
    expect(signature).toMatchObject({ value: from.value, attestationKey: from.key })
    expect(signature.certification).toMatchObject({
      qeSignature: from.qeSignature,
      qeAuthData: from.auth,
      pck: { type: 5, data: from.pck },
    })
    expect(signature.certification.qeReport.bytes).toEqual(from.qeReport)
    expect(trailing).toEqual(from.trailing)
  })

  it('of every body has fields that fill it, each byte in one of them', () => {
    for (const [, { version, bodyType, ...changed }] of QUOTES) {
      const { bytes, ...fields } = readQuote(write(draft(version, bodyType, changed))).body
      const numbers = { miscSelect: 4, isvProdId: 2, isvSvn: 2, configSvn: 2, vmId: 1, kind: 0 }
      const sizes = Object.entries({ ...fields }).map(([name, part]) =>
        part instanceof Uint8Array ? part.length : numbers[name as keyof typeof numbers],
      )
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes.length)
    }
  })

  // The places are those that Intel's sgx_quote_5.h writes beside the fields of sgx_report2_body_v1_5_ex_t.
  it('of TDX 1.5 extended has a VM, an id, and what it was launched as', () => {
    const { body } = readQuote(write(draft(5, 4)))
    const filling = filled(885, 2)
    const places = { tdId: 649, devInfo: 681, initServiceTdHash: 729, initServiceTdAttributes: 777, initCpuSvn: 785, initTeeTcbSvn: 801 }
    const later = { initTeeFmspc: 817, currentServiceTdHash: 829, currentServiceTdAttributes: 877, end: 885 }
    const all = Object.entries({ ...places, ...later })
    const expected = all.slice(0, -1).map(([name, from], i) => [name, filling.slice(from, all[i + 1]?.[1])])
    expect(body).toMatchObject({ kind: 'td15ex', vmId: filling[648], ...Object.fromEntries(expected) })
  })

  it('of version 3 signs header and body; unsigned numbers stay positive', () => {
    const body = filled(384, 2)
    body.set([0xfe, 0xff, 0xff, 0xff], 16)
    body.set([0x34, 0xff], 258)
    const quote = readQuote(write(draft(3, 1, { body })))
    expect(quote.signed).toEqual(concat(write(draft(3, 1)).subarray(0, 48), body))
    expect(quote.body).toMatchObject({ kind: 'sgx', miscSelect: 0xffff_fffe, isvSvn: 0xff34 })
  })

  it.each([1, 2, 3, 4, 5, 7])('takes certification data of type %i as it is', (pckType) => {
    for (const version of [3, 4])
      expect(readQuote(write(draft(version, 1, { pckType }))).signature.certification.pck).toEqual({ type: pckType, data: filled(100, 8) })
  })

  it.each([0, 1, 64, 1_000, 65_535])('takes %i bytes of QE auth data', (length) => {
    const { qeAuthData } = readQuote(write(draft(4, 2, { auth: filled(length, 7) }))).signature.certification
    expect(toHex(qeAuthData)).toBe(toHex(filled(length, 7)))
  })

  it('may have an empty PCK source: what it must hold is not its shape', () => {
    expect(readQuote(write(draft(4, 2, { pck: new Uint8Array(0) }))).signature.certification.pck.data).toHaveLength(0)
  })

  it('is aliased, wherever it lies, and not copied', () => {
    const bytes = write({ ...draft(5, 4), trailing: filled(3, 9) })
    const room = concat(filled(13, 9), bytes, filled(400, 9))
    const view = room.subarray(13, 13 + bytes.length)
    const quote = readQuote(view)
    expect(quote).toEqual(readQuote(bytes))
    for (const range of rangesOf(quote)) expect(range.buffer).toBe(room.buffer)
    expect(quote.trailing.byteOffset).toBe(13 + bytes.length - 3)
  })

  it('is as long as the core has room for, and no longer', () => {
    const quote = write(draft(4, 2))
    const longest = concat(quote, new Uint8Array(MAX_INPUT - quote.length))
    expect(readQuote(longest).trailing).toHaveLength(MAX_INPUT - quote.length)
    expect(() => readQuote(concat(longest, Uint8Array.of(0)))).toThrow(FormatError)
  })
})

/** The cases of the corpus that are refused for their shape, all of them. */
const SHAPELESS: Readonly<Record<string, readonly [path: string, offset: number]>> = {
  'certlen-too-big': ['signature.certification.pck.size', 1254],
  'empty-quote': ['header', 0],
  'hdr-ak-3': ['header.attestationKeyType', 2],
  'hdr-tee-unknown': ['header.teeType', 4],
  'hdr-vendor-bad': ['header.vendorId', 12],
  'inner-certtype-0': ['signature.certification.pck.type', 1252],
  'inner-certtype-6': ['signature.certification.pck.type', 1252],
  'siglen-too-small': ['signature.certification.size', 766],
  'truncated-600': ['body', 48],
  'v5-bodysize-short': ['body.size', 50],
  'v5-bodytype-5': ['body.type', 48],
  'v5-tdx-bodytype-1': ['body.type', 48],
}

const CORPUS = corpus()
const isThere = CORPUS.length > 0

/** Whether the attestation key signed the quote, and the QE's report data is what binds it: neither holds for bytes read from elsewhere. */
const isBound = ({ signed, signature: { value, attestationKey, certification } }: Quote): boolean => {
  const [x, y] = [attestationKey.subarray(0, 32), attestationKey.subarray(32)].map((half) => Buffer.from(half).toString('base64url'))
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }, format: 'jwk' })
  const bound = createHash('sha256').update(attestationKey).update(certification.qeAuthData).digest('hex')
  const isSigned = verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, value)
  return isSigned && toHex(certification.qeReport.reportData) === bound + '00'.repeat(32)
}

describe.skipIf(!isThere)('the corpus', () => {
  it('refuses for their shape the cases of that list, where it says, and no other', () => {
    const found = CORPUS.flatMap(({ name, quote }) => {
      const refused = refusalOf(readQuote, quote)
      return refused === null ? [] : [[name, refused.slice(0, 2)] as const]
    })
    expect(Object.fromEntries(found)).toEqual(SHAPELESS)
    expect(found).toHaveLength(Object.keys(SHAPELESS).length)
  })

  it('has the fields that an independent reader finds, in every other case', () => {
    const others = CORPUS.filter(({ name }) => !(name in SHAPELESS))
    for (const { name, quote } of others) expect([name, inHex(readQuote(quote))]).toEqual([name, inHex(readIndependently(quote))])
    expect(others.length).toBeGreaterThan(100)
  })

  it('has real quotes whose signatures and bindings hold over what was read', () => {
    const real = CORPUS.filter(({ group }) => group === 'cases')
    for (const { name, quote } of real) expect([name, isBound(readQuote(quote))]).toEqual([name, true])
    expect(real).toHaveLength(22)
  })
})
