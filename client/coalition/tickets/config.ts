import type { Bytes } from '../../primitives/bytes.ts'
import type { AclFingerprint } from '../../primitives/fingerprint.ts'
import { asId } from '../../primitives/id.ts'
import * as read from '../../primitives/json.ts'

// Apart from the fingerprint, so that a page reads a published coalition without loading the codec.

/**
 * A coalition's ticket issuer: optional and without authority (CFG-06, TIX-02). A component admits its tickets only if its own
 * ACL says so. heavy-coalition: there is no list of components that must, here or anywhere.
 */
export interface TicketIssuerConfig {
  readonly name: string
  /** Ed25519 keys that sign tickets, 1 to 16, in declared order. */
  readonly keys: readonly Bytes[]
  /** Whom the issuer serves: the fingerprint of its own ACL. */
  readonly acl: AclFingerprint
}

/** Reads a published issuer: `{ name, keys: [hex], acl: hex }`; unknown fields stay. @throws ParseError naming the field */
export const parseIssuer = (json: read.Json): TicketIssuerConfig => ({
  ...read.record(json),
  name: read.name(read.member(json, 'name')),
  keys: read.items(read.member(json, 'keys'), (key) => read.bytes(key, 32)),
  acl: asId(read.bytes(read.member(json, 'acl'), 32)),
})
