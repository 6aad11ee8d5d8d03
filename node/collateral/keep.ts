import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MAX_COLLATERAL } from '../../client/network/attest/tickets.ts'
import type { Host } from '../../client/network/host.ts'
import { type Scope, scope, sleep } from '../../client/network/scope.ts'
import { type Bytes, equal, toHex } from '../../client/primitives/bytes.ts'
import type { TrustedRoot, VerifyEcdsa } from '../../client/verify/attestation.ts'
import { decodeCollateral } from '../../client/verify/collateral/codec.ts'
import {
  type Collateral,
  collateralBytes,
  isFresh,
  type RollbackMemory,
  type VerifiedCollateral,
  verifyCollateral,
} from '../../client/verify/collateral/index.ts'
import { hash } from '../../wasm/core.ts'
import { writeWhole } from '../files.ts'
import { readBounded } from './folder.ts'

/** Collateral that held when it was taken in. */
export interface Kept {
  /** BLAKE3 of `bytes`: what others ask for it by, and the file's name. */
  readonly hash: Bytes
  /** canonical(Collateral). */
  readonly bytes: Bytes
  readonly verified: VerifiedCollateral
}

export interface KeepOptions {
  /** Made when it is missing. Files are named by the hex of their BLAKE3. */
  readonly folder: string
  readonly root: TrustedRoot
  readonly ecdsa: VerifyEcdsa
  /** What goes back behind it is not taken in, however long it is valid. It is raised where a quote is accepted. */
  readonly memory: RollbackMemory
  readonly host: Pick<Host, 'now' | 'random' | 'after' | 'log'>
  /** Collateral from where it comes from. What it throws is told, and tried again. */
  readonly load: (signal: AbortSignal) => Promise<Collateral>
  /** Milliseconds between two looks, for a source that costs nothing to look at; null for half of the time that is left, see {@link pauseFor}. */
  readonly every: number | null
  /** Called when `current` became another one. */
  readonly onChange: () => void
}

/** Files that stay: the newest, and some before it that others may still ask for. */
const FILES = 4
const LEAST_MS = 60_000
const MOST_MS = 3_600_000
const DAY_MS = 86_400_000

/** A member's collateral: fetched again before it ends, kept by its hash, and never given up for a worse one. */
export class CollateralKeep {
  readonly #o: KeepOptions
  readonly #own: Scope = scope()
  #pause: Scope = scope()
  #current: Kept | null = null
  #failures = 0
  #told = ''
  #life: Promise<void> = Promise.resolve()
  #hasLooked: () => void = () => {}
  /** Settles after the first look at the source, whatever came of it. */
  readonly looked: Promise<void> = new Promise((resolve) => {
    this.#hasLooked = resolve
  })

  private constructor(options: KeepOptions) {
    this.#o = options
  }

  /** Opens the folder, with what lies in it and still holds, and begins to look for newer. */
  static async open(options: KeepOptions): Promise<CollateralKeep> {
    const keep = new CollateralKeep(options)
    await mkdir(options.folder, { recursive: true, mode: 0o700 })
    await keep.#restore()
    keep.#life = keep.#run().catch(() => {})
    return keep
  }

  /** The newest that holds now. */
  get current(): Kept | null {
    return this.#current !== null && isFresh(this.#current.verified, this.#now()) ? this.#current : null
  }

  /** Looks at the source now. */
  look(): void {
    this.#pause.abort(new Error('the pause is over'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#own.abort(new Error('the collateral is kept no longer'))
    await this.#life
  }

  async #run(): Promise<void> {
    const { host, every } = this.#o
    const { signal } = this.#own
    while (!signal.aborted) {
      await this.#refresh().catch((error: unknown) => this.#failed(error))
      this.#hasLooked()
      const pause = every ?? pauseFor(this.current?.verified.expires ?? null, this.#now(), this.#failures)
      this.#pause = scope(signal)
      await sleep(host, pause * (1 + jitter(host)), this.#pause.signal).catch(() => {})
      this.#pause.end()
    }
  }

  async #refresh(): Promise<void> {
    await this.#take(collateralBytes(await this.#o.load(this.#own.signal)))
    this.#failures = 0
    this.#told = ''
  }

  /** @throws CollateralError for what does not hold, RangeError for what is too long to be sent */
  async #take(bytes: Bytes): Promise<void> {
    const name = hash(bytes)
    if (this.#current !== null && equal(this.#current.hash, name)) return
    if (bytes.length > MAX_COLLATERAL) throw new RangeError(`collateral of ${bytes.length} bytes, at most ${MAX_COLLATERAL}`)
    const { folder, host, onChange } = this.#o
    const verified = await this.#verify(bytes)
    await writeWhole(join(folder, toHex(name)), bytes)
    this.#current = { hash: name, bytes, verified }
    host.log('info', 'collateral was taken in', { hash: toHex(name), expires: verified.expires })
    onChange()
    await this.#prune(toHex(name))
  }

  #failed(error: unknown): void {
    if (this.#own.signal.aborted) return
    this.#failures += 1
    const problem = error instanceof Error ? error.message : String(error)
    // Every look fails alike until somebody puts it right; what time it is stands in some problems.
    const told = problem.replace(/\d+/g, '')
    if (told === this.#told) return
    this.#told = told
    const expires = this.current?.verified.expires ?? null
    this.#o.host.log('warn', 'collateral could not be had; what is kept stays until it ends', { problem, expires })
  }

  async #restore(): Promise<void> {
    for (const name of await this.#names()) {
      const kept = await this.#read(name).catch(() => null)
      if (kept !== null && kept.verified.expires > (this.#current?.verified.expires ?? 0)) this.#current = kept
    }
  }

  async #read(name: string): Promise<Kept | null> {
    const bytes = await readBounded(join(this.#o.folder, name), MAX_COLLATERAL)
    const found = hash(bytes)
    return toHex(found) === name ? { hash: found, bytes, verified: await this.#verify(bytes) } : null
  }

  #verify(bytes: Bytes): Promise<VerifiedCollateral> {
    const { root, ecdsa, memory } = this.#o
    return verifyCollateral(decodeCollateral(bytes), { root, ecdsa, memory, at: this.#now() })
  }

  async #prune(current: string): Promise<void> {
    const others = (await this.#names()).filter((name) => name !== current)
    for (const name of others.slice(0, Math.max(0, others.length - FILES + 1))) await rm(join(this.#o.folder, name), { force: true })
  }

  async #names(): Promise<readonly string[]> {
    return (await readdir(this.#o.folder)).filter((name) => /^[0-9a-f]{64}$/.test(name))
  }

  #now(): number {
    return Math.floor(this.#o.host.now() / 1_000)
  }
}

/**
 * Milliseconds until collateral is fetched again: half of what is left of it, and once a day at least, so that many
 * fetches may fail before it ends; growing from a
 * minute to an hour while there is none.
 *
 * @param expires unix second at which what is kept ends, or null
 * @param now unix second
 */
export const pauseFor = (expires: number | null, now: number, failures: number): number => {
  if (expires === null) return Math.min(MOST_MS, LEAST_MS * 2 ** Math.min(failures, 10))
  return Math.min(DAY_MS, Math.max(LEAST_MS, 500 * (expires - now)))
}

/** Up to a tenth more, so that a committee does not ask all at once. */
const jitter = (host: Pick<Host, 'random'>): number => (host.random(1)[0] ?? 0) / 2_560
