import type { QuoteCheck } from '../attestation.ts'
import type { CheckState } from '../verdict.ts'

// What a check expects, unless whoever makes it can say it closer, and the section of TDX.md that asks for it.
const ABOUT = {
  'collateral.shape': ['every part there and within its bounds', 5],
  'collateral.chains': ['PCK authority and TCB signers with valid certificates under the trusted root', 3],
  'collateral.crls': ['lists of root and PCK authority, signed by them and valid, naming neither authority nor signers', 4],
  'collateral.tcbInfo': ['a TCB info that its signer signed, valid and of a known form', 5],
  'collateral.qeIdentity': ['a QE identity that its signer signed, valid and of a known form', 5],
  'collateral.rollback': ['nothing older than what was accepted before', 5],
} as const

export type CollateralCheckName = keyof typeof ABOUT

export const check = (name: CollateralCheckName, state: CheckState, found: string, expected: string = ABOUT[name][0]): QuoteCheck => ({
  name,
  state,
  expected,
  found,
  source: `TDX.md section ${ABOUT[name][1]}`,
})
