import { CoalitionError } from '../../error.ts'
import type { Bytes } from '../../primitives/bytes.ts'

/** A block as its header commits to it: raw transactions and raw receipts in their order, a typed one with its type byte first (EIP-2718). */
export interface RawBlock {
  /** RLP of the header. */
  readonly header: Bytes
  readonly transactions: readonly Bytes[]
  readonly receipts: readonly Bytes[]
}

export interface ReadOptions {
  readonly signal: AbortSignal
}

/**
 * The chain port: what a member sees of an EVM chain through whatever node it asks. Nothing that it says is believed unhashed: the driver
 * rebuilds both roots. Every call settles in bounded time; it rejects with {@link ChainError} when nobody answers or the answer is none.
 */
export interface ChainReader {
  readonly chainId: (options: ReadOptions) => Promise<bigint>
  /** Number of the newest block. */
  readonly head: (options: ReadOptions) => Promise<bigint>
  /** Number of the newest final block by the chain's own rule; null when it names none. */
  readonly finalized: (options: ReadOptions) => Promise<bigint | null>
  /** RLP of the header at a height; null when there is no block. */
  readonly header: (number: bigint, options: ReadOptions) => Promise<Bytes | null>
  readonly block: (number: bigint, options: ReadOptions) => Promise<RawBlock | null>
  /** What the node said does not hold together: where there are several, another one is asked from now on. */
  readonly distrust: () => void
}

/** Why the chain cannot be followed. */
export type Trouble =
  /** Nobody answers, or not in time. */
  | 'down'
  /** An answer contradicts itself, another answer, or the config: nothing is signed on it. */
  | 'inconsistent'
  /** The chain does not hold a block that the group has agreed on. Where blocks count by depth, the group may yet take it back. */
  | 'reorganised'

/** What the driver sees, for its operator. `following`: all that is final is agreed on. `waiting`: own part done, something else is due. */
export interface ChainState {
  readonly state: 'following' | 'waiting' | Trouble
  /** One sentence: what is seen, and what to do where something can be done. */
  readonly detail: string
  /** The block that it is about. */
  readonly block: bigint | null
}

/** A chain that cannot be followed for now. */
export class ChainError extends CoalitionError {
  declare readonly state: Trouble
  declare readonly block: bigint | null

  constructor(state: Trouble, detail: string, block: bigint | null = null, cause?: unknown) {
    super('Tally.ChainError', detail, { state, block }, cause === undefined ? {} : { cause })
  }
}
