import type { Bytes } from '../primitives/bytes.ts'
import type { GroupId } from '../primitives/id.ts'
import type { MapProof, RangeProof, TreeProof } from '../proofs/index.ts'
import type { Certificate, Header, Seal } from './block.ts'
import type { EncodedContradiction } from './contradiction.ts'
import type { Roster } from './roster.ts'

/** Entries start … end−1 of one key's run, as an index keeps them. */
export interface RunEntries {
  readonly key: Bytes
  readonly path: Bytes
  readonly count: bigint
  readonly link: Bytes
}

/** What one certified head proves. Valid while the group holds that head. */
export interface View {
  readonly header: Header
  readonly item: (surface: number, position: bigint) => Promise<{ readonly item: Bytes; readonly proof: TreeProof }>
  /** Proof of the items from … to−1; the items themselves come from `items`. */
  readonly range: (surface: number, from: bigint, to: bigint) => Promise<RangeProof>
  readonly items: (surface: number, from: bigint, to: bigint) => AsyncIterable<Bytes>
  /** Bucket of an index: its proof and its keys in path order. @throws Proof.MapError when it has more than 1,024 keys */
  readonly bucket: (
    surface: number,
    by: number,
    bits: number,
    path: Bytes,
  ) => { readonly proof: MapProof; readonly keys: readonly RunEntries[] }
  /** Position of entry k (0-based) of a key and the link before it. */
  readonly entry: (surface: number, by: number, path: Bytes, k: bigint) => Promise<{ readonly position: bigint; readonly before: Bytes }>
  readonly ancestor: (index: bigint) => Promise<{ readonly header: Header; readonly proof: TreeProof }>
}

/** A member's ticket as it is served: its seat, its class, its data, and the hashes of the collateral that goes with it. */
export interface HeldTicket {
  readonly member: number
  readonly class: Bytes
  readonly data: Bytes
  readonly collateral: readonly Bytes[]
}

/** A group as the light protocol serves it. A member's archive is one; a mirror can be another. */
export interface Source {
  readonly group: GroupId
  readonly served: () => { readonly oldest: bigint; readonly newest: bigint; readonly held: bigint }
  /** The newest certificate of at least `strength` signatures, or null before the first block. */
  readonly head: (strength: number) => Certificate | null
  /** Certificates of closed epochs from `fromEpoch` on with the roster that each announces. */
  readonly steps: (fromEpoch: number, most: number) => readonly { readonly certificate: Certificate; readonly roster: Roster }[]
  /** The roster of the newest head: the server needs n to turn `withstand` into a strength. */
  readonly roster: () => Roster
  /** Proof that `index` is a leaf of the log of `head`; null when it is not below it or not held. */
  readonly logProof: (head: Header, index: bigint) => Promise<TreeProof | null>
  readonly at: (index: bigint) => View | null
  readonly header: (index: bigint) => Promise<Header | null>
  readonly seal: (index: bigint) => Promise<Seal | null>
  readonly commands: (index: bigint) => Promise<readonly Bytes[] | null>
  /** Items that block `index` appended, for every surface in order. */
  readonly appended: (index: bigint) => Promise<readonly (readonly Bytes[])[] | null>
  /** The tickets of members that are held and verified, with what to ask `blob` for; none where the group asks for none. */
  readonly tickets?: (rosterId: Bytes) => readonly HeldTicket[]
  /** Pairs of votes by which members were caught; none where nobody was. */
  readonly evidence?: () => Promise<readonly EncodedContradiction[]>
  readonly blob: (hash: Bytes) => Promise<Bytes | null>
  /** Calls `listener` after every newly certified block; the returned function stops it. */
  readonly onCommit: (listener: (newest: bigint) => void) => () => void
}
