// The published `./policy`: what a reader asks of a quote, from JSON. Apart from `./quote`, since a page that writes its policy in code reads none.

export { type CoalitionError, isError } from '../error.ts'
export { parsePolicy } from './quote/parse-policy.ts'
export type { MeasurementCriteria, QuotePolicy } from './quote/policy.ts'
