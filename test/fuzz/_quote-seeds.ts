import { webcrypto } from 'node:crypto'
import { toHex, u32le, utf8 } from '../../client/primitives/bytes.ts'
import type { TrustedRoot, VerifyEcdsa } from '../../client/verify/attestation.ts'
import { createEcdsa, type VerifiedCollateral, verifyCollateral } from '../../client/verify/collateral/index.ts'
import { type AttestationOptions, inspectAttestation, parsePolicy } from '../../client/verify/quote/index.ts'
import { hash } from '../../wasm/core.ts'
import { newPki, pem, trustedRoot, writeCollateral } from '../verify/_collateral-writer.ts'
import { of, type QuoteChanges, svns, writeQuote } from '../verify/_quote-mock.ts'
import { quoteCases } from '../verify/quote/_cases.ts'
import { type Attested, type Decoded, decodeAttested } from './_quote-value.ts'

// What is changed: quotes with collateral that are accepted.

/** An accepted quote, what it says, and its collateral verified, for the second way through the verifier. */
export interface Original extends Attested {
  readonly name: string
  readonly options: AttestationOptions
  readonly decoded: Decoded
  readonly handle: VerifiedCollateral
}

// Every status and attribute that some policy accepts: what is accepted is to be judged, and by signatures, not by a policy.
const POLICY = parsePolicy({
  statuses: [
    ...['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded', 'OutOfDate'],
    ...['OutOfDateConfigurationNeeded', 'TDRelaunchAdvised', 'TDRelaunchAdvisedConfigurationNeeded'],
  ],
  tdAttributes: ['LASS', 'MIGRATABLE', 'PKS', 'KL', 'PERFMON'],
  septVeDisable: false,
  serviceTds: ['383c87d3bbb047b2d171eaca95312ede99f258088dc788f6ae2ccf8b6dd848fe8d47629e08b3f6cbd4a00dd47a5a033d'],
})

const webCrypto = createEcdsa(webcrypto.subtle as never)
const known = new Map<string, Promise<boolean>>()
const KEPT = 4_096

/** What was answered once is not asked again: most of a mutant's signatures are its original's. */
const ecdsa: VerifyEcdsa = (publicKey, signature, message) => {
  // Lengths too: a byte may move from one to the other.
  const name = toHex(hash(u32le(publicKey.length), u32le(signature.length), publicKey, signature, message))
  const holds = known.get(name) ?? webCrypto(publicKey, signature, message)
  if (known.size >= KEPT) known.clear()
  known.set(name, holds)
  return holds
}

export interface Candidate extends Attested {
  readonly name: string
  readonly at: number
  readonly root: TrustedRoot
}

/** Those of the corpus, and without it those of a mock PKI: its keys are other ones in each process, so there a case is not quite the same again. */
export const originals = async (): Promise<readonly Original[]> => {
  const real = quoteCases().map((one): Candidate => ({ ...one, collateral: utf8(one.collateral) }))
  const found = await Promise.all((real.length > 0 ? real : mocks()).map(originalOf))
  return found.filter((one) => one !== null)
}

/** Null for what is refused as it is. */
export const originalOf = async ({ name, quote, collateral, at, root }: Candidate): Promise<Original | null> => {
  const options = { at, root, ecdsa, policy: POLICY }
  const { accepted } = await inspectAttestation(quote, collateral, options)
  if (!accepted) return null
  const handle = await verifyCollateral(collateral, options)
  return { name, quote, collateral, options, decoded: decodeAttested({ quote, collateral }), handle }
}

const AT = Date.UTC(2026, 5, 1) / 1000

/** The forms that a TD quote has, all of one platform; the last one with collateral that was signed anew. */
const FORMS: Readonly<Record<string, QuoteChanges>> = {
  v4: { version: 4 },
  'v4 with bytes behind it': { version: 4, auth: of(64, 7), parts: { trailing: new Uint8Array(40) } },
  'v5 body 2': { version: 5 },
  'v5 body 3': { version: 5, bodyType: 3, report: { teeTcbSvn2: svns(5, 1, 7) } },
  'v5 body 4': { version: 5, bodyType: 4 },
}
const CHAINED: QuoteChanges = { version: 4, parts: { pckType: 4, pck: new Uint8Array(0) } }

export const mocks = (): readonly Candidate[] => {
  const pki = newPki(AT)
  const root = trustedRoot(pki)
  const collateral = utf8(writeCollateral(pki))
  const chained = writeCollateral(pki, { members: { pck_certificate_chain: pem(pki.pck, pki.authority, pki.root) } })
  return [
    ...Object.entries(FORMS).map(([name, changes]) => ({ name, quote: writeQuote(pki, changes), collateral, at: AT, root })),
    { name: 'v4 with its chain in the collateral, issued anew', quote: writeQuote(pki, CHAINED), collateral: utf8(chained), at: AT, root },
  ]
}
