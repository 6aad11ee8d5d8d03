import type { Bytes } from '../../primitives/bytes.ts'
import { bool, encode, fixed, type Of, struct, u64, unit, variant, vector } from '../../primitives/codec.ts'
import { blockCodec, commandCodec, sealCodec, VOTE, type VoteKind } from '../block.ts'
import { voteCodec } from '../contradiction.ts'
import type { Vote } from '../simplex/index.ts'
import { proposalCodec } from '../vote-record.ts'

// docs/wire.md section 8, row for row.

export const COMMIT_PROTOCOL = '/coalition/commit/1'
/** Most bytes of a message, votes of one, and final blocks of one. A block of 1 MiB fits with its seal. */
export const COMMIT_LIMITS = { frame: 1_900_000, votes: 1_024, blocks: 64, commands: 4_096 } as const

type EncodedVote = Of<typeof voteCodec>

export const messageCodec = variant('CommitMessage', {
  votes: [0, vector(voteCodec, COMMIT_LIMITS.votes, 1)],
  proposal: [1, proposalCodec],
  commands: [2, vector(commandCodec, COMMIT_LIMITS.commands, 1)],
  status: [3, struct('Status', { index: u64, view: u64, ask: bool })],
  fetch: [4, struct('Fetch', { from: u64 })],
  blocks: [5, struct('Blocks', { blocks: vector(blockCodec, COMMIT_LIMITS.blocks, 1), seal: sealCodec })],
  want: [6, struct('Want', { view: u64, hash: fixed(32) })],
  recall: [7, unit],
  recalled: [8, vector(voteCodec, 4)],
})
export type Message = Of<typeof messageCodec>
export type MessageOf<K extends Message['kind']> = Extract<Message, { kind: K }>['value']

/** The first frame of a stream: which committee it is for. A stream for another one is refused. */
export const joinCodec = struct('Join', { network: fixed(32), group: fixed(32), roster: fixed(32) })

const KINDS = Object.keys(VOTE) as VoteKind[]
const KIND_OF = new Map(KINDS.map((name) => [VOTE[name] as number, name]))

export const toVote = (vote: EncodedVote): Vote => ({ ...vote, kind: KIND_OF.get(vote.kind) as VoteKind })
export const fromVote = (vote: Vote): EncodedVote => ({ ...vote, kind: VOTE[vote.kind] })

export const encodeMessage = (message: Message): Bytes => encode(messageCodec, message)

/** Lists cut so that each part fits a message by number and by bytes. */
export const parts = <T>(list: readonly T[], sizeOf: (item: T) => number, most: number): readonly (readonly T[])[] => {
  const found: T[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const item of list) {
    const size = sizeOf(item)
    if (bytes + size > ROOM || (found.at(-1)?.length ?? most) >= most) {
      found.push([])
      bytes = 0
    }
    found.at(-1)?.push(item)
    bytes += size
  }
  return found
}

/** What is left of a message beside its counts and tags. */
const ROOM = COMMIT_LIMITS.frame - 8_192
