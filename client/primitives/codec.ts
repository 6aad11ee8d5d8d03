import { CoalitionError } from '../error.ts'
import type { Bytes } from './bytes.ts'
import { type Codec, within } from './codec/shape.ts'

// Canonical bytes: BCS (Binary Canonical Serialization), docs/wire.md section 1. One value has one encoding, and a decoder accepts no other:
// hashes and signatures are over these bytes, so a second form would be a second id for the same content.

export { option, refine, struct, variant, vector } from './codec/composites.ts'
export { kept } from './codec/kept.ts'
export { bool, bytes, fixed, text, u8, u16, u32, u64, u128, unit } from './codec/scalars.ts'
export type { Codec, Of } from './codec/shape.ts'
export { sortedMap } from './codec/sorted-map.ts'

/**
 * The canonical bytes of a value.
 *
 * @throws EncodeError for a value outside of what its type allows: nothing is rounded, wrapped or cut.
 */
export const encode = <T>(codec: Codec<T>, value: NoInfer<T>): Bytes => {
  try {
    return codec.pack(value)
  } catch (thrown) {
    const { path, message, cause } = within(codec.name, thrown)
    throw new EncodeError(codec.name, path, message, cause)
  }
}

/**
 * The value that `input` is the encoding of. Bytes in it are copies: they neither change with the input nor keep it in memory.
 *
 * @throws DecodeError unless `input`, all of it, is the one canonical encoding of a value. Nothing else is thrown, whatever the input.
 */
export const decode = <T>(codec: Codec<T>, input: Uint8Array): T => {
  try {
    return codec.unpack(input)
  } catch (thrown) {
    const { path, offset, message, cause } = within(codec.name, thrown)
    throw new DecodeError(codec.name, path, offset, message, cause)
  }
}

/** Bytes that are not the canonical encoding of a `type`: `path` and `offset` (a byte in the input) say where, `problem` says why. */
export class DecodeError extends CoalitionError {
  declare readonly type: string
  declare readonly path: string
  declare readonly offset: number
  declare readonly problem: string

  constructor(type: string, path: string, offset: number, problem: string, cause?: unknown) {
    super('Codec.DecodeError', `${path} at byte ${offset}: ${problem}`, { type, path, offset, problem }, { cause })
  }
}

/** A value that has no encoding as a `type`: `path` says which part of it, `problem` says why. */
export class EncodeError extends CoalitionError {
  declare readonly type: string
  declare readonly path: string
  declare readonly problem: string

  constructor(type: string, path: string, problem: string, cause?: unknown) {
    super('Codec.EncodeError', `${path}: ${problem}`, { type, path, problem }, { cause })
  }
}
