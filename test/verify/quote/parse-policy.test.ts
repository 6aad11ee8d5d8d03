import { describe, expect, it } from 'vitest'
import { parsePolicy } from '../../../client/verify/quote/index.ts'

// TDX.md section 9: the policy is explicit.

const hex = (byte: string, length: number): string => byte.repeat(length)

describe('a policy as JSON', () => {
  it('has the strictest values where it names nothing', () => {
    expect(parsePolicy({})).toMatchObject({
      statuses: ['UpToDate'],
      graceSeconds: 0,
      tdAttributes: [],
      septVeDisable: true,
      serviceTds: [],
    })
    expect(parsePolicy({ '//': 'a comment', '// statuses': 1 })).toEqual(parsePolicy({}))
  })

  it.each([
    ['$', [], /expected an object/],
    ['$.status', { status: ['UpToDate'] }, /is no field of a policy/],
    ['$.__proto__', JSON.parse('{"__proto__":{}}'), /is no field/],
    ['$.statuses[0]', { statuses: ['Revoked'] }, /expected one of UpToDate/],
    ['$.statuses', { statuses: null }, /expected a list/],
    ['$.statuses', { statuses: new Array(1_025).fill('UpToDate') }, /more than 1024/],
    ['$.graceSeconds', { graceSeconds: -1 }, /whole number/],
    ['$.graceSeconds', { graceSeconds: '60' }, /whole number/],
    ['$.maxAgeSeconds', { maxAgeSeconds: 0.5 }, /whole number/],
    ['$.septVeDisable', { septVeDisable: 1 }, /true or false/],
    ['$.tdAttributes[0]', { tdAttributes: ['DEBUG'] }, /expected one of LASS/],
    ['$.xfam.required', { xfam: { required: '03' } }, /expected 16 digits/],
    ['$.serviceTds[0]', { serviceTds: ['00'] }, /expected 96 digits/],
    ['$.measurements.baseline.mrTD', { measurements: { baseline: { mrTD: hex('a0', 48) } } }, /is no field/],
    ['$.measurements.baseline.mrTd', { measurements: { baseline: { mrTd: hex('a0', 32) } } }, /expected 96 digits/],
    ['$.measurements.variants[0].isvSvn', { measurements: { variants: [{ isvSvn: 65_536 }] } }, /whole number/],
    ['$.measurements.variants[1]', { measurements: { variants: [{ isvSvn: 1 }, { '//': 'none' }] } }, /names no measurement/],
    ['$.reportData', { reportData: '' }, /0 bytes, expected 1 to 64/],
    ['$.reportData', { reportData: hex('00', 65) }, /65 bytes/],
    ['$.platforms.ppids[0]', { platforms: { ppids: ['00'] } }, /expected 32 digits/],
    ['$.advisories.denied', { advisories: { denied: [] } }, /is no field/],
  ])('%s is refused by its path', (path, json, wording) => {
    const thrown = (() => {
      try {
        return parsePolicy(json)
      } catch (error) {
        return error
      }
    })()
    expect(thrown).toMatchObject({ name: 'Config.ParseError', path, message: expect.stringMatching(wording) })
  })
})
