import type { QuoteCheck, QuoteCheckName } from '../attestation.ts'
import { notWithin } from '../collateral/fields.ts'
import { checkRollback, isFresh, type RollbackMemory, type VerifiedCollateral } from '../collateral/index.ts'

type Span = readonly [name: QuoteCheckName, from: number, until: number]

/**
 * The checks of a handle, for the time it is used at: it may have been made a day ago, under another time, or before a newer one was
 * accepted.
 *
 * @param at unix seconds
 */
export const collateralChecks = async (
  handle: VerifiedCollateral,
  at: number,
  memory: RollbackMemory | undefined,
): Promise<readonly QuoteCheck[]> => {
  const stale = isFresh(handle, at) ? [] : staleParts(handle, at)
  const rollback = memory && (await checkRollback(memory, handle))
  return handle.checks.map((one) => {
    if (one.name === 'collateral.rollback') return rollback ?? one
    const part = stale.find(([name]) => name === one.name)
    return part ? { ...one, state: 'failed', found: notWithin(part[1], part[2], at) } : one
  })
}

/** Which parts of a handle are not valid at a time. What is not one of the signed lists and documents is a certificate. */
const staleParts = (handle: VerifiedCollateral, at: number): readonly Span[] => {
  const { rootCrl, pckCrl, tcbInfo, qeIdentity, notBefore, expires } = handle
  const parts: readonly Span[] = [
    ['collateral.crls', Math.max(rootCrl.thisUpdate, pckCrl.thisUpdate), Math.min(rootCrl.nextUpdate, pckCrl.nextUpdate)],
    ['collateral.tcbInfo', tcbInfo.issueDate, tcbInfo.nextUpdate],
    ['collateral.qeIdentity', qeIdentity.issueDate, qeIdentity.nextUpdate],
  ]
  const stale = parts.filter(([, from, until]) => !isFresh({ notBefore: from, expires: until }, at))
  return stale.length > 0 ? stale : [['collateral.chains', notBefore, expires]]
}
