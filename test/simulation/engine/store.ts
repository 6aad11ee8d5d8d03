import type { Change, Span, Store } from '../../../client/groups/storage.ts'
import { type Bytes, compare, copy, toHex } from '../../../client/primitives/bytes.ts'
import type { Clock } from '../clock.ts'

type Data = Map<string, readonly [Bytes, Bytes]>

/** A store whose synced writes take virtual time, and that loses what is not synced when the power goes. */
export class Platter {
  readonly #clock: Clock
  readonly #syncMs: () => number
  #data: Data = new Map()
  #synced: Data = new Map()
  /** What the sync that is under way will have put on disk. */
  #syncing: Data | null = null
  #life = 0

  constructor(clock: Clock, syncMs: () => number) {
    this.#clock = clock
    this.#syncMs = syncMs
  }

  /** The store as one process sees it: nothing it asks for after a crash is ever answered. */
  open(): Store {
    this.#life += 1
    const life = this.#life
    const alive = <T>(answer: T): Promise<T> => (life === this.#life ? Promise.resolve(answer) : new Promise<T>(() => {}))
    return {
      get: async (key) => {
        const entry = await alive(this.#data.get(toHex(key)))
        return entry === undefined ? null : copy(entry[1])
      },
      write: async (changes, { sync }) => {
        await alive(null)
        this.#put(changes)
        if (sync) await this.#sync(life)
      },
      entries: (span) => entriesOf(this.#data, span),
      close: async () => {},
    }
  }

  /** What is on disk for certain. */
  synced(key: Bytes): Bytes | null {
    return this.#synced.get(toHex(key))?.[1] ?? null
  }

  /** @param isKept whether the sync under way had happened, and only its end was not told any more */
  crash(isKept: boolean): void {
    this.#life += 1
    if (isKept && this.#syncing !== null) this.#synced = this.#syncing
    this.#syncing = null
    this.#data = new Map(this.#synced)
  }

  #put(changes: readonly Change[]): void {
    for (const { key, value } of changes)
      if (value === null) this.#data.delete(toHex(key))
      else this.#data.set(toHex(key), [copy(key), copy(value)])
  }

  #sync(life: number): Promise<void> {
    const synced = new Map(this.#data)
    this.#syncing = synced
    return new Promise((resolve) => {
      this.#clock.after(this.#syncMs(), () => {
        if (life !== this.#life) return
        this.#synced = synced
        if (this.#syncing === synced) this.#syncing = null
        resolve()
      })
    })
  }
}

async function* entriesOf(data: Data, { from, to, reverse, limit }: Span): AsyncGenerator<readonly [Bytes, Bytes]> {
  const inside = [...data.values()].filter(([key]) => compare(key, from) >= 0 && compare(key, to) < 0).sort(([a], [b]) => compare(a, b))
  if (reverse === true) inside.reverse()
  for (const [key, value] of inside.slice(0, limit ?? inside.length)) yield [copy(key), copy(value)]
}
