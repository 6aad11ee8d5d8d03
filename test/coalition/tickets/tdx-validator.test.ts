import { describe, expect, it } from 'vitest'
import { type MeasurementLike, type Tdx, tdx, VARIANTS } from '../../../client/coalition/tickets/tdx-validator.ts'
import type { MeasurementCriteria, TdxValidatorConfig } from '../../../client/network/tickets/tdx.ts'
import { validatorSignature } from '../../../client/network/tickets/tdx.ts'
import { type Bytes, toHex } from '../../../client/primitives/bytes.ts'
import { bytes, extra, hexOf, members, type Vector } from '../../vectors/identity.ts'

const of = (byte: number): Bytes => new Uint8Array(48).fill(byte)
const FULL = tdx()
  .requireMrtd(of(0xa0))
  .allowVariant({ rtmr1: of(0xb1) })
  .allowVariant({ rtmr1: of(0xb2), rtmr2: of(0xb3) })
  .maxAge(21_600n)
  .notBefore(1_700_000_000n)
  .maxLifetime(43_200n)

const criteriaOf = (vector: Vector): MeasurementCriteria =>
  Object.fromEntries(Object.entries(vector).map(([name, hex]) => [name, bytes(hex)]))

const REQUIRE = {
  mrtd: 'requireMrtd',
  rtmr0: 'requireRtmr0',
  rtmr1: 'requireRtmr1',
  rtmr2: 'requireRtmr2',
  rtmr3: 'requireRtmr3',
} as const
const LIMITS = ['maxAge', 'notBefore', 'maxLifetime'] as const

const built = (vector: Vector): Tdx => {
  let result = tdx()
  for (const [name, hex] of Object.entries(vector.baseline as Vector)) result = result[REQUIRE[name as keyof typeof REQUIRE]](String(hex))
  for (const variant of vector.variants as Vector[]) result = result.allowVariant(criteriaOf(variant))
  for (const name of LIMITS) if (vector[name] !== undefined) result = result[name](BigInt(String(vector[name])))
  return result
}

const path = (path: string) => expect.objectContaining({ name: 'Coalition.CriteriaError', path })

describe('Tdx, mosaik’s builder', () => {
  it('CFG-11 LAT-09 gives the signature of every vector', () => {
    for (const vector of members(extra, 'validators')) expect(hexOf(built(vector).signature())).toBe(vector.signature)
  })

  it('gives a new value for every call and leaves the old one, its bytes and the caller’s apart', () => {
    const start = tdx().requireMrtd(of(1))
    const before = toHex(start.signature())
    const given = of(2)
    const next = [
      start.requireMrtd(given),
      start.requireRtmr0(given),
      start.requireRtmr1(of(5)),
      start.requireRtmr2(of(5)),
      start.requireRtmr3(of(5)),
      start.allowVariant({ rtmr0: given }),
      start.maxAge(1n),
      start.notBefore(1n),
      start.maxLifetime(1n),
    ]
    const signatures = next.map((each) => toHex(each.signature()))
    expect(new Set([before, ...signatures]).size).toBe(next.length + 1)
    given.fill(0x77)
    expect(next.map((each) => toHex(each.signature()))).toEqual(signatures)
    expect(toHex(start.signature())).toBe(before)
  })

  it('IDN-17 one byte of a measurement, the order of variants and each limit move the signature', () => {
    const variants = [{ rtmr1: of(0xb1) }, { rtmr2: of(0xb2) }]
    const signature = (changed: Partial<TdxValidatorConfig>): string => toHex(validatorSignature({ ...FULL.config, variants, ...changed }))
    const seen = [
      signature({}),
      signature({ baseline: { mrtd: of(0xa0).with(47, 0xa1) as Bytes } }),
      signature({ variants: variants.toReversed() }),
      ...LIMITS.map((name) => signature({ [name]: 1n })),
    ]
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('takes hex of either case as well as bytes', () => {
    expect(tdx().requireMrtd('Ab'.repeat(48)).signature()).toEqual(tdx().requireMrtd(of(0xab)).signature())
  })

  it('refuses what the signature could not tell from "any value" or "no limit"', () => {
    const fillers = { mrtd: 9, rtmr0: 1, rtmr1: 2, rtmr2: 3, rtmr3: 4 } as const
    for (const [name, filler] of Object.entries(fillers)) {
      expect(() => tdx()[REQUIRE[name as keyof typeof fillers]](of(filler))).toThrow(path(`baseline.${name}`))
      expect(() => tdx().allowVariant({ [name]: of(filler) })).toThrow(path(`variants[0].${name}`))
      // Another register's filler is a value like any other.
      expect(() => tdx()[REQUIRE[name as keyof typeof fillers]](of(filler === 9 ? 1 : 9))).not.toThrow()
    }
    for (const name of LIMITS) expect(() => tdx()[name](0n)).toThrow(path(name))
  })

  it('refuses variants that no ticket or every ticket meets, and more than 16', () => {
    expect(() =>
      tdx()
        .requireMrtd(of(1))
        .allowVariant({ mrtd: of(2) }),
    ).toThrow(path('variants[0].mrtd'))
    expect(() =>
      tdx()
        .allowVariant({ rtmr0: of(5) })
        .requireRtmr0(of(6)),
    ).toThrow(path('variants[0].rtmr0'))
    expect(() =>
      tdx()
        .requireMrtd(of(1))
        .allowVariant({ mrtd: of(1), rtmr0: of(2) }),
    ).not.toThrow()
    expect(() => tdx().allowVariant({})).toThrow(path('variants[0]'))
    const variants = Array.from({ length: VARIANTS }, (_, i) => ({ rtmr3: of(0x10 + i) }))
    const most = tdx({ baseline: {}, variants })
    expect(() => most.allowVariant({ rtmr3: of(0x70) })).toThrow(path('variants'))
  })

  it('refuses another length, no hex, no bytes, and a limit that is no u64', () => {
    for (const wrong of [
      new Uint8Array(32),
      new Uint8Array(49),
      'ab',
      'zz'.repeat(48),
      `0x${'ab'.repeat(47)}`,
      7 as unknown as MeasurementLike,
    ])
      expect(() => tdx().requireMrtd(wrong)).toThrow(path('baseline.mrtd'))
    for (const wrong of [-1n, 1n << 64n, 5 as unknown as bigint]) expect(() => tdx().maxAge(wrong)).toThrow(path('maxAge'))
    expect(() => tdx().maxAge((1n << 64n) - 1n)).not.toThrow()
  })
})
