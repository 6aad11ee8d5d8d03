import { type Bytes, compare, equal, toHex } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import type { Catalog } from './catalog.ts'
import { compareVersions, type PeerEntry, type SignedEntry, signedEntryCodec, type Version } from './entry.ts'
import { type HeadHint, type Heads, headHintCodec } from './heads.ts'
import { CATALOG_LIMITS, type Entries, type Sync } from './messages.ts'

/** Bytes for the entries of an answer, and for its heads; the rest of a frame is room for counts. */
const ROOM = { entries: 180_000, heads: 64_000 } as const

/**
 * One answer: entries from `from` on that the asker lacks or has older, ascending by peer, as many as fit. A full `have` list says nothing of
 * the peers after its last, so the answer ends there and the next request goes on (docs/wire.md section 10).
 */
export const pageOf = (catalog: Catalog, heads: Heads, { groups, from, have }: Sync): Entries => {
  const known = new Map(have.map(({ peer, ...version }) => [toHex(peer), version]))
  const last = have.length === CATALOG_LIMITS.have ? (have.at(-1)?.peer ?? null) : null
  const entries: SignedEntry[] = []
  let bytes = 0
  let next: Bytes | null = null
  for (const signed of catalog.all()) {
    const { peer } = signed.entry
    if (compare(peer, from) < 0) continue
    const size = encode(signedEntryCodec, signed).length
    const isPast = last !== null && compare(peer, last) > 0
    if (isPast || entries.length === CATALOG_LIMITS.entries || bytes + size > ROOM.entries) {
      next = peer
      break
    }
    if (!isOf(signed.entry, groups) || !isNews(signed.entry, known.get(toHex(peer)))) continue
    entries.push(signed)
    bytes += size
  }
  // Once an exchange of many pages is enough.
  return { entries, next, heads: next === null ? headsOf(heads, groups) : [] }
}

/** Whether the entry is of one of these groups; of none means of any. */
export const isOf = (entry: PeerEntry, groups: readonly Bytes[]): boolean =>
  groups.length === 0 || entry.groups.some((own) => groups.some((group) => equal(own, group)))

const isNews = (entry: PeerEntry, known: Version | undefined): boolean => known === undefined || compareVersions(entry.version, known) > 0

const headsOf = (heads: Heads, groups: readonly Bytes[]): readonly HeadHint[] => {
  const fitting: HeadHint[] = []
  let bytes = 0
  for (const hint of groups.flatMap((group) => heads.of(group)).slice(0, CATALOG_LIMITS.heads)) {
    bytes += encode(headHintCodec, hint).length
    if (bytes > ROOM.heads) break
    fitting.push(hint)
  }
  return fitting
}
