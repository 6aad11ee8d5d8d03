import type { ModuleName } from '../confluences/config.ts'
import { digest } from '../primitives/digest.ts'
import { asId, type ConfluenceId, checkName, derive, type Id, type ModuleId, type StableId } from '../primitives/id.ts'
import { SCHEMA_VERSION } from '../primitives/schema.ts'
import type { IssuerFingerprint } from './tickets/issuer.ts'

/** COALITION: the name's own id, under which nothing lives (GAP-04). */
export type CoalitionNameId = Id<'CoalitionNameId'>
/**
 * ROOT: a token that moves when the composition does. It is no authority: no function of this library that asks for a key, a
 * group, a citizen or an issuer accepts it, since roles come from the compiled-in config (IDENTITY.md, THR-18).
 */
export type CoalitionRoot = Id<'CoalitionRoot'>
/** Where the ticket issuer of a coalition lives. A live id: folded nowhere, named in no ACL. */
export type TicketsId = Id<'TicketsId'>

/** The ids that ROOT folds, each as its owner gives it: nothing is derived anew from a coalition (IDN-10). */
export interface RootInputs {
  readonly name: string
  readonly lattices: readonly StableId[]
  readonly organisms: readonly StableId[]
  readonly confluences: readonly ConfluenceId[]
  /** Null adds no byte (IDN-07). */
  readonly ticketIssuer: IssuerFingerprint | null
}

/** COALITION = H("coalition|" ‖ 0x01 ‖ "|" ‖ name). */
export const coalitionName = (name: string): CoalitionNameId =>
  asId(digest('coalition|', Uint8Array.of(SCHEMA_VERSION), '|', checkName(name)))

/**
 * ROOT = H(COALITION ‖ lattice stable ids ‖ organism stable ids ‖ confluence ids ‖ issuer_fp or nothing).
 * The published formula has no counts: an id moved from the end of one list to the front of the next gives the same ROOT
 * (GAP-01). This is the bare fold, which cannot tell; configs go through `rootInputs` of client/coalition/config.ts.
 */
export const rootOf = ({ name, lattices, organisms, confluences, ticketIssuer }: RootInputs): CoalitionRoot => {
  const ids = [...lattices, ...organisms, ...confluences, ...(ticketIssuer ? [ticketIssuer] : [])]
  return asId(digest(coalitionName(name), ...ids.map((given) => asId(given))))
}

/** derive(derive(ROOT, "module"), name): a module's live id, from which its committee and surfaces derive. */
export const moduleId = (root: CoalitionRoot, name: ModuleName): ModuleId => asId(derive(derive(root, 'module'), name))

/** derive(ROOT, "tickets") (TIX-01). */
export const ticketsId = (root: CoalitionRoot): TicketsId => asId(derive(root, 'tickets'))
