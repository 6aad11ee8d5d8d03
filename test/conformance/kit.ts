// What the makers of vectors share: names for types, JSON forms, keys from labels, committees, seals.

import { encode, type Json, type Type } from './bcs.ts'
import { commitHash, type Header, type Seal, type VoteKind, voteMessage } from './blocks.ts'
import { type Roster, rosterId, type Scope } from './committee.ts'
import { type Key, keyOf, sign } from './ed25519.ts'
import { at, type Bytes, bitmap, bytesOf, H, hex, ZERO32 } from './hash.ts'

export type Row = { [key: string]: Json }

/** A value in both its forms. */
export const both = <T>(type: Type<T>, value: T): { value: Json; hex: string } => ({
  value: type.show(value),
  hex: hex(encode(type, value)),
})
export const hexOf = <T>(type: Type<T>, value: T): string => hex(encode(type, value))

// --- keys

const handedOut = new Map<string, Key>()

/** The key of a label. Its seed is `H("coalition conformance key|" ‖ label)`, so that the other implementation can sign with it too. */
export function keyFor(label: string): Key {
  const key = handedOut.get(label) ?? keyOf(H('coalition conformance key|', label))
  handedOut.set(label, key)
  return key
}

/** The keys that were used, without those of the committees of 64: their labels follow the same pattern. */
export const handedOutKeys = (): Row[] =>
  [...handedOut]
    .filter(([label]) => !label.startsWith('all ') && !label.startsWith('signer of 64 '))
    .map(([label, key]) => ({ label, seed: hex(key.seed), public: hex(key.public) }))
    .sort((a, b) => (a.label < b.label ? -1 : 1))

// --- committees

export interface Signers {
  scope: Scope
  roster: Roster
  id: Bytes
  /** By member. */
  peers: Key[]
  votes: Key[]
}

export function signers(scope: Scope, name: string, n: number, epoch = 0, after: Bytes = ZERO32): Signers {
  const each = Array.from({ length: n }, (_, i) => `${name} member ${i}`)
  const peers = each.map((label) => keyFor(`${label} peer`))
  const votes = each.map((label) => keyFor(`${label} vote ${epoch}`))
  const roster: Roster = {
    epoch,
    members: each.map((label, i) => ({
      peer: at(peers, i).public,
      vote: at(votes, i).public,
      settle: bytesOf(`${label} settle`, 20),
      operator: i === 0 ? `${name} & söhne` : `operator ${i}`,
    })),
  }
  return { scope, roster, id: rosterId(scope, roster, after), peers, votes }
}

export const voteOf = (group: Signers, member: number, view: bigint, kind: VoteKind, hash: Bytes): Bytes =>
  sign(at(group.votes, member), voteMessage(group.id, view, kind, hash))

/** The finalize votes of these members on a header. */
export function sealOf(group: Signers, header: Header, view: bigint, members: number[]): Seal {
  return {
    view,
    signers: bitmap(members, group.roster.members.length),
    signatures: members.map((member) => voteOf(group, member, view, 'finalize', commitHash(header))),
  }
}

/** 0 … n−1 */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
