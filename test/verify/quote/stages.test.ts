import { describe, expect, it } from 'vitest'
import { isError } from '../../../client/error.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { toHex } from '../../../client/primitives/bytes.ts'
import { QUOTE_CHECKS } from '../../../client/verify/attestation.ts'
import type { RollbackMemory } from '../../../client/verify/collateral/index.ts'
import { inspectAttestation, inspectQuote, parsePolicy, type QuoteError, verifyQuote } from '../../../client/verify/quote/index.ts'
import { validity } from '../../pki.ts'
import { newPki, pem, serialOf, trustedRoot, writeCollateral } from '../_collateral-writer.ts'
import { of, writeQuote } from '../_quote-mock.ts'
import { AT, counting, ecdsa, failures, found, handleOf, inspect, pki } from './_inspect.ts'

// TDX.md, "Shape of the API": a handle for many quotes, chains cached under it, a memory that never goes back.

const DAY = 86_400
const policy = parsePolicy({})
const options = { at: AT, ecdsa, policy }

const memory = (): RollbackMemory & { readonly entries: Map<string, Bytes> } => {
  const entries = new Map<string, Bytes>()
  return {
    entries,
    get: async (key) => entries.get(toHex(key)) ?? null,
    put: async (key, value) => {
      entries.set(toHex(key), value)
    },
  }
}

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
    const [own, stranger] = [await handleOf(), newPki(AT)]
    const quote = writeQuote(stranger)
    for (const _ of [1, 2]) expect(failures(await inspectQuote(quote, own, options))).toHaveProperty('quote.pckChain')
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

describe('the memory', () => {
  it('is raised by an accepted quote, and by nothing else', async () => {
    const kept = memory()
    const collateral = await handleOf()
    const refused = await inspectQuote(writeQuote(pki, { report: { mrTd: of(48, 1) } }), collateral, {
      ...options,
      memory: kept,
      policy: parsePolicy({ measurements: { baseline: { mrTd: 'a0'.repeat(48) } } }),
    })
    expect([refused.accepted, kept.entries.size]).toEqual([false, 0])
    await verifyQuote(writeQuote(pki), collateral, { ...options, memory: kept })
    expect(kept.entries.size).toBe(2)
  })

  it('refuses to go back to a lower evaluation number, with a handle that was made before too', async () => {
    const kept = memory()
    const older = await handleOf({ tcbInfo: { tcbEvaluationDataNumber: 17 } })
    await verifyQuote(writeQuote(pki), await handleOf(), { ...options, memory: kept })
    const verdict = await inspectQuote(writeQuote(pki), older, { ...options, memory: kept })
    expect(failures(verdict)).toEqual({ 'collateral.rollback': expect.stringMatching(/17 after 18/) })
    expect(verdict).toMatchObject({ accepted: false, status: null })
  })

  it('refuses everything while a record of it cannot be read', async () => {
    const broken: RollbackMemory = { get: async () => of(3, 0), put: async () => undefined }
    const verdict = await inspectQuote(writeQuote(pki), await handleOf(), { ...options, memory: broken })
    expect(failures(verdict)).toEqual({ 'collateral.rollback': expect.stringMatching(/record of/) })
  })
})

describe('the verdict', () => {
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

  it('calls every root but Intel’s a development root, whatever its owner calls it', async () => {
    const collateral = await handleOf()
    const verdict = await inspectQuote(writeQuote(pki), { ...collateral, root: { ...collateral.root, development: false } }, options)
    expect(verdict.root).toBe('development')
  })
})
