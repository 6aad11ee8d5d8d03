import { mkdir } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { CoalitionError } from '../../client/error.ts'
import type { Change, Store } from '../../client/groups/storage.ts'
import { type Bytes, copy } from '../../client/primitives/bytes.ts'

/** What StoreError says of a folder that another process has open. */
export const IN_USE = 'in use by another process'

type Level = ClassicLevel<Uint8Array, Uint8Array>

/**
 * A store on disk, one LevelDB folder. Only one process can have it open.
 * @throws StoreError: `problem` is IN_USE when another process has it, else what LevelDB says
 */
export const openLevel = async (path: string): Promise<Store> => {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const level: Level = new ClassicLevel(path, { keyEncoding: 'view', valueEncoding: 'view' })
  try {
    await level.open()
  } catch (cause) {
    throw new StoreError(path, causeCode(cause) === 'LEVEL_LOCKED' ? IN_USE : 'cannot be opened', cause)
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

const causeCode = (error: unknown): unknown =>
  error instanceof Error ? ((error.cause as { code?: unknown } | undefined)?.code ?? (error as { code?: unknown }).code) : undefined

export class StoreError extends CoalitionError {
  constructor(path: string, problem: string, cause: unknown) {
    super('Storage.StoreError', `store ${path} ${problem}`, { path, problem }, { cause })
  }
}
