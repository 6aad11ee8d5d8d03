import { CoalitionError } from '../error.ts'
import type { CitizenRef } from '../organisms/reference.ts'
import { digest } from '../primitives/digest.ts'
import { type Folded, fingerprints, parseFolded, type Shape } from '../primitives/fingerprint.ts'
import {
  asId,
  type ConfigId,
  type ContentHash,
  checkName,
  committeeOf,
  derive,
  type GroupId,
  type StableId,
  type SurfaceId,
  surfaceOf,
  type UniqueId,
} from '../primitives/id.ts'
import * as read from '../primitives/json.ts'

/** The six organisms in pipeline order (VOC-03). The order is folded into `contentHash`. */
export const ORGANISMS = ['zipnet', 'unseal', 'offer', 'atelier', 'relay', 'tally'] as const
export type OrganismName = (typeof ORGANISMS)[number]

/** All that a lattice's stable id is made of; an organism's own Config carries it (ORGANISMS.md, amendments). */
export interface LatticeName {
  /** Instance name, e.g. `ethereum.mainnet`. A new name is a new lattice: retirement is a version in the name (GAP-08). */
  readonly name: string
  /** EIP-155 chain id, u64. Folded as decimal ASCII, so a right name on the wrong chain finds nobody (IDN-38). */
  readonly chainId: bigint
}

/** A lattice's published identity: plain data, structured-clone-safe. All six organisms or none (CFG-14). */
export interface LatticeConfig extends LatticeName, Readonly<Record<OrganismName, Folded>> {}

/** A lattice by reference. */
export type LatticeRef = CitizenRef

/** Schemas of the organisms whose content or ACL a config gives by value. */
export type LatticeShapes = { readonly [O in OrganismName]?: Shape }

const U64 = 1n << 64n

/** LATTICE = H("builder|" ‖ name ‖ "|chain=" ‖ chain_id). @throws NameError, ChainIdError */
export const stableId = (lattice: LatticeName): StableId => {
  const { chainId } = lattice
  if (typeof chainId !== 'bigint' || chainId < 0n || chainId >= U64) throw new ChainIdError(String(chainId))
  return asId(digest('builder|', checkName(lattice.name), '|chain=', chainId.toString()))
}

/** root(o) = derive(LATTICE, o). */
export const root = (lattice: LatticeName, organism: OrganismName): UniqueId => derive(stableId(lattice), organism)

/** config(o) of one organism that is known without its five siblings: what `Tally.read(network, config)` derives from. */
export const organismConfig = (lattice: LatticeName, organism: OrganismName, folded: Folded, shape?: Shape): ConfigId => {
  const { content, acl } = fingerprints(folded, shape)
  return asId(digest(root(lattice, organism), content, acl))
}

/** config(o) = H(root(o) ‖ content_fingerprint ‖ acl_fingerprint). */
export const config = (lattice: LatticeConfig, organism: OrganismName, shapes: LatticeShapes = {}): ConfigId =>
  organismConfig(lattice, organism, checkLattice(lattice)[organism], shapes[organism])

/** derive(config(o), "committee"): the group that keeps the organism's log. */
export const committee = (lattice: LatticeConfig, organism: OrganismName, shapes: LatticeShapes = {}): GroupId =>
  committeeOf(config(lattice, organism, shapes))

/** derive(config(o), surface name). */
export const surface = (lattice: LatticeConfig, organism: OrganismName, name: string, shapes: LatticeShapes = {}): SurfaceId =>
  surfaceOf(config(lattice, organism, shapes), name)

/** lattice_id = H(LATTICE ‖ config(zipnet) ‖ … ‖ config(tally)): moves on every rotation of any of the six. */
export const contentHash = (lattice: LatticeConfig, shapes: LatticeShapes = {}): ContentHash =>
  asId(digest(stableId(lattice), ...ORGANISMS.map((organism) => config(lattice, organism, shapes))))

/** A reference to this lattice; `pin` makes the referrer follow its rotations. */
export const reference = (
  lattice: LatticeConfig,
  options: { readonly pin?: boolean; readonly shapes?: LatticeShapes } = {},
): LatticeRef => ({
  stableId: stableId(checkLattice(lattice)),
  ...(options.pin && { contentHash: contentHash(lattice, options.shapes) }),
})

/**
 * Refuses a lattice without all six organisms: part of one would have ids, and those ids no committee (CFG-14).
 * @throws PartialError
 */
export const checkLattice = <L extends LatticeConfig>(lattice: L): L => {
  const missing = ORGANISMS.filter((organism) => typeof lattice[organism] !== 'object' || lattice[organism] === null)
  if (missing.length > 0) throw new PartialError(lattice.name, missing)
  return lattice
}

/**
 * Reads a published lattice: `{ name, chainId, zipnet: { content, acl }, … }`, chainId as decimal text or number. Unknown fields stay.
 * @throws ParseError naming the field, PartialError
 */
export const parseConfig = (value: unknown, path = '$', shapes: LatticeShapes = {}): LatticeConfig => {
  const json = { value, path }
  const name = read.name(read.member(json, 'name'))
  const chainId = read.u64(read.member(json, 'chainId'))
  // The cast holds once checkLattice and parseFolded have been over all six.
  const lattice = checkLattice({ ...read.record(json), name, chainId } as LatticeConfig)
  const organisms = ORGANISMS.map((organism) => {
    const entry = read.member(json, organism)
    return [organism, { ...read.record(entry), ...parseFolded(entry, shapes[organism]) }]
  })
  return { ...lattice, ...Object.fromEntries(organisms) }
}

/** A lattice lacks organisms. */
export class PartialError extends CoalitionError {
  declare readonly lattice: string
  declare readonly missing: readonly string[]

  constructor(lattice: string, missing: readonly string[]) {
    super('Lattice.PartialError', `the lattice "${lattice}" lacks ${missing.join(', ')}: it has six organisms or is none`, {
      lattice,
      missing,
    })
  }
}

/** A chain id that is no u64. */
export class ChainIdError extends CoalitionError {
  declare readonly chainId: string

  constructor(chainId: string) {
    super('Lattice.ChainIdError', `the chain id ${chainId} is not a u64`, { chainId })
  }
}
