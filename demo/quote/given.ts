/** What the page takes, in the order in which it asks for it. */
export const KINDS = ['quote', 'collateral', 'log', 'root'] as const
export type Kind = (typeof KINDS)[number]

/** A file, or what was pasted. */
export interface Given {
  readonly name: string
  readonly bytes: Bytes
}

export type Bytes = Uint8Array<ArrayBuffer>

/** Most bytes of each, before anything is read: the verifier's own bounds are narrower. */
export const MOST: Readonly<Record<Kind, number>> = { quote: 65_536, collateral: 4_194_304, log: 1_048_576, root: 65_536 }

const HEX = /^(?:0x)?((?:[0-9a-f]\s*)+)$/i
const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/

/** What no text has: control characters other than white space. A raw quote begins with one or two of them. */
const isControl = (byte: number): boolean => byte < 0x09 || (byte > 0x0d && byte < 0x20)

/** The text of bytes that are UTF-8 without control characters; null of anything else. */
export const textOf = (bytes: Uint8Array): string | null => {
  if (bytes.some(isControl)) return null
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim()
    return text === '' ? null : text
  } catch {
    return null
  }
}

/** What something dropped or pasted is, by how it begins; null when that does not tell. */
export const kindOf = (bytes: Uint8Array): Kind | null => {
  const text = textOf(bytes)
  if (text !== null) {
    if (text.startsWith('{')) return 'collateral'
    if (text.startsWith('-----BEGIN CERTIFICATE-----')) return 'root'
    return HEX.test(text) || BASE64.test(text) ? 'quote' : null
  }
  const [version, high, keyType, zero] = bytes
  if ([3, 4, 5].includes(version ?? 0) && high === 0 && keyType === 2 && zero === 0) return 'quote'
  // A log begins with an event of type EV_NO_ACTION.
  return bytes[4] === 3 && bytes[5] === 0 && bytes[6] === 0 && bytes[7] === 0 ? 'log' : null
}

/** A quote from its file: raw, or text of hex or base64. What is neither is handed on as it is, and the verifier says what is wrong with it. */
export const quoteFrom = (bytes: Bytes): Bytes => {
  const text = textOf(bytes)
  if (text === null) return bytes
  const digits = HEX.exec(text)?.[1]?.replace(/\s/g, '')
  if (digits !== undefined && digits.length % 2 === 0)
    return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
  if (!BASE64.test(text)) return bytes
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return bytes
  }
}
