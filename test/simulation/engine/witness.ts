import { commitHash, type VoteKind } from '../../../client/groups/block.ts'
import { messageCodec, toVote } from '../../../client/groups/commit/messages.ts'
import { voteKey } from '../../../client/groups/keys.ts'
import type { Vote } from '../../../client/groups/simplex/index.ts'
import { type Bytes, equal, toHex } from '../../../client/primitives/bytes.ts'
import { bool, decode, fixed, option, struct, u8, u64, vector } from '../../../client/primitives/codec.ts'
import type { Trace } from '../trace.ts'

const castCodec = vector(struct('Cast', { member: u8, signature: fixed(64) }), 64)
/** The promises of one view as client/groups/vote-record.ts keeps them; a second reading of the layout. */
const viewCodec = struct('View', {
  view: u64,
  propose: option(fixed(32)),
  notarize: option(fixed(32)),
  nullify: bool,
  finalize: option(fixed(32)),
  notarized: option(fixed(32)),
  notarizers: castCodec,
  nullified: bool,
  nullifiers: castCodec,
})

/**
 * Reads what members send, and hears what they call final: no key may sign two things of which the rules allow one, and no vote may leave
 * before it is on disk.
 */
export class Witness {
  readonly problems: string[] = []
  readonly #trace: Trace
  readonly #now: () => number
  readonly #n: number
  readonly #ballots = new Map<string, Map<VoteKind, string>>()
  /** Commit hash at each height, of whoever had it first. */
  readonly #finals = new Map<bigint, string>()

  constructor(trace: Trace, now: () => number, n: number) {
    this.#trace = trace
    this.#now = now
    this.#n = n
  }

  /** Index of the newest block that a member called final. */
  get newest(): bigint {
    return BigInt(this.#finals.size)
  }

  /**
   * Bytes that left a member. Votes of others in them were seen when those sent them.
   * @param recorded what is on that member's disk under a key of its vote record
   */
  sent(from: number, message: Bytes, recorded: (key: Bytes) => Bytes | null): void {
    for (const vote of ownVotes(from, message, this.#n)) {
      const record = recorded(voteKey.view(vote.view))
      if (record === null || !promises(record, vote))
        this.problem(`member ${from} sent ${vote.kind} of view ${vote.view} before it was on disk`)
      this.#cast(vote)
    }
  }

  final(member: number, index: bigint, hash: Bytes): void {
    this.note(`${member} final ${index} ${toHex(hash).slice(0, 8)}`)
    const first = this.#finals.get(index)
    if (first === undefined) this.#finals.set(index, toHex(hash))
    else if (first !== toHex(hash)) this.problem(`fork at height ${index}: member ${member} has another block`)
  }

  problem(text: string): void {
    this.note(`PROBLEM ${text}`)
    this.problems.push(text)
  }

  note(line: string): void {
    this.#trace.note(this.#now(), line)
  }

  #cast({ member, view, kind, hash }: Vote): void {
    const key = `${member} ${view}`
    const ballot = this.#ballots.get(key) ?? new Map<VoteKind, string>()
    this.#ballots.set(key, ballot)
    const name = toHex(hash)
    if (ballot.get(kind) === name) return
    this.note(`${member} ${kind} ${view} ${name.slice(0, 8)}`)
    const isBoth = (kind === 'finalize' && ballot.has('nullify')) || (kind === 'nullify' && ballot.has('finalize'))
    if (ballot.has(kind) || isBoth) this.problem(`member ${member} signed ${kind} beside ${[...ballot.keys()].join(', ')} in view ${view}`)
    ballot.set(kind, name)
  }
}

const ownVotes = (from: number, message: Bytes, n: number): readonly Vote[] => {
  const { kind, value } = decode(messageCodec, message)
  if (kind === 'votes') return value.map(toVote).filter(({ member }) => member === from)
  if (kind !== 'proposal') return []
  const { view } = value.block.header
  const isOwn = Number(view % BigInt(n)) === from
  return isOwn ? [{ view, kind: 'propose', hash: commitHash(value.block.header), member: from, signature: value.signature }] : []
}

const promises = (record: Bytes, { kind, hash }: Vote): boolean => {
  const { nullify, ...hashes } = decode(viewCodec, record)
  if (kind === 'nullify') return nullify
  const promised = hashes[kind]
  return promised !== null && equal(promised, hash)
}
