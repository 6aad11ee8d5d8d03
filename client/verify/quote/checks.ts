import { check, QUOTE_CHECKS, type QuoteCheck, type QuoteCheckName } from '../attestation.ts'

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
