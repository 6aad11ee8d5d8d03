/** How long a member waits for a leader, in milliseconds; both fold into content. */
export interface Patience {
  readonly viewMs: number
  readonly shortMs: number
}

/** A mark is taken off after this many turns, so that a leader that came back is heard again. */
const MARK_TURNS = 8
const MOST_MS = 30_000

/**
 * Bounded short timers (PROTOCOL.md section 1): a leader that let its last turn pass is waited for less, so that one dead member of four does
 * not cost a full timer every fourth view. Marks are few, lapse, and do not count once finality is missing: without these three bounds a
 * slow network marks everybody, and no leader ever gets the time that it needs.
 */
export class Pacing {
  readonly #n: number
  readonly #most: number
  readonly #patience: Patience
  /** Turns that each marked leader has let pass since it was marked. */
  readonly #marks = new Map<number, number>()
  /** Members that no link leads to just now. */
  readonly #lost = new Set<number>()

  constructor(n: number, quorum: number, patience: Patience) {
    this.#n = n
    this.#most = n - quorum
    this.#patience = patience
  }

  nullified(leader: number): void {
    const turns = this.#marks.get(leader)
    if (turns === undefined) {
      if (this.#marks.size < this.#most) this.#marks.set(leader, 1)
    } else if (turns >= MARK_TURNS) this.#marks.delete(leader)
    else this.#marks.set(leader, turns + 1)
  }

  notarized(leader: number): void {
    this.#marks.delete(leader)
  }

  reach(member: number, isUp: boolean): void {
    if (isUp) this.#lost.delete(member)
    else this.#lost.add(member)
  }

  /** @param waited views since the last final block */
  wait(leader: number, waited: bigint): number {
    const { viewMs, shortMs } = this.#patience
    const over = Number(waited) - this.#n
    if (over > 0) return Math.min(MOST_MS, viewMs * 2 ** Math.min(over, 16))
    // Nothing can come from a leader that no link leads to. More of them than may fail means that it is us who are cut off.
    if (this.#lost.has(leader) && this.#lost.size <= this.#most) return 0
    return this.#marks.has(leader) ? Math.min(shortMs, viewMs) : viewMs
  }
}
