import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Bytes, fromHex, utf8 } from '../../../client/primitives/bytes.ts'
import { digest } from '../../../client/primitives/digest.ts'
import { INTEL_ROOT, type QuoteCheckName, type TrustedRoot } from '../../../client/verify/attestation.ts'
import { decodeCollateral } from '../../../client/verify/collateral/codec.ts'
import {
  collateralBytes,
  collateralHash,
  createEcdsa,
  inspectCollateral,
  readCollateral,
  readPem,
} from '../../../client/verify/collateral/index.ts'
import { ecdsa, trusted } from './_pki.ts'
import { encodeCollateral } from './_write.ts'

// The collateral of every case beside the checkout. What is wrong with a quote itself is for the second stage: here only those cases are
// refused whose collateral is what Intel's reference refuses, or what the manifest says to refuse though Intel does not.

const FOLDER = new URL('../../../../shared/data/tdx/', import.meta.url)
const GROUPS = ['cases', 'synthetic', 'intel-sample'] as const

interface Case {
  readonly group: (typeof GROUPS)[number]
  readonly name: string
  readonly text: string
  readonly at: number
  readonly root: TrustedRoot
}

const casesOf = (group: Case['group']): Case[] =>
  readdirSync(new URL(`${group}/`, FOLDER), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const read = (file: string): string => readFileSync(new URL(`${group}/${name}/${file}`, FOLDER), 'utf8')
      const meta = JSON.parse(read('meta.json')) as { readonly at: number; readonly root?: string }
      const root = meta.root === undefined ? { spkiHash: fromHex(INTEL_ROOT), development: false } : trusted(first(meta.root))
      return { group, name, text: read('collateral.json'), at: meta.at, root }
    })

const first = (pem: string): Bytes => readPem(utf8(pem), 'root')[0] as Bytes

const cases = existsSync(FOLDER) ? GROUPS.flatMap(casesOf) : []
if (cases.length === 0) console.warn('no shared/data/tdx beside the checkout: what needs real collateral is skipped')

/** The cases whose collateral is refused, and by which checks. */
const REFUSED: Readonly<Record<string, readonly QuoteCheckName[]>> = {
  'sgx-v3-tlsn-nocrl-2025-09': ['collateral.crls', 'collateral.qeIdentity'],
  'ca-expired': ['collateral.chains'],
  'ca-revoked': ['collateral.crls'],
  'ca-without-ca-flag': ['collateral.chains'],
  'one-second-after-nextUpdate': ['collateral.crls', 'collateral.tcbInfo', 'collateral.qeIdentity'],
  'other-root-same-name': ['collateral.chains'],
  'pck-crl-garbage': ['collateral.crls'],
  'pck-crl-is-root-crl': ['collateral.crls'],
  'pck-crl-wrong-issuer': ['collateral.crls'],
  'pck-crl-wrong-key': ['collateral.crls'],
  'qeid-expired': ['collateral.qeIdentity'],
  'qeid-tampered': ['collateral.qeIdentity'],
  'root-crl-expired': ['collateral.crls'],
  'root-crl-garbage': ['collateral.crls'],
  'root-crl-not-yet': ['collateral.crls'],
  'root-expired': ['collateral.chains'],
  'tcb-15-sgx-components': ['collateral.tcbInfo'],
  'tcb-no-levels': ['collateral.tcbInfo'],
  'tcb-unknown-status': ['collateral.tcbInfo'],
  'tcbinfo-expired': ['collateral.tcbInfo'],
  'tcbinfo-signed-by-pck': ['collateral.chains'],
  'tcbinfo-tampered': ['collateral.tcbInfo'],
  'tcbsigning-expired': ['collateral.chains'],
  'tcbsigning-revoked': ['collateral.crls'],
}

describe.skipIf(cases.length === 0)('the corpus’s collateral (TDX.md, "What others get wrong")', () => {
  it('is all there', () => {
    expect(GROUPS.map((name) => cases.filter(({ group }) => group === name).length)).toEqual([22, 109, 2])
  })

  it.each(cases)('$group/$name', async ({ name, text, at, root }) => {
    const { checks, verified } = await inspectCollateral(text, { root, at, ecdsa })
    const refused = checks.filter(({ state }) => state === 'failed').map((check) => check.name)
    expect([refused, verified === null]).toEqual([REFUSED[name] ?? [], name in REFUSED])
  })

  it('keeps its content through the canonical form', () => {
    for (const { name, text } of cases) {
      const collateral = readCollateral(text)
      const canonical = encodeCollateral(collateral)
      const again = readCollateral(canonical)
      expect([collateralHash(again), encodeCollateral(again)], name).toEqual([collateralHash(collateral), canonical])
    }
  })

  it('has bytes that the decoder of members reads back, and hashes by them', () => {
    for (const { name, text } of cases) {
      const collateral = readCollateral(text)
      const bytes = collateralBytes(collateral)
      expect(decodeCollateral(bytes), name).toEqual(collateral)
      expect(collateralHash(collateral), name).toEqual(digest('tdx collateral v1|', bytes))
    }
  })

  it('is refused with the library as with WebCrypto: high s accepted, tampering not', async () => {
    const noble = createEcdsa(undefined)
    for (const { name, text, at, root } of cases.filter(({ name }) =>
      ['tdx-v4-near-2026-08', 'tcbinfo-tampered', 'pck-crl-wrong-key'].includes(name),
    )) {
      const [library, host] = await Promise.all([noble, ecdsa].map((port) => inspectCollateral(text, { root, at, ecdsa: port })))
      expect(library?.checks, name).toEqual(host?.checks)
    }
  })
})
