import { type Bytes, compare, concat, equal, utf8 } from '../../primitives/bytes.ts'
import { bytes, encode, fixed, kept, type Of, refine, struct, text, u64, vector } from '../../primitives/codec.ts'
import type { Verify } from '../../primitives/ed25519.ts'
import type { UniqueId } from '../../primitives/id.ts'
import { type Address, asAddress } from '../address.ts'

// What a peer says of itself: docs/wire.md section 10. Anybody may carry an entry and nobody but its peer can make one.

/** The most that an entry may hold; `bytes` is its whole encoding, signature included. */
export const ENTRY_LIMITS = { bytes: 8_192, addresses: 16, tags: 16, streams: 64, groups: 64, tickets: 4, ticket: 2_048 } as const

/** Milliseconds: how far a stamp may lie ahead of our clock, and after how long without an update an entry says nothing any more. */
export const ENTRY_AGE = { ahead: 60_000, stale: 900_000 } as const

/** The tag of a peer's last word: it has left. Its groups are still named, so that their readers are told. */
export const GONE = 'gone'

const id = fixed(32)

const ascending = (ids: readonly Bytes[]): string | null =>
  ids.every((each, i) => i === 0 || compare(ids[i - 1] as Bytes, each) < 0) ? null : 'ids that do not ascend'

const tags = refine(vector(text(32), ENTRY_LIMITS.tags), 'tags', (words) => {
  const odd = words.find((word) => !/^[a-z\d][a-z\d-]*$/.test(word))
  if (odd !== undefined) return `${JSON.stringify(odd)} is no tag`
  return words.every((word, i) => i === 0 || (words[i - 1] as string) < word) ? null : 'tags that do not ascend'
})

const versionCodec = refine(struct('Version', { start_ms: u64, update_ms: u64 }), 'Version', ({ start_ms, update_ms }) =>
  update_ms < start_ms ? 'updated before it started' : null,
)

const fields = struct('PeerEntry', {
  peer: id,
  network: fixed<UniqueId>(32, 'network'),
  version: versionCodec,
  addresses: vector(text(512), ENTRY_LIMITS.addresses),
  tags,
  streams: refine(vector(id, ENTRY_LIMITS.streams), 'streams', ascending),
  groups: refine(vector(id, ENTRY_LIMITS.groups), 'groups', ascending),
  tickets: vector(struct('EntryTicket', { class: id, data: bytes(ENTRY_LIMITS.ticket) }), ENTRY_LIMITS.tickets),
})

export const peerEntryCodec = refine(fields, 'PeerEntry', (entry) => {
  const said = entry.addresses.length + entry.streams.length + entry.tickets.length
  if (isGone(entry)) return said > 0 || entry.tags.length > 1 ? 'gone, and yet it says more than its groups' : null
  return entry.addresses.length === 0 ? 'no address, and not gone' : null
})

// Kept: an entry is encoded once for each peer that asks for it.
const signed = kept(struct('SignedEntry', { entry: peerEntryCodec, signature: fixed(64) }))

/** An entry with its peer's signature, as it travels and is stored. */
export const signedEntryCodec = refine(signed, 'SignedEntry', (value) => {
  const { length } = encode(signed, value)
  return length > ENTRY_LIMITS.bytes ? `${length} bytes, at most ${ENTRY_LIMITS.bytes}` : null
})

export type Version = Of<typeof versionCodec>
export type PeerEntry = Of<typeof peerEntryCodec>
export type SignedEntry = Of<typeof signedEntryCodec>

const TAG = utf8('coalition peer v1|')

/** What a peer signs with its link key: `"coalition peer v1|" ‖ canonical(PeerEntry)` (PROTOCOL.md section 1, "Tags"). */
export const entryMessage = (entry: PeerEntry): Bytes => concat(TAG, encode(peerEntryCodec, entry))

/** Whether the entry is its peer's own. */
export const isSigned = ({ entry, signature }: SignedEntry, verify: Verify): Promise<boolean> =>
  verify(signature, entryMessage(entry), entry.peer)

/**
 * An entry under its peer's signature.
 * @param sign Ed25519 by the link key
 * @throws EncodeError for an entry that says more than it may
 */
export const signEntry = async (entry: PeerEntry, sign: (message: Bytes) => Bytes | Promise<Bytes>): Promise<SignedEntry> => {
  const whole = { entry, signature: await sign(entryMessage(entry)) }
  encode(signedEntryCodec, whole)
  return whole
}

export const isGone = ({ tags: words }: { readonly tags: readonly string[] }): boolean => words.includes(GONE)

/** Below zero, zero or above zero: by the start of the peer's run, then by the update in it. */
export const compareVersions = (a: Version, b: Version): number => sign(a.start_ms - b.start_ms) || sign(a.update_ms - b.update_ms)

const sign = (difference: bigint): number => (difference < 0n ? -1 : difference > 0n ? 1 : 0)

/** A host's time as a stamp: its clock may give fractions. */
export const stampOf = (nowMs: number): bigint => BigInt(Math.trunc(nowMs))

/** Stamps that no honest clock gives now. An honest peer's clock may be off by as much as `ahead`. */
export const isAhead = ({ version }: PeerEntry, nowMs: number): boolean => version.update_ms > stampOf(nowMs) + BigInt(ENTRY_AGE.ahead)

/** An entry that was not renewed in time. From then on nobody takes it, so nobody has to remember that there was a newer one. */
export const isStale = ({ version }: PeerEntry, nowMs: number): boolean => version.update_ms + BigInt(ENTRY_AGE.stale) < stampOf(nowMs)

/**
 * The addresses of an entry that may be dialled: those that can be read, lead to the entry's own peer and pass `may` (address.ts, `mayDial`).
 * The rest is passed over and not held against the entry: a newer peer may have transports that are not known here.
 */
export const addressesIn = (entry: PeerEntry, may: (address: Address) => boolean): readonly string[] =>
  entry.addresses.filter((told) => {
    const address = asAddress(told)
    return address !== null && equal(address.peer, entry.peer) && may(address)
  })
