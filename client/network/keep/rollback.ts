import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { highest, type RollbackMemory, type RollbackRecord } from '../../verify/collateral/memory.ts'
import { decodeRollback, encodeRollback } from '../../verify/collateral/store.ts'
import type { Host } from '../host.ts'
import { answered, type Storage } from './storage.ts'

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
  // It is not waited for again at each quote.
  const late = (): void => {
    place = null
  }
  const timely = <T>(asked: Promise<T>): Promise<T> => answered(host, asked, { ms: WAIT_MS, late })
  return {
    get: async (key) => {
      const name = nameOf(key)
      const kept = place && (await timely(place.get(name)).then(recordIn).catch(failed))
      const mine = own.get(name)
      return mine === undefined ? kept : highest(mine, kept)
    },
    put: async (key, record) => {
      const name = nameOf(key)
      own.set(name, record)
      const raised = (before: Bytes | null): Bytes => encodeRollback(highest(record, readable(before)))
      if (place !== null) await timely(place.put(name, raised)).catch(failed)
    },
  }
}

const nameOf = (key: Bytes): string => `rollback ${toHex(key)}`

const recordIn = (bytes: Bytes | null): RollbackRecord | null => bytes && decodeRollback(bytes)

/** What another tab may have accepted by now. What is no record is written over. */
const readable = (bytes: Bytes | null): RollbackRecord | null => {
  try {
    return recordIn(bytes)
  } catch {
    return null
  }
}
