import { CoalitionError } from '../error.ts'
import { toHex } from '../primitives/bytes.ts'
import type { Command } from './block.ts'

/** Where a command ended up. */
export interface Committed {
  readonly index: bigint
}

interface Waiting {
  readonly command: Command
  readonly resolve: (committed: Committed) => void
  readonly reject: (reason: unknown) => void
}

/** Most commands that wait at once: four full blocks. More are refused, so that one sender cannot fill the memory. */
const MOST = 16_384

/** Admitted commands on their way into a block, in the order they came. */
export class Pool {
  readonly #waiting = new Map<string, Waiting>()

  get size(): number {
    return this.#waiting.size
  }

  /** Resolves when the command is final. @throws PoolFullError */
  add(command: Command): Promise<Committed> {
    if (this.#waiting.size >= MOST) return Promise.reject(new PoolFullError(MOST))
    return new Promise((resolve, reject) => this.#waiting.set(toHex(command.id), { command, resolve, reject }))
  }

  /** The waiting commands that a block at `index` may take; those past their `until` are rejected. */
  take(index: bigint): Command[] {
    const commands: Command[] = []
    for (const [id, { command, reject }] of this.#waiting) {
      if (command.until >= index) commands.push(command)
      else {
        this.#waiting.delete(id)
        reject(new ExpiredError(id, command.until, index))
      }
    }
    return commands
  }

  settle(commands: readonly Command[], index: bigint): void {
    for (const command of commands) {
      const id = toHex(command.id)
      this.#waiting.get(id)?.resolve({ index })
      this.#waiting.delete(id)
    }
  }

  abandon(reason: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
  }
}

export class PoolFullError extends CoalitionError {
  constructor(most: number) {
    super('Group.PoolFullError', `${most} commands are waiting already: send again later`, { most })
  }
}

export class ExpiredError extends CoalitionError {
  constructor(id: string, until: bigint, index: bigint) {
    super('Group.ExpiredError', `command ${id} was good until block ${until}, the log is at ${index}`, { id, until, index })
  }
}
