import { describe, expect, it } from 'vitest'
import { toHex } from '../../../client/primitives/bytes.ts'
import type { RollbackMemory, RollbackRecord } from '../../../client/verify/collateral/index.ts'
import { inspectQuote, parsePolicy, verifyQuote } from '../../../client/verify/quote/index.ts'
import { of, writeQuote } from '../_quote-mock.ts'
import { AT, ecdsa, failures, handleOf, pki } from './_inspect.ts'

// TDX.md section 5: a reader never goes back behind what it accepted a quote under.

const options = { at: AT, ecdsa, policy: parsePolicy({}) }

const memory = (): RollbackMemory & { readonly entries: Map<string, RollbackRecord> } => {
  const entries = new Map<string, RollbackRecord>()
  return {
    entries,
    get: async (key) => entries.get(toHex(key)) ?? null,
    put: async (key, value) => {
      entries.set(toHex(key), value)
    },
  }
}

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
    const broken: RollbackMemory = { get: async () => ({ evaluation: 18, issueDate: Number.NaN }), put: async () => undefined }
    const verdict = await inspectQuote(writeQuote(pki), await handleOf(), { ...options, memory: broken })
    expect(failures(verdict)).toEqual({ 'collateral.rollback': expect.stringMatching(/record of/) })
  })
})
