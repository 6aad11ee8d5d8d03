import type { Facts } from './error.ts'

/** From least to most urgent. `error` is for what an operator must act on; what a peer did wrong is a `warn`. */
export type Level = 'debug' | 'info' | 'warn' | 'error'

/**
 * Where a host takes what it has to say. `message` is a fixed text, so that equal events can be counted; what varies is in `facts`. Never a
 * key, a token or the data of a ticket, and never more of a reader's question than the peers are told (PROTOCOL.md, "Disclosure"): logs
 * leave the machine in bug reports.
 */
export type Log = (level: Level, message: string, facts?: Facts) => void

/** Says nothing: for tests and for callers who gave no log. */
export const silent: Log = () => {}

const URGENCY: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** Passes on what is at least as urgent as `level`. */
export const atLeast =
  (level: Level, log: Log): Log =>
  (given, message, facts) => {
    if (URGENCY[given] >= URGENCY[level]) log(given, message, facts)
  }
