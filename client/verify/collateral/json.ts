import type { Bytes } from '../../primitives/bytes.ts'
import type { Json } from '../../primitives/json-value.ts'
import { CollateralFormatError } from './verified.ts'

/** Most bytes of a signed document; Intel's have up to 9 kB. */
export const MAX_DOCUMENT = 262_144
/** Deepest nesting of a document; Intel's have six levels. */
const MAX_DEPTH = 32

// ignoreBOM means: do not look for one. It stays, and JSON.parse refuses it.
const DECODER = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 without replacement. @throws CollateralFormatError */
export const readText = (bytes: Bytes, path: string): string => {
  try {
    return DECODER.decode(bytes)
  } catch (cause) {
    throw new CollateralFormatError(path, null, 'is not UTF-8', cause)
  }
}

/**
 * The value of a JSON document, its size and depth bounded before anything is parsed. A key that stands twice in one object is refused:
 * JSON.parse would take the last, another reader the first, and one signed text would say two things.
 *
 * @param max most bytes
 * @throws CollateralFormatError
 * @see TDX.md section 5
 */
export const readJson = (bytes: Bytes, path: string, max = MAX_DOCUMENT): Json => {
  if (bytes.length > max) throw new CollateralFormatError(path, max, `${bytes.length} bytes, at most ${max}`)
  const names = countNames(bytes, path)
  const value = parse(readText(bytes, path), path)
  // A repeated key is one more in the text than in the value. To count is a tenth of what a set for each object costs.
  if (names !== countKeys(value)) throw new CollateralFormatError(path, null, 'a key stands twice in one object')
  return { value, path }
}

const parse = (text: string, path: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CollateralFormatError(path, null, cause instanceof Error ? cause.message : 'is not JSON', cause)
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** How many colons stand outside of strings, which in JSON is the number of keys. Whether it is JSON is left to the parser. */
const countNames = (bytes: Bytes, path: string): number => {
  let [names, depth] = [0, 0]
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) i = endOfString(bytes, i)
    else if (byte === COLON) names++
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth++
      if (depth > MAX_DEPTH) throw new CollateralFormatError(path, i, `nested deeper than ${MAX_DEPTH}`)
    }
  }
  return names
}

const endOfString = (bytes: Bytes, quote: number): number => {
  let i = quote + 1
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1
  return i
}

const countKeys = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0
  const values: readonly unknown[] = Object.values(value)
  let keys = Array.isArray(value) ? 0 : values.length
  for (const item of values) keys += countKeys(item)
  return keys
}
