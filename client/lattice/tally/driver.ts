import type { Host } from '../../network/host.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import type { TalliedBlock } from './block.ts'
import type { ChainReader, ChainState } from './chain.ts'
import type { TallyConfig } from './index.ts'
import type { TallyState } from './state.ts'

// The ports of tally's driver: what it is given by the member that runs it.

/** The group as its driver sees it. */
export interface GroupPort {
  readonly rosterId: Bytes
  /** Own place in the roster. */
  readonly member: number
  /** The machine's state after the newest final block. */
  readonly state: () => TallyState
  /** Resolves once the command is in a final block, whether it did something there or not. */
  readonly submit: (command: Bytes) => Promise<unknown>
  /** Calls `listener` after every final block; the returned function stops it. */
  readonly onCommit: (listener: () => void) => () => void
}

export interface DriveOptions {
  readonly config: TallyConfig
  readonly chain: ChainReader
  readonly group: GroupPort
  /** Signs with this epoch's vote key. */
  readonly sign: (message: Bytes) => Bytes | Promise<Bytes>
  /** Durably notes the one answer to a question before it is signed; false when another one was given. A rejection ends the driver. */
  readonly remember: (question: Bytes, value: Bytes) => Promise<boolean>
  /**
   * The answer that `remember` noted for a question. Where blocks count by depth a chain may have gone on since: the word that was given then
   * is brought all the same, or its round would wait for this member for ever. Without it the member keeps silent in that round.
   */
  readonly recall?: (question: Bytes) => Promise<Bytes | null>
  readonly host: Pick<Host, 'now' | 'after' | 'log'>
  readonly onState: (state: ChainState) => void
  readonly signal: AbortSignal
  /** Milliseconds between two looks at the chain, default 1,000. */
  readonly pollMs?: number
}

/** What the driver knows beside the group's state; all of it can be read again. */
export interface Memory {
  /** Whether the chain id and the origin have been compared since the last trouble. */
  recognised: boolean
  /** The highest finalized block seen. */
  finalized: bigint
  /** Blocks with payments that were read lately, by number: else each would be read a second time to attribute it. */
  readonly blocks: Map<bigint, TalliedBlock>
  /** Since when the oldest pending block waits for the member whose turn it is. */
  waiting: { readonly hash: string; readonly since: number }
  /** Final blocks seen since the start. */
  commits: number
  /** The split round seen last, and how many final blocks had been seen by then. */
  split: { readonly round: string; readonly commits: number }
  /** The fork seen last, as text. */
  fork: string
}

/** What a driver knows when it starts. */
export const emptyMemory = (): Memory => ({
  recognised: false,
  finalized: 0n,
  blocks: new Map(),
  waiting: { hash: '', since: 0 },
  commits: 0,
  split: { round: '', commits: 0 },
  fork: '',
})
