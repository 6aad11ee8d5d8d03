import type { RollbackMemory } from '../../verify/collateral/index.ts'
import type { Candidates } from '../candidates.ts'
import type { Host } from '../host.ts'
import type { Keeping } from '../keep/keeping.ts'
import type { Links } from './links.ts'
import type { Peer } from './peer.ts'
import type { Session } from './sync.ts'
import type { Ground } from './trust.ts'

export interface ReaderOptions {
  readonly host: Host
  readonly links: Links
  readonly ground: Ground
  /** Who may be dialled, from the bootstrap list and from what peers tell. */
  readonly candidates: Candidates
  /** Where to keep what was verified; null for a reader that keeps nothing. */
  readonly keeping: Keeping | null
  /** What quotes of a gated group were accepted under. */
  readonly rollback: RollbackMemory
  /** Name of the surface, and of its organism, for people: `tally.refunds`, `tally`. */
  readonly component: string
  readonly who: string
}

/** A link to a server that showed a head which is trusted: whom to ask. */
export interface Following {
  readonly peer: Peer
  readonly session: Session
  readonly leave: (reason: Error) => void
}
