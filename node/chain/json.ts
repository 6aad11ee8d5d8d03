import { ChainError } from '../../client/lattice/tally/chain.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'

// A node's JSON is hostile: every value has a form and a bound, and an error says which field broke it. What these readers accept is
// encoded and hashed afterwards, so nothing here decides whether a value is true.

/** A JSON object whose fields are read by name. */
export interface Fields {
  readonly what: string
  readonly of: Readonly<Record<string, unknown>>
}

/** @param what the answer, for the error: `block 12`, `transaction 3 of block 12` */
export const fields = (what: string, value: unknown): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what, 'is not an object')
  return { what, of: value as Record<string, unknown> }
}

/** Whether a field has a value: nodes leave fields of later forks out, or give null. */
export const has = ({ of }: Fields, name: string): boolean => Object.hasOwn(of, name) && of[name] !== null && of[name] !== undefined

// Digits of either case: EIP-55 addresses have both.
const HEX = /^0x[0-9a-f]*$/i

/** An unsigned integer of at most `size` bytes, `0x` and hex digits. Leading zeros pass: some nodes pad r and s. */
export const quantity = ({ what, of }: Fields, name: string, size = 8): bigint => {
  const value = of[name]
  if (typeof value !== 'string' || value.length < 3 || value.length > 66 || !HEX.test(value))
    throw malformed(what, `field ${name} is no quantity`)
  const number = BigInt(value)
  if (number >= 1n << BigInt(8 * size)) throw malformed(what, `field ${name} is longer than ${size} bytes`)
  return number
}

/** Bytes, `0x` and two hex digits each: exactly `size` of them, or at most `most`. */
export const data = ({ what, of }: Fields, name: string, bound: { readonly size: number } | { readonly most: number }): Bytes => {
  const value = of[name]
  if (typeof value !== 'string' || value.length % 2 !== 0 || !HEX.test(value)) throw malformed(what, `field ${name} is no bytes`)
  const length = value.length / 2 - 1
  if ('size' in bound ? length !== bound.size : length > bound.most) throw malformed(what, `field ${name} has ${length} bytes`)
  return new Uint8Array(Buffer.from(value.slice(2), 'hex'))
}

/** A list of at most `most` items. */
export const list = ({ what, of }: Fields, name: string, most: number): readonly unknown[] => {
  const value = of[name]
  if (!Array.isArray(value) || value.length > most) throw malformed(what, `field ${name} is no list of at most ${most} items`)
  return value
}

/** The items of a list as objects. */
export const each = <T>(from: Fields, name: string, most: number, read: (item: Fields) => T): readonly T[] =>
  list(from, name, most).map((item, i) => read(fields(`${from.what}, ${name}[${i}]`, item)))

/** Items that are bytes of one size. */
export const words = (from: Fields, name: string, most: number, size: number): readonly Bytes[] =>
  list(from, name, most).map((item, i) => data(fields(from.what, { [`${name}[${i}]`]: item }), `${name}[${i}]`, { size }))

export const malformed = (what: string, problem: string): ChainError => new ChainError('inconsistent', `the node's ${what} ${problem}`)
