// docs/wire.md, section 2: members, rosters, their ids, and how many signatures a reader asks for.

import { encode, fixed, list, type Of, Refused, struct, text, u32 } from './bcs.ts'
import { checkKey } from './ed25519.ts'
import { type Bytes, H, hex, ZERO32 } from './hash.ts'

export const Member = struct({ peer: fixed(32), vote: fixed(32), settle: fixed(20), operator: text(64) })
export type Member = Of<typeof Member>

export const Roster = struct({ epoch: u32, members: list(Member, 64, 1) })
export type Roster = Of<typeof Roster>

/** b */
export const faults = (n: number): number => Math.floor((n - 1) / 3)
export const quorum = (n: number): number => Math.floor((n + faults(n)) / 2) + 1

/** c: the signatures that a reader who withstands w liars asks for. Above n it cannot be met. */
export const strength = (n: number, w: number | null): number => Math.max(quorum(n), n - quorum(n) + (w ?? faults(n)) + 1)

/** What both sides know of the group: section 1 starts "a `network` and a `group` are 32 bytes each". */
export interface Scope {
  network: Bytes
  group: Bytes
}

/** `after`: 32 zeros for epoch 0, else `prev` of the block that announced the roster. */
export const rosterId = (scope: Scope, roster: Roster, after: Bytes = ZERO32): Bytes =>
  H('coalition roster v1|', scope.network, scope.group, after, encode(Roster, roster))

function twice(values: Bytes[]): boolean {
  return new Set(values.map(hex)).size !== values.length
}

export function checkRoster(roster: Roster): void {
  const { members } = roster
  // Two operators of one name are allowed: the page lists peer, vote and settle only.
  if (twice(members.map((m) => m.peer))) throw new Refused('duplicate-peer', 'a peer key stands twice')
  if (twice(members.map((m) => m.vote))) throw new Refused('duplicate-vote', 'a vote key stands twice')
  if (twice(members.map((m) => m.settle))) throw new Refused('duplicate-settle', 'a settle address stands twice')
  const peers = members.map((m) => hex(m.peer))
  if (members.some((m) => peers.includes(hex(m.vote)))) throw new Refused('vote-is-peer', 'a vote key is a peer key')
  for (const member of members) {
    checkKey(member.peer)
    checkKey(member.vote)
  }
}
