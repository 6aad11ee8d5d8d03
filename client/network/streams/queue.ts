import type { Bytes } from '../../primitives/bytes.ts'
import { Gate } from '../scope.ts'
import { STREAM_LIMITS } from './messages.ts'

/** What one consumer may be behind. */
const BEHIND = { items: 1_024, bytes: 1_048_576 } as const

/** Items of one frame, and where they stand. */
export interface Batch {
  readonly first: bigint
  readonly items: readonly Bytes[]
}

/** Items that wait for one consumer: bounded, so that a slow one costs its place and not the publisher's memory. */
export class Queue {
  readonly #gate = new Gate()
  readonly #overrun: () => void
  #isOverrun = false
  #items: Bytes[] = []
  #bytes = 0
  #next = 0n

  /** @param overrun called once, when the consumer is too far behind: what is offered from then on is gone for it */
  constructor(overrun: () => void) {
    this.#overrun = overrun
  }

  offer(item: Bytes): void {
    if (this.#isOverrun) return
    if (this.#items.length === BEHIND.items || this.#bytes + item.length > BEHIND.bytes) {
      this.#isOverrun = true
      this.#items = []
      this.#overrun()
      return
    }
    this.#items.push(item)
    this.#bytes += item.length
    this.#gate.open()
  }

  /** What waits, as much as a frame takes, once there is any. @throws the signal's reason */
  async take(signal: AbortSignal): Promise<Batch> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#items.length > 0) return this.#batch()
      await this.#gate.wait(signal)
    }
  }

  #batch(): Batch {
    const first = this.#next
    let [count, bytes] = [0, 0]
    for (const item of this.#items) {
      // Room for the frame's own fields and for the length of each item.
      if (count === STREAM_LIMITS.items || (count > 0 && bytes + item.length + 4 > STREAM_LIMITS.frame - 64)) break
      count++
      bytes += item.length + 4
    }
    const items = this.#items.splice(0, count)
    for (const item of items) this.#bytes -= item.length
    this.#next += BigInt(count)
    return { first, items }
  }
}
