import { type DBSchema, deleteDB, type IDBPDatabase, type IDBPObjectStore, openDB } from 'idb'
import { checkValue, kindOf, STORAGE_LIMITS, type Storage, StorageError } from '../client/network/keep/storage.ts'
import type { Bytes } from '../client/primitives/bytes.ts'

const NAME = 'coalition'
const VERSION = 1

/** As it was written here; any script of the origin can write something else. */
interface Row {
  readonly kind: string
  /** Milliseconds since the epoch: who goes first when there are too many. */
  readonly at: number
  readonly value: Bytes
}

interface Schema extends DBSchema {
  kept: { key: string; value: Row; indexes: { age: [kind: string, at: number] } }
}

type Database = IDBPDatabase<Schema>

/**
 * The storage port on IndexedDB, database `coalition`, opened when it is first needed. It is let go of when another tab deletes or upgrades
 * it, or the browser closes it, and opened anew by the next call.
 */
export const openStorage = (): Storage => {
  let opening: Promise<Database> | null = null
  const database = (): Promise<Database> => {
    const gone = (): void => {
      if (opening === mine) opening = null
    }
    const mine = opening ?? open(gone)
    if (opening === null) mine.catch(gone)
    opening = mine
    return mine
  }
  const run = async <T>(use: (database: Database) => Promise<T>): Promise<T> => {
    const db = await database()
    try {
      return await use(db)
    } catch (error) {
      // Closed between two calls: once more, on a connection of our own.
      if (!isClosed(error)) throw named(error)
      opening = null
    }
    return database()
      .then(use)
      .catch((error: unknown) => {
        throw named(error)
      })
  }
  return {
    get: (key) => run((db) => get(db, key)),
    put: (key, next) => run((db) => put(db, key, next)),
    delete: (key) => run((db) => db.delete('kept', checked(key))),
  }
}

const checked = (key: string): string => {
  kindOf(key)
  return key
}

const get = async (db: Database, key: string): Promise<Bytes | null> => {
  const row = await db.get('kept', checked(key))
  // Whatever a script put there may have no fields at all.
  return row === undefined ? null : checkValue((row as Partial<Row> | null)?.value)
}

/** One transaction: nothing may be waited for in it but its own requests, or it would commit early. */
const put = async (db: Database, key: string, next: (before: Bytes | null) => Bytes | null): Promise<void> => {
  const kind = kindOf(key)
  const transaction = db.transaction('kept', 'readwrite', { durability: 'relaxed' })
  // Awaited at the end; before that a failure is told by the request that it belongs to.
  transaction.done.catch(() => {})
  const { store } = transaction
  try {
    const before: Partial<Row> | null | undefined = await store.get(key)
    const value = next(before?.value instanceof Uint8Array ? before.value : null)
    if (value !== null) {
      // A copy: a view would take all of its buffer along.
      await store.put({ kind, at: Date.now(), value: checkValue(value).slice() }, key)
      await evict(store, kind)
    }
  } catch (error) {
    abort(transaction)
    throw error
  }
  await transaction.done
}

const evict = async (store: IDBPObjectStore<Schema, ['kept'], 'kept', 'readwrite'>, kind: string): Promise<void> => {
  const age = store.index('age')
  const all = IDBKeyRange.bound([kind], [kind, []])
  const surplus = (await age.count(all)) - STORAGE_LIMITS.keys
  if (surplus <= 0) return
  // Keys alone: the values are up to a megabyte each. Rows without the fields of one are not in the index, and in nobody's way.
  for (const key of await age.getAllKeys(all, surplus)) await store.delete(key)
}

const abort = (transaction: { readonly abort: () => void }): void => {
  try {
    transaction.abort()
  } catch {
    // It has ended by itself: that is the error that is being thrown.
  }
}

/** @throws StorageError */
const open = async (gone: () => void): Promise<Database> => {
  try {
    const db = await connected(gone)
    if (await isOurs(db)) return db
    // Somebody else made a database of that name. It holds nothing that we could use, and nothing that a reader could not do without.
    db.close()
    await unblocked((blocked) => deleteDB(NAME, { blocked }).then(() => undefined))
    return await connected(gone)
  } catch (error) {
    // Where a browser has none, the name is not defined, or null.
    const isMissing = error instanceof ReferenceError || error instanceof TypeError
    throw isMissing ? new StorageError('there is no IndexedDB here', { cause: error }) : named(error)
  }
}

const connected = (gone: () => void): Promise<Database> =>
  unblocked((blocked) =>
    openDB<Schema>(NAME, VERSION, {
      upgrade: (db) => void db.createObjectStore('kept').createIndex('age', ['kind', 'at']),
      blocked,
      // Another tab deletes the database, or has a later version of it: it waits for us to let go.
      blocking: (_current, _wanted, event) => {
        gone()
        ;(event.target as IDBDatabase).close()
      },
      terminated: gone,
    }),
  )

/** The outcome, unless another tab's connection is in the way: that may be for as long as the tab is open. */
const unblocked = <T extends Database | undefined>(run: (blocked: () => void) => Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    let isBlocked = false
    const blocked = (): void => {
      isBlocked = true
      reject(new StorageError('another tab has the database open'))
    }
    // Nobody waits for a connection that comes late: it must not stand in the way of others.
    run(blocked).then((value) => (isBlocked ? value?.close() : resolve(value)), reject)
  })

const isOurs = async (db: Database): Promise<boolean> => {
  if (!db.objectStoreNames.contains('kept')) return false
  const { store, done } = db.transaction('kept')
  const { keyPath, autoIncrement, indexNames } = store
  const isSo = keyPath === null && !autoIncrement && indexNames.contains('age')
  // A connection is closed when its transactions have ended, and nothing can be deleted before.
  await done
  return isSo
}

const isClosed = (error: unknown): boolean => error instanceof DOMException && error.name === 'InvalidStateError'

/** What the browser says is in the way: a full disk, a private window, a frame that may not keep anything. */
const named = (error: unknown): unknown => {
  if (error instanceof StorageError) return error
  if (error instanceof DOMException) return new StorageError(`${error.name}: ${error.message}`, { cause: error })
  return error
}
