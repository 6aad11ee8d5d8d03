import { CoalitionError } from '../error.ts'
import { equal, toHex } from '../primitives/bytes.ts'
import { digest } from '../primitives/digest.ts'
import { type Folded, fingerprints, parseFolded, type Shape } from '../primitives/fingerprint.ts'
import {
  asId,
  type ContentHash,
  checkName,
  committeeOf,
  type GroupId,
  type StableId,
  type SurfaceId,
  surfaceOf,
  UNIVERSE,
  type UniqueId,
} from '../primitives/id.ts'
import * as read from '../primitives/json.ts'

/** All that a standalone organism's stable id is made of. */
export interface OrganismName {
  /** Instance name, e.g. `eur-price-feed`; a new name is a new organism (GAP-08). */
  readonly name: string
  /** Absent means UNIVERSE. */
  readonly network?: UniqueId | undefined
}

/** A standalone organism's published identity. Its own package extends this: nothing here knows one (CFG-04). */
export interface OrganismConfig extends OrganismName, Folded {}

/** A citizen by reference: its stable id, and its content hash where the referrer pins it (CIT-01, CIT-03). */
export interface CitizenRef {
  readonly stableId: StableId
  /** Given, the referrer moves with every rotation of the citizen; absent, it outlives them (CIT-04, CIT-05). */
  readonly contentHash?: ContentHash | undefined
}

/** A standalone organism by reference (CFG-07). */
export interface OrganismRef extends CitizenRef {
  /** For people and directories, e.g. `oracle`; folded nowhere, and open-ended (CFG-33). */
  readonly role: string
}

/** stable_id = H("instance|" ‖ name ‖ "|" ‖ network). The width of the network id is fixed, so nothing runs together (GAP-07). */
export const stableId = (organism: OrganismName): StableId =>
  asId(digest('instance|', checkName(organism.name), '|', asId(organism.network ?? UNIVERSE)))

/** content_hash = H(stable_id ‖ content_fingerprint ‖ acl_fingerprint). */
export const contentHash = (organism: OrganismConfig, shape?: Shape): ContentHash => {
  const { content, acl } = fingerprints(organism, shape)
  return asId(digest(stableId(organism), content, acl))
}

/** derive(content_hash, "committee"). */
export const committee = (organism: OrganismConfig, shape?: Shape): GroupId => committeeOf(contentHash(organism, shape))

/** derive(content_hash, surface name). */
export const surface = (organism: OrganismConfig, name: string, shape?: Shape): SurfaceId => surfaceOf(contentHash(organism, shape), name)

/** A reference to this organism; `pin` makes the referrer follow its rotations. */
export const reference = (
  organism: OrganismConfig,
  role: string,
  options: { readonly pin?: boolean; readonly shape?: Shape } = {},
): OrganismRef => ({
  role: checkName(role),
  stableId: stableId(organism),
  ...(options.pin && { contentHash: contentHash(organism, options.shape) }),
})

/**
 * The config that a reference means, if it is that one: a reference holds no config, so the caller brings it (GAP-11).
 * @throws BindError when the stable id, or a pinned content hash, is another's
 */
export const bind = <C extends OrganismConfig>(reference: OrganismRef, organism: C, shape?: Shape): C => {
  const stable = stableId(organism)
  if (!equal(reference.stableId, stable)) throw new BindError('stableId', toHex(reference.stableId), toHex(stable))
  if (!reference.contentHash) return organism
  const content = contentHash(organism, shape)
  if (!equal(reference.contentHash, content)) throw new BindError('contentHash', toHex(reference.contentHash), toHex(content))
  return organism
}

/** Reads a standalone organism's published identity; fields unknown here stay. @throws ParseError naming the field */
export const parseConfig = (value: unknown, path = '$', shape?: Shape): OrganismConfig => {
  const json = { value, path }
  const network = read.optional(json, 'network')
  return {
    ...read.record(json),
    name: read.name(read.member(json, 'name')),
    network: network && asId(read.bytes(network, 32)),
    ...parseFolded(json, shape),
  }
}

/** Reads a reference to a lattice or, with its role, to an organism. @throws ParseError naming the field */
export const parseCitizen = (json: read.Json): CitizenRef => {
  const stableId = read.bytes(read.member(json, 'stableId'), 32)
  const pinned = read.optional(json, 'contentHash')
  return { ...read.record(json), stableId: asId(stableId), contentHash: pinned && asId(read.bytes(pinned, 32)) }
}

export const parseReference = (json: read.Json): OrganismRef => ({ ...parseCitizen(json), role: read.name(read.member(json, 'role')) })

/** A config that is not the one a reference names. */
export class BindError extends CoalitionError {
  declare readonly field: string
  declare readonly expected: string
  declare readonly found: string

  constructor(field: string, expected: string, found: string) {
    super('Organism.BindError', `the reference names ${field} ${expected}, the config has ${found}`, { field, expected, found })
  }
}
