import { describe, expect, it } from 'vitest'
import { type Bytes, utf8 } from '../../../client/primitives/bytes.ts'
import { AUTHORITY_USAGE, basicConstraints, certificate, newKeys, SIGNER_USAGE, validity } from '../../pki.ts'
import { integer } from '../../wasm/_der-writer.ts'
import { NAMES, newPki, pem } from '../_collateral-writer.ts'
import { AT, failures, inspect, pki, type Scene } from './_inspect.ts'

// TDX.md sections 3 and 4: the chain of a platform's certificate.

const other = newKeys()

describe('certificates of a platform', () => {
  const withPck = (parts: Parameters<typeof newPki>[1], wording: RegExp) => async () => {
    const verdict = await inspect({ pki: newPki(AT, parts) })
    expect(failures(verdict)).toEqual({ 'quote.pckChain': expect.stringMatching(wording) })
    expect(verdict.accepted).toBe(false)
  }

  it('signed by another key', withPck({ pck: { signedBy: other } }, /signature: does not hold/))
  it('of another common name', withPck({ pck: { subject: NAMES.signer } }, /found Intel SGX TCB Signing/))
  it('of another issuer', withPck({ pck: { issuer: NAMES.root } }, /no chain of issuers/))
  it(
    'without an SGX extension',
    withPck({ pck: { extensions: [SIGNER_USAGE, basicConstraints(false)] } }, /sgx: the extension of a PCK certificate is missing/),
  )
  it('of another authority than the CRL', async () => {
    // Same names, another authority's key: the list says nothing of what it issued.
    const stranger = newPki(AT, { root: { signedBy: pki.keys.root, spki: pki.keys.root.spki }, authority: { signedBy: pki.keys.root } })
    const verdict = await inspect({
      quote: { qeSignedBy: stranger.keys.pck, parts: { pck: utf8(pem(stranger.pck, stranger.authority, stranger.root)) } },
    })
    expect(failures(verdict)).toEqual({ 'quote.revocation': expect.stringMatching(/PCK CRL is of/) })
  })
})

describe('an authority that was certified again', () => {
  // The same key and name in a certificate that the collateral does not have: it stands or falls by the root and the root's list.
  const parts = { issuer: NAMES.root, subject: NAMES.authority, spki: pki.keys.authority.spki, serial: integer(9) }
  const again = (validFrom: number, by = pki.keys.root) =>
    certificate(by, { ...parts, validity: validity(validFrom, AT + 1_000), extensions: [AUTHORITY_USAGE, basicConstraints(true, 0)] })
  const withAuthority = (authority: Bytes): Scene => ({ quote: { parts: { pck: utf8(pem(pki.pck, authority, pki.root)) } } })

  it('is as good as the other', async () => {
    expect((await inspect(withAuthority(again(AT)))).accepted).toBe(true)
  })

  it.each([
    ['not valid yet', withAuthority(again(AT + 1)), 'quote.pckChain', /not at/],
    ['by another root', withAuthority(again(AT, other)), 'quote.pckChain', /signature: does not hold/],
    [
      'revoked',
      { ...withAuthority(again(AT)), collateral: { revoked: { root: [integer(9)] } } },
      'quote.revocation',
      /Platform CA is revoked/,
    ],
  ] as const)('%s: refused', async (_, scene, check, wording) => {
    expect(failures(await inspect(scene))).toEqual({ [check]: expect.stringMatching(wording) })
  })
})
