import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../client/primitives/bytes.ts'
import type { QuoteCheckName } from '../../../client/verify/attestation.ts'
import { inspectQuote, parsePolicy } from '../../../client/verify/quote/index.ts'
import { svnLevel } from '../_collateral-writer.ts'
import { of, svns, writeQuote } from '../_quote-mock.ts'
import { AT, ecdsa, failures, handleOf, inspect, pki, type Scene } from './_inspect.ts'

// TDX.md section 9.

const DAY = 86_400
const hex = (byte: string, length: number): string => byte.repeat(length)
/** A platform on the second level of the mock TCB info, which is dated 90 days before. */
const old: Scene = { quote: { report: { teeTcbSvn: svns(5, 1, 4) } } }
const enclave: Scene = { quote: { bodyType: 1 }, collateral: { tcbInfo: { id: 'SGX' }, qeIdentity: { id: 'QE' } } }
const attributes = (bits: string): Scene => ({ quote: { report: { tdAttributes: fromHex(bits) } } })
const xfam = (bits: string): Scene => ({ quote: { report: { xfam: fromHex(bits) } } })
const service: Scene = { quote: { version: 5, bodyType: 3, report: { mrServiceTd: of(48, 0x5e) } } }
const fullReportData = hex('d0', 64)

const CASES: readonly (readonly [check: QuoteCheckName, name: string, scene: Scene, refused: object, accepted: object | null])[] = [
  ['policy.status', 'an outdated platform', old, {}, { statuses: ['OutOfDate'] }],
  ['policy.status', 'an outdated platform, days of grace', old, { graceSeconds: 90 * DAY - 1 }, { graceSeconds: 90 * DAY }],
  ['policy.status', 'no status', {}, { statuses: [] }, null],
  [
    'policy.status',
    'a revoked QE',
    { collateral: { qeIdentity: { tcbLevels: [svnLevel(pki, 1, 'Revoked')] } } },
    { graceSeconds: 900 * DAY },
    null,
  ],
  ['policy.age', 'collateral of ten days', {}, { maxAgeSeconds: 10 * DAY - 1 }, { maxAgeSeconds: 10 * DAY }],
  [
    'policy.advisories',
    'one that is denied',
    old,
    { statuses: ['OutOfDate'], advisories: { deny: ['INTEL-SA-00002'] } },
    { statuses: ['OutOfDate'], advisories: { deny: ['INTEL-SA-00009'] } },
  ],
  [
    'policy.advisories',
    'one that is not allowed',
    old,
    { statuses: ['OutOfDate'], advisories: { allow: [] } },
    { statuses: ['OutOfDate'], advisories: { allow: ['INTEL-SA-00002'] } },
  ],
  ['policy.debug', 'a TD', attributes('0100001000000000'), { tdAttributes: ['PKS'] }, null],
  [
    'policy.debug',
    'an enclave',
    { ...enclave, quote: { bodyType: 1, report: { attributes: fromHex('07000000000000000700000000000000') } } },
    {},
    null,
  ],
  ['policy.attributes', 'PKS', attributes('0000005000000000'), {}, { tdAttributes: ['PKS'] }],
  ['policy.attributes', 'KL', attributes('0000009000000000'), {}, { tdAttributes: ['KL'] }],
  ['policy.attributes', 'LASS', attributes('0000001800000000'), {}, { tdAttributes: ['LASS'] }],
  ['policy.attributes', 'MIGRATABLE', attributes('0000003000000000'), { tdAttributes: ['PKS'] }, { tdAttributes: ['MIGRATABLE'] }],
  ['policy.attributes', 'PERFMON', attributes('0000001000000080'), {}, { tdAttributes: ['PERFMON'] }],
  ['policy.attributes', 'no SEPT_VE_DISABLE', attributes('0000000000000000'), {}, { septVeDisable: false }],
  [
    'policy.attributes',
    'a reserved bit',
    attributes('0000001001000000'),
    { tdAttributes: ['LASS', 'MIGRATABLE', 'PKS', 'KL', 'PERFMON'] },
    null,
  ],
  [
    'policy.attributes',
    'a profiling bit',
    attributes('2000001000000000'),
    { tdAttributes: ['LASS', 'MIGRATABLE', 'PKS', 'KL', 'PERFMON'] },
    null,
  ],
  ['policy.xfam', 'no SSE', xfam('0100000000000000'), {}, { xfam: { required: '0100000000000000' } }],
  ['policy.xfam', 'a bit that TDX does not know', xfam('0300000000000001'), {}, { xfam: { allowed: '0300000000000001' } }],
  ['policy.serviceTd', 'a service TD', service, { serviceTds: [hex('5f', 48)] }, { serviceTds: [hex('5f', 48), hex('5E', 48)] }],
  [
    'policy.measurements',
    'MR_TD',
    {},
    { measurements: { baseline: { mrTd: hex('a1', 48) } } },
    { measurements: { baseline: { mrTd: hex('A0', 48) } } },
  ],
  ...([0, 1, 2, 3] as const).map(
    (i) =>
      [
        'policy.measurements',
        `RTMR${i}`,
        {},
        { measurements: { baseline: { [`rtmr${i}`]: hex('ff', 48) } } },
        { measurements: { baseline: { [`rtmr${i}`]: hex(`b${i}`, 48) } } },
      ] as const,
  ),
  ...(['mrConfigId', 'mrOwner', 'mrOwnerConfig', 'mrSeam', 'mrSignerSeam'] as const).map(
    (name) =>
      [
        'policy.measurements',
        name,
        {},
        { measurements: { baseline: { [name]: hex('ff', 48) } } },
        { measurements: { baseline: { [name]: hex('00', 48) } } },
      ] as const,
  ),
  [
    'policy.measurements',
    'none of the variants',
    {},
    { measurements: { variants: [{ mrTd: hex('a1', 48) }, { mrTd: hex('a0', 48), rtmr0: hex('00', 48) }] } },
    { measurements: { variants: [{ mrTd: hex('a1', 48) }, { mrTd: hex('a0', 48) }] } },
  ],
  [
    'policy.measurements',
    'a variant and not the baseline',
    {},
    { measurements: { baseline: { rtmr1: hex('00', 48) }, variants: [{ mrTd: hex('a0', 48) }] } },
    { measurements: { baseline: { rtmr1: hex('b1', 48) }, variants: [{ mrTd: hex('a0', 48) }] } },
  ],
  ['policy.measurements', 'what a TD does not have', {}, { measurements: { baseline: { mrEnclave: hex('00', 32) } } }, null],
  [
    'policy.measurements',
    'MRENCLAVE',
    enclave,
    { measurements: { baseline: { mrEnclave: hex('e2', 32) } } },
    { measurements: { baseline: { mrEnclave: hex('e1', 32) } } },
  ],
  [
    'policy.measurements',
    'ISVSVN',
    { ...enclave, quote: { bodyType: 1, report: { isvSvn: 7 } } },
    { measurements: { baseline: { isvSvn: 8 } } },
    { measurements: { baseline: { isvSvn: 6 } } },
  ],
  [
    'policy.measurements',
    'ISVPRODID',
    { ...enclave, quote: { bodyType: 1, report: { isvProdId: 7 } } },
    { measurements: { baseline: { isvProdId: 6 } } },
    { measurements: { baseline: { isvProdId: 7 } } },
  ],
  ['policy.reportData', 'all of it', {}, { reportData: `${fullReportData.slice(2)}d1` }, { reportData: fullReportData }],
  ['policy.reportData', 'how it begins', {}, { reportData: 'd1' }, { reportData: 'd0' }],
  ['policy.platforms', 'another PPID', {}, { platforms: { ppids: [hex('00', 16)] } }, { platforms: { ppids: [hex('a1', 16)] } }],
  [
    'policy.platforms',
    'another platform instance',
    {},
    { platforms: { platformInstanceIds: [hex('a1', 16)] } },
    { platforms: { platformInstanceIds: [hex('c3', 16)] } },
  ],
  ['policy.platforms', 'a list of none', {}, { platforms: {} }, null],
]

describe('what a policy refuses', () => {
  it.each(CASES)('%s: %s', async (check, _, scene, refused, accepted) => {
    const verdict = await inspect({ ...scene, policy: refused })
    expect(Object.keys(failures(verdict))).toEqual([check])
    expect(verdict.accepted).toBe(false)
    // A policy changes nothing of what Intel says.
    expect(verdict.status).not.toBeNull()
    if (accepted === null) return
    expect(failures(verdict)[check]).toContain(`\`${Object.keys(accepted).at(-1)}`)
    const allowed = await inspect({ ...scene, policy: accepted })
    expect(failures(allowed)).toEqual({})
    expect(allowed.accepted).toBe(true)
  })

  it('a policy that was written by hand accepts neither Revoked nor an empty prefix', async () => {
    const revoked = { collateral: { qeIdentity: { tcbLevels: [svnLevel(pki, 1, 'Revoked')] } } }
    const written = { ...parsePolicy({}), statuses: ['UpToDate', 'Revoked'] as const, reportData: '' }
    const verdict = await inspectQuote(writeQuote(pki), await handleOf(revoked.collateral), { at: AT, ecdsa, policy: written })
    expect(Object.keys(failures(verdict))).toEqual(['policy.status', 'policy.reportData'])
  })
})

describe('when a verdict ends', () => {
  it.each([
    ['with the collateral', {}, {}, AT + 20 * DAY],
    ['with the days of grace', old, { graceSeconds: 100 * DAY }, AT + 10 * DAY],
    ['with the age that the policy allows', {}, { maxAgeSeconds: 15 * DAY }, AT + 5 * DAY],
  ] as const)('%s', async (_, scene, policy, expires) => {
    const verdict = await inspect({ ...scene, policy })
    expect(verdict).toMatchObject({ accepted: true, expires })
    const collateral = await handleOf()
    const options = { ecdsa, policy: parsePolicy(policy) }
    const quote = writeQuote(pki, scene === old ? old.quote : {})
    expect((await inspectQuote(quote, collateral, { ...options, at: expires })).accepted).toBe(true)
    expect((await inspectQuote(quote, collateral, { ...options, at: expires + 1 })).accepted).toBe(false)
  })
})
