import { describe, expect, it } from 'vitest'
import { TCB_STATUSES } from '../../../client/verify/attestation.ts'
import { readTcbInfo, type TcbInfo } from '../../../client/verify/collateral/tcb-info.ts'
import { components, moduleIdentity, tcbInfo, tcbLevel } from './_pki.ts'

const read = (changed: object = {}): TcbInfo => readTcbInfo({ value: tcbInfo(changed), path: 'tcb_info' })
const level = (tcb: object, changed: object = {}): object => {
  const right = tcbLevel(7, 'UpToDate')
  return { ...right, tcb: { ...(right.tcb as object), ...tcb }, ...changed }
}
const levels = (...changed: readonly object[]): object => ({ tcbLevels: changed.map((tcb) => level(tcb)) })

/** A level of TCB info version 2: no lists, a member for each component. */
const oldLevel = (changed: object = {}): object => {
  const svns = Array.from({ length: 16 }, (_, i) => [`sgxtcbcomp${String(i + 1).padStart(2, '0')}svn`, i] as const)
  return { ...tcbLevel(0, 'UpToDate'), tcb: { ...Object.fromEntries(svns), pcesvn: 9, ...changed } }
}
const old = (changed: object = {}): object => ({ id: undefined, version: 2, tcbLevels: [oldLevel()], ...changed })
const sgx = (changed: object = {}): object => ({ id: 'SGX', tdxModule: undefined, tdxModuleIdentities: undefined, ...changed })

describe('a TCB info (TDX.md sections 5, 7 and 8)', () => {
  it('is read', () => {
    const info = read({ tcbLevels: [level({}, { advisoryIDs: ['INTEL-SA-00079', 'INTEL-SA-00076'] })] })
    expect(info).toMatchObject({ id: 'TDX', version: 3, evaluation: 18 })
    expect([info.issueDate, info.nextUpdate]).toEqual([Date.UTC(2026, 4, 20) / 1000, Date.UTC(2026, 5, 19) / 1000])
    expect([[...info.fmspc], [...info.pceId]]).toEqual([
      [0xb0, 0xc0, 0x6f, 0, 0, 0],
      [0, 0],
    ])
    expect(info.levels).toEqual([
      {
        ...{ sgx: [7, ...new Array<number>(15).fill(0)], pcesvn: 11, tdx: [5, 0, 4, ...new Array<number>(13).fill(0)] },
        ...{ tcbDate: Date.UTC(2026, 2, 1) / 1000, status: 'UpToDate', advisories: ['INTEL-SA-00079', 'INTEL-SA-00076'] },
      },
    ])
    expect([info.tdxModule?.mrsigner.length, info.tdxModule?.attributes.length, info.tdxModule?.attributesMask.length]).toEqual([48, 8, 8])
  })

  it('has its levels in Intel’s order, by SGX components, PCESVN and TDX components, whatever order they came in', () => {
    const sorted = [
      { sgxtcbcomponents: components(9) },
      { sgxtcbcomponents: components(7, 1), pcesvn: 1 },
      { sgxtcbcomponents: components(7), pcesvn: 11, tdxtcbcomponents: components(5, 0, 5) },
      { sgxtcbcomponents: components(7), pcesvn: 11, tdxtcbcomponents: components(4, 9, 9) },
      { sgxtcbcomponents: components(7), pcesvn: 10, tdxtcbcomponents: components(9) },
      { sgxtcbcomponents: components(0, 255) },
    ]
    const expected = read(levels(...sorted)).levels
    expect(expected.map(({ sgx, pcesvn }) => [sgx[0], pcesvn])).toEqual([
      [9, 11],
      [7, 1],
      [7, 11],
      [7, 11],
      [7, 10],
      [0, 11],
    ])
    expect(read(levels(...sorted.toReversed())).levels).toEqual(expected)
    expect(read(levels(...[3, 0, 5, 1, 4, 2].map((i) => sorted[i] as object))).levels).toEqual(expected)
  })

  it.each(TCB_STATUSES)('may say %s', (tcbStatus) => {
    expect(read({ tcbLevels: [level({}, { tcbStatus })] }).levels[0]?.status).toBe(tcbStatus)
  })

  it('of SGX has no TDX in it, even where it says so', () => {
    expect(read({ id: 'SGX' })).toMatchObject({ id: 'SGX', tdxModule: null, tdxModuleIdentities: [] })
    expect(read({ id: 'SGX' }).levels.map(({ tdx }) => tdx)).toEqual([null, null])
    expect(read(sgx({ tcbLevels: [level({ tdxtcbcomponents: undefined })] })).levels[0]?.tdx).toBeNull()
  })

  it('of version 2 is SGX’s, with 16 members for the components', () => {
    const info = read(old())
    expect(info).toMatchObject({ id: 'SGX', version: 2, tdxModule: null, tdxModuleIdentities: [] })
    expect(info.levels[0]).toMatchObject({ sgx: Array.from({ length: 16 }, (_, i) => i), pcesvn: 9, tdx: null })
  })

  it('names modules in upper case, each with its levels sorted', () => {
    const { tdxModuleIdentities } = read({ tdxModuleIdentities: [moduleIdentity('tdx_0a', [3, 9, 5]), moduleIdentity('TDX_03', [0])] })
    expect(tdxModuleIdentities.map(({ id, levels }) => [id, levels.map(({ isvsvn }) => isvsvn)])).toEqual([
      ['TDX_0A', [9, 5, 3]],
      ['TDX_03', [0]],
    ])
    expect(tdxModuleIdentities[0]?.levels[0]?.advisories).toEqual(['INTEL-SA-00001'])
    expect(read({ tdxModuleIdentities: undefined }).tdxModuleIdentities).toEqual([])
  })

  it('keeps an SVN that no platform can have as it is, so that it is met by none', () => {
    expect(read(levels({ sgxtcbcomponents: components(256, 0x7fff) })).levels[0]?.sgx.slice(0, 2)).toEqual([256, 0x7fff])
  })

  it('may have members that are not known here', () => {
    expect(read({ extra: { a: [1] }, tcbLevels: [level({ more: 1 }, { evenMore: 2 })] }).levels).toHaveLength(1)
  })

  it.each<readonly [what: string, changed: object, problem: string]>([
    ['no id', { id: undefined }, 'tcb_info.id: is missing'],
    ['another id', { id: 'QE' }, 'tcb_info.id: expected SGX or TDX, found "QE"'],
    ['an id in lower case', { id: 'tdx' }, 'tcb_info.id: expected SGX or TDX'],
    ['version 1', { version: 1 }, 'tcb_info.version: expected 2 or 3, found 1'],
    ['version 4', { version: 4 }, 'tcb_info.version: expected 2 or 3, found 4'],
    ['its version as text', { version: '3' }, 'tcb_info.version: is not an integer'],
    ['another type of TCB', { tcbType: 1 }, 'tcb_info.tcbType: is not an integer of 0 … 0'],
    ['no type of TCB', { tcbType: undefined }, 'tcb_info.tcbType: is missing'],
    ['no evaluation number', { tcbEvaluationDataNumber: undefined }, 'tcb_info.tcbEvaluationDataNumber: is missing'],
    [
      'a negative evaluation number',
      { tcbEvaluationDataNumber: -1 },
      'tcb_info.tcbEvaluationDataNumber: is not an integer of 0 … 4294967295',
    ],
    ['half an evaluation number', { tcbEvaluationDataNumber: 17.5 }, 'tcb_info.tcbEvaluationDataNumber'],
    ['a short FMSPC', { fmspc: 'B0C06F0000' }, 'tcb_info.fmspc: expected 12 hex digits, found 10'],
    ['an FMSPC with a prefix', { fmspc: '0xB0C06F0000' }, 'tcb_info.fmspc: character 1 is not a hex digit'],
    ['a long PCE id', { pceId: '000000' }, 'tcb_info.pceId: expected 4 hex digits'],
    ['no module', { tdxModule: undefined }, 'tcb_info.tdxModule: is missing'],
    ['a module of a short signer', { tdxModule: { mrsigner: '00' } }, 'tcb_info.tdxModule.mrsigner: expected 96 hex digits'],
    [
      'a module twice',
      { tdxModuleIdentities: [moduleIdentity('TDX_0A'), moduleIdentity('tdx_0a')] },
      'tcb_info.tdxModuleIdentities[1].id: stands twice',
    ],
    [
      'a module without levels',
      { tdxModuleIdentities: [moduleIdentity('TDX_01', [])] },
      'tcb_info.tdxModuleIdentities[0].tcbLevels: has no levels',
    ],
    ['a module’s level twice', { tdxModuleIdentities: [moduleIdentity('TDX_01', [3, 5, 3])] }, 'has two levels of the same SVNs'],
    ['no levels', { tcbLevels: [] }, 'tcb_info.tcbLevels: has no levels'],
    ['levels that are no list', { tcbLevels: {} }, 'tcb_info.tcbLevels: expected a list'],
    ['a level twice', levels({}, { pcesvn: 3 }, {}), 'tcb_info.tcbLevels: has two levels of the same SVNs'],
    [
      '15 SGX components',
      levels({ sgxtcbcomponents: components().slice(1) }),
      'tcb_info.tcbLevels[0].tcb.sgxtcbcomponents: expected 16 components, found 15',
    ],
    ['17 SGX components', levels({ sgxtcbcomponents: [...components(), { svn: 0 }] }), 'expected 16 components, found 17'],
    ['no TDX components', levels({ tdxtcbcomponents: undefined }), 'tcb_info.tcbLevels[0].tcb.tdxtcbcomponents: is missing'],
    [
      '15 TDX components',
      levels({}, { tdxtcbcomponents: components().slice(1) }),
      'tcb_info.tcbLevels[1].tcb.tdxtcbcomponents: expected 16',
    ],
    ['a component without SVN', levels({ sgxtcbcomponents: [{}, ...components().slice(1)] }), 'sgxtcbcomponents[0].svn: is missing'],
    ['a negative SVN', levels({ sgxtcbcomponents: components(0, -1) }), 'sgxtcbcomponents[1].svn: is not an integer of 0 … 65535'],
    ['an SVN as text', levels({ sgxtcbcomponents: [{ svn: '7' }, ...components().slice(1)] }), 'sgxtcbcomponents[0].svn'],
    ['a PCESVN past 65,535', levels({ pcesvn: 65_536 }), 'tcb_info.tcbLevels[0].tcb.pcesvn: is not an integer of 0 … 65535'],
    [
      'an unknown status',
      { tcbLevels: [level({}, { tcbStatus: 'Splendid' })] },
      'tcb_info.tcbLevels[0].tcbStatus: unknown status "Splendid"',
    ],
    ['a status that only a whole quote has', { tcbLevels: [level({}, { tcbStatus: 'TDRelaunchAdvised' })] }, 'unknown status'],
    ['no status', { tcbLevels: [level({}, { tcbStatus: undefined })] }, 'tcb_info.tcbLevels[0].tcbStatus: is missing'],
    [
      'an advisory that is no text',
      { tcbLevels: [level({}, { advisoryIDs: [79] })] },
      'tcb_info.tcbLevels[0].advisoryIDs[0]: expected text',
    ],
    ['a date without zone', { issueDate: '2026-05-20T00:00:00' }, 'tcb_info.issueDate: is not a time of the form'],
    ['a date of another zone', { issueDate: '2026-05-20T00:00:00+00:00' }, 'tcb_info.issueDate'],
    ['fractions of a second', { nextUpdate: '2026-05-20T00:00:00.5Z' }, 'tcb_info.nextUpdate'],
    ['the 31st of April', { nextUpdate: '2026-04-31T00:00:00Z' }, 'tcb_info.nextUpdate: is not a time of the form'],
    ['the 25th hour', { nextUpdate: '2026-04-30T24:00:00Z' }, 'tcb_info.nextUpdate'],
    ['a second too many', { nextUpdate: '2026-04-30T23:59:60Z' }, 'tcb_info.nextUpdate'],
    ['a line feed behind a date', { nextUpdate: '2026-04-30T23:59:59Z\n' }, 'tcb_info.nextUpdate'],
    ['the year 26', { nextUpdate: '0026-04-30T00:00:00Z' }, 'tcb_info.nextUpdate'],
    ['a date as number', { nextUpdate: 1_780_272_000 }, 'tcb_info.nextUpdate: expected text, found number'],
    [
      '15 components in version 2',
      old({ tcbLevels: [oldLevel({ sgxtcbcomp16svn: undefined })] }),
      'tcb_info.tcbLevels[0].tcb.sgxtcbcomp16svn: is missing',
    ],
  ])('is refused with %s', (_what, changed, problem) => {
    expect(() => read(changed)).toThrow(expect.objectContaining({ message: expect.stringContaining(problem) }))
  })
})
