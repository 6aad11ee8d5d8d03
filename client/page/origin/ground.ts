import type { Locks } from '../../rpc/meeting.ts'
import type { Port } from '../../rpc/wire.ts'
import type { Seat } from '../worker.ts'

/** Everything that finding the origin's Worker takes from the browser. Tests bring their own. */
export interface Ground {
  /** Name of the meeting place and of the lock of who leads: one for each version of the library and each address of its Worker. */
  readonly meeting: string
  readonly locks: Locks
  readonly channel: (name: string) => Port
  /** Calls `run` every `ms`; the returned function stops it. */
  readonly every: (ms: number, run: () => void) => () => void
  /** A name that nobody else has. */
  readonly name: () => string
  /** A Worker that is nobody's yet. @throws ConnectError */
  readonly spawn: () => Seat
}

/** Milliseconds between two looks after the Worker, and after how many without a word it is taken for lost. */
export const PULSE = { everyMs: 2_000, misses: 2 } as const

/** Why a seat was lost whose Worker has fallen silent: its tab may be frozen, and still hold the lock. */
export const SILENT = 'silent'
