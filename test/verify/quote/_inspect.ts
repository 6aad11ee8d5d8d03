import { webcrypto } from 'node:crypto'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import type { QuoteCheckName, VerifyEcdsa } from '../../../client/verify/attestation.ts'
import { createEcdsa, type VerifiedCollateral, verifyCollateral } from '../../../client/verify/collateral/index.ts'
import { inspectAttestation, parsePolicy, type QuoteVerdict } from '../../../client/verify/quote/index.ts'
import { type CollateralChanges, type MockPki, newPki, trustedRoot, writeCollateral } from '../_collateral-writer.ts'
import { type QuoteChanges, writeQuote } from '../_quote-mock.ts'

export const AT = Date.UTC(2026, 5, 1) / 1000
export const pki = newPki(AT)
export const ecdsa = createEcdsa(webcrypto.subtle as never)

/** What a test wants to be another thing; everything else is right. */
export interface Scene {
  readonly pki?: MockPki
  readonly collateral?: CollateralChanges
  readonly quote?: QuoteChanges
  readonly policy?: unknown
  readonly at?: number
}

export const inspect = ({ pki: own = pki, collateral = {}, quote = {}, policy = {}, at = AT }: Scene = {}): Promise<QuoteVerdict> =>
  inspectAttestation(writeQuote(own, quote), writeCollateral(own, collateral), {
    ...{ at, ecdsa, root: trustedRoot(own), policy: parsePolicy(policy) },
  })

export const handleOf = (collateral: CollateralChanges = {}, own: MockPki = pki, at = AT): Promise<VerifiedCollateral> =>
  verifyCollateral(writeCollateral(own, collateral), { at, ecdsa, root: trustedRoot(own) })

/** An ECDSA port that counts what it is asked. */
export const counting = (): { readonly ecdsa: VerifyEcdsa; readonly count: () => number } => {
  let calls = 0
  return {
    ecdsa: (publicKey: Bytes, signature: Bytes, message: Bytes) => {
      calls++
      return ecdsa(publicKey, signature, message)
    },
    count: () => calls,
  }
}

/** What was found wrong, by the check's name. */
export const failures = ({ checks }: QuoteVerdict): Readonly<Partial<Record<QuoteCheckName, string>>> =>
  Object.fromEntries(checks.filter(({ state }) => state === 'failed').map(({ name, found }) => [name, found]))

export const found = ({ checks }: QuoteVerdict, name: QuoteCheckName): string | undefined =>
  checks.find((check) => check.name === name)?.found
