import { toHex } from '../../primitives/bytes.ts'
import type { Host } from '../host.ts'
import type { Fork } from '../reader/fork.ts'
import type { Tail } from '../reader/recent.ts'
import type { Ground, Trusted } from '../reader/trust.ts'
import { scope, sleep } from '../scope.ts'
import { forkRecord, verifyForkRecord } from './fork-record.ts'
import { claimedIndex, headRecord, type KeptHead, verifyHeadRecord } from './head-record.ts'
import { answered, type Storage, StorageError } from './storage.ts'

/**
 * Milliseconds. `load`: a place that says nothing for longer keeps nobody from starting without it. `first`: what comes right after the first
 * head, the rows of a page, goes with it. Each wait after it is four times the one before, up to `longest`: rows that come later than that are
 * kept soon, and who reads for hours writes to a disk six times a minute. `failed`: a full disk is not asked at each head. `close`.
 */
const WAIT = { load: 2_000, first: 250, longest: 10_000, failed: 30_000, close: 1_000 } as const

/** What a reader may start from. */
export interface Kept {
  readonly head: KeptHead | null
  /** The proof against the committee, where it signed two histories. */
  readonly fork: Fork | null
}

/** A head and the newest items under it, as they are when they are written. */
export interface Newest {
  readonly trusted: Trusted
  readonly tail: Tail | null
}

/** What the readers of one network have in common: where they keep, and that it is said once when that fails. */
export class Keep {
  readonly #host: Host
  readonly #storage: Storage
  #isSaid = false

  constructor(host: Host, storage: Storage) {
    this.#host = host
    this.#storage = storage
  }

  /** For one reader. @param component its surface's name, for the log */
  of(ground: Ground, component: string): Keeping {
    return new Keeping({ host: this.#host, storage: this.#storage, ground, component, failed: (error) => this.#failed(error) })
  }

  #failed(error: unknown): void {
    if (this.#isSaid) return
    this.#isSaid = true
    this.#host.log('warn', 'what is verified is not kept on this device', { problem: wordsOf(error) })
  }
}

export interface KeepingOptions {
  readonly host: Host
  readonly storage: Storage
  readonly ground: Ground
  readonly component: string
  readonly failed: (error: unknown) => void
}

/**
 * What one reader keeps: loaded once, verified as if a peer had sent it, and written as heads come. Nothing here throws at the reader: a
 * place that is full, gone or full of garbage costs the next start its head, not this one.
 */
export class Keeping {
  readonly #o: KeepingOptions
  readonly #names: { readonly head: string; readonly fork: string }
  readonly #scope = scope()
  /** A place that did not answer in time is left alone: what it holds is not known, and must not be written over. */
  #isOff = false
  #newest: (() => Newest | null) | null = null
  #writing: Promise<void> | null = null
  #forking: Promise<void> = Promise.resolve()
  /** From a note to its writing. */
  #pauseMs: number = WAIT.first

  constructor(options: KeepingOptions) {
    this.#o = options
    const { identified, surface, withstand } = options.ground
    const group = `${toHex(identified.network)} ${toHex(identified.group)}`
    this.#names = { head: `head ${group} ${surface} ${withstand ?? 'default'}`, fork: `fork ${group}` }
  }

  /** What was kept and still verifies. Resolves with nothing where there is none, it does not verify, or the place does not answer. */
  async load(genesis: Trusted, signal: AbortSignal): Promise<Kept> {
    const { host, ground } = this.#o
    const loading = Promise.all([
      this.#one(this.#names.head, (record) => verifyHeadRecord(ground, genesis, record)),
      this.#one(this.#names.fork, (record) => verifyForkRecord(ground, record)),
    ])
    try {
      const [head, fork] = await answered(host, loading, { ms: WAIT.load, signal })
      return { head, fork }
    } catch (error) {
      this.#isOff = true
      if (!signal.aborted) this.#o.failed(error)
      return { head: null, fork: null }
    }
  }

  async #one<T>(name: string, verify: (record: Uint8Array<ArrayBuffer>) => Promise<T>): Promise<T | null> {
    const { storage, host, component } = this.#o
    try {
      const record = await storage.get(name)
      return record && (await verify(record))
    } catch (error) {
      if (error instanceof StorageError && !error.isDamage) throw error
      host.log('warn', 'what was kept does not verify: starting without it', { component, problem: wordsOf(error) })
      await storage.delete(name)
      return null
    }
  }

  /** There is a newer head, or more under it: `newest` is asked when it is written, ten seconds later at most. */
  note(newest: () => Newest | null): void {
    if (this.#isOff || this.#scope.signal.aborted) return
    this.#newest = newest
    this.#writing ??= this.#soon()
  }

  /** As long as there is something to write; at once when the reader is closed. */
  async #soon(): Promise<void> {
    const { host, failed } = this.#o
    while (this.#newest !== null) {
      await sleep(host, this.#pauseMs, this.#scope.signal).catch(() => {})
      try {
        await this.#write()
        this.#pauseMs = Math.min(WAIT.longest, 4 * this.#pauseMs)
      } catch (error) {
        this.#pauseMs = WAIT.failed
        failed(error)
      }
    }
    this.#writing = null
  }

  async #write(): Promise<void> {
    const newest = this.#newest?.()
    this.#newest = null
    const record = newest && headRecord(newest.trusted, newest.tail)
    if (!record) return
    // Of one index the later one: it knows more items. Another tab may have seen a newer head by now.
    await this.#o.storage.put(this.#names.head, (before) => ((claimedIndex(before) ?? 0n) > record.index ? null : record.bytes))
  }

  /** The committee signed two histories. The first proof stays. */
  keepFork(fork: Fork): void {
    if (this.#isOff) return
    const { storage, failed } = this.#o
    const write = async (): Promise<void> => {
      const record = forkRecord(fork)
      await storage.put(this.#names.fork, (before) => (before === null ? record : null))
    }
    this.#forking = write().catch(failed)
  }

  /** Writes what is not written yet, within a second. */
  async close(): Promise<void> {
    this.#scope.abort(new StorageError('the reader was closed'))
    const written = Promise.all([this.#writing, this.#forking])
    await answered(this.#o.host, written, { ms: WAIT.close }).catch(this.#o.failed)
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
