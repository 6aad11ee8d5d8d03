// The published `./quote`: quotes of TDX and SGX and their collateral, for whoever gets the bytes by ways of his own. No I/O; WebCrypto comes
// in through `createEcdsa`, the time with every call.

export { type CoalitionError, isError } from '../error.ts'
export { type Bytes, fromHex, toHex } from '../primitives/bytes.ts'
export {
  INTEL_ROOT,
  QUOTE_CHECKS,
  type QuoteCheck,
  type QuoteCheckName,
  type QuoteStatus,
  TCB_STATUSES,
  type TcbStatus,
  type TrustedRoot,
  type VerifyEcdsa,
} from './attestation.ts'
export {
  type Collateral,
  CollateralError,
  CollateralFormatError,
  type CollateralOptions,
  type CollateralVerdict,
  collateralHash,
  createEcdsa,
  inspectCollateral,
  isFresh,
  type RollbackMemory,
  type RollbackRecord,
  readCollateral,
  type SubtleEcdsa,
  type VerifiedCollateral,
  verifyCollateral,
} from './collateral/index.ts'
export {
  type AttestationOptions,
  inspectAttestation,
  inspectQuote,
  type MeasurementCriteria,
  type Measurements,
  QuoteError,
  type QuoteOptions,
  type QuotePolicy,
  type QuoteVerdict,
  type SgxMeasurements,
  type TdMeasurements,
  verifyQuote,
} from './quote/index.ts'
export { intelRoot, readRoot } from './trusted-root.ts'
