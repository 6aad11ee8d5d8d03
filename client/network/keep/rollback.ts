import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { highest, type RollbackMemory, type RollbackRecord } from '../../verify/collateral/memory.ts'
import { decodeRollback, encodeRollback } from '../../verify/collateral/store.ts'
import type { Host } from '../host.ts'
import { race, scope } from '../scope.ts'
import { type Storage, StorageError } from './storage.ts'

/** Milliseconds: a place that says nothing for longer keeps nobody from reading. */
const WAIT_MS = 2_000

/**
 * The rollback memory of quotes (TDX.md section 5) for whatever reads under one host: kept for the next start where there is a place for it, and
 * for this one in any case. What cannot be read is not known, as on a first start: whoever may write here could take the record away too.
 *
 * @param storage null where nothing is to be kept
 */
export const keptRollback = (host: Pick<Host, 'after' | 'log'>, storage: Storage | null): RollbackMemory => {
  const own = new Map<string, RollbackRecord>()
  let place = storage
  let isSaid = false
  const failed = (error: unknown): null => {
    if (!isSaid) host.log('warn', 'the numbers of accepted collateral are not kept on this device', { problem: String(error) })
    isSaid = true
    return null
  }
  const timely = async <T>(asking: Promise<T>): Promise<T> => {
    const waiting = scope()
    const cancel = host.after(WAIT_MS, () => {
      // It is not waited for again at each quote.
      place = null
      waiting.abort(new StorageError(`no answer within ${WAIT_MS} ms`))
    })
    try {
      return await race(asking, waiting.signal)
    } finally {
      cancel()
      waiting.end()
    }
  }
  return {
    get: async (key) => {
      const name = nameOf(key)
      const kept = place && (await timely(place.get(name)).then(recordIn).catch(failed))
      const known = own.get(name) ?? null
      return known === null || kept === null ? (known ?? kept) : highest(known, kept)
    },
    put: async (key, record) => {
      const name = nameOf(key)
      own.set(name, record)
      const raised = (before: Bytes | null): Bytes => encodeRollback(known(before, record))
      if (place !== null) await timely(place.put(name, raised)).catch(failed)
    },
  }
}

const nameOf = (key: Bytes): string => `rollback ${toHex(key)}`

const recordIn = (bytes: Bytes | null): RollbackRecord | null => bytes && decodeRollback(bytes)

/** Another tab may have accepted newer collateral by now. What is no record is written over. */
const known = (before: Bytes | null, record: RollbackRecord): RollbackRecord => {
  try {
    const other = recordIn(before)
    return other === null ? record : highest(record, other)
  } catch {
    return record
  }
}
