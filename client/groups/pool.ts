import { CoalitionError } from '../error.ts'
import { equal, toHex } from '../primitives/bytes.ts'
import { encode } from '../primitives/codec.ts'
import { type Command, commandCodec } from './block.ts'

/** Where a command ended up. */
export interface Committed {
  readonly index: bigint
}

interface Waiting {
  readonly command: Command
  readonly bytes: number
  /** The member that sent it; null for one of our own. */
  readonly from: number | null
  readonly committed: Promise<Committed>
  readonly resolve: (committed: Committed) => void
  readonly reject: (reason: unknown) => void
}

/** What waits at once: four full blocks. More is refused, so that one sender cannot fill the memory. */
const MOST = { commands: 16_384, bytes: 67_108_864 } as const
/** Of these, what one other member may have sent: its share, so that it does not take the place of ours. */
const SHARE = 4

const NOBODY_WAITS = new Promise<Committed>(() => {})

/** Admitted commands on their way into a block, in the order they came. */
export class Pool {
  readonly #waiting = new Map<string, Waiting>()
  readonly #bytes = new Map<number | null, number>()
  readonly #counts = new Map<number | null, number>()

  get size(): number {
    return this.#waiting.size
  }

  has(id: string): boolean {
    return this.#waiting.has(id)
  }

  /** Own commands that are not final yet. */
  own(): readonly Command[] {
    return [...this.#waiting.values()].filter(({ from }) => from === null).map(({ command }) => command)
  }

  /** Resolves when the command is final. @throws PoolFullError */
  add(command: Command): Promise<Committed> {
    const known = this.#waiting.get(toHex(command.id))
    if (known?.from === null && equal(encode(commandCodec, known.command), encode(commandCodec, command))) return known.committed
    const bytes = encode(commandCodec, command).length
    if (!this.#hasRoom(null, bytes, 1)) return Promise.reject(new PoolFullError(MOST.commands))
    this.#drop(toHex(command.id))
    const own = { command, bytes, from: null, committed: NOBODY_WAITS, resolve: (_: Committed) => {}, reject: (_: unknown) => {} }
    own.committed = new Promise((resolve, reject) => Object.assign(own, { resolve, reject }))
    this.#put(own)
    return own.committed
  }

  /** A command that another member sent. What is too much is dropped: its sender sends it again while it waits. */
  addFrom(from: number, command: Command): void {
    const bytes = encode(commandCodec, command).length
    if (this.has(toHex(command.id)) || !this.#hasRoom(from, bytes, SHARE)) return
    this.#put({ command, bytes, from, committed: NOBODY_WAITS, resolve: () => {}, reject: () => {} })
  }

  /** The waiting commands that a block at `index` may take and that `isTaken` does not know; those past their `until` are rejected. */
  take(index: bigint, isTaken: (id: string) => boolean): Command[] {
    const commands: Command[] = []
    for (const [id, { command, reject }] of this.#waiting) {
      if (command.until < index) {
        this.#drop(id)
        reject(new ExpiredError(id, command.until, index))
      } else if (!isTaken(id)) commands.push(command)
    }
    return commands
  }

  /** Final commands leave. An own one whose id somebody else's command took is given back, to be sent under another id. */
  settle(commands: readonly Command[], index: bigint): readonly { readonly command: Command; readonly retry: (next: Command) => void }[] {
    const taken: { readonly command: Command; readonly retry: (next: Command) => void }[] = []
    for (const command of commands) {
      const id = toHex(command.id)
      const waiting = this.#waiting.get(id)
      if (waiting === undefined) continue
      this.#drop(id)
      const isSame = waiting.from !== null || equal(encode(commandCodec, waiting.command), encode(commandCodec, command))
      if (isSame) waiting.resolve({ index })
      else taken.push({ command: waiting.command, retry: (next) => this.#put({ ...waiting, command: next }) })
    }
    return taken
  }

  abandon(reason: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
    this.#bytes.clear()
    this.#counts.clear()
  }

  #hasRoom(from: number | null, bytes: number, share: number): boolean {
    const total = (of: ReadonlyMap<number | null, number>): number => [...of.values()].reduce((sum, value) => sum + value, 0)
    return (
      total(this.#counts) < MOST.commands &&
      total(this.#bytes) + bytes <= MOST.bytes &&
      (this.#counts.get(from) ?? 0) < MOST.commands / share &&
      (this.#bytes.get(from) ?? 0) + bytes <= MOST.bytes / share
    )
  }

  #put(waiting: Waiting): void {
    this.#waiting.set(toHex(waiting.command.id), waiting)
    this.#weigh(waiting.from, 1, waiting.bytes)
  }

  #drop(id: string): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    this.#weigh(waiting.from, -1, -waiting.bytes)
  }

  #weigh(from: number | null, count: number, bytes: number): void {
    this.#counts.set(from, (this.#counts.get(from) ?? 0) + count)
    this.#bytes.set(from, (this.#bytes.get(from) ?? 0) + bytes)
  }
}

/** As many commands wait as a member keeps: nothing was taken. */
export class PoolFullError extends CoalitionError {
  constructor(most: number) {
    super('Group.PoolFullError', `${most} commands are waiting already: send again later`, { most })
  }
}

/** A command that came, or stayed, past the block up to which its author wanted it. */
export class ExpiredError extends CoalitionError {
  constructor(id: string, until: bigint, index: bigint) {
    super('Group.ExpiredError', `command ${id} was good until block ${until}, the log is at ${index}`, { id, until, index })
  }
}
