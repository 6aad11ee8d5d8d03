import { toHex } from '../primitives/bytes.ts'
import { decode, encode, fixed, struct } from '../primitives/codec.ts'
import type { Archive } from './archive.ts'
import { VOTE } from './block.ts'
import { fromVote, toVote, voteCodec } from './commit/messages.ts'
import type { Identity } from './execution.ts'
import { archiveKey } from './keys.ts'
import type { Contradiction } from './simplex/index.ts'

/** Two votes of one member that an honest one does not both cast, with the committee that they are bound to: anybody can check them. */
export const contradictionCodec = struct('Contradiction', { roster: fixed(32), first: voteCodec, second: voteCodec })

/** Keeps the newest contradiction of a member for each kind of vote: more of them show nothing new, and a liar must not fill the disk. */
export const keepEvidence = async <S, C>(
  archive: Archive<S, C>,
  { rosterId }: Identity,
  { first, second }: Contradiction,
): Promise<void> => {
  const value = encode(contradictionCodec, { roster: rosterId, first: fromVote(first), second: fromVote(second) })
  await archive.store.write([{ key: archiveKey.evidence(first.member, VOTE[second.kind]), value }], { sync: false })
}

/** What was kept, by member. @throws DamageError, DecodeError */
export const evidenceIn = async <S, C>(archive: Archive<S, C>): Promise<readonly Contradiction[]> => {
  const found: Contradiction[] = []
  for await (const [, value] of archive.store.entries(archiveKey.evidences)) {
    const { first, second } = decode(contradictionCodec, value)
    found.push({ first: toVote(first), second: toVote(second) })
  }
  return found
}

/** A contradiction for an operator's log. */
export const factsOf = ({ first, second }: Contradiction) => ({
  member: first.member,
  view: first.view,
  votes: [first, second].map(({ kind, hash }) => `${kind} ${toHex(hash)}`).join(', '),
  signatures: [first, second].map(({ signature }) => toHex(signature)).join(', '),
})
