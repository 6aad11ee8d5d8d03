import type { Bytes } from '../primitives/bytes.ts'
import type { CheckState } from './verdict.ts'

// What the two stages of a quote's verification share: the collateral's, and the quote's own.

/** The closed list of checks of a quote, in the order a verdict shows them. The first part is made with the collateral, once for many quotes. */
export const QUOTE_CHECKS = [
  'collateral.shape',
  'collateral.chains',
  'collateral.crls',
  'collateral.tcbInfo',
  'collateral.qeIdentity',
  'collateral.rollback',
  'quote.shape',
  'quote.pckChain',
  'quote.revocation',
  'quote.qeSignature',
  'quote.binding',
  'quote.signature',
  'quote.platform',
  'quote.qe',
  'quote.module',
  'quote.tcb',
  'quote.relaunch',
  'policy.status',
  'policy.age',
  'policy.advisories',
  'policy.debug',
  'policy.attributes',
  'policy.xfam',
  'policy.serviceTd',
  'policy.measurements',
  'policy.reportData',
  'policy.platforms',
] as const

export type QuoteCheckName = (typeof QUOTE_CHECKS)[number]

/** One check: what was expected and what was found, on success and on failure alike. */
export type QuoteCheck = {
  readonly name: QuoteCheckName
  readonly state: CheckState
  readonly expected: string
  readonly found: string
  /** The section that asks for it. */
  readonly source: string
}

/** What Intel's TCB info and QE identities say of a TCB, spelt as there. */
export const TCB_STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const

/** A status in a signed document. */
export type TcbStatus = (typeof TCB_STATUSES)[number]

/** A status of a whole quote: of TDX 1.5 and later also that a relaunch on the present TCB would mend it. */
export type QuoteStatus = TcbStatus | 'TDRelaunchAdvised' | 'TDRelaunchAdvisedConfigurationNeeded'

/** SHA-256 of the SubjectPublicKeyInfo of Intel's SGX Root CA, the only root that a production reader trusts (TDX.md section 3). */
export const INTEL_ROOT = 'a0af031289f5d5d4132f9186068a7fc13628633ba235777472e29b6b6c67a49e'

/** Where trust begins: a root of Intel's, or, aloud, somebody's own. */
export type TrustedRoot = {
  /** SHA-256 of the root's SubjectPublicKeyInfo: 32 bytes. */
  readonly spkiHash: Bytes
  /** True for every root but Intel's; every verdict that stands on one says so. */
  readonly development: boolean
}

/**
 * ECDSA on P-256 with SHA-256.
 *
 * @param publicKey 04 ‖ x ‖ y, 65 bytes
 * @param signature r ‖ s, 64 bytes, s of either half
 * @returns false for a signature that does not hold, for r or s out of range and for a point that is not on the curve; it never throws.
 */
export type VerifyEcdsa = (publicKey: Bytes, signature: Bytes, message: Bytes) => Promise<boolean>
