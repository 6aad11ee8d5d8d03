import { hashLeaf } from '../../../wasm/core.ts'
import { CoalitionError, isError } from '../../error.ts'
import type { Certificate } from '../../groups/block.ts'
import { CertificateError, verifySeal } from '../../groups/certificate.ts'
import { rosterId } from '../../groups/roster.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { type Frontier, frontier, type RangeProof, type TreeProof, verifyItem, verifyRange } from '../../proofs/index.ts'
import type { EpochStep } from '../light/messages.ts'
import type { AnswerOf } from '../light/queries.ts'
import { EquivocationError, forkOf } from './fork.ts'
import { CheckError, type Committee, checkForm, committeeOf, failed, type Ground, surfaceIn, type Trusted, under } from './trust.ts'

// What the answers to `open` and to the queries after it have to prove. Nothing here asks or waits for anybody but the signature check.

/** A header and the committee whose votes were verified on it. */
export interface Sealed extends Certificate {
  readonly commit: Bytes
  readonly committee: Committee
}

/** @throws CheckError: commit.header for its form, commit.signatures for the votes, roster.chain for votes of another committee */
export const verifyCertificate = async (ground: Ground, committee: Committee, { header, seal }: Certificate): Promise<Sealed> => {
  checkForm(ground, header)
  const { roster, id, needed } = committee
  try {
    const { commit } = await verifySeal({ header, seal, roster, rosterId: id, needed, verify: ground.verify })
    return { header, seal, commit, committee }
  } catch (error) {
    throw failed(error instanceof CertificateError && error.part === 'roster' ? 'roster.chain' : 'commit.signatures', error)
  }
}

/** Where a climb has got to: the committee of the newest epoch known, and the block that announced it. */
export interface Climb {
  readonly committee: Committee
  readonly last: Sealed | null
}

/**
 * One epoch further: the block that closes it was certified by its committee at full strength, and names the roster that follows.
 *
 * @throws CheckError roster.chain, WithstandError when the next committee is too small for the reader
 */
export const climb = async (ground: Ground, { committee, last }: Climb, { certificate, roster }: EpochStep): Promise<Climb> => {
  const sealed = await verifyCertificate(ground, committee, certificate)
  const { index, prev, next } = sealed.header
  if (last !== null && index <= last.header.index) throw new CheckError('roster.chain', `a block after ${last.header.index}`, `${index}`)
  const epoch = committee.roster.epoch + 1
  if (roster.epoch !== epoch) throw new CheckError('roster.chain', `epoch ${epoch}`, `epoch ${roster.epoch}`)
  // The id first: it costs a hash, and admitting a roster costs a scalar multiplication for each key, which nobody but the committee may cause.
  const id = rosterId(ground.identified.network, ground.identified.group, prev, roster)
  if (!equal(id, next)) throw new CheckError('roster.chain', toHex(next), toHex(id))
  return { committee: admit(ground, prev, roster), last: sealed }
}

const admit = (ground: Ground, after: Bytes, roster: EpochStep['roster']): Committee => {
  try {
    return committeeOf(ground, after, roster)
  } catch (error) {
    // A committee too small for the reader is no lie of the server's: it goes up as it is, aloud.
    throw isError(error, 'Group.WithstandError') ? error : failed('roster.chain', error)
  }
}

/** The head under the newest committee, or under the one before when it is the very block that ended that one's epoch. */
export const verifyHead = async (ground: Ground, { committee, last }: Climb, head: Certificate): Promise<Sealed> => {
  const closes = last !== null && equal(head.header.roster, last.committee.id)
  const sealed = await verifyCertificate(ground, closes ? last.committee : committee, head)
  if (sealed.header.index === 0n) throw new CheckError('commit.header', 'a block after genesis', 'index 0')
  if (last !== null && sealed.header.index < last.header.index)
    throw new CheckError('roster.chain', `a head after ${last.header.index}`, `${sealed.header.index}`)
  if (closes && !equal(sealed.commit, last.commit))
    throw new CheckError('roster.chain', `${toHex(last.commit)}, the last of its epoch`, toHex(sealed.commit))
  return sealed
}

/**
 * A header that the reader trusts has to be a leaf of the new head's log: else one of the two is from another history.
 *
 * @param steps the handovers that led to the head
 * @throws CheckError commit.consistency; EquivocationError when both are certified for one index
 */
export const verifyLink = (known: Trusted, head: Sealed, link: TreeProof | null | undefined, steps: readonly EpochStep[] = []): void => {
  const { index } = known.header
  if (index > head.header.index) return
  if (index === head.header.index) {
    if (equal(known.commit, head.commit)) return
    throw new EquivocationError(forkOf(known, index, { commit: head.commit, steps, certificate: head, link: null }))
  }
  if (link == null)
    throw new CheckError('commit.consistency', `a proof that block ${index} is in the log of block ${head.header.index}`, 'none')
  verifyLeaf(head, index, known.commit, link)
}

/** @throws CheckError commit.consistency unless `commit` is leaf `index` under the head's log root */
export const verifyLeaf = ({ header }: Pick<Sealed, 'header'>, index: bigint, commit: Bytes, proof: TreeProof): void => {
  if (proof.position !== index) throw new CheckError('commit.consistency', `leaf ${index} of ${header.index}`, `leaf ${proof.position}`)
  under('commit.consistency', () => verifyItem({ size: header.index, root: header.log }, proof, hashLeaf(commit)))
}

/** The newest item of a surface, and the right edge before and after it. */
export interface Newest {
  readonly item: Bytes
  readonly before: Frontier
  readonly edge: Frontier
}

/**
 * Right edge of a tree before its last leaf. The audit path of the last leaf has left siblings only, and they are that edge: so the newest
 * item brings all that following needs, in fewer bytes than the edge would take beside it.
 *
 * @param proof verified, of the tree's last position
 */
const edgeBefore = ({ position, path }: TreeProof): Frontier => ({ size: position, edge: path.toReversed() })

/** @throws CheckError item.inclusion unless it is the last item under the head */
export const verifyNewest = (ground: Ground, { header }: Sealed, { item, proof }: AnswerOf<'item'>): Newest => {
  const surface = surfaceIn(ground, header)
  if (proof.position !== surface.size - 1n) throw new CheckError('item.inclusion', `item ${surface.size - 1n}`, `item ${proof.position}`)
  const leaf = hashLeaf(item)
  under('item.inclusion', () => verifyItem(surface, proof, leaf))
  const before = edgeBefore(proof)
  return { item, before, edge: frontier.append(before, [leaf]) }
}

/**
 * The surface as it was at `known` is how the surface under the head begins: nothing that was shown was taken back. The proof's left
 * part is cover(0, size), which is the right edge that the reader holds.
 */
export const verifyGrowth = (ground: Ground, known: Trusted, { header }: Sealed, proof: RangeProof): void => {
  const { size, root } = surfaceIn(ground, header)
  const before = known.edge.size
  if (proof.from !== before || proof.to !== before) {
    throw new CheckError('commit.consistency', `edge ${before} of ${size}`, `${proof.from} … ${proof.to}`)
  }
  under('commit.consistency', () => verifyRange({ size, root }, proof, []))
  const same = proof.left.length === known.edge.edge.length && proof.left.every((node, i) => equal(node, known.edge.edge[i] as Bytes))
  if (!same) throw new CheckError('commit.consistency', `the first ${before} items as they were`, 'others')
}

/**
 * Right edge of the log under the head, from the header before it: no query asks for it by name. With it the log root of every header that
 * follows is recomputed.
 *
 * Nothing that a reader is shown rests on this. A block hash covers its parent's, so a certified header vouches for all before it; and a
 * log root that was certified had an honest signer who recomputed it, as long as fewer lied than the reader withstands. It is checked all
 * the same, because later log proofs are read under these roots, and a committee that gets them wrong is better known early.
 */
export const verifyLogEdge = ({ header: head }: Trusted, { header, proof }: AnswerOf<'header'>, parent: Bytes): Frontier => {
  if (!equal(parent, head.prev) || header.index !== head.index - 1n)
    throw new CheckError('commit.consistency', `block ${toHex(head.prev)} before the head`, toHex(parent))
  verifyLeaf({ header: head }, head.index - 1n, parent, proof)
  return frontier.append(edgeBefore(proof), [hashLeaf(parent)])
}

/** Whether a server's answer is to blame for an error, rather than its absence or our own doing. */
export const isLie = (error: unknown): boolean => error instanceof CoalitionError && LIES.has(error.name)

const LIES: ReadonlySet<string> = new Set(['Network.CheckError', 'Codec.DecodeError', 'Light.FrameError', 'Light.AnswerError'])
