import { wrap } from 'micro-packed'
import type { Bytes } from '../bytes.ts'

/** What a codec reads from: the part of micro-packed's reader that is used here, named, so that our declarations stand without that package. */
export interface Reader {
  readonly pos: number
  readonly leftBytes: number
  /** A view of the input; with `peek` the position stays. */
  readonly bytes: (size: number, peek?: boolean) => Uint8Array
  readonly byte: () => number
}

/** What a codec writes to: the part of micro-packed's writer that is used here. */
export interface Writer {
  readonly bytes: (bytes: Uint8Array) => void
  readonly byte: (byte: number) => void
}

/**
 * One canonical encoding of `T`. Built by the functions of codec.ts and used through `encode` and `decode`; the fields are for codecs that
 * hold other codecs. micro-packed gives the reader, the writer and the frame around them. Its own struct and array are not used: they
 * name a failure by a text, without an offset, and take a length prefix of 2^32−1 at its word when the items have no fixed size.
 */
export interface Codec<T> {
  /** The type as a path begins with it: a struct's name, or the word docs/wire.md section 1 has for it. */
  readonly name: string
  /** Bytes of the shortest encoding: what a count is held against before anything is allocated for it. */
  readonly least: number
  read(reader: Reader): T
  write(writer: Writer, value: T): void
  /** The encoding and nothing after it. Throws {@link Refusal}, or what micro-packed throws. */
  unpack(input: Uint8Array): T
  pack(value: T): Bytes
}

/** The type a codec stands for. */
export type Of<C> = C extends Codec<infer T> ? T : never

/** A codec from its two halves. */
export const shape = <T>(name: string, least: number, read: (reader: Reader) => T, write: (writer: Writer, value: T) => void): Codec<T> => {
  const whole = wrap<T>({
    encodeStream: write,
    // micro-packed refuses a rest as well, but with all of it in hex in the message: a megabyte of input gave two of text.
    decodeStream: (reader) => {
      const value = read(reader)
      if (reader.leftBytes > 0) throw new Refusal(`bytes after the last field: ${reader.leftBytes}`, reader.pos)
      return value
    },
  })
  return { name, least, read, write, unpack: (input) => whole.decode(input), pack: (value) => whole.encode(value) as Bytes }
}

/** The next `size` bytes as a view of the input, for reading only: whoever keeps them copies them. */
export const take = (reader: Reader, size: number): Uint8Array => {
  try {
    return reader.bytes(size)
  } catch (cause) {
    throw new Refusal(`bytes wanted: ${size}, left: ${reader.leftBytes}`, reader.pos, cause)
  }
}

/**
 * Why a value or its bytes are refused, on its way up. Each codec it passes puts its own step before the path, so that no path is kept
 * while everything is well.
 */
export class Refusal extends Error {
  path = ''
  /** Where in the input the refused thing begins; 0 when encoding. */
  readonly offset: number

  constructor(problem: string, offset = 0, cause?: unknown) {
    super(problem, cause === undefined ? {} : { cause })
    this.offset = offset
  }
}

/** What was thrown inside of a field, with the field's step before its path. */
export const within = (step: string, thrown: unknown, offset = 0): Refusal => {
  const refusal = thrown instanceof Refusal ? thrown : new Refusal(thrown instanceof Error ? thrown.message : 'refused', offset, thrown)
  refusal.path = step + refusal.path
  return refusal
}

/** Writes a part under its step. */
export const enter = <T>(step: string, codec: Codec<T>, writer: Writer, value: T): void => {
  try {
    codec.write(writer, value)
  } catch (thrown) {
    throw within(step, thrown)
  }
}

/** Refuses parts of no bytes where a count says how many: four billion of them would fit an empty input. */
export const sized = (part: Codec<unknown>, whole: string): void => {
  if (part.least === 0) throw new TypeError(`a ${whole} of ${part.name} has no bound in its bytes`)
}
