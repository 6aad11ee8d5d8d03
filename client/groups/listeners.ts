import type { Log } from '../log.ts'

/** Who wants to hear of commits. A listener's mistake is its own: it must not end a member's voting. */
export class Listeners {
  readonly #log: Log
  readonly #all = new Set<(newest: bigint) => void>()

  constructor(log: Log) {
    this.#log = log
  }

  add(listener: (newest: bigint) => void): () => void {
    this.#all.add(listener)
    return () => this.#all.delete(listener)
  }

  tell(index: bigint): void {
    for (const listener of this.#all) {
      try {
        listener(index)
      } catch (error) {
        this.#log('error', 'a commit listener failed', { index, problem: String(error) })
      }
    }
  }

  clear(): void {
    this.#all.clear()
  }
}
