import type { Bytes } from '../primitives/bytes.ts'
import type { TCB_STATUSES } from './quote/names.ts'
import type { CheckState } from './verdict.ts'

// What the two stages of a quote's verification share: the collateral's, and the quote's own.

/** The closed list of checks of a quote and the section of TDX.md that asks for each, in the order a verdict shows them: first those that are made with the collateral, once for many quotes. */
const SECTIONS = {
  'collateral.shape': 5,
  'collateral.chains': 3,
  'collateral.crls': 4,
  'collateral.tcbInfo': 5,
  'collateral.qeIdentity': 5,
  'collateral.rollback': 5,
  'quote.shape': 1,
  'quote.pckChain': 3,
  'quote.revocation': 4,
  'quote.qeSignature': 2,
  'quote.binding': 2,
  'quote.signature': 2,
  'quote.platform': 5,
  'quote.qe': 6,
  'quote.module': 7,
  'quote.tcb': 8,
  'quote.relaunch': 8,
  'policy.status': 9,
  'policy.age': 9,
  'policy.advisories': 9,
  'policy.debug': 9,
  'policy.attributes': 9,
  'policy.xfam': 9,
  'policy.serviceTd': 9,
  'policy.measurements': 9,
  'policy.reportData': 9,
  'policy.platforms': 9,
} as const

export type QuoteCheckName = keyof typeof SECTIONS

/** The names of all checks, in order. */
export const QUOTE_CHECKS = /* @__PURE__ */ Object.keys(SECTIONS) as readonly QuoteCheckName[]

/** One check: what was expected and what was found, on success and on failure alike. */
export type QuoteCheck = {
  readonly name: QuoteCheckName
  readonly state: CheckState
  readonly expected: string
  readonly found: string
  /** The section that asks for it. */
  readonly source: string
}

export const check = (name: QuoteCheckName, state: CheckState, expected: string, found: string): QuoteCheck => ({
  name,
  state,
  expected,
  found,
  source: `TDX.md section ${SECTIONS[name]}`,
})

export { TCB_STATUSES } from './quote/names.ts'

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

/** The host's cryptography: ECDSA on P-256 with SHA-256, and SHA-256 alone. */
export interface VerifyEcdsa {
  /**
   * @param publicKey 04 ‖ x ‖ y, 65 bytes
   * @param signature r ‖ s, 64 bytes, s of either half
   * @returns false for a signature that does not hold, for r or s out of range and for a point that is not on the curve; it never throws.
   */
  (publicKey: Bytes, signature: Bytes, message: Bytes): Promise<boolean>
  /** 32 bytes. Where it is left out the library's is fetched. */
  readonly sha256?: (message: Bytes) => Promise<Bytes>
}
