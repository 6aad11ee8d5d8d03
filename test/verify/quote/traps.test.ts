import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { concat, fromHex, utf8 } from '../../../client/primitives/bytes.ts'
import type { QuoteCheckName } from '../../../client/verify/attestation.ts'
import { inspectQuote, parsePolicy } from '../../../client/verify/quote/index.ts'
import { newKeys } from '../../pki.ts'
import { moduleIdentity, PLATFORM, pem, serialOf, svnLevel, tcbLevel } from '../_collateral-writer.ts'
import { of, svns, writeQuote } from '../_quote-mock.ts'
import { AT, ecdsa, failures, handleOf, inspect, pki, type Scene } from './_inspect.ts'

const sha256 = (message: Uint8Array): Uint8Array => createHash('sha256').update(message).digest()

// TDX.md, "What must be checked" and "What others get wrong": each thing wrong for itself, and the one check that says so.

const other = newKeys()

const level = { sgx: PLATFORM.components, pcesvn: PLATFORM.pcesvn, tdx: [5, 0, 6], status: 'UpToDate' }
const oldModule = { tdxModuleIdentities: [moduleIdentity(pki, 'TDX_01', [svnLevel(pki, 6, 'UpToDate')])] }

const TRAPS: readonly (readonly [trap: string, scene: Scene, check: QuoteCheckName, found: RegExp])[] = [
  ['a quote signed by another key than it shows', { quote: { parts: { value: of(64, 1) } } }, 'quote.signature', /does not hold/],
  ['a QE report signed by another key than the PCK', { quote: { qeSignedBy: other } }, 'quote.qeSignature', /does not hold/],
  ['a QE report that binds another key', { quote: { qe: { reportData: of(64, 1) } } }, 'quote.binding', /^0101/],
  [
    'a QE report with more than the hash in its data',
    {
      quote: {
        attestationKeys: other,
        auth: of(32, 7),
        qe: { reportData: concat(sha256(concat(other.spki.slice(-64), of(32, 7))), of(32, 1)) },
      },
    },
    'quote.binding',
    /(01){32}$/,
  ],
  ['an enclave of anybody as QE (CVE-2026-22696)', { quote: { qe: { mrSigner: of(32, 1) } } }, 'quote.qe', /^mrsigner 0101/],
  ["another enclave of Intel's as QE", { quote: { qe: { isvProdId: 1 } } }, 'quote.qe', /^isvprodid 1$/],
  ['a QE in debug mode', { quote: { qe: { attributes: fromHex('17000000000000000700000000000000') } } }, 'quote.qe', /^attributes 13/],
  ['a QE of another MISCSELECT', { quote: { qe: { miscSelect: 1 } } }, 'quote.qe', /^miscselect 01000000/],
  ['a QE below every level', { quote: { qe: { isvSvn: 1 } } }, 'quote.qe', /isvsvn 1 is below every level/],
  ['the identity of the QE of SGX', { collateral: { qeIdentity: { id: 'QE' } } }, 'quote.qe', /identity is of QE$/],
  ['TCB info of another FMSPC', { collateral: { tcbInfo: { fmspc: '00606A000001' } } }, 'quote.platform', /FMSPC 00606a000001/],
  ['TCB info of another PCEID', { collateral: { tcbInfo: { pceId: '0002' } } }, 'quote.platform', /PCEID 0002/],
  [
    'a module that the TCB info does not name',
    { quote: { report: { teeTcbSvn: svns(5, 2, 6) } } },
    'quote.module',
    /TDX_02.*no such module/,
  ],
  ['a module of another signer', { quote: { report: { mrSignerSeam: of(48, 1) } } }, 'quote.module', /^mrSignerSeam 0101/],
  ['a module with attributes', { quote: { report: { seamAttributes: of(8, 1) } } }, 'quote.module', /^seamAttributes 0101/],
  [
    'a module with attributes that the TCB info has too',
    {
      quote: { report: { seamAttributes: of(8, 1) } },
      collateral: { tcbInfo: { tdxModuleIdentities: [{ ...moduleIdentity(pki, 'TDX_01', []), attributes: '01'.repeat(8) }] } },
    },
    'quote.module',
    /^seamAttributes 0101/,
  ],
  ['a module below every level', { quote: { report: { teeTcbSvn: svns(2, 1, 6) } } }, 'quote.module', /SVN 2 is below every level/],
  [
    'a module of version 0 of another signer',
    { quote: { report: { teeTcbSvn: svns(5, 0, 6), mrSignerSeam: of(48, 1) } } },
    'quote.module',
    /^mrSignerSeam/,
  ],
  ['a platform below every level', { quote: { report: { teeTcbSvn: svns(5, 1, 3) } } }, 'quote.tcb', /tdxtcbcomponents\[2\] 3 < 6/],
  [
    'a TD that runs on no level',
    { quote: { version: 5, bodyType: 3, report: { teeTcbSvn2: svns(5, 1, 3) } } },
    'quote.relaunch',
    /now on no level/,
  ],
  [
    'a TD that runs under no module',
    { quote: { version: 5, bodyType: 4, report: { teeTcbSvn2: svns(5, 9, 6) } } },
    'quote.relaunch',
    /now on no level/,
  ],
  ['a PCK that is revoked', { collateral: { revoked: { pck: [serialOf('pck')] } } }, 'quote.revocation', /serial 04 is revoked/],
  ['certification data of type 4 and no chain', { quote: { parts: { pckType: 4 } } }, 'quote.pckChain', /no pck_certificate_chain/],
  ['certification data of type 2', { quote: { parts: { pckType: 2 } } }, 'quote.pckChain', /names no certificate/],
  ['no certificate at all', { quote: { parts: { pck: new Uint8Array(0) } } }, 'quote.pckChain', /pck at 0: holds no certificate/],
  ['a PCK without its authority', { quote: { parts: { pck: utf8(pem(pki.pck, pki.root)) } } }, 'quote.pckChain', /no chain of issuers/],
  ['an authority in place of the PCK', { quote: { parts: { pck: utf8(pem(pki.authority, pki.root)) } } }, 'quote.pckChain', /found 2$/],
  ['a quote that ends early', { quote: { parts: { keepSignature: 500 } } }, 'quote.shape', /^quote\.signature\.\S+ at \d+: /],
  [
    'a debuggable TD on a platform that is up to date',
    { quote: { report: { tdAttributes: fromHex('0100001000000000') } } },
    'policy.debug',
    /DEBUG/,
  ],
]

describe('each thing wrong for itself', () => {
  it('is refused in no right quote', async () => {
    const verdict = await inspect()
    expect(failures(verdict)).toEqual({})
    expect(verdict).toMatchObject({ accepted: true, status: 'UpToDate', root: 'development' })
  })

  it.each(TRAPS)('%s', async (_, scene, check, wording) => {
    const verdict = await inspect(scene)
    expect(verdict.accepted).toBe(false)
    expect(failures(verdict)[check]).toMatch(wording)
    expect(Object.keys(failures(verdict))).toEqual([check])
    expect(verdict.status).toBe(check.startsWith('policy.') ? 'UpToDate' : null)
  })
})

describe('what is wrong in more than one respect', () => {
  it('a body that was changed after it was signed: each byte of it', async () => {
    const collateral = await handleOf()
    const quote = writeQuote(pki)
    const options = { at: AT, ecdsa, policy: parsePolicy({}) }
    for (let at = 48; at < 48 + 584; at += 73) {
      const changed = quote.map((byte, i) => (i === at ? byte ^ 1 : byte))
      expect(failures(await inspectQuote(changed, collateral, options))).toMatchObject({ 'quote.signature': 'it does not hold' })
    }
  })

  it('TCB info of SGX has neither levels nor modules of TDX', async () => {
    const wrong = failures(await inspect({ collateral: { tcbInfo: { id: 'SGX' } } }))
    expect(Object.keys(wrong)).toEqual(['quote.platform', 'quote.module'])
  })
})

describe('what is no fault', () => {
  const fine: readonly (readonly [name: string, scene: Scene])[] = [
    ['QE data of any length', { quote: { auth: of(1_000, 3) } }],
    ['no QE data', { quote: { auth: new Uint8Array(0) } }],
    ['bytes behind the quote', { quote: { parts: { trailing: of(3_065, 0xee) } } }],
    [
      'the end of a C string behind the chain',
      { quote: { parts: { pck: concat(utf8(pem(pki.pck, pki.authority, pki.root)), of(1, 0)) } } },
    ],
    [
      'levels in another order',
      { collateral: { tcbInfo: { tcbLevels: [tcbLevel(pki, { ...level, pcesvn: 1, status: 'OutOfDate' }), tcbLevel(pki, level)] } } },
    ],
    [
      'SVNs of the module itself above 1.x, which its identity has',
      { quote: { report: { teeTcbSvn: svns(6, 1, 6) } }, collateral: { tcbInfo: oldModule } },
    ],
    [
      'a module of version 0 without an identity',
      { quote: { report: { teeTcbSvn: svns(5, 0, 6) } }, collateral: { tcbInfo: { tdxModuleIdentities: [] } } },
    ],
    [
      'the chain of the collateral',
      { quote: { parts: { pckType: 1 } }, collateral: { members: { pck_certificate_chain: pem(pki.pck, pki.authority, pki.root) } } },
    ],
    ['version 5, TD 1.0', { quote: { version: 5, bodyType: 2 } }],
    ['version 5, TD 1.5', { quote: { version: 5, bodyType: 3 } }],
    ['version 5, TD 1.5 extended', { quote: { version: 5, bodyType: 4 } }],
    ...([3, 4, 5] as const).map(
      (version) =>
        [
          `version ${version}, SGX`,
          { quote: { version, bodyType: 1 }, collateral: { tcbInfo: { id: 'SGX' }, qeIdentity: { id: 'QE' } } },
        ] as const,
    ),
  ]

  it.each(fine)('%s', async (_, scene) => {
    const verdict = await inspect(scene)
    expect(failures(verdict)).toEqual({})
    expect(verdict.accepted).toBe(true)
  })
})
