import type { Bytes } from '../bytes.ts'
import { type Codec, type Reader, shape, type Writer } from './shape.ts'

/**
 * A codec that keeps each value's encoding beside it, for values that are encoded again and again: what was read or written once is written
 * as the same bytes. There is one encoding of a value, so nothing changes but the time. The values must not be changed in place.
 */
export const kept = <T extends object>(codec: Codec<T>): Codec<T> => {
  const encodings = new WeakMap<T, Bytes>()
  const read = (reader: Reader): T => {
    const start = reader.pos
    const rest = reader.bytes(reader.leftBytes, true)
    const value = codec.read(reader)
    // A copy: the view would keep all of the input for as long as one value of it.
    encodings.set(value, rest.slice(0, reader.pos - start) as Bytes)
    return value
  }
  const write = (writer: Writer, value: T): void => {
    const known = encodings.get(value) ?? codec.pack(value)
    encodings.set(value, known)
    writer.bytes(known)
  }
  return shape(codec.name, codec.least, read, write)
}
