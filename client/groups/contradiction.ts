import { CoalitionError } from '../error.ts'
import { type Bytes, equal, toHex } from '../primitives/bytes.ts'
import { fixed, type Of, refine, struct, u8, u64 } from '../primitives/codec.ts'
import type { Verify } from '../primitives/ed25519.ts'
import { VOTE, type VoteKind, voteMessage } from './block.ts'
import type { Roster } from './roster.ts'

const kind = refine(u8, 'kind', (value) => (value >= 1 && value <= 4 ? null : `kind ${value} of a vote`))
/** A vote as it travels: docs/wire.md section 8. */
export const voteCodec = struct('Vote', { view: u64, kind, hash: fixed(32), member: u8, signature: fixed(64) })

/** Two votes of one member that an honest one does not both cast, with the committee that they are bound to: anybody can check them. */
export const contradictionCodec = struct('Contradiction', { roster: fixed(32), first: voteCodec, second: voteCodec })
export type EncodedContradiction = Of<typeof contradictionCodec>

/** Whose votes are looked at. */
export interface Accused {
  readonly roster: Roster
  readonly rosterId: Bytes
  readonly verify: Verify
}

/**
 * The member that a contradiction convicts: two proposals, notarizations or finalizations of different blocks in one view, or a finalization
 * beside a nullification of it (PROTOCOL.md section 1, "Evidence").
 *
 * @returns its place in the roster
 * @throws ContradictionError for what convicts nobody
 */
export const convictedBy = async ({ roster: bound, first, second }: EncodedContradiction, accused: Accused): Promise<number> => {
  const { roster, rosterId, verify } = accused
  if (!equal(bound, rosterId)) throw new ContradictionError(`it is of the roster ${toHex(bound)}`)
  const vote = roster.members[first.member]?.vote
  if (vote === undefined || first.member !== second.member) throw new ContradictionError('it is of no one member')
  if (first.view !== second.view || !isForbidden(first, second)) throw new ContradictionError('an honest member may cast both votes')
  for (const { view, kind: number, hash, signature } of [first, second])
    if (!(await verify(signature, voteMessage(rosterId, view, KIND_OF.get(number) as VoteKind, hash), vote)))
      throw new ContradictionError('a signature does not verify')
  return first.member
}

type EncodedVote = EncodedContradiction['first']

const isForbidden = (first: EncodedVote, second: EncodedVote): boolean => {
  if (first.kind === second.kind) return first.kind !== VOTE.nullify && !equal(first.hash, second.hash)
  return [first.kind, second.kind].every((each) => each === VOTE.nullify || each === VOTE.finalize)
}

const KIND_OF = new Map((Object.keys(VOTE) as VoteKind[]).map((name) => [VOTE[name] as number, name]))

/** Two votes that convict nobody. */
export class ContradictionError extends CoalitionError {
  declare readonly problem: string

  constructor(problem: string) {
    super('Group.ContradictionError', `no contradiction: ${problem}`, { problem })
  }
}
