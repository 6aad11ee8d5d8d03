import { readJwt } from '../../network/tickets/jws.ts'
import { checkJwt, type JwsChecks } from '../../network/tickets/jwt.ts'
import { JWT_CLASS } from '../../network/tickets/ticket.ts'
import { firstOf, type TicketValidator } from '../../network/tickets/validator.ts'
import { toHex } from '../../primitives/bytes.ts'
import { asId, derive, id } from '../../primitives/id.ts'
import type { TicketIssuerConfig } from './config.ts'
import { issuerFingerprint } from './issuer.ts'

/**
 * Accepts tickets of a coalition's issuer: JWTs by one of its Ed25519 keys, with its fingerprint in hex as `iss`. A component that does not put
 * this into its own composition is not touched by the issuer, whatever the coalition's config says (TIX-02, TIX-03, MOP-09).
 *
 * @throws NameError, IssuerError, EncodeError for an issuer that is none
 * @see PROTOCOL.md section 4; the signature is derive(id("coalition.tickets.issuer.v1"), issuer_fp). **[ours]**
 */
export const recogniseIssuer = (issuer: TicketIssuerConfig, checks: JwsChecks): TicketValidator => {
  const fingerprint = issuerFingerprint(issuer)
  const config = { issuer: toHex(fingerprint), keys: issuer.keys.map((key) => ({ algorithm: 'EdDSA', key }) as const) }
  return {
    signature: asId(derive(id('coalition.tickets.issuer.v1'), fingerprint)),
    check: (tickets, bearer) =>
      firstOf(tickets, JWT_CLASS, `no ticket of the issuer ${issuer.name} was shown`, async (data) =>
        checkJwt(readJwt(data), config, bearer, checks),
      ),
  }
}
