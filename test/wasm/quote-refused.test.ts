import { describe, expect, it } from 'vitest'
import { readQuote } from '../../wasm/quote.ts'
import { BODY_SIZES, type Draft, draft, filled, QUOTES, TDX, write } from './_quote-writer.ts'
import { refusalOf } from './_refusal.ts'

const TOO_LONG = 'a size larger than what is left'
const CUT = 'ends too early'
const LEFT_OVER = 'bytes left over'
const BODY = 'a body that is none of the types 1 to 4'
const OTHER_TEE = 'a body of another TEE than the header says'
const SIZE = 'another size than bodies of this type have'
const TEE = 'neither SGX (0) nor, from version 4 on, TDX (0x81)'
const CERTIFICATION = 'certification data of an unsupported type'
const INNER = 'signature.certification'
const AUTH = `${INNER}.qeAuthData.size`

// With a TD 1.0 body in version 4, signature data begin at 632 and certification data at 770; in version 3 at 432 and 564; in version 5
// they begin 6 bytes later than in 4.
const REFUSED: readonly (readonly [changed: Draft, path: string, offset: number, problem: string])[] = [
  ...[0, 1, 2, 6, 0x104, 0xffff].map((n) => [draft(n, 2), 'header.version', 0, 'a version other than 3, 4 and 5'] as const),
  ...[0, 1, 3, 0x102].map(
    (n) => [draft(4, 2, { keyType: n }), 'header.attestationKeyType', 2, 'a key that is not ECDSA on P-256 (2)'] as const,
  ),
  ...[1, 0x80, 0x82, 0x0100_0081, 0x8100].map((tee) => [draft(5, 2, { tee }), 'header.teeType', 4, TEE] as const),
  ...[TDX, 1, 0x0100_0000].map((tee) => [draft(3, 1, { tee }), 'header.teeType', 4, TEE] as const),
  ...[0, 5, 0x101, 0xffff].map((n) => [draft(5, 3, { bodyType: n, bodySize: 648 }), 'body.type', 48, BODY] as const),
  ...[2, 3, 4].map((n) => [draft(5, n, { tee: 0 }), 'body.type', 48, OTHER_TEE] as const),
  [draft(5, 1, { tee: TDX }), 'body.type', 48, OTHER_TEE],
  ...[1, 2, 3, 4].flatMap((n) =>
    [0, -1, 1, 0x1_0000].map((off) => {
      const bodySize = off === 0 ? 0 : (BODY_SIZES[n] as number) + off
      return [draft(5, n, { bodySize }), 'body.size', 50, SIZE] as const
    }),
  ),
  ...[1, 0x7fff_0000, 0xfffff000].map((more) => {
    const signatureSize = write(draft(4, 2)).length - 636 + more
    return [draft(4, 2, { signatureSize }), 'signature.size', 632, TOO_LONG] as const
  }),
  [draft(4, 2, { signatureSize: 0xffff_ffff }), 'signature.size', 632, TOO_LONG],
  [draft(4, 2, { keepSignature: 0 }), 'signature.value', 636, CUT],
  [draft(4, 2, { keepSignature: 63 }), 'signature.value', 636, CUT],
  [draft(4, 2, { keepSignature: 127 }), 'signature.attestationKey', 700, CUT],
  [draft(4, 2, { keepSignature: 129 }), `${INNER}.type`, 764, CUT],
  [draft(4, 2, { keepSignature: 133 }), `${INNER}.size`, 766, CUT],
  ...[0, 1, 5, 7, 0x106].map((type) => [draft(4, 2, { type }), `${INNER}.type`, 764, CERTIFICATION] as const),
  ...[589, 0xffff_ffff].map((size) => [draft(4, 2, { size }), `${INNER}.size`, 766, TOO_LONG] as const),
  [draft(4, 2, { insideSignature: filled(1, 9) }), 'signature', 770 + 588, LEFT_OVER],
  [draft(4, 2, { size: 587 }), 'signature', 770 + 587, LEFT_OVER],
  [draft(4, 2, { keepCertification: 383 }), `${INNER}.qeReport`, 770, CUT],
  [draft(4, 2, { keepCertification: 447 }), `${INNER}.qeSignature`, 1154, CUT],
  [draft(4, 2, { keepCertification: 449 }), AUTH, 1218, CUT],
  [draft(4, 2, { keepCertification: 481 }), AUTH, 1218, TOO_LONG],
  [draft(4, 2, { keepCertification: 482 }), `${INNER}.pck.type`, 1252, CUT],
  [draft(4, 2, { keepCertification: 483 }), `${INNER}.pck.type`, 1252, CUT],
  [draft(4, 2, { keepCertification: 487 }), `${INNER}.pck.size`, 1254, CUT],
  [draft(4, 2, { keepCertification: 587 }), `${INNER}.pck.size`, 1254, TOO_LONG],
  [draft(4, 2, { authSize: 0xffff }), AUTH, 1218, TOO_LONG],
  ...[0, 6, 8, 0x105, 0xffff].map((pckType) => [draft(4, 2, { pckType }), `${INNER}.pck.type`, 1252, CERTIFICATION] as const),
  ...[101, 0xffff_ffff].map((pckSize) => [draft(4, 2, { pckSize }), `${INNER}.pck.size`, 1254, TOO_LONG] as const),
  [draft(4, 2, { pckSize: 99 }), INNER, 1258 + 99, LEFT_OVER],
  [draft(4, 2, { insideCertification: filled(2, 9) }), INNER, 1358, LEFT_OVER],
  [draft(3, 1, { keepSignature: 128 }), `${INNER}.qeReport`, 564, CUT],
  [draft(3, 1, { keepCertification: 449 }), AUTH, 1012, CUT],
  [draft(3, 1, { pckType: 6 }), `${INNER}.pck.type`, 1046, CERTIFICATION],
  [draft(3, 1, { pckSize: 101 }), `${INNER}.pck.size`, 1048, TOO_LONG],
  [draft(3, 1, { insideSignature: filled(1, 9) }), 'signature', 1152, LEFT_OVER],
  [draft(5, 4, { pckType: 0 }), `${INNER}.pck.type`, 1252 + 6 + 885 - 584, CERTIFICATION],
]

describe('a quote is refused', () => {
  it.each(REFUSED.map(([changed, path, offset, problem], i) => [i, path, offset, problem, changed] as const))(
    '(%i) at %s, byte %i: %s',
    (_, path, offset, problem, changed) => {
      expect(refusalOf(readQuote, write(changed))).toEqual([path, offset, problem])
      // Bytes behind the quote give a size that is too large nothing to reach into.
      if (!path.startsWith('signature.size'))
        expect(refusalOf(readQuote, write({ ...changed, trailing: filled(500, 9) }))).toEqual([path, offset, problem])
    },
  )

  it('with any byte of another vendor', () => {
    const problem = "a vendor other than Intel's 939a7233f79c4ca9940a0db3957f0607"
    for (let i = 12; i < 28; i++) {
      const bytes = write(draft(4, 2))
      bytes[i] = (bytes[i] as number) ^ 1
      expect(refusalOf(readQuote, bytes)).toEqual(['header.vendorId', 12, problem])
    }
  })

  it.each(QUOTES)('cut anywhere, with the part that is cut: %s', (_, right) => {
    const bytes = write(right)
    const body = right.version === 5 ? 54 : 48
    const size = body + (BODY_SIZES[right.bodyType] as number)
    const expected = (length: number): readonly [string, number, string] => {
      if (length < 48) return ['header', 0, CUT]
      if (length < body) return length < 50 ? ['body.type', 48, CUT] : ['body.size', 50, CUT]
      if (length < size) return ['body', body, CUT]
      return length < size + 4 ? ['signature.size', size, CUT] : ['signature.size', size, TOO_LONG]
    }
    for (let length = 0; length < bytes.length; length++)
      expect([length, refusalOf(readQuote, bytes.subarray(0, length))]).toEqual([length, expected(length)])
  })

  it('by an error whose words name format, path and offset', () => {
    expect(() => readQuote(new Uint8Array(0))).toThrow('quote.header at 0: ends too early')
  })
})
