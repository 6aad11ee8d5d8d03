import type { Bytes } from '../primitives/bytes.ts'
import type { Codec } from '../primitives/codec.ts'
import type { Verify } from '../primitives/ed25519.ts'
import type { GroupId, UniqueId } from '../primitives/id.ts'
import type { Roster } from './roster.ts'

/** One index of a vec: which canonical keys an item carries (at most 256, each once). Part of the machine's signature. */
export interface IndexSpec<T> {
  readonly name: string
  readonly keys: (item: T) => readonly Bytes[]
}

/** A public surface as the machine declares it. The order of surfaces and indexes is the order in every header. */
export interface SurfaceSpec<T = unknown> {
  readonly name: string
  readonly kind: 'vec'
  readonly item: Codec<T>
  readonly by: readonly IndexSpec<T>[]
}

/** What a command may know beside the state. No clock, no entropy, no other group: MSK-07, MSK-08. */
export interface Context {
  readonly network: UniqueId
  readonly group: GroupId
  readonly roster: Roster
  readonly rosterId: Bytes
  /** Index of the block that the command is executed in. */
  readonly index: bigint
  /** Place of the command in its block. */
  readonly position: number
  /** The block's time_ms. */
  readonly timeMs: bigint
}

/** What a command did: the next state, items appended (surface number, encoded item) and blobs kept by hash. */
export interface Effects<S> {
  readonly state: S
  readonly append: readonly { readonly surface: number; readonly item: Bytes }[]
  readonly blobs: readonly Bytes[]
}

/**
 * mosaik's StateMachine, split so that every member can check before it votes (PROTOCOL.md section 1).
 * `admit` verifies all signatures and proofs inside a command, asynchronously and without the state, so its answer can be cached.
 * `apply` is synchronous, total and pure, sees admitted commands only and never mutates: each unfinalised branch has its own state.
 */
export interface Machine<S, C> {
  /** Folds into content: another signature is another group (IDN-37). */
  readonly signature: string
  readonly surfaces: readonly SurfaceSpec<never>[]
  readonly command: Codec<C>
  readonly state: Codec<S>
  readonly genesis: S
  readonly admit: (command: C, context: AdmitContext) => Promise<void>
  readonly apply: (state: S, command: C, context: Context) => Effects<S>
}

/** `admit` sees no place in the log, only whose group it is, and gets the host's signature check. */
export interface AdmitContext extends Pick<Context, 'network' | 'group' | 'roster' | 'rosterId'> {
  readonly verify: Verify
}
