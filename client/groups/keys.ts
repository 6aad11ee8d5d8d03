import { type Bytes, concat } from '../primitives/bytes.ts'
import type { Span } from './storage.ts'

// Keys of the two stores: a letter, then numbers big-endian so that bytewise order is numeric order.

const be = (value: bigint, width: number): Bytes => {
  const out = new Uint8Array(width)
  for (let i = width - 1, rest = value; i >= 0; i--, rest >>= 8n) out[i] = Number(rest & 255n)
  return out
}

const key = (letter: string, ...parts: readonly Uint8Array[]): Bytes => concat(Uint8Array.of(letter.charCodeAt(0)), ...parts)
const small = (...values: readonly number[]): Uint8Array => Uint8Array.from(values)

/** Archive: everything here can be fetched again from another member, block by block. */
export const archiveKey = {
  head: key('H'),
  block: (index: bigint) => key('b', be(index, 8)),
  seal: (index: bigint) => key('s', be(index, 8)),
  /** Ids of the commands that took effect in a block: a repeated or late one stands in the block and did nothing. */
  taken: (index: bigint) => key('c', be(index, 8)),
  logNode: (level: number, index: bigint) => key('l', small(level), be(index, 8)),
  item: (surface: number, position: bigint) => key('i', small(surface), be(position, 8)),
  node: (surface: number, level: number, index: bigint) => key('n', small(surface, level), be(index, 8)),
  entry: (surface: number, by: number, path: Bytes, k: bigint) => key('e', small(surface, by), path, be(k, 8)),
  tip: (surface: number, by: number, path: Bytes) => key('t', small(surface, by), path),
  tips: (surface: number, by: number): Span => ({ from: key('t', small(surface, by)), to: key('t', small(surface, by + 1)) }),
  blob: (hash: Bytes) => key('x', hash),
  /** Contradictions of a member, one for each kind of vote. */
  evidence: (member: number, kind: number) => key('w', small(member, kind)),
  evidences: { from: key('w'), to: key('x') } satisfies Span,
}

/** Votes: small, every batch synced, never fetched from anybody. Losing it ends this member's voting (PROTOCOL.md section 1). */
export const voteKey = {
  owner: key('O'),
  /** The vote key's seed: it lives and dies with the record of what it signed. */
  secret: key('K'),
  view: (view: bigint) => key('v', be(view, 8)),
  views: { from: key('v'), to: key('w') } satisfies Span,
  block: (view: bigint, hash: Bytes) => key('b', be(view, 8), hash),
  /** Blocks of the views from … to − 1. */
  blocksOf: (from: bigint, to: bigint): Span => ({ from: key('b', be(from, 8)), to: key('b', be(to, 8)) }),
  blocks: { from: key('b'), to: key('c') } satisfies Span,
  viewsOf: (from: bigint, to: bigint): Span => ({ from: key('v', be(from, 8)), to: key('v', be(to, 8)) }),
  /** What all views and answers together give: a part that is lost without a word shows in it. */
  sum: key('S'),
  /** Index of a block that was final and on disk: an archive that ends before it has lost something. */
  final: key('F'),
  /** Why this member must never vote again. */
  ended: key('E'),
  observations: { from: key('o'), to: key('p') } satisfies Span,
  /** Answers given to questions about the outside, one per (question, round). */
  observed: (question: Bytes) => key('o', question),
}
