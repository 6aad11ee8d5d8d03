import { createHash, X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { fromHex } from '../../../client/primitives/bytes.ts'
import { INTEL_ROOT, type TrustedRoot } from '../../../client/verify/attestation.ts'

// Quotes with collateral and Intel's verdict that lie beside the checkout, read in place.

/** A quote with its collateral, the time to verify it at, and what Intel's reference says of it. */
export interface QuoteCase {
  readonly group: 'cases' | 'synthetic' | 'intel-sample'
  readonly name: string
  readonly quote: Bytes
  readonly collateral: string
  readonly at: number
  readonly root: TrustedRoot
  /** A status, or null where it is refused, or accepted by Intel and refused by the manifest. */
  readonly expected: string | null
}

interface Expected {
  readonly expected?: string
  readonly intelQVL: string
}

const ROOT = new URL('../../../../shared/data/tdx/', import.meta.url)

/** The reference's words for the statuses that the real cases have. */
const INTELS: Readonly<Record<string, string>> = {
  OK: 'UpToDate',
  OUT_OF_DATE: 'OutOfDate',
  SW_HARDENING_NEEDED: 'SWHardeningNeeded',
  CONFIGURATION_AND_SW_HARDENING_NEEDED: 'ConfigurationAndSWHardeningNeeded',
}

/** Intel's two samples have no table of their own: MANIFEST.md, "intel-sample". */
const SAMPLES: Readonly<Record<string, string | null>> = { 'intel-sample-sgx-v3': 'UpToDate', 'intel-sample-tdx-v4': null }

/** All of them, and none, said aloud, where there is no corpus. */
export const quoteCases = (): readonly QuoteCase[] => {
  if (!existsSync(ROOT)) {
    console.warn('no shared/data/tdx beside the checkout: what needs real quotes is skipped')
    return []
  }
  return [
    ...casesOf('cases', ({ intelQVL }) => INTELS[intelQVL] ?? null),
    ...casesOf('synthetic', syntheticVerdict),
    ...Object.entries(SAMPLES).map(([name, expected]) => caseOf('intel-sample', name, expected)),
  ]
}

/** Of a case about a policy the table has no status: Intel's reference has none of that, and says what it says of the platform. */
const syntheticVerdict = ({ expected = '', intelQVL }: Expected): string | null => {
  const verdict = expected.startsWith('POLICY') ? intelQVL : expected
  return verdict.startsWith('REJECT') ? null : verdict
}

const casesOf = (group: 'cases' | 'synthetic', verdict: (expected: Expected) => string | null): QuoteCase[] => {
  const table: Readonly<Record<string, Expected>> = JSON.parse(readFileSync(new URL(`${group}/expected.json`, ROOT), 'utf8'))
  const folders = readdirSync(new URL(`${group}/`, ROOT), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return folders.map(({ name }) => {
    const row = table[name]
    if (row === undefined) throw new Error(`${group}/expected.json says nothing of ${name}`)
    return caseOf(group, name, verdict(row))
  })
}

const caseOf = (group: QuoteCase['group'], name: string, expected: string | null): QuoteCase => {
  const read = (file: string): Buffer => readFileSync(new URL(`${group}/${name}/${file}`, ROOT))
  const meta: { readonly at: number; readonly root?: string } = JSON.parse(read('meta.json').toString())
  const root =
    meta.root === undefined ? { spkiHash: fromHex(INTEL_ROOT), development: false } : { spkiHash: spkiHash(meta.root), development: true }
  return {
    group,
    name,
    quote: new Uint8Array(read('quote.bin')),
    collateral: read('collateral.json').toString(),
    at: meta.at,
    root,
    expected,
  }
}

const spkiHash = (pem: string): Bytes => {
  const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' })
  return new Uint8Array(createHash('sha256').update(spki).digest())
}
