import { type Bytes, copy, utf8 } from '../bytes.ts'
import { type Codec, type Reader, Refusal, shape, take, type Writer } from './shape.ts'
import { readLength, writeUleb128 } from './uleb128.ts'

const small = (size: 1 | 2 | 4): Codec<number> => {
  const bits = 8 * size
  const read = (reader: Reader): number => {
    const raw = take(reader, size)
    let value = 0
    // Not shifts: they work on signed 32 bits, and a u32 from 2^31 on would come out negative.
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (raw[i] as number)
    return value
  }
  const write = (writer: Writer, value: number): void => {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits) throw new Refusal(`not an integer of 0 … 2^${bits}−1`)
    for (let i = 0, rest = value; i < size; i++, rest = Math.floor(rest / 256)) writer.byte(rest % 256)
  }
  return shape(`u${bits}`, size, read, write)
}

const wide = (size: 8 | 16): Codec<bigint> => {
  const bits = 8 * size
  const limit = 1n << BigInt(bits)
  const read = (reader: Reader): bigint => {
    const raw = take(reader, size)
    // The buffer is all of the caller's; without the offset this would read its first bytes, whatever the view.
    const view = new DataView(raw.buffer, raw.byteOffset, size)
    const low = view.getBigUint64(0, true)
    return size === 8 ? low : (view.getBigUint64(8, true) << 64n) | low
  }
  const write = (writer: Writer, value: bigint): void => {
    if (typeof value !== 'bigint' || value < 0n || value >= limit) throw new Refusal(`not a bigint of 0 … 2^${bits}−1`)
    // A buffer for each number: the writer keeps what it is given by reference until the end.
    const raw = new Uint8Array(size)
    const view = new DataView(raw.buffer)
    view.setBigUint64(0, value, true)
    if (size === 16) view.setBigUint64(8, value >> 64n, true)
    writer.bytes(raw)
  }
  return shape(`u${bits}`, size, read, write)
}

/** Unsigned integers, fixed width, little-endian. From 64 bits on a bigint: a number would round from 2^53 on, and the hash with it. */
export const u8: Codec<number> = /* @__PURE__ */ small(1)
export const u16: Codec<number> = /* @__PURE__ */ small(2)
export const u32: Codec<number> = /* @__PURE__ */ small(4)
export const u64: Codec<bigint> = /* @__PURE__ */ wide(8)
export const u128: Codec<bigint> = /* @__PURE__ */ wide(16)

/** A byte that is 0 or 1; every other byte would be one more encoding of true. */
export const readTag = (reader: Reader): boolean => {
  const start = reader.pos
  const tag = take(reader, 1)[0] as number
  if (tag > 1) throw new Refusal(`tag ${tag} is neither 0 nor 1`, start)
  return tag === 1
}

/** One byte, 0 or 1. */
export const bool: Codec<boolean> = /* @__PURE__ */ shape('bool', 1, readTag, (writer, value) => {
  if (typeof value !== 'boolean') throw new Refusal('not a boolean')
  writer.byte(value ? 1 : 0)
})

/** No bytes at all: the value of a set's entries and of variants that say all by their index. */
export const unit: Codec<null> = /* @__PURE__ */ shape<null>(
  'unit',
  0,
  () => null,
  (_writer, value) => {
    if (value !== null) throw new Refusal('not null')
  },
)

/**
 * Exactly `size` bytes, no length. A branded id is `fixed<GroupId>(32, 'GroupId')`: the brand is claimed for what was decoded, so only
 * where the place in the struct is what makes the bytes that id.
 */
export const fixed = <B extends Bytes = Bytes>(size: number, label = `[${size}]`): Codec<B> =>
  shape(
    label,
    size,
    (reader) => copy(take(reader, size)) as B,
    (writer, value) => {
      if (!(value instanceof Uint8Array)) throw new Refusal('not bytes')
      if (value.length !== size) throw new Refusal(`bytes wanted: ${size}, given: ${value.length}`)
      writer.bytes(value)
    },
  )

// One for all: an array of its own is 200 bytes of memory for the one byte that said "none", and a frame has room for a million of them.
const NONE: Bytes = /* @__PURE__ */ new Uint8Array(0)

/** A length and that many bytes, at most `max`. The value is not frozen: it is a copy, and whoever decoded it owns it. */
export const bytes = (max: number): Codec<Bytes> =>
  shape(
    'bytes',
    1,
    (reader) => {
      const size = readLength(reader, max, 'bytes')
      return size === 0 ? NONE : copy(take(reader, size))
    },
    (writer, value) => {
      if (!(value instanceof Uint8Array)) throw new Refusal('not bytes')
      if (value.length > max) throw new Refusal(`${value.length} bytes, at most ${max}`)
      writeUleb128(writer, value.length)
      writer.bytes(value)
    },
  )

// ignoreBOM means: do not look for one. Without it a leading EF BB BF is dropped, and two encodings would give one text.
const DECODER = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A length and that many bytes of UTF-8, at most `max` of them. Lone surrogates and malformed UTF-8 are refused, a byte order mark is kept. */
export const text = (max: number): Codec<string> =>
  shape(
    'text',
    1,
    (reader) => {
      const size = readLength(reader, max, 'bytes of text')
      const start = reader.pos
      const raw = take(reader, size)
      try {
        return DECODER.decode(raw)
      } catch (cause) {
        throw new Refusal('not UTF-8', start, cause)
      }
    },
    (writer, value) => {
      if (typeof value !== 'string') throw new Refusal('not a text')
      const raw = utf8(value)
      if (raw.length > max) throw new Refusal(`${raw.length} bytes of text, at most ${max}`)
      writeUleb128(writer, raw.length)
      writer.bytes(raw)
    },
  )
