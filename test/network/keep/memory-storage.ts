import { checkValue, kindOf, STORAGE_LIMITS, type Storage, StorageError } from '../../../client/network/keep/storage.ts'
import { type Bytes, copy } from '../../../client/primitives/bytes.ts'

/** The keeping port in memory, and what can go wrong with it. */
export interface MemoryStorage extends Storage {
  /** What is there, as a hostile script of the origin sees it: anything may be put. */
  readonly rows: Map<string, unknown>
  /** Every call fails with this problem while it is set. */
  problem: string | null
  /** No call is ever answered while it is set. */
  isSilent: boolean
  /** How often something was written. */
  writes: number
}

export const memoryStorage = (): MemoryStorage => {
  const rows = new Map<string, unknown>()
  const reached = async (key: string): Promise<string> => {
    if (memory.isSilent) await new Promise(() => {})
    if (memory.problem !== null) throw new StorageError(memory.problem)
    return kindOf(key)
  }
  const memory: MemoryStorage = {
    rows,
    problem: null,
    isSilent: false,
    writes: 0,
    get: async (key) => {
      await reached(key)
      return rows.has(key) ? copy(checkValue(rows.get(key))) : null
    },
    put: async (key, next) => {
      const kind = await reached(key)
      const before = rows.get(key)
      const value = next(before instanceof Uint8Array ? (before as Bytes) : null)
      if (value === null) return
      const kept = copy(checkValue(value))
      memory.writes += 1
      // Last in the map's order: it was written last.
      rows.delete(key)
      rows.set(key, kept)
      const same = [...rows.keys()].filter((other) => other.startsWith(`${kind} `))
      for (const oldest of same.slice(0, -STORAGE_LIMITS.keys)) rows.delete(oldest)
    },
    delete: async (key) => {
      await reached(key)
      rows.delete(key)
    },
  }
  return memory
}
