import { CoalitionError } from '../error.ts'
import type { LatticeRef } from '../lattice/config.ts'
import { type OrganismRef, parseCitizen, parseReference } from '../organisms/reference.ts'
import { type Bytes, concat, toHex, u32le } from '../primitives/bytes.ts'
import { digest } from '../primitives/digest.ts'
import { type Folded, fingerprints, parseFolded, type Shape } from '../primitives/fingerprint.ts'
import { asId, type ConfluenceId, checkName, committeeOf, type GroupId, type SurfaceId, surfaceOf } from '../primitives/id.ts'
import * as read from '../primitives/json.ts'
import { SCHEMA_VERSION } from '../primitives/schema.ts'

/** The four modules, by the names their ids derive from (VOC-05, GAP-03). */
export const MODULES = ['atlas', 'almanac', 'chronicle', 'compute'] as const
export type ModuleName = (typeof MODULES)[number]

/**
 * A confluence: an organism whose content folds two or more citizens (VOC-04). A module has the same shape (GAP-14) under one of
 * the four module names, and may span fewer. No coalition's root is a field: its id is the same in none, one or three (IDN-21).
 */
export interface ConfluenceConfig extends Folded {
  /** Role, e.g. `intents`, `ledger`, `correlate`, or a module's name. */
  readonly name: string
  /** In declared order; an order is an identity (IDN-09). */
  readonly lattices: readonly LatticeRef[]
  readonly organisms: readonly OrganismRef[]
}

export const isModule = (name: string): name is ModuleName => (MODULES as readonly string[]).includes(name)

/**
 * CONFLUENCE = H("confluence|" ‖ 0x01 ‖ "|" ‖ name ‖ refs(lattices) ‖ refs(organisms) ‖ content_fingerprint ‖ acl_fingerprint).
 * For a module this is the id that ROOT folds; its live id derives from ROOT (GAP-02).
 * @throws NameError, SpanError, FoldError
 */
export const confluenceId = (confluence: ConfluenceConfig, shape?: Shape): ConfluenceId => {
  const { name, lattices, organisms } = checkSpan(confluence)
  const { content, acl } = fingerprints(confluence, shape)
  return asId(digest('confluence|', Uint8Array.of(SCHEMA_VERSION), '|', checkName(name), refs(lattices), refs(organisms), content, acl))
}

/** derive(CONFLUENCE, "committee"). A module's committee derives from its live id instead: client/coalition/root.ts. */
export const committee = (confluence: ConfluenceConfig, shape?: Shape): GroupId => committeeOf(confluenceId(confluence, shape))

/** derive(CONFLUENCE, surface name). */
export const surface = (confluence: ConfluenceConfig, name: string, shape?: Shape): SurfaceId =>
  surfaceOf(confluenceId(confluence, shape), name)

/** refs(list) = u32le(count) ‖ each: stable_id ‖ (0x00 | 0x01 ‖ content_hash). Counted, so a reference cannot change lists unseen. */
const refs = (list: readonly LatticeRef[]): Bytes =>
  concat(
    u32le(list.length),
    ...list.flatMap(({ stableId, contentHash }) => [
      asId(stableId),
      ...(contentHash ? [Uint8Array.of(1), asId(contentHash)] : [Uint8Array.of(0)]),
    ]),
  )

/**
 * Two references to one citizen span one citizen, so each counts once and may stand once.
 * @throws SpanError
 */
const checkSpan = (confluence: ConfluenceConfig): ConfluenceConfig => {
  const { name, lattices, organisms } = confluence
  const span = [...lattices, ...organisms].map(({ stableId }) => toHex(asId(stableId)))
  const twice = span.find((stable, i) => span.indexOf(stable) !== i)
  if (twice !== undefined) throw new SpanError(name, span.length, `names the citizen ${twice} twice`)
  if (span.length < 2 && !isModule(name))
    throw new SpanError(name, span.length, `spans ${span.length}: a confluence needs two citizens, and only a module may have fewer`)
  return confluence
}

/**
 * Reads a published confluence or module: `{ name, lattices, organisms, content, acl }`; an absent list is empty, unknown fields stay.
 * @throws ParseError naming the field
 */
export const parseConfig = (value: unknown, path = '$', shape?: Shape): ConfluenceConfig => {
  const json = { value, path }
  const lattices = read.optional(json, 'lattices')
  const organisms = read.optional(json, 'organisms')
  return {
    ...read.record(json),
    name: read.name(read.member(json, 'name')),
    lattices: lattices ? read.items(lattices, parseCitizen) : [],
    organisms: organisms ? read.items(organisms, parseReference) : [],
    ...parseFolded(json, shape),
  }
}

/** A confluence that spans too few citizens, or one of them twice. */
export class SpanError extends CoalitionError {
  declare readonly confluence: string
  declare readonly references: number
  declare readonly problem: string

  constructor(confluence: string, references: number, problem: string) {
    super('Confluence.SpanError', `the confluence "${confluence}" ${problem}`, { confluence, references, problem })
  }
}
