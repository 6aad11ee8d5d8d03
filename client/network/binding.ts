import type { TdxGate } from '../coalition/tickets/tdx-gate.ts'
import type { Facts } from '../error.ts'
import type { Header } from '../groups/block.ts'
import type { SurfaceSpec } from '../groups/machine.ts'
import type { Roster } from '../groups/roster.ts'
import type { Bytes } from '../primitives/bytes.ts'
import type { GroupId, UniqueId } from '../primitives/id.ts'

/** What a config derives to: whom to ask, and where the chain of reasons starts. */
export interface Identified {
  readonly network: UniqueId
  readonly group: GroupId
  /** Epoch 0, from the ACL that the config carries: the committee's keys are compiled in. */
  readonly roster: Roster
  /** What the members' TDX tickets are held against; absent where the roster's keys are enough. */
  readonly gate?: TdxGate
  readonly genesis: Header
  readonly heartbeatMs: number
  /** Derived ids and the inputs they came from, for ConnectTimeoutError: two sides can compare (ERR-07). */
  readonly inputs: Facts
}

/** A question whose answer an index proves complete. */
export interface Question<T> {
  /** Place of the index in the surface's `by`. */
  readonly by: number
  /** Canonical key of the index from what the caller passed. @throws ConfigError or the like on anything else. */
  readonly key: (argument: unknown) => Bytes
  /** Ask a bucket of about 64 keys unless told to disclose: for questions about a person. */
  readonly bucket: boolean
  /**
   * From the data of all items that carry the key, oldest first, to the answer. Declared as a method: a host keeps bindings of every datum in
   * one list, and a property of this type would make them all different types.
   */
  answer(items: readonly T[]): unknown
}

/** The blob that an item points at: its hash, and a check that throws when the blob does not prove the item under the config. */
export interface Behind {
  readonly hash: Bytes
  readonly check: (blob: Bytes) => unknown
}

/** A surface as the reading host knows it: how to derive, decode and question it. One per surface, listed once in each host. */
export interface Binding<T> {
  readonly name: string
  /** @throws ConfigError naming the field of a config that is not one. The config may come from a page: hostile. */
  readonly identify: (network: UniqueId, config: unknown) => Identified
  /** The config as an operator publishes it, in JSON: `identify` gives the same for it. @throws ConfigError */
  readonly published: (config: unknown) => unknown
  /** Place of the surface in the header, and its declaration. */
  readonly surface: number
  readonly specs: readonly SurfaceSpec<never>[]
  /** From an item of the surface to the datum that a page sees: plain, cloneable data. */
  readonly datum: (item: never, place: { readonly position: bigint }) => T
  readonly questions: { readonly [name: string]: Question<T> }
  /**
   * The blob behind an item; throws for an item that has none. What its check returns is the answer to the question `evidence`, whose
   * argument is the item's Ref.
   */
  readonly evidence?: (item: never, config: unknown) => Behind
}
