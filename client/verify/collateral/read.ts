import { CoalitionError } from '../../error.ts'
import { type Bytes, utf8 } from '../../primitives/bytes.ts'
import { type Json, member, optional, ParseError, record, text } from '../../primitives/json-value.ts'
import { type Collateral, KINDS, MAX_CRL, PARTS, type Part, SIGNATURE } from './content.ts'
import { hex, hexBytes } from './fields.ts'
import { MAX_DOCUMENT, readJson } from './json.ts'
import { MAX_PEM, readPem } from './pem.ts'
import { CollateralFormatError } from './verified.ts'

/** Most bytes of collateral as JSON: two CRLs in hex, two documents with every quote escaped, four chains, and room. */
const MAX_JSON = 3_145_728

/**
 * Reads collateral in the form of a PCCS's answers put together: chains as PEM, CRLs as hex of DER, the documents as the exact text that was
 * signed, signatures as hex of r ‖ s. Nothing is verified. Unknown fields are refused: a misspelt `pck_certificate_chain` would be no chain,
 * and two texts with one content hash would not be one collateral.
 *
 * @param source UTF-8 bytes or text of the JSON, or its value
 * @throws CollateralFormatError naming the field
 * @see shared/data/tdx/MANIFEST.md, "Layout"
 */
export const readCollateral = (source: unknown): Collateral => {
  try {
    return collateralOf(document(source))
  } catch (thrown) {
    if (!(thrown instanceof ParseError)) throw thrown
    throw new CollateralFormatError(thrown.path, null, thrown.problem, thrown)
  }
}

const document = (source: unknown): Json => {
  if (source instanceof Uint8Array) return readJson(source as Bytes, '$', MAX_JSON)
  // Characters are at most as many as bytes: a text that is too long is refused before it is encoded.
  if (typeof source === 'string') return readJson(encoded({ value: source, path: '$' }, MAX_JSON), '$', MAX_JSON)
  return { value: source, path: '$' }
}

// What a kind of part is read with. The kinds are names, not readers with their writers, so that a page that never writes has no writers.
const READERS = {
  chain: (json: Json): readonly Bytes[] => readPem(encoded(json, MAX_PEM), json.path),
  crl: (json: Json): Bytes => crl(json),
  document: (json: Json): Bytes => encoded(json, MAX_DOCUMENT),
  signature: (json: Json): Bytes => hex(json, SIGNATURE),
} as const

export const PCK_CHAIN = 'pck_certificate_chain'

/** A part's name in the JSON: `pckCrl` is `pck_crl`. */
export const fieldOf = (part: Part): string => part.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const collateralOf = (json: Json): Collateral => {
  const known = [...PARTS.map(fieldOf), PCK_CHAIN]
  const unknown = Object.keys(record(json)).find((field) => !known.includes(field))
  if (unknown !== undefined) throw new ParseError(json.path, `no field is called ${JSON.stringify(unknown.slice(0, 64))}`)
  const parts = PARTS.map((part) => [part, READERS[KINDS[part]](member(json, fieldOf(part)))])
  const pckChain = optional(json, PCK_CHAIN)
  return {
    ...(Object.fromEntries(parts) as Omit<Collateral, 'pckCertificateChain'>),
    pckCertificateChain: pckChain ? READERS.chain(pckChain) : null,
  }
}

const crl = (json: Json): Bytes => {
  const digits = text(json).length
  if (digits > 2 * MAX_CRL) throw new ParseError(json.path, `${digits} hex digits, at most ${2 * MAX_CRL}`)
  return hexBytes(json)
}

/** The UTF-8 bytes of a text of at most `max` bytes. @throws ParseError */
const encoded = (json: Json, max: number): Bytes => {
  const content = text(json)
  if (content.length > max) throw new ParseError(json.path, `${content.length} characters, at most ${max} bytes`)
  const found = utf8At(json.path, content)
  if (found.length > max) throw new ParseError(json.path, `${found.length} bytes, at most ${max}`)
  return found
}

const utf8At = (path: string, content: string): Bytes => {
  try {
    return utf8(content)
  } catch (cause) {
    throw new ParseError(path, cause instanceof CoalitionError ? cause.message : 'has no UTF-8 form', cause)
  }
}
