import { QUOTE_CHECKS, type QuoteCheck, type QuoteCheckName } from '../attestation.ts'
import type { CheckState } from '../verdict.ts'

/** The section of TDX.md that asks for a check of the quote; those of the policy are all asked for by section 9. */
const SECTIONS: Readonly<Partial<Record<QuoteCheckName, number>>> = {
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
}

export const check = (name: QuoteCheckName, state: CheckState, expected: string, found: string): QuoteCheck => ({
  name,
  state,
  expected,
  found,
  source: `TDX.md section ${SECTIONS[name] ?? 9}`,
})

/** A check that passes when there is nothing wrong, and else says all that is. */
export const judge = (name: QuoteCheckName, problems: readonly string[], expected: string, found: string): QuoteCheck =>
  problems.length === 0 ? check(name, 'passed', expected, found) : check(name, 'failed', expected, problems.join('; '))

/** A check that says nothing of this quote: it is about another kind of TEE or report, or the policy asks for nothing. */
export const absent = (name: QuoteCheckName, why: string): QuoteCheck => check(name, 'absent', 'nothing', why)

/**
 * One check of each name, in the order of the closed list. What nobody came to is there too, as unproven: a list that ends early would look
 * like one of fewer checks.
 */
export const inOrder = (given: readonly QuoteCheck[]): readonly QuoteCheck[] => {
  const byName = new Map(given.map((one) => [one.name, one]))
  return QUOTE_CHECKS.map((name) => {
    const { state, expected, found, source } =
      byName.get(name) ?? check(name, 'unproven', 'nothing wrong', 'not looked at: an earlier check failed')
    // Built anew, so that equal verdicts are equal as JSON text.
    return { name, state, expected, found, source }
  })
}
