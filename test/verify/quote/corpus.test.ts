import { webcrypto } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../client/primitives/bytes.ts'
import type { QuoteCheckName } from '../../../client/verify/attestation.ts'
import { createEcdsa, type RollbackMemory, type RollbackRecord } from '../../../client/verify/collateral/index.ts'
import { inspectAttestation, parsePolicy, type QuoteVerdict } from '../../../client/verify/quote/index.ts'
import { type QuoteCase, quoteCases } from './_cases.ts'

// TDX.md, "Reference": every case of the corpus has Intel's verdict, or is refused where MANIFEST.md says that Intel is too lax.

const ecdsa = createEcdsa(webcrypto.subtle as never)
const inspect = ({ quote, collateral, at, root }: QuoteCase, policy: unknown = {}) =>
  inspectAttestation(quote, collateral, { at, root, ecdsa, policy: parsePolicy(policy) })

const all = quoteCases()
const named = (name: string): QuoteCase => {
  const found = all.find((one) => one.name === name)
  if (found === undefined) throw new Error(`the corpus has no case ${name}`)
  return found
}

// Which check refuses what is refused for something else than its collateral, whose own tests say which.
const REFUSED: Readonly<Record<string, QuoteCheckName>> = {
  'body-bit-flipped': 'quote.signature',
  'cert-data-empty': 'quote.pckChain',
  'certlen-too-big': 'quote.shape',
  'cpusvn-below-all': 'quote.tcb',
  'empty-quote': 'quote.shape',
  'hdr-ak-3': 'quote.shape',
  'hdr-tee-unknown': 'quote.shape',
  'hdr-vendor-bad': 'quote.shape',
  'inner-certtype-0': 'quote.shape',
  'inner-certtype-4': 'quote.pckChain',
  'inner-certtype-6': 'quote.shape',
  'intel-sample-tdx-v4': 'quote.module',
  'module-below-all': 'quote.module',
  'module-identities-absent-major1': 'quote.module',
  'pck-cn-wrong': 'quote.pckChain',
  'pck-not-yet': 'quote.pckChain',
  'pck-revoked': 'quote.revocation',
  'pck-signed-by-other-key': 'quote.pckChain',
  'pck-slot-holds-tcb-signing': 'quote.pckChain',
  'qe-below-all': 'quote.qe',
  'qe-binding-bad': 'quote.binding',
  'qe-prodid-mismatch': 'quote.qe',
  'qeid-qe-for-tdx': 'quote.qe',
  'siglen-too-small': 'quote.shape',
  'svn2-unsupported': 'quote.relaunch',
  'tcbinfo-sgx-for-tdx': 'quote.platform',
  'tdx-v4-fmspc-mismatch-real': 'quote.platform',
  'tdx-v4-google-spr-2023-06': 'quote.tcb',
  'tdx-v4-phala-old-with-2026-collateral': 'quote.tcb',
  'tdx-v5-azure-outdated-2026-02': 'quote.tcb',
  'tdx-v5-trustee-2025-06': 'quote.tcb',
  'truncated-600': 'quote.shape',
  'v5-bodysize-short': 'quote.shape',
  'v5-bodytype-5': 'quote.shape',
  'v5-tdx-bodytype-1': 'quote.shape',
}

// What a policy that names nothing refuses although Intel's verdict is UpToDate, and the fields that would allow it; null where none does.
const POLICIES: Readonly<Record<string, readonly [check: QuoteCheckName, allowed: object | null]>> = {
  'policy-debug-td': ['policy.debug', null],
  'policy-migratable': ['policy.attributes', { tdAttributes: ['MIGRATABLE'] }],
  'policy-perfmon': ['policy.attributes', { tdAttributes: ['PERFMON'] }],
  'policy-reserved-attr': ['policy.attributes', null],
  'policy-septve-off': ['policy.attributes', { septVeDisable: false }],
  'policy-sgx-debug': ['policy.debug', null],
  'tdx-v4-debugtd-uptodate-2023-06': ['policy.debug', null],
  'tdx-v5-alibaba-2025-10': [
    'policy.serviceTd',
    { serviceTds: ['383c87d3bbb047b2d171eaca95312ede99f258088dc788f6ae2ccf8b6dd848fe8d47629e08b3f6cbd4a00dd47a5a033d'] },
  ],
}

describe.skipIf(all.length === 0)("Intel's verdict", () => {
  it('is compared in every case of the manifest', () => {
    const count = (group: QuoteCase['group']): number => all.filter((one) => one.group === group).length
    expect([count('cases'), count('synthetic'), count('intel-sample')]).toEqual([22, 109, 2])
  })

  it.each(all.map((one) => [`${one.group}/${one.name}`, one] as const))('%s', async (_, one) => {
    const { status, checks } = await inspect(one)
    const failed = checks.filter(({ name, state }) => state === 'failed' && !name.startsWith('policy.')).map(({ name }) => name)
    expect(status).toBe(one.expected)
    if (one.expected !== null) expect(failed).toEqual([])
    else if (one.name in REFUSED) expect(failed).toContain(REFUSED[one.name])
    else expect(failed.filter((name) => name.startsWith('collateral.'))).not.toEqual([])
  })
})

describe.skipIf(all.length === 0)('a policy that names nothing', () => {
  it.each(all.map((one) => [`${one.group}/${one.name}`, one] as const))('%s', async (_, one) => {
    const { accepted, checks } = await inspect(one)
    const refused = POLICIES[one.name]
    expect(accepted).toBe(one.expected === 'UpToDate' && refused === undefined)
    if (refused) expect(checks.filter(({ state }) => state === 'failed').map(({ name }) => name)).toEqual([refused[0]])
  })

  it.each(Object.entries(POLICIES))('%s is accepted by the field that the verdict names, or by none', async (name, [check, allowed]) => {
    const all = { tdAttributes: ['LASS', 'MIGRATABLE', 'PKS', 'KL', 'PERFMON'], septVeDisable: false }
    const verdict = await inspect(named(name), allowed ?? all)
    expect(verdict.accepted).toBe(allowed !== null)
    if (allowed) expect((await inspect(named(name))).checks.find((one) => one.name === check)?.found).toContain(Object.keys(allowed)[0])
  })
})

describe.skipIf(all.length === 0)('real quotes', () => {
  // TDX.md section 5: number 17 after 18, both of them valid in October.
  it('collateral of an older evaluation is refused once a newer one was accepted', async () => {
    const entries = new Map<string, RollbackRecord>()
    const memory: RollbackMemory = {
      get: async (key) => entries.get(toHex(key)) ?? null,
      put: async (key, value) => {
        entries.set(toHex(key), value)
      },
    }
    const [older, newer] = [named('tdx-v4-cos113-google-2025-10'), named('tdx-v4-cos113-after-tcbr-2026-01')]
    const accept = async (one: QuoteCase): Promise<QuoteVerdict> =>
      inspectAttestation(one.quote, one.collateral, {
        ...{ at: one.at, root: one.root, ecdsa, memory },
        policy: parsePolicy({ statuses: ['UpToDate', 'OutOfDate'] }),
      })
    expect([(await accept(older)).accepted, (await accept(newer)).accepted]).toEqual([true, true])
    const back = await accept(older)
    expect(back).toMatchObject({ accepted: false, status: null })
    expect(back.checks.find(({ name }) => name === 'collateral.rollback')).toMatchObject({
      state: 'failed',
      found: expect.stringMatching(/17 after 18/),
    })
  })

  it('an outdated platform is told which SVNs it is short of', async () => {
    const { checks } = await inspect(named('tdx-v4-azure-old-trustee-2025-10'))
    const found = (name: QuoteCheckName): string | undefined => checks.find((check) => check.name === name)?.found
    expect(found('quote.tcb')).toBe('OutOfDate; sgxtcbcomponents[0] 6 < 7; sgxtcbcomponents[1] 6 < 7; tdxtcbcomponents[2] 6 < 7')
    expect(found('quote.module')).toBe('module TDX_01, SVN 2: OutOfDate; isvsvn 2 < 4')
  })
})
