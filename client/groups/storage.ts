import type { Bytes } from '../primitives/bytes.ts'

/** One change of a batch; `value: null` deletes. */
export interface Change {
  readonly key: Bytes
  readonly value: Bytes | null
}

export interface Span {
  /** First key, included. */
  readonly from: Bytes
  /** First key past the span. */
  readonly to: Bytes
  readonly reverse?: boolean
  readonly limit?: number
}

/**
 * The storage port: an ordered map of byte strings. A group holds two: its votes (small, every batch synced) and its archive
 * (large, can be fetched again). One compliance suite, test/groups/storage.ts, runs against every implementation.
 */
export interface Store {
  readonly get: (key: Bytes) => Promise<Bytes | null>
  /** All or nothing. With `sync` it resolves only when the bytes, and all batches before, survive a power cut. */
  readonly write: (changes: readonly Change[], options: { readonly sync: boolean }) => Promise<void>
  /** Entries in bytewise key order. Reads a snapshot of the moment of the call. */
  readonly entries: (span: Span) => AsyncIterable<readonly [key: Bytes, value: Bytes]>
  readonly close: () => Promise<void>
}
