import { type Bytes, fromHex } from './bytes.ts'
import { checkName } from './id.ts'
import { type Json, ParseError, text } from './json-value.ts'

// Readers for published configs, of what has a form of its own; those for what JSON itself has are in json-value.ts.

export { items, type Json, member, optional, ParseError, record, text } from './json-value.ts'

/** A name by the grammar of IDENTITY.md. @throws ParseError, with the NameError as its cause */
export const name = (json: Json): string => within(json.path, () => checkName(text(json)))

/** Bytes from hex digits; `length` in bytes, any when left out. @throws ParseError */
export const bytes = (json: Json, length?: number): Bytes => within(json.path, () => fromHex(text(json), json.path, length))

const DECIMAL = /^(?:0|[1-9][0-9]{0,19})$/

/**
 * A u64 as decimal text, or as a number up to 2^53−1: past that JSON.parse has already rounded it to another chain's id.
 * @throws ParseError
 */
export const u64 = ({ value, path }: Json): bigint => {
  if (typeof value === 'string' ? !DECIMAL.test(value) : !Number.isSafeInteger(value))
    throw new ParseError(path, 'is not a u64 as decimal text or as an exact integer')
  const n = BigInt(value as string | number)
  if (n < 0n || n >= 1n << 64n) throw new ParseError(path, `${n} is not a u64`)
  return n
}

/** Runs a check that knows no paths and says where it failed. */
const within = <T>(path: string, run: () => T): T => {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof ParseError) throw cause
    throw new ParseError(path, cause instanceof Error ? cause.message : String(cause), cause)
  }
}
