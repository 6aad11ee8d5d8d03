import { isError } from '../../error.ts'
import { type Bytes, toHex } from '../../primitives/bytes.ts'
import type { UniqueId } from '../../primitives/id.ts'
import type { Host, Link } from '../host.ts'
import { race, type Scope, scope, sleep } from '../scope.ts'
import type { Catalog } from './catalog.ts'
import { syncCatalog } from './client.ts'
import type { HeadHint } from './heads.ts'

/** Peers that are asked in one round: what one keeps back the other may tell. */
const SOURCES = 2
/** Milliseconds between two rounds at least, whatever happens, and how long a peer is left alone that cannot answer or answers wrongly. */
const PAUSE = { round: 5_000, unable: 120_000, faulty: 600_000 } as const

export interface SyncingOptions {
  readonly host: Pick<Host, 'now' | 'after' | 'random' | 'log'>
  readonly network: UniqueId
  readonly catalog: Catalog
  /** Links that are up. */
  readonly links: () => readonly Link[]
  /** Groups to ask for; none for all, null while there is nothing to ask for. */
  readonly groups: () => readonly Bytes[] | null
  /** Milliseconds from one round to the next, about. */
  readonly everyMs: number
  /** After each answer. */
  readonly onSynced: (heads: readonly HeadHint[], source: Bytes) => void
}

/** Asks the peers that are linked for what they know, again and again. */
export class Syncing implements AsyncDisposable {
  readonly #o: SyncingOptions
  readonly #own: Scope = scope()
  readonly #running: Promise<void>
  /** By link key: when it was asked last, and until when it is not asked again. */
  readonly #asked = new Map<string, { readonly atMs: number; readonly shunnedUntil: number }>()
  #lastMs = Number.NEGATIVE_INFINITY
  #dueMs = Number.NEGATIVE_INFINITY
  #nap: Scope | null = null
  /** Bytes of all answers so far. */
  bytes = 0

  constructor(options: SyncingOptions) {
    this.#o = options
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#own.signal.aborted) options.host.log('error', 'catalogs are asked for no more', { problem: wordsOf(error) })
    })
  }

  /** A link came or went, or there is more to ask for: the next round is at once, or as soon as one may be. */
  wake(): void {
    this.#dueMs = Math.min(this.#dueMs, Math.max(this.#o.host.now(), this.#lastMs + PAUSE.round))
    this.#nap?.abort(new Woken())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#own.abort(new Error('the catalog was closed'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { host, everyMs } = this.#o
    for (;;) {
      const wait = this.#dueMs - host.now()
      const isIdle = this.#o.groups() === null || this.#o.links().length === 0
      if (isIdle || wait > 0) {
        await this.#rest(isIdle ? null : Math.min(wait, everyMs))
        continue
      }
      this.#lastMs = host.now()
      // A part of it by chance: readers that came together do not ask together for ever.
      const jitter = 0.8 + ((host.random(1)[0] as number) / 255) * 0.4
      this.#dueMs = this.#lastMs + everyMs * jitter
      await this.#round()
    }
  }

  /** Until it is woken, or so long. */
  async #rest(ms: number | null): Promise<void> {
    this.#nap = scope(this.#own.signal)
    const { signal } = this.#nap
    try {
      if (ms !== null) await sleep(this.#o.host, ms, signal)
      else await race(new Promise<never>(() => {}), signal)
    } catch (error) {
      if (!(error instanceof Woken)) throw error
    } finally {
      this.#nap.end()
      this.#nap = null
    }
  }

  async #round(): Promise<void> {
    this.#o.catalog.sweep()
    const groups = this.#o.groups()
    if (groups === null) return
    const links = this.#o.links()
    this.#forget(links)
    for (const link of this.#choose(links)) await this.#ask(link, groups)
  }

  async #ask(link: Link, groups: readonly Bytes[]): Promise<void> {
    const { host, network, catalog, onSynced } = this.#o
    const name = toHex(link.peer)
    this.#asked.set(name, { atMs: host.now(), shunnedUntil: 0 })
    try {
      const { heads, bytes } = await syncCatalog(link, { host, network, catalog, groups, signal: this.#own.signal })
      this.bytes += bytes
      onSynced(heads, link.peer)
    } catch (error) {
      this.#own.signal.throwIfAborted()
      const pause = isFault(error) ? PAUSE.faulty : PAUSE.unable
      this.#asked.set(name, { atMs: host.now(), shunnedUntil: host.now() + pause })
      host.log(isFault(error) ? 'warn' : 'debug', 'the catalog of a peer could not be read', { peer: name, problem: wordsOf(error) })
    }
  }

  /** Whom to ask: those that were not asked for longest. */
  #choose(links: readonly Link[]): readonly Link[] {
    const now = this.#o.host.now()
    const past = (link: Link) => this.#asked.get(toHex(link.peer)) ?? { atMs: Number.NEGATIVE_INFINITY, shunnedUntil: 0 }
    return links
      .filter((link) => !link.closed.aborted && past(link).shunnedUntil <= now && !this.#o.catalog.isCutOff(link.peer))
      .map((link) => ({ link, atMs: past(link).atMs }))
      .sort((a, b) => (a.atMs === b.atMs ? 0 : a.atMs - b.atMs))
      .slice(0, SOURCES)
      .map(({ link }) => link)
  }

  /** Of those that are gone only the faulty are remembered, and they until their time is up. */
  #forget(links: readonly Link[]): void {
    const names = new Set(links.map(({ peer }) => toHex(peer)))
    const now = this.#o.host.now()
    for (const [name, { shunnedUntil }] of this.#asked) if (!names.has(name) && shunnedUntil <= now) this.#asked.delete(name)
  }
}

class Woken extends Error {}

const isFault = (error: unknown): boolean =>
  isError(error, 'Codec.DecodeError') ||
  isError(error, 'Light.FrameError') ||
  (isError(error, 'Discovery.CatalogError') && (error.facts.part === 'answer' || error.facts.part === 'entry'))

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
