import { mkdir } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { CoalitionError } from '../../client/error.ts'
import type { Change, Store } from '../../client/groups/storage.ts'
import { type Bytes, copy } from '../../client/primitives/bytes.ts'

/** What StoreError says of a folder that another process has open. */
const IN_USE = 'in use by another process'
/** What stands between us and a store that is whole, in the system's words: LevelDB gives no code for any of it. */
const OBSTACLE =
  /no space left|permission denied|operation not permitted|read-only file system|too many open files|quota exceeded|cannot allocate/i

type Level = ClassicLevel<Uint8Array, Uint8Array>

/**
 * A store on disk, one LevelDB folder. Only one process can have it open.
 * @throws StoreError
 */
export const openLevel = async (path: string): Promise<Store> => {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new StoreError(path, `cannot be made: ${wordsOf(cause)}`, { isDamage: false, cause })
  })
  const level: Level = new ClassicLevel(path, { keyEncoding: 'view', valueEncoding: 'view' })
  try {
    await level.open()
  } catch (error) {
    const cause = (error as Error).cause ?? error
    if ((cause as { readonly code?: unknown }).code === 'LEVEL_LOCKED') throw new StoreError(path, IN_USE, { isDamage: false, cause })
    const words = wordsOf(cause)
    throw new StoreError(path, `cannot be opened: ${words}`, { isDamage: !OBSTACLE.test(words), cause })
  }
  return storeOf(level)
}

const storeOf = (level: Level): Store => ({
  get: async (key) => {
    const value = await level.get(key)
    return value === undefined ? null : copy(value)
  },
  write: (changes, { sync }) => level.batch(changes.map(operation), { sync }),
  // The iterator, and with it the snapshot, is made at the call: writes that come while a slow reader walks must not show up half-way.
  entries: ({ from, to, reverse, limit }) => copies(level.iterator({ gte: from, lt: to, reverse: reverse ?? false, limit: limit ?? -1 })),
  close: () => level.close(),
})

const operation = ({ key, value }: Change) => (value === null ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const))

async function* copies(entries: AsyncIterable<[Uint8Array, Uint8Array]>): AsyncGenerator<readonly [Bytes, Bytes]> {
  for await (const [key, value] of entries) yield [copy(key), copy(value)]
}

const wordsOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** A store that cannot be opened. `isDamage`: because of what it holds; else it opens as it was once what is in the way is gone. */
export class StoreError extends CoalitionError {
  declare readonly path: string
  declare readonly problem: string
  declare readonly isDamage: boolean

  constructor(path: string, problem: string, { isDamage, cause }: { readonly isDamage: boolean; readonly cause: unknown }) {
    super('Storage.StoreError', `store ${path} ${problem}`, { path, problem, isDamage }, { cause })
  }
}
