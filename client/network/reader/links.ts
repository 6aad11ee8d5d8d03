import { toHex } from '../../primitives/bytes.ts'
import type { Candidate } from '../candidates.ts'
import { type Dialed, Dialer, type DialerOptions } from '../dialer.ts'
import type { Link } from '../host.ts'
import { race, type Scope, scope, whenAborted } from '../scope.ts'
import { ShutdownError } from './state.ts'

/** One link for each peer, shared by every reader of a network (MSK-12). */
export class Links {
  readonly #dialer: Dialer
  readonly #scope: Scope = scope()
  /** By link key in hex. */
  readonly #links = new Map<string, Promise<Dialed>>()
  readonly #open = new Set<Link>()
  readonly #listeners = new Set<() => void>()

  /** @throws AddressError, TransportsError */
  constructor(options: DialerOptions) {
    this.#dialer = new Dialer(options)
  }

  /** Links that are up. */
  get open(): readonly Link[] {
    return [...this.#open]
  }

  /** Calls `listener` after a link came or went; the returned function stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * The link to a peer: the open one, or a new one.
   *
   * @throws DialError, or the signal's reason
   */
  async get(candidate: Candidate, signal: AbortSignal): Promise<Dialed> {
    const key = toHex(candidate.peer)
    const known = this.#links.get(key) ?? this.#dial(key, candidate)
    const dialed = await race(known, signal)
    if (!dialed.link.closed.aborted) return dialed
    // Another reader may have met the same closed link and dialled already.
    if (this.#links.get(key) === known) this.#links.delete(key)
    return race(this.#links.get(key) ?? this.#dial(key, candidate), signal)
  }

  #dial(key: string, candidate: Candidate): Promise<Dialed> {
    const dialing = this.#dialer.dial(candidate, this.#scope.signal).catch((error: unknown) => {
      this.#links.delete(key)
      throw error
    })
    this.#links.set(key, dialing)
    void dialing.then(
      ({ link }) => this.#follow(link),
      () => {},
    )
    return dialing
  }

  #follow(link: Link): void {
    const tell = (): void => {
      for (const listener of [...this.#listeners]) listener()
    }
    this.#open.add(link)
    tell()
    whenAborted(link.closed, () => {
      this.#open.delete(link)
      tell()
    })
  }

  async close(): Promise<void> {
    this.#scope.abort(new ShutdownError())
    const links = await Promise.allSettled([...this.#links.values()])
    this.#links.clear()
    await Promise.allSettled(links.map((dialed) => (dialed.status === 'fulfilled' ? dialed.value.link.close() : undefined)))
  }
}
