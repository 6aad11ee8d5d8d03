import { describe } from 'vitest'
import { memoryStorage } from './memory-storage.ts'
import { storageSuite } from './storage.ts'

describe('memory (the double of the tests)', () => {
  storageSuite(async () => {
    const storage = memoryStorage()
    return [storage, storage]
  })
})
