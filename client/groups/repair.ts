import type { Host } from '../network/host.ts'
import { type Scope, scope, sleep } from '../network/scope.ts'
import type { Admission } from './admission.ts'
import type { Archive } from './archive.ts'
import type { Block, Seal } from './block.ts'
import type { Identity } from './execution.ts'
import type { History } from './history.ts'
import type { Machine } from './machine.ts'
import { isChain, replay } from './replay.ts'

export interface RepairOptions<S, C> {
  readonly machine: Machine<S, C>
  readonly identity: Identity
  readonly history: History<S, C>
  readonly admission: Admission<S, C>
  readonly host: Pick<Host, 'now' | 'after' | 'log'>
  /** Asks one of the other members for the blocks from an index on; false when none can be reached. */
  readonly ask: (index: bigint) => boolean
  /** Runs a step in turn with the group's commits. */
  readonly inTurn: (step: () => Promise<void>) => Promise<void>
}

/** For one member's answer; then the next one is asked. */
const PATIENCE_MS = 2_000
/** From one repair to the next: a disk that damages what was just written must not keep a member busy for ever. */
const REST_MS = 60_000

/**
 * Mends a damaged archive while the group goes on: every block is executed again from genesis, those that cannot be read are fetched from
 * the others, and everything that follows from a block is written anew.
 */
export class Repair<S, C> implements AsyncDisposable {
  readonly #o: RepairOptions<S, C>
  readonly #own: Scope = scope()
  #running: Promise<void> | null = null
  #isAgain = false
  #restUntil = Number.NEGATIVE_INFINITY
  #waiting: { readonly index: bigint; readonly take: (block: Block) => void } | null = null
  readonly #seals = new Map<bigint, Seal>()

  constructor(options: RepairOptions<S, C>) {
    this.#o = options
  }

  get isRunning(): boolean {
    return this.#running !== null
  }

  /** A read of the archive failed. */
  damaged(error: unknown): void {
    if (this.#own.signal.aborted || (this.#running === null && this.#o.host.now() < this.#restUntil)) return
    this.#isAgain = true
    if (this.#running !== null) return
    this.#o.host.log('error', 'the archive is damaged and is being mended', {
      problem: error instanceof Error ? error.message : String(error),
    })
    this.#running = this.#run().finally(() => {
      this.#running = null
      this.#restUntil = this.#o.host.now() + REST_MS
    })
  }

  /** Certified blocks that another member sent. */
  offer(blocks: readonly Block[], seal: Seal): void {
    const waiting = this.#waiting
    const block = blocks[0]
    if (waiting === null || block?.header.index !== waiting.index || !isChain(blocks)) return
    const last = blocks.at(-1)?.header.index
    if (last !== undefined) this.#seals.set(last, seal)
    this.#waiting = null
    waiting.take(block)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#own.abort(new Error('the repair was stopped'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { host, history } = this.#o
    try {
      while (this.#isAgain) {
        this.#isAgain = false
        const newest = history.newest
        await this.#replay(newest)
        await this.#o.inTurn(() => history.archive.mendTips(history.head.surfaces))
        host.log('info', 'the archive is mended', { blocks: newest })
      }
    } catch (error) {
      if (!this.#own.signal.aborted) host.log('error', 'the archive could not be mended', { problem: String(error) })
    }
  }

  async #replay(newest: bigint): Promise<void> {
    const { machine, identity, admission, history } = this.#o
    const { archive } = history
    const last = await replay({
      machine,
      identity,
      admission,
      read: async (index) => (index > newest ? null : ((await this.#sound(archive, index)) ?? this.#fetch(index))),
      write: async (branch, block) => {
        const { index } = branch.header
        const seal = await archive.seal(index).catch(() => this.#seals.get(index) ?? null)
        await archive.mend(branch, block, seal)
      },
    })
    this.#seals.clear()
    if (last.header.index < newest) throw new Error(`block ${last.header.index + 1n} is not what its commands give`)
  }

  async #sound(archive: Archive<S, C>, index: bigint): Promise<Block | null> {
    return archive.block(index).catch(() => null)
  }

  async #fetch(index: bigint): Promise<Block> {
    for (;;) {
      const found = new Promise<Block>((take) => {
        this.#waiting = { index, take }
      })
      this.#o.ask(index)
      const block = await Promise.race([found, sleep(this.#o.host, PATIENCE_MS, this.#own.signal).then(() => null)])
      if (block !== null) return block
    }
  }
}
