import { describe, expect, it } from 'vitest'
import { toHex } from '../../../client/primitives/bytes.ts'
import { type QeIdentity, readQeIdentity } from '../../../client/verify/collateral/qe-identity.ts'
import { qeIdentity } from './_pki.ts'

const read = (changed: object = {}): QeIdentity => readQeIdentity({ value: qeIdentity(changed), path: 'qe_identity' })
const level = (isvsvn: unknown, changed: object = {}): object => ({
  ...{ tcb: { isvsvn }, tcbDate: '2025-05-14T00:00:00Z', tcbStatus: 'OutOfDate' },
  ...changed,
})

describe('a QE identity (TDX.md sections 5 and 6)', () => {
  it('is read', () => {
    const { miscselect, miscselectMask, attributes, attributesMask, mrsigner, ...rest } = read({
      tcbLevels: [level(2), level(8), level(5)],
    })
    expect([miscselect, miscselectMask, attributes, attributesMask, mrsigner].map(toHex)).toEqual([
      '00000000',
      'ffffffff',
      '11000000000000000000000000000000',
      'fbffffffffffffff0000000000000000',
      'dc'.repeat(32),
    ])
    expect(rest).toMatchObject({ id: 'TD_QE', version: 2, evaluation: 17, isvprodid: 2, issueDate: Date.UTC(2026, 4, 21) / 1000 })
    expect(rest.levels.map(({ isvsvn, status, advisories }) => [isvsvn, status, advisories])).toEqual(
      [8, 5, 2].map((svn) => [svn, 'OutOfDate', []]),
    )
    expect(read({ id: 'QE', more: 1 }).id).toBe('QE')
  })

  it.each<readonly [what: string, changed: object, problem: string]>([
    ['the QVE’s id', { id: 'QVE' }, 'qe_identity.id: expected QE or TD_QE, found "QVE"'],
    ['no id', { id: undefined }, 'qe_identity.id: is missing'],
    ['version 1', { version: 1 }, 'qe_identity.version: expected 2, found 1'],
    ['version 3', { version: 3 }, 'qe_identity.version: expected 2, found 3'],
    ['a short MRSIGNER', { mrsigner: 'DC' }, 'qe_identity.mrsigner: expected 64 hex digits, found 2'],
    ['a short mask', { attributesMask: 'FF' }, 'qe_identity.attributesMask: expected 32 hex digits'],
    ['no mask', { miscselectMask: undefined }, 'qe_identity.miscselectMask: is missing'],
    ['a long MISCSELECT', { miscselect: '0000000000' }, 'qe_identity.miscselect'],
    ['a product id past 65,535', { isvprodid: 65_536 }, 'qe_identity.isvprodid'],
    ['no levels', { tcbLevels: [] }, 'qe_identity.tcbLevels: has no levels'],
    [
      'a level twice',
      { tcbLevels: [level(4), level(4, { tcbStatus: 'UpToDate' })] },
      'qe_identity.tcbLevels: has two levels of the same SVNs',
    ],
    ['an SVN past 65,535', { tcbLevels: [level(65_536)] }, 'qe_identity.tcbLevels[0].tcb.isvsvn'],
    [
      'an unknown status',
      { tcbLevels: [level(1, { tcbStatus: 'uptodate' })] },
      'qe_identity.tcbLevels[0].tcbStatus: unknown status "uptodate"',
    ],
    ['no evaluation number', { tcbEvaluationDataNumber: null }, 'qe_identity.tcbEvaluationDataNumber: is missing'],
  ])('is refused with %s', (_what, changed, problem) => {
    expect(() => read(changed)).toThrow(expect.objectContaining({ message: expect.stringContaining(problem) }))
  })
})
