import { base64urlnopad } from '@scure/base'
import { CoalitionError } from '../../error.ts'
import { type Bytes, concat, utf8 } from '../../primitives/bytes.ts'
import { type Json, member, optional, ParseError, record, text } from '../../primitives/json.ts'
import { CollateralFormatError } from '../../verify/collateral/index.ts'
import { readJson } from '../../verify/collateral/json.ts'

// The compact form of a JSON Web Token (RFC 7515 section 7.1, RFC 7519), read as narrowly as its issuers write it. No library of the field
// has all three algorithms on every host: jose 6 dropped ES256K with Node's own, so the signatures come in through ports and the three
// parts are read here, with the strict JSON reader that Intel's documents are read with.

/** Asymmetric ones only: whoever can check an HS256 ticket can write one. */
export const JWS_ALGORITHMS = ['EdDSA', 'ES256', 'ES256K'] as const
export type JwsAlgorithm = (typeof JWS_ALGORITHMS)[number]

/** Most bytes of a ticket in compact form; those of the guide have about 500. */
export const MAX_JWT = 4_096
/** Characters of an issuer, a name or a key id. */
const MAX_TEXT = 256

/** What a ticket says, nothing of it verified. Times in unix seconds. */
export interface JwtClaims {
  readonly issuer: string
  /** Whom it admits, as the peer id in base58. */
  readonly subject: string
  /** The component that it is for, as its issuer wrote it. */
  readonly audience: string
  readonly expires: number
  readonly notBefore: number | null
  readonly issuedAt: number | null
  /** Null where the ticket names none, which admits to none. */
  readonly surface: string | null
  readonly verb: string | null
}

export interface Jwt {
  readonly algorithm: JwsAlgorithm
  /** The bytes that are signed: the first two parts as they came. */
  readonly signed: Bytes
  /** r ‖ s or R ‖ S: 64 bytes for all three. */
  readonly signature: Bytes
  readonly claims: JwtClaims
}

/**
 * Reads a ticket's data as a JWT.
 *
 * @throws JwtError naming the part and field
 */
export const readJwt = (data: Bytes): Jwt => {
  if (data.length > MAX_JWT) throw new JwtError('$', `${data.length} bytes, at most ${MAX_JWT}`)
  const parts = String.fromCharCode(...data).split('.')
  const [header = '', payload = '', signature = ''] = parts
  if (parts.length !== 3) throw new JwtError('$', `${parts.length} parts, not three`)
  try {
    const algorithm = readHeader(jsonOf(header, '$header'))
    const claims = readClaims(jsonOf(payload, '$claims'))
    const bytes = decodePart(signature, '$signature')
    if (bytes.length !== 64) throw new JwtError('$signature', `${bytes.length} bytes, not 64`)
    return { algorithm, claims, signature: bytes, signed: concat(utf8(header), utf8('.'), utf8(payload)) }
  } catch (thrown) {
    if (thrown instanceof ParseError) throw new JwtError(thrown.path, thrown.problem)
    throw thrown
  }
}

const readHeader = (json: Json): JwsAlgorithm => {
  // Extensions that must be understood, and keys that a ticket brings itself (RFC 7515 sections 4.1.3, 4.1.6 and 4.1.11): none is.
  const refused = ['crit', 'jwk', 'jku', 'x5c', 'x5u', 'b64'].find((name) => optional(json, name) !== undefined)
  if (refused !== undefined) throw new ParseError(`${json.path}.${refused}`, 'is not accepted')
  const type = optional(json, 'typ')
  if (type !== undefined && text(type).toUpperCase() !== 'JWT') throw new ParseError(type.path, 'is not JWT')
  const named = text(member(json, 'alg'))
  const algorithm = JWS_ALGORITHMS.find((known) => known === named)
  if (algorithm === undefined) throw new ParseError(`${json.path}.alg`, `${named.slice(0, 16)} is none of ${JWS_ALGORITHMS.join(', ')}`)
  return algorithm
}

const readClaims = (json: Json): JwtClaims => ({
  issuer: short(member(json, 'iss')),
  subject: short(member(json, 'sub')),
  audience: short(member(json, 'aud')),
  expires: seconds(member(json, 'exp')),
  notBefore: maybe(json, 'nbf', seconds),
  issuedAt: maybe(json, 'iat', seconds),
  surface: maybe(json, 'surface', short),
  verb: maybe(json, 'verb', short),
})

const maybe = <T>(json: Json, key: string, read: (json: Json) => T): T | null => {
  const found = optional(json, key)
  return found === undefined ? null : read(found)
}

const short = (json: Json): string => {
  const found = text(json)
  if (found.length > MAX_TEXT) throw new ParseError(json.path, `${found.length} characters, at most ${MAX_TEXT}`)
  return found
}

/** A NumericDate of whole seconds: a fraction, which RFC 7519 allows, is nothing that an expiry needs. */
const seconds = ({ value, path }: Json): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new ParseError(path, 'is no time in whole seconds')
  return value
}

const jsonOf = (part: string, path: string): Json => {
  const bytes = decodePart(part, path)
  try {
    const json = readJson(bytes, path, MAX_JWT)
    record(json)
    return json
  } catch (thrown) {
    if (thrown instanceof ParseError) throw thrown
    throw thrown instanceof CollateralFormatError ? new JwtError(path, thrown.problem) : thrown
  }
}

/** base64url without padding, the bits left over zero (RFC 7515 section 2). */
const decodePart = (part: string, path: string): Bytes => {
  try {
    return new Uint8Array(base64urlnopad.decode(part))
  } catch {
    throw new JwtError(path, 'is no base64url')
  }
}

/** Bytes that are no ticket of JWT_CLASS. `path` names the part and field. */
export class JwtError extends CoalitionError {
  declare readonly path: string
  declare readonly problem: string

  constructor(path: string, problem: string) {
    super('Ticket.JwtError', `${path}: ${problem}`, { path, problem })
  }
}
