import { describe, expect, it } from 'vitest'
import { type Bytes, concat, fromHex, toHex, utf8 } from '../../../client/primitives/bytes.ts'
import { INTEL_ROOT, type QuoteCheck, type VerifyEcdsa } from '../../../client/verify/attestation.ts'
import {
  type Collateral,
  CollateralError,
  type CollateralOptions,
  collateralHash,
  createEcdsa,
  inspectCollateral,
  isFresh,
  verifyCollateral,
} from '../../../client/verify/collateral/index.ts'
import { AUTHORITY_USAGE, basicConstraints, name, newKeys, SIGNER_USAGE, validity } from '../../pki.ts'
import * as der from '../../wasm/_der-writer.ts'
import * as pki from './_pki.ts'
import { encodeCollateral } from './_write.ts'

const { AT, collateral } = pki
const DAY = 86_400
const options: CollateralOptions = { root: pki.trusted(), at: AT, ecdsa: pki.ecdsa }

const inspect = (changed: Partial<Collateral>, more: Partial<CollateralOptions> = {}) =>
  inspectCollateral(collateral(changed), { ...options, ...more })

/** What failed, and why. */
const failures = (checks: readonly QuoteCheck[]): readonly string[] =>
  checks.filter(({ state }) => state === 'failed').map(({ name, found }) => `${name}: ${found}`)

const refusal = async (changed: Partial<Collateral>, more: Partial<CollateralOptions> = {}): Promise<string> => {
  const { checks, verified } = await inspect(changed, more)
  expect(verified).toBeNull()
  return failures(checks).join('\n')
}

const other = newKeys()
const signers = (certificate: Bytes, ...rest: readonly Bytes[]) => {
  const chain = [certificate, ...(rest.length > 0 ? rest : [pki.root])]
  return { tcbInfoIssuerChain: chain, qeIdentityIssuerChain: chain }
}
const authorities = (certificate: Bytes) => ({ pckCrlIssuerChain: [certificate, pki.root] })
const roots = (certificate: Bytes) => ({ pckCrlIssuerChain: [pki.authority, certificate], ...signers(pki.signer, certificate) })
const lists = (changed: Partial<Parameters<typeof pki.listOf>[2]>) => pki.listOf(pki.rootKeys, pki.ROOT, changed)

describe('collateral (TDX.md sections 3 to 5)', () => {
  it('that is right gives a handle: every check passed but the rollback, for which nothing was remembered', async () => {
    const { checks, verified } = await inspect({})
    expect(checks.map(({ name, state, source }) => [name, state, source])).toEqual([
      ['collateral.shape', 'passed', 'TDX.md section 5'],
      ['collateral.chains', 'passed', 'TDX.md section 3'],
      ['collateral.crls', 'passed', 'TDX.md section 4'],
      ['collateral.tcbInfo', 'passed', 'TDX.md section 5'],
      ['collateral.qeIdentity', 'passed', 'TDX.md section 5'],
      ['collateral.rollback', 'unproven', 'TDX.md section 5'],
    ])
    expect(verified).toMatchObject({ at: AT, root: options.root, pckChain: null, checks })
    expect(verified?.hash).toEqual(collateralHash(collateral()))
    expect(verified?.intermediate.subject.commonName).toBe('Intel SGX PCK Platform CA')
    expect(verified?.rootCertificate.subject.commonName).toBe('Intel SGX Root CA')
    expect([verified?.tcbInfo.evaluation, verified?.qeIdentity.evaluation]).toEqual([18, 17])
  })

  it('is read from its JSON too, and two stages with the library say what two with WebCrypto say', async () => {
    const text = encodeCollateral(collateral())
    const verdicts = await Promise.all([
      inspectCollateral(text, options),
      inspectCollateral(utf8(text), options),
      inspectCollateral(text, { ...options, ecdsa: createEcdsa(undefined) }),
    ])
    const { checks } = await inspect({})
    for (const verdict of verdicts) expect(verdict.checks).toEqual(checks)
  })

  it('says of a development root that it is one, and of Intel’s that it is not this one', async () => {
    const { checks } = await inspect({})
    expect(checks[1]?.found).toContain(`under development root ${toHex(options.root.spkiHash)}`)
    expect(await refusal({}, { root: { spkiHash: fromHex(INTEL_ROOT), development: false } })).toContain(
      `pck_crl_issuer_chain[1].spki: SHA-256 ${toHex(options.root.spkiHash)}, the trusted root has ${INTEL_ROOT}`,
    )
  })

  it('is thrown with its checks by verifyCollateral, the message naming the first that failed', async () => {
    await expect(verifyCollateral(collateral(), options)).resolves.toMatchObject({ at: AT })
    const thrown = await verifyCollateral(collateral({ rootCaCrl: new Uint8Array() }), options).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(CollateralError)
    expect(thrown).toMatchObject({
      name: 'Verify.CollateralError',
      message: expect.stringMatching(/^collateral\.crls failed: root_ca_crl/),
    })
    expect((thrown as CollateralError).checks).toHaveLength(6)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, AT + 0.5])('is not verified at %s, which is no time', async (at) => {
    await expect(inspect({}, { at })).rejects.toThrow(TypeError)
  })

  it('that cannot be read fails one check, and the others stay unproven', async () => {
    const { checks, verified } = await inspectCollateral('{"pck_crl": 1}', options)
    expect(verified).toBeNull()
    expect(checks.map(({ state }) => state)).toEqual(['failed', ...Array.from({ length: 5 }, () => 'unproven')])
    expect(checks[0]?.found).toBe('$.pck_crl_issuer_chain: is missing')
    expect(await refusal({ tcbInfoSignature: new Uint8Array(63) })).toContain('collateral.shape: Collateral.tcbInfoSignature')
  })

  it('starts no signature check twice: six, and the root’s own once for a port', async () => {
    const calls: string[] = []
    const counted: VerifyEcdsa = (key, signature, message) => {
      calls.push(toHex(concat(key, signature, message)))
      return pki.ecdsa(key, signature, message)
    }
    await verifyCollateral(collateral(), { ...options, ecdsa: counted })
    const first = calls.length
    await verifyCollateral(collateral(), { ...options, ecdsa: counted })
    expect([new Set(calls).size, calls.length - first]).toEqual([7, 6])
  })
})

describe('chains (TDX.md section 3)', () => {
  const late = validity(AT + 1, AT + DAY)
  const past = validity(AT - DAY, AT - 1)
  it.each<readonly [what: string, changed: Partial<Collateral>, found: string]>([
    ['an authority signed by another key', authorities(pki.authorityCertificate({}, other)), 'pck_crl_issuer_chain[0].signature'],
    [
      'an authority that is none',
      authorities(pki.authorityCertificate({ extensions: [AUTHORITY_USAGE, basicConstraints(false)] })),
      '[0].basicConstraints: not an authority',
    ],
    [
      'an authority without constraints',
      authorities(pki.authorityCertificate({ extensions: [AUTHORITY_USAGE] })),
      '[0].basicConstraints: not an authority',
    ],
    [
      'an authority that may not sign certificates',
      authorities(pki.authorityCertificate({ extensions: [SIGNER_USAGE, basicConstraints(true, 0)] })),
      '[0].keyUsage: lacks keyCertSign and cRLSign',
    ],
    ['an authority without key usage', authorities(pki.authorityCertificate({ extensions: [basicConstraints(true, 0)] })), '[0].keyUsage'],
    ['an authority of yesterday', authorities(pki.authorityCertificate({ validity: past })), 'pck_crl_issuer_chain[0]: valid from'],
    ['an authority of tomorrow', authorities(pki.authorityCertificate({ validity: late })), 'pck_crl_issuer_chain[0]: valid from'],
    [
      'an authority of another name',
      authorities(pki.authorityCertificate({ subject: name('Intel SGX PCK Cloud CA') })),
      '[0].subject: expected Intel SGX PCK Platform CA or Intel SGX PCK Processor CA, found Intel SGX PCK Cloud CA',
    ],
    [
      'an authority of another issuer',
      authorities(pki.authorityCertificate({ issuer: name('Intel SGX Root CB') })),
      'pck_crl_issuer_chain: 2 certificates that are no chain',
    ],
    [
      'a root that allows no authority below its own',
      roots(pki.rootCertificate({ extensions: [AUTHORITY_USAGE, basicConstraints(true, 0)] })),
      '[1].pathLength: 0, 1 authorities stand below',
    ],
    ['a root of yesterday', roots(pki.rootCertificate({ validity: past })), 'tcb_info_issuer_chain[1]: valid from'],
    [
      'a root whose dates nobody signed',
      roots(pki.rootCertificate({}, other)),
      'pck_crl_issuer_chain[1].signature: does not hold under the key of Intel SGX Root CA',
    ],
    ['another root of the same name', roots(pki.rootCertificate({ spki: other.spki }, other)), '[1].spki: SHA-256'],
    ['a signer signed by another key', signers(pki.signerCertificate({}, other)), 'tcb_info_issuer_chain[0].signature'],
    ['a signer of tomorrow', signers(pki.signerCertificate({ validity: late })), 'tcb_info_issuer_chain[0]: valid from'],
    [
      'a signer that is an authority',
      signers(pki.signerCertificate({ extensions: [SIGNER_USAGE, basicConstraints(true)] })),
      '[0].basicConstraints: an authority, where none may stand',
    ],
    [
      'a signer that may not sign',
      signers(pki.signerCertificate({ extensions: [AUTHORITY_USAGE] })),
      '[0].keyUsage: lacks digitalSignature',
    ],
    [
      'a PCK certificate as signer',
      signers(pki.pckCertificate(), pki.authority, pki.root),
      'tcb_info_issuer_chain: expected 2 certificates, found 3',
    ],
    ['an authority as signer', signers(pki.authority), '[0].subject: expected Intel SGX TCB Signing, found Intel SGX PCK Platform CA'],
    ['a signer alone', { tcbInfoIssuerChain: [pki.signer] }, 'tcb_info_issuer_chain: 1 certificates that are no chain'],
    ['a root alone', { qeIdentityIssuerChain: [pki.root] }, 'qe_identity_issuer_chain: expected 2 certificates, found 1'],
    ['a root twice', { pckCrlIssuerChain: [pki.authority, pki.root, pki.root] }, 'pck_crl_issuer_chain: 3 certificates that are no chain'],
    ['a certificate that is none', { tcbInfoIssuerChain: [Uint8Array.of(0x30, 0), pki.root] }, 'tcb_info_issuer_chain[0]'],
    [
      'a signer of the QE identity of its own that is wrong',
      { qeIdentityIssuerChain: [pki.signerCertificate({ validity: past }), pki.root] },
      'qe_identity_issuer_chain[0]: valid from',
    ],
    [
      'a PCK certificate signed by another key',
      { pckCertificateChain: [pki.pckCertificate({}, other), pki.authority, pki.root] },
      'pck_certificate_chain[0].signature: does not hold under the key of Intel SGX PCK Platform CA',
    ],
    [
      'a PCK certificate that says nothing of its platform',
      { pckCertificateChain: [pki.pckCertificate({ extensions: [SIGNER_USAGE] }), pki.authority, pki.root] },
      'pck_certificate_chain[0].sgx',
    ],
  ])('with %s are refused', async (_what, changed, found) => {
    const refused = await refusal(changed)
    expect(refused).toContain('collateral.chains: ')
    expect(refused).toContain(found)
  })

  it('may have their certificates in any order, and end on the last second of a certificate', async () => {
    expect((await inspect({ pckCrlIssuerChain: [pki.root, pki.authority], ...signers(pki.root, pki.signer) })).verified).not.toBeNull()
    const last = pki.authorityCertificate({ validity: validity(AT - 1, AT) })
    expect((await inspect(authorities(last))).verified).toMatchObject({ notBefore: AT - 1, expires: AT })
    expect(await refusal(authorities(last), { at: AT + 1 })).toContain('collateral.chains')
  })

  it('of a PCK certificate are verified where they come along', async () => {
    const { verified } = await inspect({ pckCertificateChain: [pki.pckCertificate(), pki.authority, pki.root] })
    expect(verified?.pckChain?.map(({ subject }) => subject.commonName)).toEqual([
      'Intel SGX PCK Certificate',
      'Intel SGX PCK Platform CA',
      'Intel SGX Root CA',
    ])
  })
})

describe('CRLs (TDX.md section 4)', () => {
  const foreign = pki.listOf(pki.authorityKeys, name('Intel SGX PCK Processor CA'))
  it.each<readonly [what: string, changed: Partial<Collateral>, found: string]>([
    ['an empty root list', { rootCaCrl: new Uint8Array() }, 'root_ca_crl at 0'],
    ['an empty PCK list', { pckCrl: new Uint8Array() }, 'pck_crl at 0'],
    ['garbage', { pckCrl: fromHex('deadbeef') }, 'pck_crl at 0'],
    [
      'the list of another authority',
      { pckCrl: foreign },
      'pck_crl.issuer: expected Intel SGX PCK Platform CA, found Intel SGX PCK Processor CA',
    ],
    ['the root’s list for the authority’s', { pckCrl: pki.rootCrl }, 'pck_crl.issuer'],
    ['the authority’s list for the root’s', { rootCaCrl: pki.pckCrl }, 'root_ca_crl.issuer'],
    ['a list signed by another key', { pckCrl: pki.listOf(other, pki.PLATFORM_CA) }, 'pck_crl.signature'],
    ['a root list signed by another key', { rootCaCrl: pki.listOf(other, pki.ROOT) }, 'root_ca_crl.signature'],
    ['a list that has ended', { rootCaCrl: lists({ nextUpdate: der.time(AT - 1) }) }, 'root_ca_crl: valid from'],
    ['a list that has not begun', { rootCaCrl: lists({ thisUpdate: der.time(AT + 1) }) }, 'root_ca_crl: valid from'],
    [
      'a revoked authority',
      { rootCaCrl: lists({ revoked: pki.revocation(pki.SERIALS.authority) }) },
      'Intel SGX PCK Platform CA with serial 02 is revoked by Intel SGX Root CA',
    ],
    [
      'a revoked signer',
      { rootCaCrl: lists({ revoked: pki.revocation(der.integer(9), pki.SERIALS.signer) }) },
      'Intel SGX TCB Signing with serial 03 is revoked',
    ],
    [
      'a revoked signer of the QE identity alone',
      {
        qeIdentityIssuerChain: [pki.signerCertificate({ serial: der.integer(77) }), pki.root],
        rootCaCrl: lists({ revoked: pki.revocation(der.integer(77)) }),
      },
      'Intel SGX TCB Signing with serial 4d is revoked',
    ],
  ])('with %s are refused', async (_what, changed, found) => {
    const refused = await refusal(changed)
    expect(refused).toContain('collateral.crls: ')
    expect(refused).toContain(found)
  })

  it('hold on their last second, and may name others', async () => {
    const rootCaCrl = lists({ nextUpdate: der.time(AT), revoked: pki.revocation(der.integer(200)) })
    expect((await inspect({ rootCaCrl })).verified?.expires).toBe(AT)
  })

  it('stay unproven where the authority cannot be read', async () => {
    const { checks, verified } = await inspect({ pckCrlIssuerChain: [fromHex('3000'), pki.root] })
    expect(verified).toBeNull()
    expect(checks.map(({ state }) => state)).toEqual(['passed', 'failed', 'unproven', 'passed', 'passed', 'unproven'])
  })
})

describe('documents (TDX.md section 5)', () => {
  const right = collateral()
  const flipped = (text: Bytes, from: string, to: string): Bytes => utf8(new TextDecoder().decode(text).replace(from, to))
  it.each<readonly [what: string, changed: Partial<Collateral>, check: string, found: string]>([
    [
      'a TCB info changed in one number',
      { tcbInfo: flipped(right.tcbInfo, '"svn":7', '"svn":0') },
      'tcbInfo',
      'tcb_info_signature: does not hold',
    ],
    [
      'a TCB info written anew with a space',
      { tcbInfo: flipped(right.tcbInfo, '{', '{ ') },
      'tcbInfo',
      'tcb_info_signature: does not hold',
    ],
    ['a TCB info signed by a PCK key', pki.signedInfo({}, pki.pckKeys), 'tcbInfo', 'tcb_info_signature: does not hold'],
    [
      'a TCB info that has ended',
      pki.signedInfo({ nextUpdate: '2026-05-31T23:59:59Z' }),
      'tcbInfo',
      'tcb_info: valid from 2026-05-20T00:00:00Z to 2026-05-31T23:59:59Z, not at 2026-06-01T00:00:00Z',
    ],
    ['a TCB info that has not begun', pki.signedInfo({ issueDate: '2026-06-01T00:00:01Z' }), 'tcbInfo', 'tcb_info: valid from'],
    ['a TCB info of no form', pki.signedInfo({ tcbLevels: [] }), 'tcbInfo', 'tcb_info.tcbLevels: has no levels'],
    [
      'a QE identity changed in one digit',
      { qeIdentity: flipped(right.qeIdentity, 'DC', 'DD') },
      'qeIdentity',
      'qe_identity_signature: does not hold',
    ],
    ['a QE identity signed by another key', pki.signedIdentity({}, other), 'qeIdentity', 'qe_identity_signature: does not hold'],
    ['a QE identity that has ended', pki.signedIdentity({ nextUpdate: '2026-05-31T00:00:00Z' }), 'qeIdentity', 'qe_identity: valid from'],
    [
      'the TCB info for the QE identity',
      { qeIdentity: right.tcbInfo, qeIdentitySignature: right.tcbInfoSignature },
      'qeIdentity',
      'qe_identity.id: expected QE or TD_QE, found "TDX"',
    ],
    [
      'the signature of the other document',
      { tcbInfoSignature: right.qeIdentitySignature },
      'tcbInfo',
      'tcb_info_signature: does not hold',
    ],
  ])('with %s are refused', async (_what, changed, check, found) => {
    const refused = await refusal(changed)
    expect(refused).toMatch(new RegExp(`^collateral\\.${check}: `))
    expect(refused).toContain(found)
    expect(refused).not.toContain('\n')
  })

  it('hold on their last second and not after it', async () => {
    const changed = pki.signedInfo({ nextUpdate: '2026-06-01T00:00:00Z' })
    expect((await inspect(changed)).verified?.expires).toBe(AT)
    expect(await refusal(changed, { at: AT + 1 })).toContain('collateral.tcbInfo')
  })
})

describe('a handle', () => {
  it('is fresh from the latest beginning to the earliest end of its parts, whatever it was verified at', async () => {
    const { verified } = await inspect({})
    if (verified === null) throw new Error('refused')
    expect([verified.notBefore, verified.expires]).toEqual([Date.UTC(2026, 4, 22) / 1000, Date.UTC(2026, 5, 19) / 1000])
    const { notBefore, expires } = verified
    expect([notBefore - 1, notBefore, expires, expires + 1, Number.NaN].map((at) => isFresh(verified, at))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ])
  })
})
