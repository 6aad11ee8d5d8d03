import { CoalitionError } from '../../error.ts'
import { equal, toHex } from '../../primitives/bytes.ts'
import { encode, fixed, type Of, struct, text, vector } from '../../primitives/codec.ts'
import { digest } from '../../primitives/digest.ts'
import { asId, checkName, type Id, NAME_BYTES } from '../../primitives/id.ts'
import type { TicketIssuerConfig } from './config.ts'

/** What ROOT folds of a ticket issuer, and what ACLs and the `iss` claim name: never `tickets`, which would be a circle. */
export type IssuerFingerprint = Id<'IssuerFingerprint'>

/** canonical(name, keys, acl) of IDENTITY.md: IssuerConfig { name text ≤ 64, keys list 1..16 of [32], acl [32] }. */
export const issuerCodec = struct('IssuerConfig', { name: text(NAME_BYTES), keys: vector(fixed(32), 16, 1), acl: fixed(32) })

/** issuer_fp = H("coalition issuer v1|" ‖ canonical(name, keys, acl)). @throws NameError, IssuerError, EncodeError */
export const issuerFingerprint = (issuer: TicketIssuerConfig): IssuerFingerprint => {
  const value: Of<typeof issuerCodec> = { name: checkName(issuer.name), keys: issuer.keys, acl: issuer.acl }
  const twice = issuer.keys.find((key, i) => issuer.keys.some((other, j) => j < i && equal(key, other)))
  if (twice) throw new IssuerError(issuer.name, `has the key ${toHex(twice)} twice`)
  return asId(digest('coalition issuer v1|', encode(issuerCodec, value)))
}

/** An issuer whose key list says less than it seems to. */
export class IssuerError extends CoalitionError {
  declare readonly issuer: string
  declare readonly problem: string

  constructor(issuer: string, problem: string) {
    super('Coalition.IssuerError', `the ticket issuer "${issuer}" ${problem}`, { issuer, problem })
  }
}
