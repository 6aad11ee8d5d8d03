interface Event {
  readonly at: number
  /** Events of one moment run in the order in which they were asked for. */
  readonly order: number
  readonly run: () => void
}

/** Virtual time: nothing happens between two events, so a minute passes as fast as its events run. */
export class Clock {
  now = 0
  /** A binary heap, soonest first. */
  readonly #heap: Event[] = []
  readonly #cancelled = new Set<Event>()
  #count = 0

  /** Calls `run` in `ms`; the returned function cancels. */
  after(ms: number, run: () => void): () => void {
    const event = { at: this.now + Math.max(0, ms), order: this.#count++, run }
    this.#push(event)
    return () => void this.#cancelled.add(event)
  }

  /** When the next event is due, or null when there is none. */
  get next(): number | null {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (!this.#cancelled.delete(first)) return first.at
      this.#pop()
    }
    return null
  }

  /** Runs the next event. False when there is none before `until`. */
  step(until = Number.POSITIVE_INFINITY): boolean {
    const at = this.next
    if (at === null || at > until) return false
    this.now = at
    this.#pop()?.run()
    return true
  }

  #push(event: Event): void {
    const heap = this.#heap
    let i = heap.push(event) - 1
    for (let up = (i - 1) >> 1; i > 0 && isBefore(event, heap[up] as Event); up = (i - 1) >> 1) {
      heap[i] = heap[up] as Event
      i = up
    }
    heap[i] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let i = 0
    for (;;) {
      let down = 2 * i + 1
      if (down >= heap.length) break
      if (down + 1 < heap.length && isBefore(heap[down + 1] as Event, heap[down] as Event)) down += 1
      if (isBefore(last, heap[down] as Event)) break
      heap[i] = heap[down] as Event
      i = down
    }
    heap[i] = last
    return first
  }
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
