import { compare } from '../../primitives/bytes.ts'
import { fixed, type Of, option, refine, struct, text, u8, u32, u64, variant, vector } from '../../primitives/codec.ts'
import type { UniqueId } from '../../primitives/id.ts'
import { signedEntryCodec } from './entry.ts'
import { headHintCodec } from './heads.ts'

// docs/wire.md section 10, row for row. Both directions are hostile: every list has its bound here, and nowhere else.

/** Name of the protocol when a stream is opened. */
export const CATALOG_PROTOCOL = '/coalition/catalog/1'

/** What one exchange may take: bytes of a request and an answer, their lists, streams of one peer at once, milliseconds in all. */
export const CATALOG_LIMITS = {
  request: 65_536,
  frame: 262_144,
  groups: 64,
  have: 1_024,
  entries: 256,
  heads: 64,
  streams: 4,
  stepMs: 10_000,
} as const

const id = fixed(32)

const have = refine(vector(struct('Have', { peer: id, start_ms: u64, update_ms: u64 }), CATALOG_LIMITS.have), 'have', (rows) =>
  rows.every((row, i) => i === 0 || compare((rows[i - 1] as (typeof rows)[0]).peer, row.peer) < 0) ? null : 'peers that do not ascend',
)

export const catalogRequestCodec = variant('CatalogRequest', {
  sync: [
    0,
    struct('Sync', {
      network: fixed<UniqueId>(32, 'network'),
      /** None: entries of every group. */
      groups: vector(id, CATALOG_LIMITS.groups),
      /** The first peer key that is asked about; zeros for all. */
      from: id,
      have,
    }),
  ],
})

export const catalogResponseCodec = variant('CatalogResponse', {
  entries: [
    0,
    struct('Entries', {
      entries: vector(signedEntryCodec, CATALOG_LIMITS.entries),
      /** The first peer key that was not looked at; null when the answer reaches the end. */
      next: option(id),
      heads: vector(headHintCodec, CATALOG_LIMITS.heads),
    }),
  ],
  error: [255, struct('CatalogRefusal', { code: u8, retryMs: u32, text: text(256) })],
})

/** Codes of the `error` response, as light/1 has them (docs/wire.md section 5). */
export const CATALOG_ERROR = { busy: 6, badRequest: 7, network: 9 } as const

export type CatalogRequest = Of<typeof catalogRequestCodec>
export type CatalogResponse = Of<typeof catalogResponseCodec>
export type Sync = Extract<CatalogRequest, { kind: 'sync' }>['value']
export type Entries = Extract<CatalogResponse, { kind: 'entries' }>['value']
