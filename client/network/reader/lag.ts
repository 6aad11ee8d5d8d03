import type { Host } from '../host.ts'

/**
 * Milliseconds that the peer that is followed may be behind what another one has shown. Longer each time a peer is left soon after another: the
 * line may be slow, not they. Transports tell of a dead process late or never; those over UDP take 10 s and more.
 */
const LAG = { first: 2_000, longest: 30_000 } as const
/** Leaving is soon after leaving within so many times the last wait. */
const SOON = 4

export interface LagOptions {
  readonly host: Pick<Host, 'after' | 'now'>
  /** Whether a peer is followed that has not brought block `index` yet. */
  readonly isBehind: (index: bigint) => boolean
  readonly leave: () => void
}

/** Notices that the peer that is followed has stopped, or keeps blocks from us: others show newer ones, and it does not bring them. */
export class Lag {
  readonly #o: LagOptions
  #cancel: (() => void) | null = null
  #ms: number = LAG.first
  #leftAt = 0

  constructor(options: LagOptions) {
    this.#o = options
  }

  /** Somebody has shown block `index`, under a certificate. */
  notice(index: bigint): void {
    const { host, isBehind } = this.#o
    if (this.#cancel !== null || !isBehind(index)) return
    // By the same clock, set back or not: a time in the future is no reason to wait longer.
    if (Math.abs(host.now() - this.#leftAt) > SOON * this.#ms) this.#ms = LAG.first
    this.#cancel = host.after(this.#ms, () => {
      this.#cancel = null
      if (isBehind(index)) this.#leave()
    })
  }

  #leave(): void {
    this.#ms = Math.min(2 * this.#ms, LAG.longest)
    this.#leftAt = this.#o.host.now()
    this.#o.leave()
  }

  end(): void {
    this.#cancel?.()
    this.#cancel = null
  }
}
