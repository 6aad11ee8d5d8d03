import type { Verdict } from '../verdict.ts'

// Types and one name: the page passes evidence on and imports nothing that could read it. The layout is told in docs/guide.md, "Evidence".

/** Name and version of the format. A file of another one is refused, not guessed at. */
export const FORMAT = 'coalition evidence@1'

/** Most bytes of a file: whoever checks one reads it whole. */
export const MAX_FILE = 67_108_864

/** Canonical bytes as hex: lowercase, no prefix. */
export type Hex = string

interface Common {
  readonly format: typeof FORMAT
  /** The universe, 32 bytes. */
  readonly network: Hex
  /** Which surface the config is of, as a host lists it: `tally.refunds`. */
  readonly surface: string
  /** The published config, JSON. The group's id and first roster follow from it, so the file needs no other root of trust. */
  readonly config: unknown
  /** What the reader said when it exported. Told to people; whoever verifies makes a verdict of their own. */
  readonly verdict: Verdict | null
}

/** A certified head and how trust gets there from the config. */
export interface Chained {
  /** EpochStep (docs/wire.md section 5), epoch 0 first. */
  readonly steps: readonly Hex[]
  /** Certificate (docs/wire.md section 3). */
  readonly certificate: Hex
}

/** One item under a head. */
export interface ItemEvidence extends Common, Chained {
  readonly kind: 'item'
  /** Answer (docs/wire.md section 5), variant item. */
  readonly answer: Hex
  /** The raw evidence of the item, where it has any. */
  readonly blob: Hex | null
}

/** The complete answer to a question, as its index proves it under a head. */
export interface AnswerEvidence extends Common, Chained {
  readonly kind: 'answer'
  readonly question: string
  /** Canonical key of the index. */
  readonly key: Hex
  /** Bits of the key's path that were asked for. */
  readonly bits: number
  /** Answers, variant tail, from the newest entries down; none where the header says that the index has no keys. */
  readonly answers: readonly Hex[]
}

/** One of two histories: a certified head that has `commit` at the index in question. */
export interface History extends Chained {
  readonly commit: Hex
  /** TreeProof of `commit` under the head's log; null where the head is that block, or `headers` lead to it. */
  readonly proof: Hex | null
  /** Headers between that block and the head, ascending; null unless they are the link. */
  readonly headers: readonly Hex[] | null
}

/** Two histories that one committee certified. */
export interface EquivocationEvidence extends Common {
  readonly kind: 'equivocation'
  /** The index at which they differ, decimal. */
  readonly index: string
  readonly histories: readonly [History, History]
}

/** Something verified, or a committee caught, with all that it takes to check it again without a network. Plain JSON. */
export type Evidence = ItemEvidence | AnswerEvidence | EquivocationEvidence
