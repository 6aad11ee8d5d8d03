import { describe, expect, it } from 'vitest'
import {
  formatValidator,
  fromAdmission,
  parseValidator,
  tdxAdmissionCodec,
  toAdmission,
} from '../../../client/coalition/tickets/tdx-acl.ts'
import { checkValidator, type Tdx, tdx } from '../../../client/coalition/tickets/tdx-validator.ts'
import type { TdxValidatorConfig } from '../../../client/network/tickets/tdx.ts'
import { type Bytes, toHex } from '../../../client/primitives/bytes.ts'
import { decode, encode, struct } from '../../../client/primitives/codec.ts'
import { fingerprints, schema } from '../../../client/primitives/fingerprint.ts'
import { extra, filled, hexOf, members } from '../../vectors/identity.ts'

const of = (byte: number): Bytes => new Uint8Array(48).fill(byte)
const FULL = tdx()
  .requireMrtd(of(0xa0))
  .allowVariant({ rtmr1: of(0xb1) })
  .allowVariant({ rtmr1: of(0xb2), rtmr2: of(0xb3) })
  .maxAge(21_600n)
  .notBefore(1_700_000_000n)
  .maxLifetime(43_200n)

describe('a validator in an ACL', () => {
  const shape = schema('gated acl@1', struct('Acl', { admission: tdxAdmissionCodec }))
  const acl = (validator: Tdx): string =>
    toHex(
      fingerprints(
        { content: filled<'ContentFingerprint'>(1), acl: { admission: toAdmission(validator.config) } },
        { content: shape, acl: shape },
      ).acl,
    )

  it('CFG-11 folds the signature and the values it is of, and reads them back', () => {
    const encoded = encode(tdxAdmissionCodec, toAdmission(FULL.config))
    expect(encoded.subarray(0, 32)).toEqual(FULL.signature())
    expect(fromAdmission(decode(tdxAdmissionCodec, encoded))).toEqual(FULL.config)
    for (const vector of members(extra, 'validators')) {
      const { signature, ...value } = vector
      const config = parseValidator({ value, path: '$' })
      expect(hexOf(tdx(config).signature())).toBe(signature)
      expect(fromAdmission(decode(tdxAdmissionCodec, encode(tdxAdmissionCodec, toAdmission(config))))).toEqual(config)
    }
  })

  it('LAT-10 IDN-26 another measurement, variant or limit is another ACL fingerprint', () => {
    const all = [
      FULL,
      FULL.requireRtmr0(of(7)),
      FULL.allowVariant({ rtmr3: of(8) }),
      FULL.maxAge(1n),
      FULL.notBefore(1n),
      FULL.maxLifetime(1n),
    ]
    expect(new Set(all.map(acl)).size).toBe(all.length)
    expect(acl(FULL)).toBe(acl(tdx(FULL.config)))
  })

  it('refuses values that do not give the signature, and values that no builder makes', () => {
    const admission = toAdmission(FULL.config)
    const refused = (changed: object) =>
      expect(() => encode(tdxAdmissionCodec, { ...admission, ...changed })).toThrow(expect.objectContaining({ name: 'Codec.EncodeError' }))
    refused({ max_age: 21_601n })
    refused({ variants: admission.variants.toReversed() })
    refused({ signature: new Uint8Array(32) })
    refused({ max_age: 0n })
    refused({ baseline: { ...admission.baseline, rtmr0: of(1) } })
    refused({ baseline: null })
  })

  it('refuses every change of one byte: the signature holds the values, and they hold it', () => {
    const encoded = encode(tdxAdmissionCodec, toAdmission(FULL.config))
    for (let at = 0; at < encoded.length; at++) {
      const changed = encoded.slice()
      changed[at] = (changed[at] as number) ^ 1
      expect(() => decode(tdxAdmissionCodec, changed), `byte ${at}`).toThrow(expect.objectContaining({ name: 'Codec.DecodeError' }))
    }
  })

  it('is published as JSON and read back to the same signature', () => {
    const text = JSON.stringify(formatValidator(FULL.config))
    expect(parseValidator({ value: JSON.parse(text), path: '$' })).toEqual(FULL.config)
    expect(formatValidator(tdx().config)).toEqual({ baseline: {}, variants: [] })
  })

  it('refuses a published field that it does not know: it can only be a limit that would be passed over', () => {
    const parse = (value: object) => () => parseValidator({ value, path: '$' })
    const at = (path: string) => expect.objectContaining({ name: 'Config.ParseError', path })
    expect(parse({ baseline: {}, minTcb: 3 })).toThrow(at('$.minTcb'))
    expect(parse({ baseline: { mrdt: 'ab'.repeat(48) } })).toThrow(at('$.baseline.mrdt'))
    expect(parse({ baseline: {}, variants: [{ rtmr4: 'ab'.repeat(48) }] })).toThrow(at('$.variants[0].rtmr4'))
    expect(parse({ variants: [] })).toThrow(at('$.baseline'))
    expect(parse({ baseline: { mrtd: 'ab' } })).toThrow(at('$.baseline.mrtd'))
    expect(parse({ baseline: { mrtd: '09'.repeat(48) } })).toThrow(
      expect.objectContaining({ name: 'Coalition.CriteriaError', path: 'baseline.mrtd' }),
    )
  })

  it('a checked config is a copy with known fields only', () => {
    const mrtd = of(0xa0)
    const checked = checkValidator({
      baseline: { mrtd, rtmr0: undefined },
      variants: [],
      maxAge: undefined,
      other: 1,
    } as TdxValidatorConfig)
    expect(checked).toEqual({ baseline: { mrtd }, variants: [] })
    expect(checked.baseline.mrtd).not.toBe(mrtd)
    expect(Object.keys(checked)).toEqual(['baseline', 'variants'])
  })
})
