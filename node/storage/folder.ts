import { createHash } from 'node:crypto'
import { lstat, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkValue, kindOf, STORAGE_LIMITS, type Storage, StorageError } from '../../client/network/keep/storage.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import { writeWhole } from '../files.ts'

/** Milliseconds between two tries for the lock, until it is given up, and after which its owner must have died. */
const LOCK = { again: 10, most: 2_000, stale: 5_000 } as const

/**
 * The storage port on a folder: one file a key, replaced whole. Processes that share a folder wait for each other.
 * @param path made when something is kept first
 */
export const openFolder = (path: string): Storage => {
  const fileOf = (key: string): string => join(path, `${kindOf(key)}-${createHash('sha256').update(key).digest('hex')}`)
  return {
    get: (key) => telling(() => read(fileOf(key))),
    put: (key, next) =>
      locked(path, async () => {
        const file = fileOf(key)
        const before = await telling(() => read(file).catch(() => null))
        const value = next(before)
        if (value === null) return
        await telling(() => writeWhole(file, checkValue(value), 0o600))
        await telling(() => evict(path, `${kindOf(key)}-`))
      }),
    // Whatever stands there: a folder or a link was not made here.
    delete: (key) => telling(() => rm(fileOf(key), { recursive: true, force: true })),
  }
}

const read = async (file: string): Promise<Bytes | null> => {
  const found = await lstat(file).catch(absent)
  if (found === null) return null
  // Looked at before it is opened: a pipe would keep the reader waiting, a link lead elsewhere.
  if (!found.isFile()) throw new StorageError('a value is no file', { isDamage: true })
  if (found.size > STORAGE_LIMITS.value)
    throw new StorageError(`a value of ${found.size} bytes, at most ${STORAGE_LIMITS.value}`, { isDamage: true })
  const bytes = await readFile(file).catch(absent)
  return bytes && checkValue(new Uint8Array(bytes))
}

const absent = (error: NodeJS.ErrnoException): null => {
  if (error.code === 'ENOENT') return null
  throw error
}

/** Files of the kind beyond what may be kept, the least recently written first. */
const evict = async (path: string, prefix: string): Promise<void> => {
  const files = (await readdir(path)).filter((name) => name.startsWith(prefix) && !name.endsWith('.new')).map((name) => join(path, name))
  if (files.length <= STORAGE_LIMITS.keys) return
  const dated = await Promise.all(files.map(async (file) => ({ file, at: (await lstat(file)).mtimeMs })))
  dated.sort((a, b) => a.at - b.at)
  for (const { file } of dated.slice(0, -STORAGE_LIMITS.keys)) await rm(file, { recursive: true, force: true })
}

/** Runs `use` while no other process writes in the folder. */
const locked = async (path: string, use: () => Promise<void>): Promise<void> => {
  const lock = join(path, 'lock')
  await telling(() => mkdir(path, { recursive: true, mode: 0o700 }))
  const until = Date.now() + LOCK.most
  while (!(await telling(() => take(lock)))) {
    if (Date.now() > until) throw new StorageError('another process is writing in the folder')
    await sleep(LOCK.again)
  }
  try {
    await use()
  } finally {
    await rm(lock, { force: true })
  }
}

const take = async (lock: string): Promise<boolean> => {
  try {
    await (await open(lock, 'wx', 0o600)).close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const held = await stat(lock).catch(absent)
  if (held !== null && Date.now() - held.mtimeMs > LOCK.stale) await rm(lock, { force: true })
  return false
}

/** What the system says is in the way, as the port says it. */
const telling = async <T>(run: () => Promise<T>): Promise<T> => {
  try {
    return await run()
  } catch (error) {
    throw error instanceof StorageError ? error : new StorageError((error as Error).message, { cause: error })
  }
}
