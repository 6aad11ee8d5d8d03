import { describe, expect, it } from 'vitest'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import type { VerifyEcdsa } from '../../../client/verify/attestation.ts'
import { type ChainOptions, readChain, verifyChain } from '../../../client/verify/collateral/index.ts'
import { AUTHORITY_USAGE, basicConstraints, newKeys, SIGNER_USAGE, validity } from '../../pki.ts'
import * as pki from './_pki.ts'

const pck = pki.pckCertificate()
const options: ChainOptions = { kind: 'pck', path: 'quote', root: pki.trusted(), at: pki.AT, ecdsa: pki.ecdsa }
const other = newKeys()
const verify = (documents: readonly Bytes[], changed: Partial<ChainOptions> = {}) =>
  verifyChain(readChain(documents, 'quote'), { ...options, ...changed })

/** A port that counts what it is asked. */
const counting = (): { readonly ecdsa: VerifyEcdsa; readonly calls: () => number } => {
  let calls = 0
  const ecdsa: VerifyEcdsa = (...given) => {
    calls++
    return pki.ecdsa(...given)
  }
  return { ecdsa, calls: () => calls }
}

describe('a chain (TDX.md section 3)', () => {
  it('is put in order', () => {
    const names = readChain([pki.root, pck, pki.authority], 'quote').map(({ subject }) => subject.commonName)
    expect(names).toEqual(['Intel SGX PCK Certificate', 'Intel SGX PCK Platform CA', 'Intel SGX Root CA'])
  })

  it.each<readonly [what: string, documents: readonly Bytes[]]>([
    ['nothing', []],
    ['no root', [pck, pki.authority]],
    ['a gap', [pck, pki.root]],
    ['two leaves', [pck, pki.pckCertificate({}, other), pki.authority, pki.root]],
  ])('is refused with %s', (_what, documents) => {
    if (documents.length === 0) expect(readChain(documents, 'quote')).toEqual([])
    else expect(() => readChain(documents, 'quote')).toThrow('certificates that are no chain of issuers up to a root')
  })

  it('holds from a PCK certificate up', async () => {
    expect(await verify([pck, pki.authority, pki.root])).toEqual([])
    expect(await verify([])).toEqual(['quote: expected 3 certificates, found 0'])
  })

  it.each<readonly [what: string, leaf: Bytes, found: string]>([
    [
      'signed by another key',
      pki.pckCertificate({}, other),
      'quote[0].signature: does not hold under the key of Intel SGX PCK Platform CA',
    ],
    ['signed by the root', pki.pckCertificate({}, pki.rootKeys), 'quote[0].signature'],
    [
      'of another name',
      pki.pckCertificate({ subject: pki.SIGNER }),
      'quote[0].subject: expected Intel SGX PCK Certificate, found Intel SGX TCB Signing',
    ],
    ['of tomorrow', pki.pckCertificate({ validity: validity(pki.AT + 1, pki.AT + 2) }), 'quote[0]: valid from'],
    ['that may sign certificates only', pki.pckCertificate({ extensions: [AUTHORITY_USAGE] }), 'quote[0].keyUsage: lacks digitalSignature'],
    [
      'that is an authority',
      pki.pckCertificate({ extensions: [SIGNER_USAGE, basicConstraints(true, 0)] }),
      'quote[0].basicConstraints: an authority',
    ],
    ['that names no platform', pki.pckCertificate({ extensions: [SIGNER_USAGE, basicConstraints(false)] }), 'quote[0].sgx'],
  ])('does not with a leaf %s', async (_what, leaf, found) => {
    expect((await verify([leaf, pki.authority, pki.root])).join('\n')).toContain(found)
  })

  it('checks no signature that is known to hold, and every other', async () => {
    const known = readChain([pki.authority, pki.root], 'known')
    const { ecdsa, calls } = counting()
    expect(await verify([pck, pki.authority, pki.root], { ecdsa, known })).toEqual([])
    expect(calls()).toBe(1)
    // The same contents with another signature are another certificate.
    const forged = pki.authorityCertificate({}, other)
    expect(await verify([pck, forged, pki.root], { ecdsa, known })).toEqual([
      'quote[1].signature: does not hold under the key of Intel SGX Root CA',
    ])
  })

  it('checks a root’s own signature once for a port, and once more when it did not hold', async () => {
    const { ecdsa, calls } = counting()
    const forged = pki.rootCertificate({}, other)
    for (let i = 0; i < 2; i++) expect(await verify([pck, pki.authority, forged], { ecdsa })).toHaveLength(1)
    expect(calls()).toBe(6)
    for (let i = 0; i < 2; i++) expect(await verify([pck, pki.authority, pki.root], { ecdsa })).toEqual([])
    expect(calls()).toBe(11)
  })

  it('asks for no signature when something else is wrong', async () => {
    const { ecdsa, calls } = counting()
    expect(await verify([pck, pki.authority, pki.root], { ecdsa, at: 0 })).toHaveLength(3)
    expect(await verify([pck, pki.authority, pki.root], { ecdsa, at: Number.NaN })).toHaveLength(3)
    expect(calls()).toBe(0)
  })
})
