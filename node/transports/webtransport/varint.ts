import type { Bytes } from '../../../client/primitives/bytes.ts'

// QUIC's variable-length integers (RFC 9000 section 16): the two top bits of the first byte give the length, 1, 2, 4 or 8.

/** The largest: 62 bits. */
export const MAX_VARINT = (1n << 62n) - 1n
/** Bytes of the longest. */
export const VARINT_BYTES = 8

export interface Varint {
  readonly value: bigint
  /** Bytes that it took. */
  readonly size: number
}

/**
 * The integer at the beginning of `bytes`, or null while it is not whole. A longer form than needed is lawful (RFC 9000 section 16), and
 * Chromium sends some, so no canonical form is asked for here.
 */
export const readVarint = (bytes: Uint8Array, at = 0): Varint | null => {
  const first = bytes[at]
  if (first === undefined) return null
  const size = 1 << (first >> 6)
  if (bytes.length - at < size) return null
  let value = BigInt(first & 0x3f)
  for (let i = 1; i < size; i++) value = (value << 8n) | BigInt(bytes[at + i] as number)
  return { value, size }
}

/**
 * The shortest form.
 * @throws RangeError unless 0 ≤ n < 2^62: what is written here is ours, never a peer's.
 */
export const writeVarint = (n: bigint | number): Bytes => {
  const value = BigInt(n)
  if (value < 0n || value > MAX_VARINT) throw new RangeError(`${value} is no integer of 62 bits`)
  const log = value < 1n << 6n ? 0 : value < 1n << 14n ? 1 : value < 1n << 30n ? 2 : 3
  const bytes = new Uint8Array(1 << log)
  let left = value
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(left & 0xffn)
    left >>= 8n
  }
  bytes[0] = (bytes[0] as number) | (log << 6)
  return bytes
}
