import { type Quote, readQuote } from '../../../wasm/quote.ts'
import { MAX_INPUT } from '../../../wasm/reading.ts'
import { type Bytes, concat, copy } from '../../primitives/bytes.ts'
import { check, type QuoteCheck, type QuoteCheckName, type VerifyEcdsa } from '../attestation.ts'
import { isSignedBy, type VerifiedCollateral } from '../collateral/index.ts'
import { attempt } from '../collateral/parts.ts'

import { type PckChain, readPck } from './pck.ts'
import { checkBinding } from './qe.ts'

/** A quote that was read, with the checks under way that need nothing but itself. */
export interface StartedQuote {
  readonly quote: Quote
  readonly shape: QuoteCheck
  /** In words, why it names no chain. */
  readonly pck: PckChain | string
  /** quote.binding and quote.signature, and quote.qeSignature where there is a chain. */
  readonly checks: Promise<readonly QuoteCheck[]>
  /** Whether the PCK's certificate is signed by the next one of its chain; null where that is known, or there is no chain. */
  readonly leaf: Promise<boolean> | null
}

const SHAPE = 'a quote of version 3, 4 or 5, ECDSA on P-256, by a QE of Intel'
const POINT = /* @__PURE__ */ Uint8Array.of(0x04)

/**
 * Reads a quote and starts its signature checks.
 *
 * @param handle null where the collateral is not verified yet, or is refused
 * @returns the failed check of its shape when it cannot be read, naming path and offset
 * @throws UnsupportedError where there is no WebAssembly with SIMD
 * @see TDX.md sections 1 and 2
 */
export const startQuote = (bytes: Bytes, ecdsa: VerifyEcdsa, handle: VerifiedCollateral | null): StartedQuote | QuoteCheck => {
  // A copy: signatures are checked later, and nobody may change in between what was read. What is too long to be read is not copied.
  const { value: quote, problem } = attempt(() => readQuote(bytes.length > MAX_INPUT ? bytes : copy(bytes)))
  if (quote === null) return check('quote.shape', 'failed', SHAPE, problem)
  const { header, body, trailing, signature } = quote
  const found = `version ${header.version}, ${body.kind}, ${bytes.length} bytes, ${trailing.length} of them behind the quote`
  const read = attempt(() => readPck(signature.certification.pck, handle))
  const pck = read.value ?? read.problem
  return {
    quote,
    shape: check('quote.shape', 'passed', SHAPE, found),
    pck,
    leaf: typeof pck === 'string' || pck.isKnown ? null : startLeaf(pck, ecdsa),
    checks: Promise.all([
      checkQuoteSignature(quote, ecdsa),
      ...(typeof pck === 'string' ? [] : [checkQeSignature(quote, pck, ecdsa)]),
      checkBinding(signature, ecdsa),
    ]),
  }
}

// It needs nothing of the collateral, and a host with threads of its own is done with it before the collateral is read.
const startLeaf = ({ chain: [leaf, authority] }: PckChain, ecdsa: VerifyEcdsa): Promise<boolean> => {
  const holds = isSignedBy(leaf, authority, ecdsa)
  // Nobody may ask, as when the collateral is refused.
  holds.catch(() => {})
  return holds
}

const checkQuoteSignature = async ({ signed, signature }: Quote, ecdsa: VerifyEcdsa): Promise<QuoteCheck> =>
  signatureCheck(
    'quote.signature',
    'header and body by the attestation key',
    await ecdsa(concat(POINT, signature.attestationKey), signature.value, signed),
  )

const checkQeSignature = async ({ signature }: Quote, { chain: [leaf] }: PckChain, ecdsa: VerifyEcdsa): Promise<QuoteCheck> => {
  const { qeReport, qeSignature } = signature.certification
  return signatureCheck('quote.qeSignature', "the QE's report by the PCK", await ecdsa(leaf.publicKey, qeSignature, qeReport.bytes))
}

const signatureCheck = (name: QuoteCheckName, over: string, holds: boolean): QuoteCheck =>
  check(name, holds ? 'passed' : 'failed', `a signature over ${over}`, holds ? 'it holds' : 'it does not hold')
