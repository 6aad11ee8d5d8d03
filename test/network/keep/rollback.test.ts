import { describe, expect, test } from 'vitest'
import type { Log } from '../../../client/log.ts'
import { keptRollback } from '../../../client/network/keep/rollback.ts'
import { toHex, utf8 } from '../../../client/primitives/bytes.ts'
import { memoryStorage } from './memory-storage.ts'

// TDX.md section 5, kept on a device: what was accepted is known after a new start, and a place that fails costs no reading.

const KEY = utf8('tdx rollback v1|one')
const NAME = `rollback ${toHex(KEY)}`
const record = (evaluation: number, issueDate = 1_800_000_000) => ({ evaluation, issueDate })

/** Timers that ring when the test says so. */
const hostOf = () => {
  const said: string[] = []
  const rings: (() => void)[] = []
  const log: Log = (level, message) => void said.push(`${level} ${message}`)
  const after = (_ms: number, run: () => void): (() => void) => {
    rings.push(run)
    return () => void rings.splice(rings.indexOf(run), 1)
  }
  return { host: { after, log }, said, ring: () => rings[0]?.(), rings }
}

describe('the rollback memory of a device', () => {
  test('knows after a new start what was put, and nothing of another key', async () => {
    const [storage, { host, rings }] = [memoryStorage(), hostOf()]
    await keptRollback(host, storage).put(KEY, record(17))
    const again = keptRollback(host, storage)
    expect(await again.get(KEY)).toEqual(record(17))
    expect(await again.get(utf8('tdx rollback v1|two'))).toBeNull()
    expect(rings).toEqual([])
  })

  test('a tab that knows less does not lower what another one kept', async () => {
    const [storage, { host }] = [memoryStorage(), hostOf()]
    const [one, other] = [keptRollback(host, storage), keptRollback(host, storage)]
    await one.put(KEY, record(18, 1_800_000_000))
    await other.put(KEY, record(17, 1_800_000_005))
    expect(await keptRollback(host, storage).get(KEY)).toEqual(record(18, 1_800_000_005))
    expect(await other.get(KEY)).toEqual(record(18, 1_800_000_005))
  })

  test('without a place, or with one that fails, it lasts as long as the Worker, and that is said once', async () => {
    const [storage, { host, said }] = [memoryStorage(), hostOf()]
    storage.problem = 'the disk is full'
    for (const place of [null, storage]) {
      const memory = keptRollback(host, place)
      expect(await memory.get(KEY)).toBeNull()
      await memory.put(KEY, record(17))
      expect(await memory.get(KEY)).toEqual(record(17))
    }
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(/^warn /)
  })

  test('a place that says nothing is waited for once', async () => {
    const [storage, { host, ring, rings }] = [memoryStorage(), hostOf()]
    storage.isSilent = true
    const memory = keptRollback(host, storage)
    const asked = memory.get(KEY)
    ring()
    expect(await asked).toBeNull()
    await memory.put(KEY, record(17))
    expect(await memory.get(KEY)).toEqual(record(17))
    expect(rings).toEqual([])
  })

  test.each([
    ['bytes of another length', new Uint8Array(11)],
    ['no bytes', 'seventeen'],
  ])('a record that is none is not known, and is written over: %s', async (_what, damage) => {
    const [storage, { host, said }] = [memoryStorage(), hostOf()]
    storage.rows.set(NAME, damage)
    const memory = keptRollback(host, storage)
    expect(await memory.get(KEY)).toBeNull()
    await memory.put(KEY, record(17))
    expect(await keptRollback(host, storage).get(KEY)).toEqual(record(17))
    expect(said).toHaveLength(1)
  })
})
