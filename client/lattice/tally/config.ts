import { tdxGateCodec } from '../../coalition/tickets/tdx-gate.ts'
import { CoalitionError, type Facts } from '../../error.ts'
import { genesisOf } from '../../groups/genesis.ts'
import { checkRoster, rosterCodec, rosterId, ZEROS } from '../../groups/roster.ts'
import type { Identified } from '../../network/binding.ts'
import { toHex } from '../../primitives/bytes.ts'
import {
  type Codec,
  decode,
  encode,
  fixed,
  type Of,
  option,
  refine,
  struct,
  text,
  u32,
  u64,
  unit,
  variant,
} from '../../primitives/codec.ts'
import { fingerprints, type Shape, schema } from '../../primitives/fingerprint.ts'
import { committeeOf, type UniqueId } from '../../primitives/id.ts'
import * as read from '../../primitives/json.ts'
import { type LatticeName, organismConfig, stableId } from '../config.ts'
import type { TallyConfig } from './index.ts'
import { parseAcl, parseContent } from './published.ts'
import { SPECS } from './refund.ts'

export { formatConfig } from './published.ts'

// docs/wire.md section 6, `tally content@1` and `tally acl@1`, field for field. Whatever is folded here moves the group's id: a member
// and a reader who disagree about one byte never meet, so nothing in a config can be disputed after connecting.

/** The machine's signature, folded into content: another rule is another group (IDN-37). */
export const SIGNATURE = 'tally/public-payment@1'

/** When a block counts as part of the chain: at its finalized tag, or this many blocks below the head. */
export const inclusionCodec = variant('Inclusion', { finalized: [0, unit], depth: [1, struct('Depth', { blocks: u32 })] })
/** Milliseconds. A timer of zero would spin, or make every head look stale. */
export const timersCodec = refine(
  struct('Timers', { view_ms: u32, short_ms: u32, skew_ms: u32, heartbeat_ms: u32 }),
  'Timers',
  ({ view_ms, short_ms, heartbeat_ms }) =>
    view_ms * short_ms * heartbeat_ms === 0 ? 'view_ms, short_ms and heartbeat_ms are above 0' : null,
)
export const contentCodec = struct('TallyContent', {
  signature: refine(text(64), 'signature', (value) =>
    value === SIGNATURE ? null : `is not ${SIGNATURE}: another machine's rules are not known here`,
  ),
  feeRecipient: fixed(20),
  origin: struct('Origin', { number: u64, hash: fixed(32) }),
  inclusion: inclusionCodec,
  timers: timersCodec,
  predecessor: option(fixed(32)),
})
export const aclCodec = struct('TallyAcl', {
  roster: refine(rosterCodec, 'Roster', ({ epoch }) => (epoch === 0 ? null : `is of epoch ${epoch}: an ACL holds epoch 0 for ever`)),
  admission: variant('Admission', { roster: [0, unit], tdx: [1, tdxGateCodec] }),
  readers: variant('Readers', { anyone: [0, unit] }),
})
export type TallyContent = Of<typeof contentCodec>
export type TallyAcl = Of<typeof aclCodec>

/** How the lattice's config hashes tally's content and ACL when they are given by value. */
export const shape: Shape = {
  content: schema('tally content@1', contentCodec, parseContent),
  acl: schema('tally acl@1', aclCodec, parseAcl),
}

/**
 * A config as everybody derives from it: a copy with known fields only, which later changes to the caller's object do not reach.
 * @throws ConfigError naming the field
 */
export const checkConfig = (config: unknown): TallyConfig => {
  const { lattice, content, acl } = object(config, '$') as Partial<TallyConfig>
  const { name, chainId } = object(lattice, '$.lattice') as unknown as LatticeName
  attempt('$.lattice', () => stableId({ name, chainId }))
  const checked = { lattice: { name, chainId }, content: exact('$.content', contentCodec, content), acl: exact('$.acl', aclCodec, acl) }
  attempt('$.acl.roster', () => checkRoster(checked.acl.roster))
  return checked
}

/**
 * Reads a published config: `{ lattice: { name, chainId }, content, acl }`, see published.ts for the forms of values.
 * @throws ConfigError naming the field
 */
export const parseConfig = (json: unknown): TallyConfig => {
  const whole = { value: json, path: '$' }
  const parsed = attempt('$', () => {
    const lattice = read.member(whole, 'lattice')
    return {
      lattice: { name: read.name(read.member(lattice, 'name')), chainId: read.u64(read.member(lattice, 'chainId')) },
      content: parseContent(read.member(whole, 'content')),
      acl: parseAcl(read.member(whole, 'acl')),
    }
  })
  return checkConfig(parsed)
}

/**
 * A config in either form: as data, or as the JSON that an operator published. A page that fetched the JSON passes it on as it is, since it
 * carries no parser.
 * @throws ConfigError naming the field
 */
export const readConfig = (config: unknown): TallyConfig => {
  const { lattice, content } = (config ?? {}) as {
    readonly lattice?: { readonly chainId?: unknown }
    readonly content?: { readonly feeRecipient?: unknown }
  }
  // JSON has neither bigints nor bytes.
  const isPublished = typeof lattice?.chainId !== 'bigint' && typeof content?.feeRecipient === 'string'
  return isPublished ? parseConfig(config) : checkConfig(config)
}

/**
 * Whom to ask, and where the chain of reasons starts: pure, the same in page Worker and member.
 * @param config hostile: it may come from a page
 * @throws ConfigError naming the field
 */
export const identify = (network: UniqueId, config: unknown): Identified => {
  const { lattice, content, acl } = readConfig(config)
  const component = organismConfig(lattice, 'tally', { content, acl }, shape)
  const group = committeeOf(component)
  const roster = acl.roster
  const id = rosterId(network, group, ZEROS, roster)
  const prints = fingerprints({ content, acl }, shape)
  // Names and hashes of what was derived, for the error of a reader that finds nobody: two sides can compare them line by line (ERR-07).
  const inputs: Facts = {
    network: toHex(network),
    lattice: lattice.name,
    chainId: lattice.chainId.toString(),
    stableId: toHex(stableId(lattice)),
    content: toHex(prints.content),
    acl: toHex(prints.acl),
    config: toHex(component),
    group: toHex(group),
    roster: toHex(id),
  }
  const gate = acl.admission.kind === 'tdx' ? { gate: acl.admission.value } : {}
  return { network, group, roster, ...gate, genesis: genesisOf(SPECS, id), heartbeatMs: content.timers.heartbeat_ms, inputs }
}

// Bytes are objects to JavaScript and would be searched for fields they cannot have.
const object = (value: unknown, path: string): object => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) throw new ConfigError(path, 'is not an object')
  return value
}

// There and back: what comes out is what was hashed, and shares no memory with what came in.
const exact = <T>(path: string, codec: Codec<T>, value: unknown): T => attempt(path, () => decode(codec, encode(codec, value as T)))

// Checks of other modules know no config and throw their own errors: to a caller of a config they are all one.
const attempt = <T>(path: string, run: () => T): T => {
  try {
    return run()
  } catch (cause) {
    throw configError(path, cause)
  }
}

/** The error of a check that knows part of the path, or none, as the one error that callers of a config meet. */
export const configError = (path: string, cause: unknown): ConfigError => {
  if (cause instanceof ConfigError) return cause
  const { path: inner, problem } = cause as { readonly path?: unknown; readonly problem?: unknown }
  // A codec's path begins with the type's name, which says less than the place in the config.
  const step = typeof inner === 'string' ? inner.replace(/^[^.[]*/, '') : ''
  const said = typeof inner === 'string' && typeof problem === 'string' ? problem : cause instanceof Error ? cause.message : String(cause)
  return new ConfigError(path + step, said, cause)
}

/** A tally config that is not one; `path` names the field. */
export class ConfigError extends CoalitionError {
  declare readonly path: string
  declare readonly problem: string

  constructor(path: string, problem: string, cause?: unknown) {
    super('Tally.ConfigError', `${path}: ${problem}`, { path, problem }, cause === undefined ? {} : { cause })
  }
}
