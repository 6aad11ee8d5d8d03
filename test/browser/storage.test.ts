import { deleteDB, openDB } from 'idb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { STORAGE_LIMITS, type Storage } from '../../client/network/keep/storage.ts'
import { openStorage } from '../../worker/storage.ts'
import { storageSuite } from '../network/keep/storage.ts'

const NAME = 'coalition'
const value = Uint8Array.of(1, 2, 3)
const problem = (text: string) => ({ name: 'Keep.StorageError', problem: expect.stringContaining(text), isDamage: false })

// Each connection lets go of the database when it is deleted: nothing has to be closed.
beforeEach(() => deleteDB(NAME))

/** The database as any script of the origin reaches it. */
const raw = async (row: unknown, key = 'head a'): Promise<void> => {
  const db = await openDB(NAME)
  await db.put('kept', row, key)
  db.close()
}

describe('IndexedDB', () => {
  storageSuite(async () => [openStorage(), openStorage()])

  it.each([
    ['nothing of a row', null],
    ['a text', 'garbage'],
    ['no value', { kind: 'head', at: 1 }],
    ['a value that is no bytes', { kind: 'head', at: 1, value: 'garbage' }],
    ['a value that is longer than one may be', { kind: 'head', at: 1, value: new Uint8Array(STORAGE_LIMITS.value + 1) }],
  ])('names %s as damage, deletes it, and writes over it', async (_, row) => {
    const storage = openStorage()
    await storage.put('head a', () => value)
    await raw(row)
    await expect(storage.get('head a')).rejects.toMatchObject({ name: 'Keep.StorageError', isDamage: true })
    await storage.delete('head a')
    expect(await storage.get('head a')).toBeNull()
    await raw(row)
    await storage.put('head a', () => value)
    expect(await storage.get('head a')).toEqual(value)
  })

  it('goes on after the database was deleted in use', async () => {
    const storage = openStorage()
    await storage.put('head a', () => value)
    await deleteDB(NAME)
    expect(await storage.get('head a')).toBeNull()
    await storage.put('head a', () => value)
    expect(await storage.get('head a')).toEqual(value)
  })

  it('makes a database anew that somebody else made under its name', async () => {
    const theirs = await openDB(NAME, 1, { upgrade: (db) => void db.createObjectStore('kept', { keyPath: 'id' }) })
    theirs.close()
    const storage = openStorage()
    await storage.put('head a', () => value)
    expect(await storage.get('head a')).toEqual(value)
  })

  it('says so when a later version of it is there', async () => {
    const later = await openDB(NAME, 7)
    later.close()
    await expect(openStorage().get('head a')).rejects.toMatchObject(problem('VersionError'))
  })

  it('does not wait for a tab that holds a database in the way, and is there again when it lets go', async () => {
    const theirs = await openDB(NAME, 1)
    const storage = openStorage()
    await expect(storage.get('head a')).rejects.toMatchObject(problem('another tab has the database open'))
    theirs.close()
    await deleteDB(NAME)
    await storage.put('head a', () => value)
    expect(await storage.get('head a')).toEqual(value)
  })
})

describe('a browser that keeps nothing', () => {
  const { indexedDB } = globalThis
  const replace = (factory: unknown): void => void Object.defineProperty(globalThis, 'indexedDB', { configurable: true, value: factory })
  afterEach(() => replace(indexedDB))

  const refused = async (storage: Storage, text: string): Promise<void> => {
    await expect(storage.get('head a')).rejects.toMatchObject(problem(text))
    await expect(storage.put('head a', () => value)).rejects.toMatchObject(problem(text))
    await expect(storage.delete('head a')).rejects.toMatchObject(problem(text))
  }

  it.each([
    ['has no IndexedDB', undefined, 'there is no IndexedDB here'],
    ['has it switched off', null, 'there is no IndexedDB here'],
    [
      'forbids it to a sandboxed frame',
      {
        open: () => {
          throw new DOMException('access denied', 'SecurityError')
        },
      },
      'SecurityError: access denied',
    ],
  ])('%s: every call says so', (_, factory, text) => {
    replace(factory)
    return refused(openStorage(), text)
  })

  it('has no room: the error says it, and what was there stays', async () => {
    const storage = openStorage()
    await storage.put('head a', () => value)
    const { put } = IDBObjectStore.prototype
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('no room', 'QuotaExceededError')
    }
    try {
      await expect(storage.put('head a', () => Uint8Array.of(9))).rejects.toMatchObject(problem('QuotaExceededError: no room'))
    } finally {
      IDBObjectStore.prototype.put = put
    }
    expect(await storage.get('head a')).toEqual(value)
  })
})
