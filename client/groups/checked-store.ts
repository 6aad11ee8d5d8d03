import { CoalitionError } from '../error.ts'
import { type Bytes, concat, toHex, u32le } from '../primitives/bytes.ts'
import type { Change, Store } from './storage.ts'

// CRC-32 (IEEE 802.3, reflected polynomial), one table lookup a byte.
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

const crc32 = (...parts: readonly Uint8Array[]): number => {
  let crc = 0xffffffff
  for (const part of parts) for (const byte of part) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number)
  return ~crc >>> 0
}

/**
 * A store whose values carry a checksum of key and value. LevelDB reads without checking its own, so that flipped bytes come back as if they
 * had been written; here they come back as {@link DamageError}. Against a disk, not against an attacker: whoever can write the folder can
 * write the checksum.
 */
export const checkedStore = (store: Store): Store => ({
  get: async (key) => {
    const value = await told(key, () => store.get(key))
    return value === null ? null : opened(key, value)
  },
  write: (changes, options) => store.write(changes.map(sealed), options),
  entries: (span) => openedAll(store.entries(span), span.from),
  close: () => store.close(),
})

const sealed = ({ key, value }: Change): Change => ({ key, value: value === null ? null : concat(value, u32le(crc32(key, value))) })

const opened = (key: Bytes, stored: Bytes): Bytes => {
  const value = stored.slice(0, Math.max(0, stored.length - 4))
  const sum = u32le(crc32(key, value))
  if (stored.length < 4 || sum.some((byte, i) => byte !== stored[value.length + i])) throw new DamageError(key)
  return value
}

async function* openedAll(entries: AsyncIterable<readonly [Bytes, Bytes]>, from: Bytes): AsyncGenerator<readonly [Bytes, Bytes]> {
  const iterator = entries[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await told(from, () => iterator.next())
      if (next.done === true) return
      const [key, stored] = next.value
      yield [key, opened(key, stored)]
    }
  } finally {
    await iterator.return?.()
  }
}

const told = async <T>(key: Bytes, read: () => Promise<T>): Promise<T> => {
  try {
    return await read()
  } catch (cause) {
    throw new DamageError(key, cause)
  }
}

/** A value that is not what was written. */
export class DamageError extends CoalitionError {
  constructor(key: Bytes, cause?: unknown) {
    super('Storage.DamageError', `the store is damaged at key ${toHex(key)}`, { key: toHex(key) }, cause === undefined ? {} : { cause })
  }
}
