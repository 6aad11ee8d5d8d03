import { CoalitionError } from '../../error.ts'
import { type Certificate, certificateCodec, commitHash, type Header } from '../../groups/block.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import type { TreeProof } from '../../proofs/index.ts'
import type { Verdict } from '../../verify/verdict.ts'
import type { EpochStep } from '../light/messages.ts'
import { CheckError, certificateOf, type Trusted } from './trust.ts'

// Two certified logs of one group, in a form that anybody can check without the servers that showed them (PROTOCOL.md section 1,
// "Certificates at one index, or at i < j with a log proof that leaf i differs, are portable proof of equivocation").

/** How the block at the index in question hangs on a certified one; null where it is that block itself. */
export type ForkLink =
  | { readonly kind: 'leaf'; readonly proof: TreeProof }
  /** The headers between, ascending: each names the one before it by `prev`. */
  | { readonly kind: 'headers'; readonly headers: readonly Header[] }

/** One of the two histories. */
export interface Branch {
  /** What it has at the index in question. */
  readonly commit: Bytes
  /** Handovers from epoch 0 to the committee that certified it. */
  readonly steps: readonly EpochStep[]
  readonly certificate: Certificate
  readonly link: ForkLink | null
}

export interface Fork {
  readonly index: bigint
  /** First the history that the reader followed. */
  readonly branches: readonly [Branch, Branch]
}

/** The fork between what a reader trusts and another history, both of which it has verified. `link` is of the trusted side. */
export const forkOf = (known: Trusted, index: bigint, theirs: Branch, ours: Partial<Pick<Branch, 'commit' | 'link'>> = {}): Fork => {
  const certificate = certificateOf(known)
  // Genesis is computed from the config: who shows another one has no certificate to contradict.
  if (certificate === null) throw new CheckError('commit.consistency', toHex(known.commit), toHex(theirs.commit))
  return { index, branches: [{ commit: known.commit, steps: known.steps, certificate, link: null, ...ours }, theirs] }
}

/**
 * What a certified head has at `index`, by the headers between.
 *
 * @throws CheckError commit.consistency when they are not one chain from there to the head
 */
export const commitBelow = (head: Header, index: bigint, headers: readonly Header[]): Bytes => {
  const below = headers.toReversed().reduce((child, header) => {
    const found = commitHash(header)
    if (!equal(found, child.prev) || header.index !== child.index - 1n)
      throw new CheckError('commit.consistency', `block ${toHex(child.prev)} before ${child.index}`, toHex(found))
    return header
  }, head)
  if (below.index !== index + 1n) throw new CheckError('commit.consistency', `headers from ${index + 1n} on`, `from ${below.index} on`)
  return below.prev
}

/**
 * Two certified logs of one group: more members lied than the reader withstands. `fork` is the whole proof and stays where the error was
 * thrown; the certificates among the facts cross a port too.
 */
export class EquivocationError extends CoalitionError {
  declare readonly index: bigint
  declare readonly ours: Bytes
  declare readonly theirs: Bytes
  /** What was checked until then, `commit.consistency` failed; null before the reader has looked at it. */
  declare readonly verdict: Verdict | null
  readonly #fork: Fork

  constructor(fork: Fork, verdict: Verdict | null = null) {
    const { index, branches } = fork
    const [{ commit: ours }, { commit: theirs }] = branches
    const certificates = branches.map(({ certificate }) => encode(certificateCodec, certificate))
    const message = `two certified blocks at index ${index}: ${toHex(ours)} and ${toHex(theirs)}`
    super('Network.EquivocationError', message, { index, ours, theirs, certificates, verdict })
    this.#fork = fork
  }

  get fork(): Fork {
    return this.#fork
  }
}
