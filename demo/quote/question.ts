import type { ExplainedEvent, Explanation } from '../../client/verify/events/index.ts'
import type { QuoteVerdict } from '../../client/verify/quotes.ts'
import type { Bytes } from './given.ts'

/** What the page asks its Worker. */
export interface Question {
  readonly quote: Bytes
  /** The JSON's bytes; empty while there is none. */
  readonly collateral: Bytes
  readonly log: Bytes | null
  /** PEM of a root of one's own; null for Intel's. */
  readonly root: Bytes | null
  /** As JSON has it: the Worker reads it. */
  readonly policy: object
  /** Unix seconds. */
  readonly at: number
}

/** An event log beside a verdict: what it leads to, or why it cannot be read. */
export type LogAnswer =
  | { readonly events: readonly ExplainedEvent[]; readonly explanation: Explanation | null }
  | { readonly problem: string }

export type Answer =
  | { readonly verdict: QuoteVerdict; readonly log: LogAnswer | null }
  /** What was asked could not be: a policy, a root or a time that is none. */
  | { readonly problem: string }

/** Numbered, since questions may overtake each other's answers. */
export interface Asked {
  readonly id: number
  readonly question: Question
}
export interface Answered {
  readonly id: number
  readonly answer: Answer
}
