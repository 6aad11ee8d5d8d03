import type { Evidence } from '../verify/evidence/format.ts'
import type { Verdict } from '../verify/verdict.ts'
import type { TransportName } from './address.ts'
import type { LinkBytes } from './host.ts'

// Types alone: the page imports this file, so nothing here may pull code into its bundle.

/** Where a verified value stands: enough to find it again on any member, and to resume after it. Ids are hex, numbers decimal. */
export interface Ref {
  readonly group: string
  readonly surface: string
  /** Place in the surface; null for an answer that is not one item. */
  readonly position: string | null
  /** Index and commit hash of the header it was verified under. */
  readonly index: string
  readonly commit: string
}

/** A value and why it may be believed. There is no way to the value of an item that failed a check. */
export interface Verified<T> {
  readonly value: T
  readonly ref: Ref
  readonly verdict: Verdict
}

/** connecting: no member reached · syncing: head not yet verified · live · stale: no fresh head · wedged: evidence against the committee · retired. */
export type State = 'connecting' | 'syncing' | 'live' | 'stale' | 'wedged' | 'retired'

/** One peer as the reader sees it. */
export interface PeerReport {
  /** Link key in hex. */
  readonly peer: string
  /** The multiaddr by which it was reached, or the first of `addresses`. */
  readonly address: string
  /** All that are known of it. */
  readonly addresses: readonly string[]
  /** What it was reached over; null as long as it is not. */
  readonly transport: TransportName | null
  /** One round trip when it was last asked for the time, in milliseconds; null before. */
  readonly rttMs: number | null
  /** Of this link's streams. Told with the next change, not with each byte. */
  readonly bytes: LinkBytes
  /** Place in the roster, or null for a mirror. */
  readonly member: number | null
  readonly operator: string | null
  readonly connected: boolean
  /** Whether new blocks come from it: one peer at a time is followed, and the others confirm what it shows. */
  readonly followed: boolean
  /** Index of the newest head that it showed, decimal. */
  readonly head: string | null
  readonly problem: string | null
  /** Whether its seat counts in a TDX-gated committee, by the ticket that this reader verified; null where there is no gate, or nothing is known yet. */
  readonly ticket: TicketReport | null
}

/** What a member's TDX ticket is good for. */
export interface TicketReport {
  readonly isAttested: boolean
  /** MR_TD in hex. */
  readonly mrTd: string | null
  /** The last unix second at which it counts. */
  readonly expires: number | null
  /** Why it does not count: the first check that failed. */
  readonly problem: string | null
}

export interface StateReport {
  readonly state: State
  /** What stands in the way, in words; null when nothing does. */
  readonly detail: string | null
  readonly head: { readonly index: string; readonly commit: string; readonly timeMs: number } | null
  readonly peers: readonly PeerReport[]
}

export interface AskOptions {
  readonly signal?: AbortSignal
  /** Milliseconds until ConnectTimeoutError, changes of server included; default 30,000. */
  readonly timeout?: number
  /** Ask for the key itself instead of a bucket of about 64: faster, and tells the server who is asked about. */
  readonly disclose?: boolean
}

/** What is exported: an item by its Ref, or the answer to a question. */
export type Subject = { readonly ref: Ref } | { readonly question: string; readonly argument: unknown }

export interface StreamOptions {
  readonly signal?: AbortSignal
}

/**
 * An open surface: live, in order, back-pressured; closed by `await using` or `[Symbol.asyncDispose]()` (API.md). Iterating it begins with
 * the next new item; what was there before is asked for with `since`. An iteration ends when the handle is closed, and throws EvidenceError
 * when nobody is left but servers that fail a check, EquivocationError when the committee signed two histories.
 */
export interface Handle<T> extends AsyncIterable<Verified<T>>, AsyncDisposable {
  readonly state: StateReport
  /** Calls `listener` with every change; the returned function stops it. */
  readonly onState: (listener: (report: StateReport) => void) => () => void
  /** The newest item, or null under a verdict that proves the surface empty. */
  readonly latest: (options?: AskOptions) => Promise<Verified<T | null>>
  /** Every item from `position` on, then the live tail. */
  readonly since: (position: bigint, options?: StreamOptions) => AsyncIterable<Verified<T>>
  /**
   * The surface's own questions, by name; the organism's `read` gives them typed methods. `evidence` is one of every surface that has any: its
   * argument is an item's Ref, its answer what the surface's check makes of the raw bytes.
   */
  readonly ask: <R>(question: string, argument: unknown, options?: AskOptions) => Promise<Verified<R>>
  /**
   * A value with everything that it rests on, as JSON: `coalition verify` and `verifyEvidence` check it again without a network. It is asked
   * for anew, and an item with its raw evidence, which tells the server which one it is.
   */
  readonly export: (subject: Subject, options?: AskOptions) => Promise<Evidence>
}
