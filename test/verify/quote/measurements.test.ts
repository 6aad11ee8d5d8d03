import { describe, expect, it } from 'vitest'
import { svnLevel } from '../_collateral-writer.ts'
import { svns } from '../_quote-mock.ts'
import { found, inspect, pki, type Scene } from './_inspect.ts'

// TDX.md section 9, last paragraph.

const hex = (byte: string, length: number): string => byte.repeat(length)
const enclave: Scene = { quote: { bodyType: 1 }, collateral: { tcbInfo: { id: 'SGX' }, qeIdentity: { id: 'QE' } } }

describe('what a verdict tells of the quote', () => {
  it('measurements of a TD, of an enclave, and the platform', async () => {
    expect((await inspect({ quote: { version: 5, bodyType: 3 } })).measurements).toMatchObject({
      ...{ kind: 'td15', mrTd: hex('a0', 48), rtmr3: hex('b3', 48), reportData: hex('d0', 64) },
      ...{ teeTcbSvn2: '05010600000000000000000000000000', mrServiceTd: hex('00', 48) },
    })
    expect((await inspect(enclave)).measurements).toMatchObject({ kind: 'sgx', mrEnclave: hex('e1', 32), mrSigner: hex('e2', 32) })
    expect((await inspect()).platform).toEqual({
      fmspc: '00606a000000',
      pceid: '0001',
      ppid: hex('a1', 16),
      platformInstanceId: hex('c3', 16),
    })
  })

  it('the oldest date and every advisory of platform, QE and module, each once', async () => {
    const verdict = await inspect({
      quote: { report: { teeTcbSvn: svns(3, 1, 4) }, qe: { isvSvn: 2 } },
      collateral: {
        qeIdentity: {
          tcbLevels: [{ ...svnLevel(pki, 2, 'OutOfDate', ['INTEL-SA-00002', 'INTEL-SA-00001']), tcbDate: '2020-01-01T00:00:00Z' }],
        },
      },
    })
    expect(verdict).toMatchObject({ tcbDate: '2020-01-01T00:00:00Z', advisories: ['INTEL-SA-00001', 'INTEL-SA-00002', 'INTEL-SA-00003'] })
    expect(found(verdict, 'quote.tcb')).toMatch(/^OutOfDate; tdxtcbcomponents\[2\] 4 < 6$/)
  })
})
