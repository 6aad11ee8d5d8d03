import { toHex } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import type { Archive } from './archive.ts'
import { VOTE } from './block.ts'
import { fromVote, toVote } from './commit/messages.ts'
import { contradictionCodec, type EncodedContradiction } from './contradiction.ts'
import type { Identity } from './execution.ts'
import { archiveKey } from './keys.ts'
import type { Contradiction } from './simplex/index.ts'

/** Keeps the newest contradiction of a member for each kind of vote: more of them show nothing new, and a liar must not fill the disk. */
export const keepEvidence = async <S, C>(
  archive: Archive<S, C>,
  { rosterId }: Identity,
  { first, second }: Contradiction,
): Promise<void> => {
  const value = encode(contradictionCodec, { roster: rosterId, first: fromVote(first), second: fromVote(second) })
  await archive.store.write([{ key: archiveKey.evidence(first.member, VOTE[second.kind]), value }], { sync: false })
}

/** What was kept, by member, as it travels. @throws DamageError, DecodeError */
export const keptEvidence = async <S, C>(archive: Archive<S, C>): Promise<readonly EncodedContradiction[]> => {
  const found: EncodedContradiction[] = []
  for await (const [, value] of archive.store.entries(archiveKey.evidences)) found.push(decode(contradictionCodec, value))
  return found
}

/** What was kept, by member. @throws DamageError, DecodeError */
export const evidenceIn = async <S, C>(archive: Archive<S, C>): Promise<readonly Contradiction[]> =>
  (await keptEvidence(archive)).map(({ first, second }) => ({ first: toVote(first), second: toVote(second) }))

/** A contradiction for an operator's log. */
export const factsOf = ({ first, second }: Contradiction) => ({
  member: first.member,
  view: first.view,
  votes: [first, second].map(({ kind, hash }) => `${kind} ${toHex(hash)}`).join(', '),
  signatures: [first, second].map(({ signature }) => toHex(signature)).join(', '),
})
