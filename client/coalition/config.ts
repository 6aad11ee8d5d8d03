import { type ConfluenceConfig, confluenceId, isModule, type ModuleName, parseConfig as parseConfluence } from '../confluences/config.ts'
import { CoalitionError } from '../error.ts'
import {
  checkLattice,
  type LatticeConfig,
  type LatticeRef,
  type LatticeShapes,
  parseConfig as parseLattice,
  stableId,
} from '../lattice/config.ts'
import { type OrganismRef, parseCitizen, parseReference } from '../organisms/reference.ts'
import { toHex } from '../primitives/bytes.ts'
import type { Shape } from '../primitives/fingerprint.ts'
import {
  asId,
  checkName,
  committeeOf,
  type GroupId,
  type Id,
  type ModuleId,
  type StableId,
  type SurfaceId,
  surfaceOf,
} from '../primitives/id.ts'
import * as read from '../primitives/json.ts'
import {
  type CoalitionNameId,
  type CoalitionRoot,
  coalitionName,
  moduleId,
  type RootInputs,
  rootOf,
  type TicketsId,
  ticketsId,
} from './root.ts'
import { parseIssuer, type TicketIssuerConfig } from './tickets/config.ts'
import { issuerFingerprint } from './tickets/issuer.ts'

/**
 * A coalition: a named composition of references, plain data that no citizen signs or is told of (COA-15, CIT-11).
 * Unknown fields are tolerated and folded nowhere (CFG-17); an open decision such as coalition-wide pinning may use one (CIT-06).
 *
 * heavy-coalition: no field here requires anything of a citizen: no measurement or bond demanded, no fee or tax on its commits, no
 * confluence whose commits override others, no duty to join or to ask (HVY-01 to HVY-05). Such a field would make ROOT an authority.
 */
export interface CoalitionConfig {
  /** Short, stable, namespaced, e.g. `ethereum.superchain`. */
  readonly name: string
  /** In declared order, as full configs or by reference; the stable id alone is folded (CIT-02, GAP-10). */
  readonly lattices: readonly (LatticeConfig | LatticeRef)[]
  readonly organisms: readonly OrganismRef[]
  /** Modules stand here too, each once by its name. */
  readonly confluences: readonly ConfluenceConfig[]
  readonly ticketIssuer?: TicketIssuerConfig | undefined
}

/** Shapes of the confluences that give content or ACL by value, by confluence name. */
export type ConfluenceShapes = { readonly [name: string]: Shape }

/** COALITION of this config's name. */
export const coalition = (config: CoalitionConfig): CoalitionNameId => coalitionName(config.name)

/** ROOT: pure, without I/O, the same in a page and in Node (IDN-33). @throws DuplicateError and what the parts throw */
export const root = (config: CoalitionConfig, shapes: ConfluenceShapes = {}): CoalitionRoot => rootOf(rootInputs(config, shapes))

/** The live id of the ticket issuer, or undefined without one. */
export const tickets = (config: CoalitionConfig, shapes: ConfluenceShapes = {}): TicketsId | undefined =>
  config.ticketIssuer ? ticketsId(root(config, shapes)) : undefined

/** A shipped module's live id, committee and surfaces; undefined when the coalition has no such module (CFG-34). */
export const moduleOf = (config: CoalitionConfig, name: ModuleName, shapes: ConfluenceShapes = {}): Module | undefined => {
  if (!moduleConfig(config, name)) return undefined
  const id = moduleId(root(config, shapes), name)
  return { id, committee: committeeOf(id), surface: (surface) => surfaceOf(id, surface) }
}

/** Ids of one module under one coalition's ROOT. */
export interface Module {
  readonly id: ModuleId
  readonly committee: GroupId
  readonly surface: (name: string) => SurfaceId
}

// By name: a module is the confluence that bears one of the four names, and rootInputs lets none stand twice.
const moduleConfig = (config: CoalitionConfig, name: ModuleName): ConfluenceConfig | undefined =>
  config.confluences.find((confluence) => confluence.name === name)

/** The module's config, or undefined; never throws (CFG-19). */
export const atlas = (config: CoalitionConfig): ConfluenceConfig | undefined => moduleConfig(config, 'atlas')
export const almanac = (config: CoalitionConfig): ConfluenceConfig | undefined => moduleConfig(config, 'almanac')
export const chronicle = (config: CoalitionConfig): ConfluenceConfig | undefined => moduleConfig(config, 'chronicle')
export const compute = (config: CoalitionConfig): ConfluenceConfig | undefined => moduleConfig(config, 'compute')

/**
 * What ROOT folds, after refusing what would make two readings of one root likely: an id that stands twice, in one list or
 * in two (GAP-01), and a module that stands twice by name.
 * @throws DuplicateError naming both places
 */
export const rootInputs = (config: CoalitionConfig, shapes: ConfluenceShapes = {}): RootInputs => {
  const inputs: RootInputs = {
    name: checkName(config.name),
    lattices: config.lattices.map(latticeStableId),
    organisms: config.organisms.map(({ stableId }) => asId(stableId)),
    confluences: config.confluences.map((confluence) => confluenceId(confluence, shapes[confluence.name])),
    ticketIssuer: config.ticketIssuer ? issuerFingerprint(config.ticketIssuer) : null,
  }
  const seen = new Map<string, string>()
  for (const [key, place] of placesOf(inputs, config.confluences)) {
    const first = seen.get(key)
    if (first !== undefined) throw new DuplicateError(config.name, key, first, place)
    seen.set(key, place)
  }
  return inputs
}

/** Everything that may stand once, with the place where it stands. */
const placesOf = (inputs: RootInputs, confluences: readonly ConfluenceConfig[]): readonly (readonly [string, string])[] => {
  const list = (name: string, ids: readonly Id[]) => ids.map((id, i) => [toHex(id), `${name}[${i}]`] as const)
  return [
    ...list('lattices', inputs.lattices),
    ...list('organisms', inputs.organisms),
    ...list('confluences', inputs.confluences),
    ...(inputs.ticketIssuer ? [[toHex(inputs.ticketIssuer), 'ticketIssuer'] as const] : []),
    ...confluences.flatMap(({ name }, i) => (isModule(name) ? [[`the module ${name}`, `confluences[${i}]`] as const] : [])),
  ]
}

// A reference is believed, a full config is hashed; neither says anything about the other's fields.
const latticeStableId = (lattice: LatticeConfig | LatticeRef): StableId => {
  const given = 'stableId' in lattice ? lattice.stableId : null
  return given ? asId(given) : stableId(checkLattice(lattice as LatticeConfig))
}

/**
 * Reads a published coalition: `{ name, lattices, organisms, confluences, ticketIssuer }`, lattices in full or as `{ stableId }`.
 * An absent list is empty; fields unknown here stay and are folded nowhere (CFG-17, CFG-18).
 * @throws ParseError naming the field, PartialError
 */
export const parseConfig = (
  value: unknown,
  path = '$',
  shapes: { lattices?: LatticeShapes; confluences?: ConfluenceShapes } = {},
): CoalitionConfig => {
  const json = { value, path }
  const list = <T>(key: string, item: (json: read.Json) => T): T[] => {
    const found = read.optional(json, key)
    return found ? read.items(found, item) : []
  }
  const issuer = read.optional(json, 'ticketIssuer')
  return {
    ...read.record(json),
    name: read.name(read.member(json, 'name')),
    lattices: list('lattices', (item) =>
      read.optional(item, 'stableId') ? parseCitizen(item) : parseLattice(item.value, item.path, shapes.lattices),
    ),
    organisms: list('organisms', parseReference),
    confluences: list('confluences', (item) =>
      parseConfluence(item.value, item.path, shapes.confluences?.[String(read.optional(item, 'name')?.value)]),
    ),
    ticketIssuer: issuer && parseIssuer(issuer),
  }
}

/** One id, or one module, given twice. */
export class DuplicateError extends CoalitionError {
  declare readonly coalition: string
  declare readonly id: string
  declare readonly first: string
  declare readonly second: string

  constructor(coalition: string, id: string, first: string, second: string) {
    super('Coalition.DuplicateError', `the coalition "${coalition}" has ${id} at ${first} and again at ${second}`, {
      coalition,
      id,
      first,
      second,
    })
  }
}
