// The published `./verify`: the checks themselves, for a dapp that gets its bytes by other ways than our Worker. No I/O; WebCrypto comes in
// through `createVerify`.

export { type CoalitionError, isError } from '../error.ts'
export {
  blockCodec,
  type Certificate,
  certificateCodec,
  commitHash,
  type Header,
  headerCodec,
  type Seal,
  sealCodec,
  voteMessage,
} from '../groups/block.ts'
export { verifySeal } from '../groups/certificate.ts'
export { checkRoster, type Roster, rosterCodec, rosterId, strength, thresholds } from '../groups/roster.ts'
export { identify, parseConfig } from '../lattice/tally/config.ts'
export { checkEvidence } from '../lattice/tally/evidence.ts'
export { type RefundItem, refundCodec } from '../lattice/tally/refund.ts'
export { binding as refunds } from '../lattice/tally/surface.ts'
export { type Codec, DecodeError, decode, EncodeError, encode } from '../primitives/codec.ts'
export { createVerify, type Verify } from '../primitives/ed25519.ts'
export { derive, id, toText, UNIVERSE } from '../primitives/id.ts'
export { verifyTail } from '../proofs/by.ts'
export { verifyMap } from '../proofs/map-proof.ts'
export { verifyMpt } from '../proofs/mpt.ts'
export { RangeProof, TreeProof, verifyItem, verifyRange } from '../proofs/tree.ts'
export { CHECKS } from './checks.ts'
export { type Evidence, type Finding, type VerifyOptions, verifyEvidence } from './evidence/index.ts'
export { readVerdict } from './read-verdict.ts'
export { type Check, type CheckName, EvidenceError, explain, type Light, type Verdict } from './verdict.ts'
