import { sign as signWith } from 'node:crypto'
import { peerIdOf } from '../../../client/network/address.ts'
import { type PeerEntry, type SignedEntry, signEntry } from '../../../client/network/discovery/entry.ts'
import { type Bytes, compare } from '../../../client/primitives/bytes.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { keyOf } from '../chain.ts'

/** Peers that sign for themselves, by name. */

export const peerIn = (name: string): Bytes => keyOf(name).public

export const textOf = (name: string): string => peerIdOf(peerIn(name))

/** A public address of the peer. */
export const publicOf = (name: string, port = 4_001): string => `/ip4/9.9.9.9/tcp/${port}/ws/p2p/${textOf(name)}`

export const groupIn = (n: number): Bytes => new Uint8Array(32).fill(n)

export interface Words extends Partial<Omit<PeerEntry, 'peer' | 'version'>> {
  readonly startMs?: number
  readonly updateMs: number
}

export const entryOf = (name: string, { startMs, updateMs, ...rest }: Words): PeerEntry => ({
  peer: peerIn(name),
  network: UNIVERSE,
  version: { start_ms: BigInt(startMs ?? updateMs), update_ms: BigInt(updateMs) },
  addresses: [publicOf(name)],
  tags: [],
  streams: [],
  groups: [groupIn(1)],
  tickets: [],
  ...rest,
})

/** @param by who signs, if not the peer itself */
export const signedBy = (entry: PeerEntry, by: string): Promise<SignedEntry> =>
  signEntry(entry, (message) => new Uint8Array(signWith(null, message, keyOf(by).secret)))

export const told = (name: string, words: Words): Promise<SignedEntry> => signedBy(entryOf(name, words), name)

/** What a peer says last. */
export const goodbye = (name: string, words: Words): Promise<SignedEntry> => told(name, { addresses: [], tags: ['gone'], ...words })

export const sorted = (ids: readonly Bytes[]): readonly Bytes[] => ids.toSorted(compare)
