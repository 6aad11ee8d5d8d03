import type { Span, Store } from '../../client/groups/storage.ts'
import { type Bytes, compare, copy, toHex } from '../../client/primitives/bytes.ts'

/** A store in memory that can lose everything since the last synced batch, as a power cut does. */
export interface MemoryStore extends Store {
  /** Back to the last synced state. */
  readonly crash: () => void
  /** From now on every write fails, as on a full disk. */
  readonly fill: () => void
  readonly size: () => number
}

export const memoryStore = (): MemoryStore => {
  let data = new Map<string, readonly [Bytes, Bytes]>()
  let synced = new Map(data)
  let full = false
  return {
    get: async (key) => copyOf(data.get(toHex(key))?.[1]),
    write: async (changes, { sync }) => {
      if (full) throw new Error('no space left on device')
      for (const { key, value } of changes)
        if (value === null) data.delete(toHex(key))
        else data.set(toHex(key), [copy(key), copy(value)])
      if (sync) synced = new Map(data)
    },
    entries: (span) => walk(data, span),
    close: async () => {},
    crash: () => {
      data = new Map(synced)
    },
    fill: () => {
      full = true
    },
    size: () => data.size,
  }
}

const copyOf = (value: Bytes | undefined): Bytes | null => (value === undefined ? null : copy(value))

const walk = (
  data: ReadonlyMap<string, readonly [Bytes, Bytes]>,
  { from, to, reverse, limit }: Span,
): AsyncIterable<readonly [Bytes, Bytes]> => {
  const inside = [...data.values()].filter(([key]) => compare(key, from) >= 0 && compare(key, to) < 0).sort(([a], [b]) => compare(a, b))
  if (reverse === true) inside.reverse()
  return copies(inside.slice(0, limit ?? inside.length))
}

async function* copies(entries: readonly (readonly [Bytes, Bytes])[]): AsyncGenerator<readonly [Bytes, Bytes]> {
  for (const [key, value] of entries) yield [copy(key), copy(value)]
}

/** Turns one bit of a stored value. */
export const flip = async (store: Store, key: Bytes, at = 0): Promise<void> => {
  const value = await store.get(key)
  if (value === null) throw new Error(`nothing at ${toHex(key)}`)
  value[at % value.length] = (value[at % value.length] as number) ^ 1
  await store.write([{ key, value }], { sync: true })
}
