import { hash } from '../../wasm/core.ts'
import { type Bytes, utf8 } from './bytes.ts'

/**
 * H over joined parts: text as UTF-8 without terminator or length, bytes as they are (IDENTITY.md).
 * No part is framed. A formula that must not be ambiguous brings its own separators or fixed widths.
 */
export const digest = (...parts: readonly (string | Bytes)[]): Bytes =>
  hash(...parts.map((part) => (typeof part === 'string' ? utf8(part) : part)))
