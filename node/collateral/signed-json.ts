import type { Bytes } from '../../client/primitives/bytes.ts'
import { MAX_DOCUMENT, readJson, readText } from '../../client/verify/collateral/json.ts'
import { CollateralFormatError } from '../../client/verify/collateral/verified.ts'

/** A document as it was signed, byte for byte, and the signature over it. */
export interface SignedDocument {
  readonly document: Bytes
  /** r ‖ s in hex, not read yet. */
  readonly signature: string
}

/** What stands around a document in an answer: two keys and 128 hex digits, with room. */
const AROUND = 4_096

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Takes the document out of `{"NAME": {…}, "signature": "…"}`: the very bytes, since what a parser would write anew is another text, and the
 * signature is of this one.
 *
 * @param path what the answer is called, for the error
 * @throws CollateralFormatError for what is not such an object, and for anything beside the two members
 * @see TDX.md section 5, "the exact bytes received"
 */
export const signedMember = (body: Bytes, name: string, path: string): SignedDocument => {
  // Size, depth, UTF-8 and repeated keys are judged here; the walk below may then take it for JSON.
  const { value } = readJson(body, path, MAX_DOCUMENT + AROUND)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new CollateralFormatError(path, 0, 'is no JSON object')
  const other = Object.keys(value).find((key) => key !== name && key !== 'signature')
  if (other !== undefined) throw new CollateralFormatError(path, null, `no member is called ${JSON.stringify(other.slice(0, 64))}`)
  const { signature } = value as { readonly signature?: unknown }
  if (typeof signature !== 'string') throw new CollateralFormatError(`${path}.signature`, null, 'is no text')
  const document = membersOf(body).find((member) => member.name === name)?.bytes
  if (document?.[0] !== OPEN_OBJECT) throw new CollateralFormatError(`${path}.${name}`, null, 'is no JSON object')
  return { document, signature }
}

interface Member {
  readonly name: string
  readonly bytes: Bytes
}

/** The members of an object with the bytes of their values, white space around them left out. */
const membersOf = (body: Bytes): readonly Member[] => {
  const members: Member[] = []
  let at = body.indexOf(OPEN_OBJECT) + 1
  for (let quote = body.indexOf(QUOTE, at); quote >= 0; quote = body.indexOf(QUOTE, at)) {
    const nameEnd = endOfString(body, quote) + 1
    // The key by its meaning: it may be written with escapes.
    const name = JSON.parse(readText(body.subarray(quote, nameEnd), '$')) as string
    const start = body.indexOf(COLON, nameEnd) + 1
    at = endOfValue(body, start)
    members.push({ name, bytes: trimmed(body, start, at) })
  }
  return members
}

const endOfString = (body: Bytes, quote: number): number => {
  let i = quote + 1
  while (i < body.length && body[i] !== QUOTE) i += body[i] === BACKSLASH ? 2 : 1
  return i
}

/** Where the comma or brace behind a value stands. */
const endOfValue = (body: Bytes, start: number): number => {
  let depth = 0
  for (let i = start; i < body.length; i++) {
    const byte = body[i]
    if (byte === QUOTE) i = endOfString(body, i)
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++
    else if (depth === 0 && (byte === COMMA || byte === CLOSE_OBJECT)) return i
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--
  }
  return body.length
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

const trimmed = (body: Bytes, start: number, end: number): Bytes => {
  let [from, to] = [start, end]
  while (from < to && isSpace(body[from])) from++
  while (to > from && isSpace(body[to - 1])) to--
  return body.slice(from, to)
}
