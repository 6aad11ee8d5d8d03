import type { Certificate } from '../../../wasm/certificate.ts'
import type { Crl } from '../../../wasm/crl.ts'
import { CoalitionError } from '../../error.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import type { QuoteCheck, TrustedRoot, VerifyEcdsa } from '../attestation.ts'
import type { RollbackMemory } from './memory.ts'
import type { QeIdentity } from './qe-identity.ts'
import type { TcbInfo } from './tcb-info.ts'

/** What a verification of collateral needs beside the collateral. */
export interface CollateralOptions {
  /** Where every chain must end. */
  readonly root: TrustedRoot
  /** Unix seconds at which all of it must be valid. */
  readonly at: number
  /** From {@link createEcdsa}, made once: it keeps the keys that it imported. */
  readonly ecdsa: VerifyEcdsa
  /** What was accepted before. Without one nobody can tell whether this goes back behind it, and `collateral.rollback` stays unproven. */
  readonly memory?: RollbackMemory
}

/**
 * Collateral whose signatures, names and dates hold: a stage that many quotes of a platform share. It is valid from `notBefore` to `expires`
 * and no longer, whenever it was made: ask {@link isFresh} each time it is used.
 */
export interface VerifiedCollateral {
  /** The {@link collateralHash} of what was verified: 32 bytes. */
  readonly hash: Bytes
  readonly root: TrustedRoot
  /** Unix seconds it was verified for. */
  readonly at: number
  /** The latest beginning and the earliest end of all certificates, CRLs and documents in it: unix seconds, both included. */
  readonly notBefore: number
  readonly expires: number
  readonly rootCertificate: Certificate
  /** The authority that issued the PCK certificates and `pckCrl`. */
  readonly intermediate: Certificate
  readonly rootCrl: Crl
  readonly pckCrl: Crl
  readonly tcbInfo: TcbInfo
  readonly qeIdentity: QeIdentity
  /** PCK certificate, authority, root: verified as chains are, revocation of the first left to whoever uses it. Null where the collateral has none. */
  readonly pckChain: readonly Certificate[] | null
  readonly checks: readonly QuoteCheck[]
}

/** What {@link inspectCollateral} gives: the checks in either case, the handle when none of them failed. */
export interface CollateralVerdict {
  readonly checks: readonly QuoteCheck[]
  readonly verified: VerifiedCollateral | null
}

/** Whether all parts of a handle are valid at a time: numbers only, no signature is looked at. False for what is no time. */
export const isFresh = ({ notBefore, expires }: Pick<VerifiedCollateral, 'notBefore' | 'expires'>, at: number): boolean =>
  notBefore <= at && at <= expires

/** Collateral that is refused. `checks` says of each check what was expected and found; the message names the first that failed. */
export class CollateralError extends CoalitionError {
  declare readonly checks: readonly QuoteCheck[]

  constructor(checks: readonly QuoteCheck[]) {
    const failed = checks.find(({ state }) => state === 'failed')
    super('Verify.CollateralError', failed ? `${failed.name} failed: ${failed.found}` : 'no check failed', { checks })
  }
}

/** Bytes or text that are not collateral: `path` names the part (`tcb_info.tcbLevels[3].tcb`), `offset` the character in it where that is known. */
export class CollateralFormatError extends CoalitionError {
  declare readonly path: string
  declare readonly offset: number | null
  declare readonly problem: string

  constructor(path: string, offset: number | null, problem: string, cause?: unknown) {
    super(
      'Verify.CollateralFormatError',
      `${path}${offset === null ? '' : ` at ${offset}`}: ${problem}`,
      { path, offset, problem },
      cause === undefined ? {} : { cause },
    )
  }
}
