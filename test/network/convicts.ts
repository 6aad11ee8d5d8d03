import { sign as signWith } from 'node:crypto'
import { VOTE, type VoteKind, voteMessage } from '../../client/groups/block.ts'
import type { EncodedContradiction } from '../../client/groups/contradiction.ts'
import { ZEROS } from '../../client/groups/roster.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import type { Seat } from './chain.ts'

/** Two votes of a member, signed for real: two notarizations of different blocks unless told otherwise. */
export const contradiction = (
  rosterId: Bytes,
  members: readonly Seat[],
  member: number,
  options: { readonly first?: VoteKind; readonly second?: VoteKind; readonly view?: bigint } = {},
): EncodedContradiction => {
  const { first = 'notarize', second = 'notarize', view = 7n } = options
  const vote = (kind: VoteKind, block: number): EncodedContradiction['first'] => {
    const hash = kind === 'nullify' ? ZEROS : new Uint8Array(32).fill(block)
    const secret = (members[member] as Seat).vote.secret
    return {
      view,
      kind: VOTE[kind],
      hash,
      member,
      signature: new Uint8Array(signWith(null, voteMessage(rosterId, view, kind, hash), secret)),
    }
  }
  return { roster: rosterId, first: vote(first, 1), second: vote(second, 2) }
}
