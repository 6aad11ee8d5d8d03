import { check, type QuoteCheck } from '../attestation.ts'
import type { CheckState } from '../verdict.ts'

// What a check expects, unless whoever makes it can say it closer.
const EXPECTED = {
  'collateral.shape': 'every part there and within its bounds',
  'collateral.chains': 'PCK authority and TCB signers with valid certificates under the trusted root',
  'collateral.crls': 'lists of root and PCK authority, signed by them and valid, naming neither authority nor signers',
  'collateral.tcbInfo': 'a TCB info that its signer signed, valid and of a known form',
  'collateral.qeIdentity': 'a QE identity that its signer signed, valid and of a known form',
  'collateral.rollback': 'nothing older than what was accepted before',
} as const

export type CollateralCheckName = keyof typeof EXPECTED

export const collateralCheck = (name: CollateralCheckName, state: CheckState, found: string): QuoteCheck =>
  check(name, state, EXPECTED[name], found)
