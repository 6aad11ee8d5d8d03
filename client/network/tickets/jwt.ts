import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { encode, fixed, type Of, struct, text, u8, variant, vector } from '../../primitives/codec.ts'
import type { Verify } from '../../primitives/ed25519.ts'
import { asId, derive } from '../../primitives/id.ts'
import type { VerifyEcdsa } from '../../verify/attestation.ts'
import { peerIdOf } from '../address.ts'
import { type JwsAlgorithm, type Jwt, readJwt } from './jws.ts'
import { JWT_CLASS } from './ticket.ts'
import { type Bearer, type Entry, firstOf, type TicketValidator, ValidatorError } from './validator.ts'

/** Signature checks by algorithm; all take r ‖ s or R ‖ S of 64 bytes and answer false for whatever is no valid signature. */
export interface JwsChecks {
  readonly verify: Verify
  /** On P-256, for ES256. */
  readonly ecdsa: VerifyEcdsa
  /** On secp256k1, for ES256K; without it such a key refuses. */
  readonly ecdsaK?: VerifyEcdsa
}

/** A key that signs tickets: 32 bytes for EdDSA, the uncompressed point of 65 bytes for the others. */
export interface JwtKey {
  readonly algorithm: JwsAlgorithm
  readonly key: Bytes
}

export interface JwtConfig {
  /** What `iss` has to be. */
  readonly issuer: string
  readonly keys: readonly JwtKey[]
}

/** Seconds that a ticket is good for at most from now on, and by which clocks may differ (PROTOCOL.md section 4). */
const LIFETIME = 86_400
const SKEW = 60

/** Index and length of each algorithm's keys. */
const keyCodec = variant('JwtKey', { EdDSA: [0, fixed(32)], ES256: [1, fixed(65)], ES256K: [2, fixed(65)] })
/** JwtValidator { version u8 = 1, issuer text ≤ 256, keys list 1..16 of JwtKey } */
const configCodec = struct('JwtValidator', { version: u8, issuer: text(256), keys: vector(keyCodec, 16, 1) })

/**
 * Asks for a JWT of an issuer, signed by one of its keys, for this peer, this component, surface and verb, and for a day at most.
 *
 * @throws EncodeError for keys of another length, none or too many; ValidatorError for one that stands there twice
 * @see PROTOCOL.md section 4; the signature is derive(JWT_CLASS, canonical(JwtValidator)). **[ours]**
 */
export const jwt = ({ issuer, keys }: JwtConfig, checks: JwsChecks): TicketValidator => {
  const values = keys.map(({ algorithm, key }) => ({ kind: algorithm, value: key })) as Of<typeof configCodec>['keys']
  const folded = encode(configCodec, { version: 1, issuer, keys: values })
  if (keys.some(({ key }, i) => keys.some((other, j) => j < i && equal(other.key, key))))
    throw new ValidatorError('a JWT validator', 'has the same key twice')
  return {
    signature: asId(derive(JWT_CLASS, folded)),
    check: (tickets, bearer) =>
      firstOf(tickets, JWT_CLASS, `no ticket of ${issuer} was shown`, async (data) =>
        checkJwt(readJwt(data), { issuer, keys }, bearer, checks),
      ),
  }
}

/** The claims first, since they cost nothing; the signature last. */
export const checkJwt = async (token: Jwt, { issuer, keys }: JwtConfig, bearer: Bearer, checks: JwsChecks): Promise<Entry> => {
  const { claims, algorithm, signature, signed } = token
  const problem = claimProblem(token, issuer, bearer)
  if (problem !== null) return { isAdmitted: false, problem }
  // A key is of one algorithm: a ticket cannot choose how its key is read.
  for (const { key } of keys.filter((known) => known.algorithm === algorithm))
    if (await isSigned(checks, algorithm, { key, signature, signed })) return { isAdmitted: true, expires: claims.expires }
  return { isAdmitted: false, problem: `no ${algorithm} key of ${issuer} signed the ticket` }
}

const claimProblem = ({ claims }: Jwt, issuer: string, { peer, component, surface, verb, at }: Bearer): string | null => {
  const { expires, notBefore, issuedAt } = claims
  const differs = [
    ['iss', issuer, claims.issuer],
    ['sub', peerIdOf(peer), claims.subject],
    ['aud', toHex(component), claims.audience],
    ['surface', surface, claims.surface],
    ['verb', verb, claims.verb],
  ].find(([, expected, found]) => expected !== found)
  if (differs !== undefined) return `${differs[0]} is ${differs[2] ?? 'missing'}, expected ${differs[1]}`
  if (expires <= at) return `it expired ${at - expires} s ago`
  if (expires - at > LIFETIME + SKEW) return `exp is ${expires - at} s away, at most ${LIFETIME}`
  if (notBefore !== null && notBefore > at + SKEW) return `nbf is ${notBefore - at} s away`
  return issuedAt !== null && issuedAt > at + SKEW ? `iat is ${issuedAt - at} s away` : null
}

interface Claimed {
  readonly key: Bytes
  readonly signature: Bytes
  readonly signed: Bytes
}

const isSigned = async (checks: JwsChecks, algorithm: JwsAlgorithm, { key, signature, signed }: Claimed): Promise<boolean> => {
  switch (algorithm) {
    case 'EdDSA':
      return checks.verify(signature, signed, key)
    case 'ES256':
      return checks.ecdsa(key, signature, signed)
    case 'ES256K':
      return checks.ecdsaK?.(key, signature, signed) ?? false
  }
}
