import { certificateCodec, headerCodec } from '../../groups/block.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import { decode, encode, fixed, type Of, refine, struct, u8, u64, unit, variant, vector } from '../../primitives/codec.ts'
import { TreeProof } from '../../proofs/index.ts'
import { checkEquivocation } from '../../verify/evidence/equivocation.ts'
import { MAX_HEADERS, stepCodec } from '../light/messages.ts'
import type { Branch, Fork, ForkLink } from '../reader/fork.ts'
import type { Ground } from '../reader/trust.ts'
import { STORAGE_LIMITS } from './storage.ts'

const VERSION = 1
const MOST_STEPS = 1_024

const version = refine(u8, 'version', (found) => (found === VERSION ? null : `version ${found}, not ${VERSION}`))
const linkCodec = variant('KeptLink', { none: [0, unit], leaf: [1, TreeProof], headers: [2, vector(headerCodec, MAX_HEADERS)] })
const branchCodec = struct('KeptBranch', {
  commit: fixed(32),
  steps: vector(stepCodec, MOST_STEPS),
  certificate: certificateCodec,
  link: linkCodec,
})

/**
 * The proof that a committee signed two histories, in canonical bytes: version u8 = 1, the index at which they differ, and the two branches,
 * first the one that the reader followed. Each branch is its block at that index, the handovers from epoch 0, the certificate, and how the
 * block hangs on it: 0 it is that block, 1 by a proof under its log, 2 by the headers between.
 */
const recordCodec = struct('KeptFork', { version, index: u64, ours: branchCodec, theirs: branchCodec })

type KeptBranch = Of<typeof branchCodec>

/** @throws EncodeError, or RangeError for a proof that is larger than a value may be: it is there for as long as its reader only */
export const forkRecord = ({ index, branches: [ours, theirs] }: Fork): Bytes => {
  const record = encode(recordCodec, { version: VERSION, index, ours: packed(ours), theirs: packed(theirs) })
  if (record.length > STORAGE_LIMITS.value) throw new RangeError(`a proof of ${record.length} bytes, at most ${STORAGE_LIMITS.value}`)
  return record
}

/** @throws DecodeError, and CheckError unless both branches are certified by the committee that the config leads to, and differ */
export const verifyForkRecord = async (ground: Ground, record: Bytes): Promise<Fork> => {
  const { index, ours, theirs } = decode(recordCodec, record)
  const fork: Fork = { index, branches: [unpacked(ours), unpacked(theirs)] }
  await checkEquivocation(ground, fork)
  return fork
}

const packed = ({ link, ...branch }: Branch): KeptBranch => ({ ...branch, link: packedLink(link) })

const packedLink = (link: ForkLink | null): KeptBranch['link'] => {
  if (link === null) return { kind: 'none', value: null }
  return link.kind === 'leaf' ? { kind: 'leaf', value: link.proof } : { kind: 'headers', value: link.headers }
}

const unpacked = ({ link, ...branch }: KeptBranch): Branch => ({ ...branch, link: unpackedLink(link) })

const unpackedLink = (link: KeptBranch['link']): ForkLink | null => {
  if (link.kind === 'none') return null
  return link.kind === 'leaf' ? { kind: 'leaf', proof: link.value } : { kind: 'headers', headers: link.value }
}
