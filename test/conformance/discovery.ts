// docs/wire.md, section 10: peer entries, how two of one peer are merged, and the messages of `/coalition/catalog/1` and of gossip.

import { bytes, encode, fixed, list, type Of, option, Refused, struct, type Type, text, u8, u32, u64, variant } from './bcs.ts'
import { Certificate, commitHash } from './blocks.ts'
import { refusedSignature } from './ed25519.ts'
import { type Bytes, compare, join, same } from './hash.ts'

/** A type whose values have to pass a check as well. */
const checked = <T>(type: Type<T>, check: (value: T, path: string) => void): Type<T> => ({
  write(value, path) {
    check(value, path)
    return type.write(value, path)
  },
  read(from, path) {
    const value = type.read(from, path)
    check(value, path)
    return value
  },
  show: (value) => type.show(value),
})

const ascending = <T>(values: T[], order: (a: T, b: T) => number, path: string): void => {
  values.forEach((value, i) => {
    const before = values[i - 1]
    if (before !== undefined && order(before, value) >= 0) throw new Refused('order', `${path}[${i}]`)
  })
}

/** "ascending by character": the characters of a tag are ASCII, so their bytes sort the same. */
const byCharacter = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const Ids = (most: number): Type<Bytes[]> => checked(list(fixed(32), most), (ids, path) => ascending(ids, compare, path))

const Tags = checked(list(text(32), 16), (words, path) => {
  for (const word of words) if (!/^[a-z0-9-]+$/.test(word) || word.startsWith('-')) throw new Refused('tag-word', `${path}: ${word}`)
  ascending(words, byCharacter, path)
})

export const Version = checked(struct({ start_ms: u64, update_ms: u64 }), ({ start_ms, update_ms }, path) => {
  if (start_ms > update_ms) throw new Refused('version', path)
})
export type Version = Of<typeof Version>

const EntryTicket = struct({ class: fixed(32), data: bytes(2_048) })

const GONE = 'gone'

/** "An entry has an address, or it is a departure: its tags are exactly `gone`, and of its lists only `groups` may hold anything." */
export const PeerEntry = checked(
  struct({
    peer: fixed(32),
    network: fixed(32),
    version: Version,
    addresses: list(text(512), 16),
    tags: Tags,
    streams: Ids(64),
    groups: Ids(64),
    tickets: list(EntryTicket, 4),
  }),
  ({ addresses, tags, streams, tickets }, path) => {
    const isDeparture = tags.length === 1 && tags[0] === GONE && addresses.length + streams.length + tickets.length === 0
    if (isDeparture) return
    if (tags.includes(GONE)) throw new Refused('departure', `${path}: gone, and says more`)
    if (addresses.length === 0) throw new Refused('departure', `${path}: neither an address nor gone`)
  },
)
export type PeerEntry = Of<typeof PeerEntry>

const ENTRY = 8_192
const Signed = struct({ entry: PeerEntry, signature: fixed(64) })
export const SignedEntry = checked(Signed, (value, path) => {
  const { length } = encode(Signed, value)
  if (length > ENTRY) throw new Refused('length', `${path}: ${length} bytes`)
})
export type SignedEntry = Of<typeof SignedEntry>

export const entryMessage = (entry: PeerEntry): Bytes => join('coalition peer v1|', encode(PeerEntry, entry))

export function checkSigned({ entry, signature }: SignedEntry): void {
  const why = refusedSignature(entry.peer, entryMessage(entry), signature)
  if (why !== null) throw new Refused('signature', why)
}

// --- merging

const orderOf = (a: Version, b: Version): number => {
  if (a.start_ms !== b.start_ms) return a.start_ms < b.start_ms ? -1 : 1
  return a.update_ms === b.update_ms ? 0 : a.update_ms < b.update_ms ? -1 : 1
}

/** Refused by whom: held against who brought it, or against the peer alone. */
export type Outcome = 'taken' | 'known' | 'passed over' | 'refused, its source' | 'refused, its peer'

/** What becomes of an entry where `held` is what is known of its peer. */
export function merge(network: Bytes, now: bigint, held: SignedEntry | null, offered: SignedEntry): Outcome {
  const { entry } = offered
  if (!same(entry.network, network) || refusedSignature(entry.peer, entryMessage(entry), offered.signature) !== null)
    return 'refused, its source'
  if (entry.version.update_ms > now + 60_000n) return 'refused, its peer'
  if (entry.version.update_ms + 900_000n < now) return 'passed over'
  if (held === null) return 'taken'
  const order = orderOf(entry.version, held.entry.version)
  if (order !== 0) return order > 0 ? 'taken' : 'passed over'
  return same(encode(SignedEntry, offered), encode(SignedEntry, held)) ? 'known' : 'refused, its peer'
}

// --- heads, the catalog, gossip

/** "a certificate is of that very block" */
export const HeadHint = checked(
  struct({ group: fixed(32), index: u64, commit: fixed(32), certificate: option(Certificate) }),
  ({ index, commit, certificate }, path) => {
    if (certificate === null) return
    const { header } = certificate
    if (header.index !== index || !same(commitHash(header), commit)) throw new Refused('head', `${path}: a certificate of another block`)
  },
)

const Have = struct({ peer: fixed(32), start_ms: u64, update_ms: u64 })
const HaveList = checked(list(Have, 1_024), (rows, path) => ascending(rows, (a, b) => compare(a.peer, b.peer), path))

export const CatalogRequest = variant({
  sync: [0, struct({ network: fixed(32), groups: list(fixed(32), 64), from: fixed(32), have: HaveList })],
})
export type CatalogRequest = Of<typeof CatalogRequest>

export const CatalogResponse = variant({
  entries: [0, struct({ entries: list(SignedEntry, 256), next: option(fixed(32)), heads: list(HeadHint, 64) })],
  error: [255, struct({ code: u8, retryMs: u32, text: text(256) })],
})
export type CatalogResponse = Of<typeof CatalogResponse>

export const Rumour = variant({ entry: [0, SignedEntry], head: [1, HeadHint] })

/** What an asker takes for an answer to its request: "Anything else in an answer is refused, with all of it." */
export function checkEntries(request: CatalogRequest, response: CatalogResponse): void {
  if (response.is !== 'entries') throw new Refused('answer', 'no entries')
  const { groups, from, have } = request.value
  const { entries, next, heads } = response.value
  const asked = (group: Bytes): boolean => groups.some((each) => same(each, group))
  ascending(
    entries.map(({ entry }) => entry.peer),
    compare,
    'entries',
  )
  for (const signed of entries) {
    const { peer, version, groups: named } = signed.entry
    if (compare(peer, from) < 0) throw new Refused('answer', 'a peer before the first that was asked for')
    if (groups.length > 0 && !named.some(asked)) throw new Refused('answer', 'an entry of no group that was asked for')
    const held = have.find((row) => same(row.peer, peer))
    if (held !== undefined && orderOf(version, held) <= 0) throw new Refused('answer', 'an entry that is no newer')
    if (!same(signed.entry.network, request.value.network)) throw new Refused('network', 'an entry of another network')
    checkSigned(signed)
  }
  const last = entries.at(-1)?.entry.peer ?? from
  if (next !== null && compare(next, last) <= 0) throw new Refused('answer', 'a next that does not go on')
  if (next !== null && heads.length > 0) throw new Refused('answer', 'heads before the last answer')
  if (heads.some(({ group }) => !asked(group))) throw new Refused('answer', 'a head of no group that was asked for')
}
