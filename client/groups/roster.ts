import { hash } from '../../wasm/core.ts'
import { CoalitionError } from '../error.ts'
import { type Bytes, concat, equal, toHex, utf8 } from '../primitives/bytes.ts'
import { encode, fixed, type Of, struct, text, u32, vector } from '../primitives/codec.ts'
import { assertKey } from '../primitives/ed25519.ts'
import type { GroupId, UniqueId } from '../primitives/id.ts'

/** One seat of a committee: link key, vote key, settlement address, and who runs it. docs/wire.md section 2. */
export const memberCodec = struct('Member', { peer: fixed(32), vote: fixed(32), settle: fixed(20), operator: text(64) })
/** The configured committee of one epoch, 1 to 64 members in voting order. */
export const rosterCodec = struct('Roster', { epoch: u32, members: vector(memberCodec, 64, 1) })

export type Member = Of<typeof memberCodec>
export type Roster = Of<typeof rosterCodec>

/** What counts in a committee of n configured members, connected or not (PROTOCOL.md section 1). */
export interface Thresholds {
  readonly n: number
  /** Members that may lie without a fork. */
  readonly b: number
  /** Votes that notarize, nullify or finalize. */
  readonly quorum: number
}

export const thresholds = (n: number): Thresholds => {
  const b = Math.floor((n - 1) / 3)
  return { n, b, quorum: Math.floor((n + b) / 2) + 1 }
}

/**
 * Signatures that a reader needs who wants to withstand `withstand` liars (default b).
 * @throws WithstandError when the committee has fewer members than that.
 */
export const strength = (n: number, withstand?: number | null): number => {
  const { b, quorum } = thresholds(n)
  const w = withstand ?? b
  const needed = Math.max(quorum, n - quorum + w + 1)
  if (!Number.isInteger(w) || w < 0 || needed > n) throw new WithstandError(n, w, needed)
  return needed
}

const ROSTER_TAG = utf8('coalition roster v1|')
/** `after` of epoch 0, and every other place where "no hash" is meant. */
export const ZEROS: Bytes = new Uint8Array(32)

/** roster_id: what votes of this epoch are bound to (PROTOCOL.md section 1). */
export const rosterId = (network: UniqueId, group: GroupId, after: Bytes, roster: Roster): Bytes =>
  hash(concat(ROSTER_TAG, network, group, after, encode(rosterCodec, roster)))

/**
 * Refuses a roster that two honest members could read differently, or in which one key holder has two seats.
 * @throws RosterError naming the member and the rule.
 */
export const checkRoster = (roster: Roster): Roster => {
  roster.members.forEach((member, i) => {
    for (const field of ['peer', 'vote'] as const) {
      const problem = assertKey(member[field])
      if (problem !== null) throw new RosterError(i, field, problem)
    }
    if (equal(member.peer, member.vote)) throw new RosterError(i, 'vote', 'equals the peer key')
    for (const other of roster.members.slice(0, i)) {
      for (const field of ['peer', 'vote', 'settle'] as const)
        if (equal(member[field], other[field])) throw new RosterError(i, field, `${toHex(member[field])} stands in the roster twice`)
      if (equal(member.peer, other.vote) || equal(member.vote, other.peer))
        throw new RosterError(i, 'vote', 'a vote key is a link key of another member')
    }
  })
  return roster
}

/** Place of a link key in the roster, or -1. */
export const seatOf = (roster: Roster, peer: Bytes): number => roster.members.findIndex((member) => equal(member.peer, peer))

/** A roster that cannot be one: a key that is none or stands there twice, a name, or too many members. */
export class RosterError extends CoalitionError {
  declare readonly member: number
  declare readonly field: string
  declare readonly problem: string

  constructor(member: number, field: string, problem: string) {
    super('Group.RosterError', `roster refused: members[${member}].${field} ${problem}`, { member, field, problem })
  }
}

/** More liars are to be withstood than a committee of this size can withstand. */
export class WithstandError extends CoalitionError {
  declare readonly n: number
  declare readonly withstand: number
  declare readonly needed: number

  constructor(n: number, withstand: number, needed: number) {
    super('Group.WithstandError', `a committee of ${n} cannot withstand ${withstand}: ${needed} signatures would be needed`, {
      n,
      withstand,
      needed,
    })
  }
}
