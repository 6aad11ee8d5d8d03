// Stage two of a quote's verification: the quote itself, under collateral that holds and a policy (TDX.md, "Shape of the API").

export { type AttestationOptions, inspectAttestation, inspectQuote, type QuoteOptions, verifyQuote } from './inspect.ts'
export type { Measurements, QuotePlatform, SgxMeasurements, TdMeasurements } from './measurements.ts'
export { parsePolicy } from './parse-policy.ts'
export type { MeasurementCriteria, QuotePolicy, TdAttribute } from './policy.ts'
export { QuoteError, type QuoteVerdict } from './verdict.ts'
