// Stage one of a quote's verification: what Intel publishes for a platform, verified once and shared by many quotes (TDX.md, "Shape of the API").

export { type ChainKind, type ChainOptions, isSignedBy, readChain, verifyChain } from './chain.ts'
export { type Collateral, collateralBytes, collateralHash } from './content.ts'
export { createEcdsa, type SubtleEcdsa, sha256 } from './ecdsa.ts'
export { checkRollback, type RollbackMemory, type RollbackRecord, RollbackRecordError, remember } from './memory.ts'
export { readPem } from './pem.ts'
export type { QeIdentity } from './qe-identity.ts'
export { readCollateral } from './read.ts'
export type { SvnLevel, TcbInfo, TcbLevel, TdxModule, TdxModuleIdentity } from './tcb-info.ts'
export {
  CollateralError,
  CollateralFormatError,
  type CollateralOptions,
  type CollateralVerdict,
  isFresh,
  type VerifiedCollateral,
} from './verified.ts'
export { inspectCollateral, verifyCollateral } from './verify.ts'
