import { describe, expect, it } from 'vitest'
import { isError } from '../../../client/error.ts'
import { fromHex, utf8 } from '../../../client/primitives/bytes.ts'
import { INTEL_ROOT, QUOTE_CHECKS, type QuoteCheckName } from '../../../client/verify/attestation.ts'
import {
  inspectAttestation,
  inspectQuote,
  parsePolicy,
  type QuoteError,
  type QuoteVerdict,
  verifyQuote,
} from '../../../client/verify/quote/index.ts'
import { verdictOf } from '../../../client/verify/quote/verdict.ts'
import { validity } from '../../pki.ts'
import { newPki, pem, serialOf, trustedRoot, writeCollateral } from '../_collateral-writer.ts'
import { of, writeQuote } from '../_quote-mock.ts'
import { AT, counting, ecdsa, failures, found, handleOf, inspect, pki } from './_inspect.ts'

// TDX.md, "Shape of the API": a handle for many quotes, chains cached under it, a memory that never goes back.

const DAY = 86_400
const policy = parsePolicy({})
const options = { at: AT, ecdsa, policy }

describe('signatures', () => {
  it('three for a platform that is new to a handle, then two', async () => {
    const collateral = await handleOf()
    const port = counting()
    await inspectQuote(writeQuote(pki), collateral, { ...options, ecdsa: port.ecdsa })
    const first = port.count()
    await inspectQuote(writeQuote(pki, { report: { mrTd: of(48, 1) } }), collateral, { ...options, ecdsa: port.ecdsa })
    expect([first, port.count() - first]).toEqual([3, 2])
  })

  it('three again under another handle', async () => {
    const port = counting()
    await inspectQuote(writeQuote(pki), await handleOf(), { ...options, ecdsa: port.ecdsa })
    await inspectQuote(writeQuote(pki), await handleOf({ revoked: { pck: [serialOf('signer')] } }), { ...options, ecdsa: port.ecdsa })
    expect(port.count()).toBe(6)
  })

  it('two where the chain came with the collateral', async () => {
    const port = counting()
    const collateral = await handleOf({ members: { pck_certificate_chain: pem(pki.pck, pki.authority, pki.root) } })
    await inspectQuote(writeQuote(pki, { parts: { pckType: 1 } }), collateral, { ...options, ecdsa: port.ecdsa })
    expect(port.count()).toBe(2)
  })

  it('no chain that was refused is kept', async () => {
    const collateral = await handleOf()
    // Right in all but the signature of its leaf, and that a kept chain is not asked for again.
    const leaf = newPki(AT, { pck: { spki: pki.keys.pck.spki } }).pck
    const quote = writeQuote(pki, { parts: { pck: utf8(pem(leaf, pki.authority, pki.root)) } })
    for (const _ of [1, 2])
      expect(failures(await inspectQuote(quote, collateral, options))).toEqual({
        'quote.pckChain': expect.stringMatching(/signature: does not hold/),
      })
  })
})

describe('a handle that was made before', () => {
  it('is held against the time it is used at', async () => {
    const collateral = await handleOf()
    await verifyQuote(writeQuote(pki), collateral, options)
    const late = await inspectQuote(writeQuote(pki), collateral, { ...options, at: AT + 20 * DAY + 1 })
    expect(Object.keys(failures(late))).toEqual(['collateral.crls', 'collateral.tcbInfo', 'collateral.qeIdentity'])
    expect(late).toMatchObject({ accepted: false, status: null })
    expect((await inspectQuote(writeQuote(pki), collateral, { ...options, at: AT + 20 * DAY })).accepted).toBe(true)
    expect((await inspectQuote(writeQuote(pki), collateral, { ...options, at: AT - 11 * DAY })).accepted).toBe(false)
  })

  it('lets no chain outlive its dates', async () => {
    const short = newPki(AT, { pck: { validity: validity(AT - DAY, AT + DAY) } })
    const collateral = await handleOf({}, short)
    const first = await verifyQuote(writeQuote(short), collateral, options)
    expect(first.expires).toBe(AT + DAY)
    const late = await inspectQuote(writeQuote(short), collateral, { ...options, at: AT + DAY + 1 })
    expect(failures(late)).toEqual({ 'quote.pckChain': expect.stringMatching(/valid from .* not at 2026-06-02T00:00:01Z/) })
  })

  it('names who is revoked, whether it was seen before or not', async () => {
    const collateral = await handleOf({ revoked: { pck: [serialOf('pck')] } })
    for (const _ of [1, 2]) expect(failures(await inspectQuote(writeQuote(pki), collateral, options))).toHaveProperty('quote.revocation')
  })
})

describe('the verdict', () => {
  it('is about the bytes as they were when it was asked for', async () => {
    const quote = writeQuote(pki)
    const asked = inspectQuote(quote, await handleOf(), options)
    quote.fill(0)
    expect(await asked).toMatchObject({ accepted: true, measurements: { mrTd: 'a0'.repeat(48) } })
  })

  it('of more bytes than are read says so', async () => {
    const verdict = await inspectQuote(new Uint8Array(400_000), await handleOf(), options)
    expect(failures(verdict)).toEqual({ 'quote.shape': expect.stringMatching(/400000 bytes, at most/) })
  })

  it('has every check once, in the order of the closed list, in any case', async () => {
    const verdicts = [
      await inspect(),
      await inspect({ quote: { parts: { version: 6 } } }),
      await inspect({ collateral: { members: { pck_crl: '00' } } }),
    ]
    for (const { checks } of verdicts) expect(checks.map(({ name }) => name)).toEqual(QUOTE_CHECKS)
  })

  it('says nothing of what was not looked at but that', async () => {
    const verdict = await inspect({ quote: { parts: { version: 6 } } })
    expect(found(verdict, 'quote.shape')).toBe('quote.header.version at 0: a version other than 3, 4 and 5')
    expect(verdict.checks.filter(({ state }) => state === 'unproven').length).toBe(QUOTE_CHECKS.length - 6)
    expect(verdict).toMatchObject({ accepted: false, status: null, measurements: null, platform: null, expires: null })
  })

  it('shows the quote’s own checks where the collateral is refused', async () => {
    const verdict = await inspect({ collateral: { members: { pck_crl: '00' } } })
    expect(verdict.checks.filter(({ name, state }) => name.startsWith('quote.') && state === 'passed').map(({ name }) => name)).toEqual([
      'quote.shape',
      'quote.qeSignature',
      'quote.binding',
      'quote.signature',
    ])
    expect(verdict).toMatchObject({ accepted: false, status: null, measurements: { mrTd: 'a0'.repeat(48) } })
  })

  it('is the same text for the same question', async () => {
    const collateral = await handleOf()
    const quote = writeQuote(pki)
    const [first, again] = [await inspectQuote(quote, collateral, options), await inspectQuote(quote, collateral, options)]
    expect(JSON.stringify(again)).toBe(JSON.stringify(first))
    const whole = await inspectAttestation(quote, writeCollateral(pki), { ...options, root: trustedRoot(pki) })
    expect({ ...whole, checks: null }).toEqual({ ...first, checks: null })
  })

  it('is thrown whole by verify', async () => {
    const thrown: unknown = await verifyQuote(writeQuote(pki, { qe: { isvProdId: 7 } }), await handleOf(), options).catch((error) => error)
    expect(isError(thrown, 'Verify.QuoteError')).toBe(true)
    expect((thrown as QuoteError).message).toMatch(/^quote\.qe failed: expected TD_QE .*, found isvprodid 7$/)
    expect((thrown as QuoteError).verdict).toMatchObject({ accepted: false, status: null })
  })

  it.each([Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY])('is none for a time of %s', async (at) => {
    await expect(inspectQuote(writeQuote(pki), await handleOf(), { ...options, at })).rejects.toThrow(TypeError)
  })

  it('accepts nothing of which a check was not made, but that nobody remembers older collateral', async () => {
    const { checks } = await inspect()
    const without = (name: QuoteCheckName): QuoteVerdict =>
      verdictOf({
        ...{ status: 'UpToDate', tcbDate: null, advisories: [], measurements: null, root: 'intel', expires: null, platform: null },
        checks: checks.filter((check) => check.name !== name),
      })
    for (const name of QUOTE_CHECKS) expect([name, without(name).accepted]).toEqual([name, name === 'collateral.rollback'])
    expect([without('quote.signature').status, without('policy.debug').status]).toEqual([null, 'UpToDate'])
  })

  it('calls every root but Intel’s a development root, whatever its owner calls it', async () => {
    const collateral = await handleOf()
    const verdict = await inspectQuote(writeQuote(pki), { ...collateral, root: { ...collateral.root, development: false } }, options)
    expect(verdict.root).toBe('development')
    const intels = { ...collateral, root: { spkiHash: fromHex(INTEL_ROOT), development: true } }
    expect((await inspectQuote(writeQuote(pki), intels, options)).root).toBe('development')
    expect((await inspectQuote(writeQuote(pki), { ...intels, root: { ...intels.root, development: false } }, options)).root).toBe('intel')
  })
})
