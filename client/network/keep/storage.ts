import { CoalitionError } from '../../error.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import type { Host } from '../host.ts'
import { race, scope } from '../scope.ts'

/** Most bytes of a value, most characters of a key, and most keys of one kind: the kind is what stands before the first space of a key. */
export const STORAGE_LIMITS = { value: 1_048_576, key: 256, keys: 64 } as const

/**
 * Where a host keeps what a reader verified (ARCHITECTURE.md section 3, "storage"): IndexedDB in a Worker, a folder in Node. What comes out
 * is as hostile as what comes from a peer: any page of the origin, and whoever has the disk, can write it.
 *
 * Every method rejects with StorageError when the place is gone, full, blocked or forbidden; later calls may succeed again.
 */
export interface Storage {
  /** The value as it was put; null where there is none. */
  readonly get: (key: string) => Promise<Bytes | null>
  /**
   * Replaces the value by what `next` makes of it; null leaves it as it is. Nobody else writes the key in between, other tabs neither.
   * `next` is called once, does not wait, and what it throws is thrown. When a kind has one key too many, the one that was written least
   * recently goes.
   */
  readonly put: (key: string, next: (before: Bytes | null) => Bytes | null) => Promise<void>
  /** Of a key that is not there too. */
  readonly delete: (key: string) => Promise<void>
}

/** For how long a place is waited for. */
export interface Patience {
  readonly ms: number
  readonly signal?: AbortSignal
  /** Called when the time is over. */
  readonly late?: () => void
}

/** The outcome of what was asked of a place that may never answer. @throws StorageError when it is late; the signal's reason */
export const answered = async <T>(host: Pick<Host, 'after'>, asked: Promise<T>, { ms, signal, late = () => {} }: Patience): Promise<T> => {
  const own = scope(signal)
  const cancel = host.after(ms, () => {
    late()
    own.abort(new StorageError(`no answer within ${ms} ms`))
  })
  try {
    return await race(asked, own.signal)
  } finally {
    cancel()
    own.end()
  }
}

/** @throws StorageError for a key that is none: printable ASCII, a kind, one space and a name */
export const kindOf = (key: string): string => {
  const kind = /^([a-z]+) [!-~]+( [!-~]+)*$/.exec(key)?.[1]
  if (kind === undefined || key.length > STORAGE_LIMITS.key) throw new StorageError('a key is a kind and a name')
  return kind
}

/** What was read, or is to be written, as bytes of a size that may be. @throws StorageError */
export const checkValue = (value: unknown): Bytes => {
  if (!(value instanceof Uint8Array)) throw new StorageError('a value is no bytes', { isDamage: true })
  const { length } = value
  if (length > STORAGE_LIMITS.value)
    throw new StorageError(`a value of ${length} bytes, at most ${STORAGE_LIMITS.value}`, { isDamage: true })
  return value as Bytes
}

/** Nothing can be kept, or read, there now; or, `isDamage`, what is there is no value: deleting it mends that. */
export class StorageError extends CoalitionError {
  declare readonly problem: string
  declare readonly isDamage: boolean

  constructor(problem: string, { isDamage = false, cause }: { readonly isDamage?: boolean; readonly cause?: unknown } = {}) {
    super('Keep.StorageError', `storage: ${problem}`, { problem, isDamage }, cause === undefined ? {} : { cause })
  }
}
