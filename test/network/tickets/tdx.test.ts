import { describe, expect, it } from 'vitest'
import { criteriaSignature, type MeasurementCriteria, reportBinding, validatorSignature } from '../../../client/network/tickets/tdx.ts'
import { bytes, exactly, extra, filled, hexOf, idOf, members, type Vector } from '../../vectors/identity.ts'

const REGISTERS = ['mrtd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const
const LIMITS = ['maxAge', 'notBefore', 'maxLifetime'] as const

const criteriaOf = (vector: Vector): MeasurementCriteria =>
  Object.fromEntries(REGISTERS.flatMap((name) => (vector[name] === undefined ? [] : [[name, bytes(vector[name])]])))

describe('TDX ticket ids', () => {
  it('TIX-05 report_data[0..32], every vector; a ticket that never expires folds 0', () => {
    for (const vector of members(extra, 'reports')) {
      exactly(vector, ['peer', 'network', 'startedAt', 'quotedAt', 'expiresAt', 'reportData'])
      const seconds = (name: string) => BigInt(vector[name] as string)
      const binding = {
        peer: bytes(vector.peer),
        network: idOf<'UniqueId'>(vector.network),
        startedAt: seconds('startedAt'),
        quotedAt: seconds('quotedAt'),
        expiresAt: vector.expiresAt === null ? null : seconds('expiresAt'),
      }
      expect(hexOf(reportBinding(binding))).toBe(vector.reportData)
      if (binding.expiresAt === null) expect(reportBinding({ ...binding, expiresAt: 0n })).toEqual(reportBinding(binding))
      else expect(reportBinding({ ...binding, expiresAt: binding.expiresAt + 1n })).not.toEqual(reportBinding(binding))
    }
  })

  it('LAT-09 criteria signatures, every vector, all different', () => {
    const seen = new Set<string>()
    for (const vector of members(extra, 'criteria')) {
      exactly(vector, [...REGISTERS.filter((name) => name in vector), 'signature'])
      expect(hexOf(criteriaSignature(criteriaOf(vector)))).toBe(vector.signature)
      seen.add(String(vector.signature))
    }
    expect(seen.size).toBe(members(extra, 'criteria').length)
  })

  it('CFG-11 validator signatures, every vector: variants in order, then three limits', () => {
    const seen = new Set<string>()
    for (const vector of members(extra, 'validators')) {
      exactly(vector, ['baseline', 'variants', ...LIMITS.filter((name) => name in vector), 'signature'])
      const limits = Object.fromEntries(
        LIMITS.flatMap((name) => (vector[name] === undefined ? [] : [[name, BigInt(vector[name] as string)]])),
      )
      const baseline = criteriaOf(vector.baseline as Vector)
      const variants = (vector.variants as Vector[]).map(criteriaOf)
      expect(hexOf(validatorSignature({ baseline, variants, ...limits }))).toBe(vector.signature)
      seen.add(String(vector.signature))
    }
    expect(seen.size).toBe(members(extra, 'validators').length)
  })

  it('a register of another length, a peer or a time that does not fit are refused', () => {
    expect(() => criteriaSignature({ mrtd: new Uint8Array(32) })).toThrow(/48 bytes/)
    const binding = { peer: new Uint8Array(32), network: filled<'UniqueId'>(1), startedAt: 0n, quotedAt: 0n, expiresAt: null }
    expect(() => reportBinding({ ...binding, peer: new Uint8Array(38) })).toThrow(/32 bytes/)
    expect(() => reportBinding({ ...binding, startedAt: -1n })).toThrow(expect.objectContaining({ name: 'Bytes.OutOfRangeError' }))
  })
})
