import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openLevel } from '../../node/storage/level.ts'
import { memoryStore } from '../groups/memory-store.ts'
import { storeSuite } from '../groups/storage.ts'

describe('classic-level', () => {
  storeSuite(async () => {
    const path = await mkdtemp(join(tmpdir(), 'coalition-store-'))
    let store = await openLevel(path)
    return {
      store,
      reopen: async () => {
        await store.close()
        store = await openLevel(path)
        return store
      },
      clean: async () => {
        await store.close()
        await rm(path, { recursive: true })
      },
    }
  })

  it('refuses a second opening in one line that says why', async () => {
    const path = await mkdtemp(join(tmpdir(), 'coalition-store-'))
    const store = await openLevel(path)
    await expect(openLevel(path)).rejects.toMatchObject({ name: 'Storage.StoreError', problem: 'in use by another process' })
    await store.close()
    await rm(path, { recursive: true })
  })
})

describe("memory (the simulation's)", () => {
  storeSuite(async () => {
    const store = memoryStore()
    return { store, reopen: async () => store, clean: async () => {} }
  })
})
