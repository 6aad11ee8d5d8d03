import { describe, expect, it } from 'vitest'
import { TCB_STATUSES, type TcbStatus } from '../../../client/verify/attestation.ts'
import { levelOf, shortfall, svnLevelOf } from '../../../client/verify/quote/levels.ts'
import { converge, relaunch, withGrace } from '../../../client/verify/quote/status.ts'
import { svns } from '../_quote-mock.ts'

// TDX.md section 8.

const PARTS = ['UpToDate', 'OutOfDate', 'Revoked'] as const
const OUTDATED: Readonly<Record<TcbStatus, TcbStatus>> = {
  UpToDate: 'OutOfDate',
  SWHardeningNeeded: 'OutOfDate',
  ConfigurationNeeded: 'OutOfDateConfigurationNeeded',
  ConfigurationAndSWHardeningNeeded: 'OutOfDateConfigurationNeeded',
  OutOfDate: 'OutOfDate',
  OutOfDateConfigurationNeeded: 'OutOfDateConfigurationNeeded',
  Revoked: 'Revoked',
}

describe('convergence', () => {
  it.each(TCB_STATUSES.flatMap((platform) => PARTS.flatMap((qe) => PARTS.map((module) => [platform, qe, module] as const))))(
    'platform %s, QE %s, module %s',
    (platform, qe, module) => {
      const parts = [qe, module] as const
      const expected = parts.includes('Revoked') ? 'Revoked' : parts.includes('OutOfDate') ? OUTDATED[platform] : platform
      expect(converge(platform, parts)).toBe(expected)
    },
  )

  it.each(TCB_STATUSES.filter((one) => !PARTS.some((part) => part === one)))('a part that is %s counts as out of date', (part) => {
    expect(converge('UpToDate', [part])).toBe('OutOfDate')
    expect(converge('ConfigurationNeeded', [part])).toBe('OutOfDateConfigurationNeeded')
  })
})

describe('relaunch', () => {
  const old = ['OutOfDate', 'OutOfDateConfigurationNeeded'] as const
  const now = ['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded'] as const

  it.each(old.flatMap((launch) => now.map((one) => [launch, one] as const)))('launched %s, now %s: advised', (launch, one) => {
    const isConfiguration = `${launch}${one}`.includes('Configuration')
    expect(relaunch(launch, one)).toBe(isConfiguration ? 'TDRelaunchAdvisedConfigurationNeeded' : 'TDRelaunchAdvised')
  })

  it('in every other case the status is that at launch', () => {
    const others = TCB_STATUSES.flatMap((launch) => TCB_STATUSES.map((one) => [launch, one] as const)).filter(
      ([launch, one]) => !(old.some((status) => status === launch) && now.some((status) => status === one)),
    )
    for (const [launch, one] of others) expect(relaunch(launch, one)).toBe(launch)
    expect(others.length).toBe(49 - 8)
  })

  it('days of grace make it what it would be on a current TCB, and of Revoked nothing else', () => {
    expect(withGrace('TDRelaunchAdvised')).toBe('UpToDate')
    expect(withGrace('TDRelaunchAdvisedConfigurationNeeded')).toBe('ConfigurationNeeded')
    expect(withGrace('OutOfDate')).toBe('UpToDate')
    expect(withGrace('OutOfDateConfigurationNeeded')).toBe('ConfigurationNeeded')
    for (const status of ['Revoked', 'SWHardeningNeeded', 'UpToDate'] as const) expect(withGrace(status)).toBe(status)
  })
})

describe('levels', () => {
  const standing = { tcbDate: 0, status: 'UpToDate', advisories: [] } as const
  const full = (list: readonly number[]): readonly number[] => Array.from({ length: 16 }, (_, i) => list[i] ?? 0)
  const level = { sgx: full([5, 5]), pcesvn: 13, tdx: full([4, 9, 6]), ...standing }

  it.each(Array.from({ length: 16 }, (_, i) => i))('SGX component %i counts', (i) => {
    const have = { sgx: svns(...level.sgx), pcesvn: 13, tdx: null }
    const need = { ...level, sgx: level.sgx.map((svn, at) => (at === i ? svn + 1 : svn)) }
    expect(shortfall(level, have)).toEqual([])
    expect(shortfall(need, have)).toEqual([`sgxtcbcomponents[${i}] ${level.sgx[i]} < ${(level.sgx[i] ?? 0) + 1}`])
    expect(levelOf({ levels: [need, level] }, have)).toBe(level)
  })

  it.each(Array.from({ length: 16 }, (_, i) => i))(
    'TDX component %i counts, but for the first two under a module of version 1 or later',
    (i) => {
      const need = { ...level, tdx: full([]).map((_, at) => (at === i ? 3 : 0)) }
      const have = (major: number) => ({ sgx: svns(9, 9), pcesvn: 13, tdx: svns(0, major) })
      expect(shortfall(need, have(0))).toEqual([`tdxtcbcomponents[${i}] 0 < 3`])
      expect(shortfall(need, have(2))).toEqual(i < 2 ? [] : [`tdxtcbcomponents[${i}] 0 < 3`])
    },
  )

  it('PCESVN counts, and a component that is missing is below any', () => {
    expect(shortfall(level, { sgx: svns(5, 5), pcesvn: 12, tdx: null })).toEqual(['pcesvn 12 < 13'])
    expect(shortfall(level, { sgx: svns(5, 5).slice(0, 15), pcesvn: 13, tdx: null })).toEqual(['sgxtcbcomponents[15] -1 < 0'])
  })

  it('a TDX report reaches no level that has no TDX components', () => {
    expect(shortfall({ ...level, tdx: null }, { sgx: svns(5, 5), pcesvn: 13, tdx: svns(255, 255, 255) })).toHaveLength(14)
  })

  it('QE and module stand on the first level whose SVN they reach', () => {
    const levels = [8, 5, 2].map((isvsvn) => ({ isvsvn, ...standing }))
    expect([9, 8, 7, 5, 2, 1].map((svn) => svnLevelOf(levels, svn)?.isvsvn)).toEqual([8, 8, 5, 5, 2, undefined])
  })
})
