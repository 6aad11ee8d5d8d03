import * as Coalition from '../../client/coalition/config.ts'
import { coalitionName, moduleId, rootOf, ticketsId } from '../../client/coalition/root.ts'
import type { TicketIssuerConfig } from '../../client/coalition/tickets/config.ts'
import { issuerFingerprint } from '../../client/coalition/tickets/issuer.ts'
import * as Confluence from '../../client/confluences/config.ts'
import * as Lattice from '../../client/lattice/config.ts'
import { shape as tallyShape } from '../../client/lattice/tally/config.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import * as Tdx from '../../client/network/tickets/tdx.ts'
import { type TicketClass, ticketId } from '../../client/network/tickets/ticket.ts'
import * as Organism from '../../client/organisms/reference.ts'
import { type Bytes, toHex } from '../../client/primitives/bytes.ts'
import {
  aclFingerprint,
  type ContentParams,
  contentFingerprint,
  type Folded,
  fingerprints,
  type Shape,
} from '../../client/primitives/fingerprint.ts'
import { citizenId, committeeOf, derive, id, surfaceOf, UNIVERSE } from '../../client/primitives/id.ts'
import { SCHEMA_VERSION } from '../../client/primitives/schema.ts'

// One function for each subject of `coalition id`. A formula is spelled as IDENTITY.md has it: names of other rows stand for their ids,
// everything else is written out, so that a reader can recompute a line with any BLAKE3 tool and compare it with another operator's.

/** One id, and the formula of IDENTITY.md that gave it, with the inputs in place. */
export interface Row {
  readonly name: string
  readonly id: string
  readonly formula: string
}

const row = (name: string, value: Uint8Array, formula: string): Row => ({ name, id: toHex(value), formula })
const quoted = (text: string): string => JSON.stringify(text)
const VERSION = `0x${SCHEMA_VERSION.toString(16).padStart(2, '0')}`

/** UniqueId. Says which of the two readings the text had: a digit too few is silently another id. */
export const textRows = (text: string): Row[] => {
  const value = id(text)
  const decoded = toHex(value) === text.toLowerCase()
  return [row('id', value, decoded ? `the 64 hex digits ${quoted(text)}, decoded` : `H(${quoted(text)})`)]
}

/** A chain of derive, one row for each step. The parent is read as `text` reads it, labels are never decoded. */
export const deriveRows = (parent: string, labels: readonly string[]): Row[] => {
  const rows = textRows(parent)
  let value = id(parent)
  for (const label of labels) {
    const formula = `derive(${toHex(value)}, ${quoted(label)})`
    value = derive(value, label)
    rows.push(row(label, value, formula))
  }
  return rows
}

/** The rows of one organism, from its root to its committee. */
const latticeOrganismRows = (lattice: Lattice.LatticeName, o: Lattice.OrganismName, folded: Folded, shape?: Shape): Row[] => {
  const { content, acl } = fingerprints(folded, shape)
  const config = Lattice.organismConfig(lattice, o, folded, shape)
  return [
    row(`root(${o})`, Lattice.root(lattice, o), `derive(LATTICE, ${quoted(o)})`),
    row(`config(${o})`, config, `H(root(${o}) ‖ content ${toHex(content)} ‖ acl ${toHex(acl)})`),
    row(`committee(${o})`, committeeOf(config), `derive(config(${o}), "committee")`),
  ]
}

const latticeRow = (lattice: Lattice.LatticeName): Row =>
  row('LATTICE', Lattice.stableId(lattice), `H("builder|" ‖ ${quoted(lattice.name)} ‖ "|chain=" ‖ "${lattice.chainId}")`)

/** A whole lattice: what a referrer folds (LATTICE), what it may pin (lattice_id), and the six committees. */
export const latticeRows = (lattice: Lattice.LatticeConfig, shapes: Lattice.LatticeShapes): Row[] => [
  latticeRow(lattice),
  row('citizen_id', citizenId(Lattice.stableId(lattice)), 'the first 20 bytes of LATTICE'),
  ...Lattice.ORGANISMS.flatMap((o) => latticeOrganismRows(lattice, o, lattice[o], shapes[o])),
  row('lattice_id', Lattice.contentHash(lattice, shapes), `H(LATTICE ‖ ${Lattice.ORGANISMS.map((o) => `config(${o})`).join(' ‖ ')})`),
]

/** A tally by the config that `Tally.read` takes, which knows no siblings. */
export const tallyRows = ({ lattice, content, acl }: TallyConfig): Row[] => {
  const config = Lattice.organismConfig(lattice, 'tally', { content, acl }, tallyShape)
  return [
    latticeRow(lattice),
    ...latticeOrganismRows(lattice, 'tally', { content, acl }, tallyShape),
    row('surface(refunds)', surfaceOf(config, 'refunds'), 'derive(config(tally), "refunds")'),
  ]
}

/** A standalone organism. */
export const organismRows = (organism: Organism.OrganismConfig): Row[] => {
  const stable = Organism.stableId(organism)
  const { content, acl } = fingerprints(organism)
  return [
    row('stable_id', stable, `H("instance|" ‖ ${quoted(organism.name)} ‖ "|" ‖ ${toHex(organism.network ?? UNIVERSE)})`),
    row('citizen_id', citizenId(stable), 'the first 20 bytes of stable_id'),
    row('content_hash', Organism.contentHash(organism), `H(stable_id ‖ content ${toHex(content)} ‖ acl ${toHex(acl)})`),
    row('committee', Organism.committee(organism), 'derive(content_hash, "committee")'),
  ]
}

/** A confluence or module, free of any coalition. */
export const confluenceRows = (confluence: Confluence.ConfluenceConfig): Row[] => {
  const { name, lattices, organisms } = confluence
  const { content, acl } = fingerprints(confluence)
  const refs = (list: readonly Lattice.LatticeRef[]): string =>
    `refs[${list.map((each) => `${toHex(each.stableId)}${each.contentHash ? ` pinned to ${toHex(each.contentHash)}` : ''}`).join(', ')}]`
  const inputs = `${quoted(name)} ‖ ${refs(lattices)} ‖ ${refs(organisms)} ‖ content ${toHex(content)} ‖ acl ${toHex(acl)}`
  const head = row('CONFLUENCE', Confluence.confluenceId(confluence), `H("confluence|" ‖ ${VERSION} ‖ "|" ‖ ${inputs})`)
  // A module's committee derives from the ROOT of the coalition it serves; one derived from CONFLUENCE would be nobody's.
  return Confluence.isModule(name) ? [head] : [head, row('committee', Confluence.committee(confluence), 'derive(CONFLUENCE, "committee")')]
}

/**
 * A coalition: first every id that ROOT folds, in its order, then ROOT, then what lives under it.
 * Duplicates are refused before anything is printed (GAP-01).
 */
export const coalitionRows = (config: Coalition.CoalitionConfig): Row[] => {
  const inputs = Coalition.rootInputs(config)
  const root = rootOf(inputs)
  const part = (name: string, ids: readonly Bytes[], whence: (i: number) => string): Row[] =>
    ids.map((each, i) => row(`${name}[${i}]`, each, whence(i)))
  const modules = Confluence.MODULES.filter((name) => config.confluences.some((confluence) => confluence.name === name))
  const issuer = inputs.ticketIssuer && config.ticketIssuer
  return [
    row('COALITION', coalitionName(config.name), `H("coalition|" ‖ ${VERSION} ‖ "|" ‖ ${quoted(config.name)})`),
    ...part('lattices', inputs.lattices, (i) => latticeFormula(config.lattices[i])),
    ...part('organisms', inputs.organisms, (i) => `as given, role ${quoted(config.organisms[i]?.role ?? '')}`),
    ...part(
      'confluences',
      inputs.confluences,
      (i) => `CONFLUENCE of ${quoted(config.confluences[i]?.name ?? '')}: coalition id confluence`,
    ),
    ...(issuer ? issuerRows(issuer) : []),
    row(
      'ROOT',
      root,
      `H(COALITION ‖ ${inputs.lattices.length} lattices ‖ ${inputs.organisms.length} organisms ‖ ${inputs.confluences.length} confluences ‖ ${issuer ? 'issuer_fp' : 'nothing'})`,
    ),
    ...modules.flatMap((name) => [
      row(name, moduleId(root, name), `derive(derive(ROOT, "module"), ${quoted(name)})`),
      row(`committee(${name})`, committeeOf(moduleId(root, name)), `derive(${name}, "committee")`),
    ]),
    ...(issuer ? [row('tickets', ticketsId(root), 'derive(ROOT, "tickets")')] : []),
  ]
}

const latticeFormula = (lattice: Lattice.LatticeConfig | Lattice.LatticeRef | undefined): string =>
  lattice && 'chainId' in lattice ? `LATTICE of ${quoted(lattice.name)}, chain ${lattice.chainId}` : 'as given'

/** A fingerprint from canonical bytes. */
export const fingerprintRows = (side: 'content' | 'acl', params: ContentParams): Row[] => [
  row(
    `${side}_fingerprint`,
    side === 'content' ? contentFingerprint(params) : aclFingerprint(params),
    `H("coalition ${side} v1|" ‖ ${quoted(params.schema)} ‖ "|" ‖ 0x${toHex(params.canonical)})`,
  ),
]

/** issuer_fp: what ACLs and the `iss` claim name. */
export const issuerRows = (issuer: TicketIssuerConfig): Row[] => {
  const canonical = `${quoted(issuer.name)}, [${issuer.keys.map(toHex).join(', ')}], ${toHex(issuer.acl)}`
  return [row('issuer_fp', issuerFingerprint(issuer), `H("coalition issuer v1|" ‖ canonical(${canonical}))`)]
}

/** A ticket's id under its class. */
export const ticketRows = (ticketClass: TicketClass, data: Bytes): Row[] => [
  row('class', ticketClass, 'as given'),
  row('ticket', ticketId({ class: ticketClass, data }), `derive(class, 0x${toHex(data)})`),
]

/** The first half of a TDX ticket's report_data. */
export const reportRows = (binding: Tdx.TicketBinding): Row[] => {
  const { peer, network, startedAt, quotedAt, expiresAt } = binding
  const inputs = [toHex(peer), toHex(network), `LE8(${startedAt})`, `LE8(${quotedAt})`, `LE8(${expiresAt ?? 0n})`]
  return [row('report_data[0..32]', Tdx.reportBinding(binding), chain('id("mosaik.tdx.ticket.extra")', inputs))]
}

/** Measurement criteria; `any` stands for the filler of an unset register. */
export const criteriaRows = (criteria: Tdx.MeasurementCriteria): Row[] => {
  const inputs = (['mrtd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const).map(
    (name) => `${name} ${criteria[name] ? toHex(criteria[name]) : 'any'}`,
  )
  return [row('criteria', Tdx.criteriaSignature(criteria), chain('id("mosaik.tee.tdx.measurements-criteria.v1")', inputs))]
}

/** A TDX validator, after the signatures of its baseline and variants. */
export const validatorRows = (config: Tdx.TdxValidatorConfig): Row[] => {
  const variants = config.variants.map((_, i) => `variant[${i}]`)
  const limits = [config.maxAge, config.notBefore, config.maxLifetime].map((seconds) => `LE8(${seconds ?? 0n})`)
  return [
    ...criteriaRows(config.baseline).map((each) => ({ ...each, name: 'baseline' })),
    ...config.variants.flatMap((criteria, i) => criteriaRows(criteria).map((each) => ({ ...each, name: `variant[${i}]` }))),
    row('validator', Tdx.validatorSignature(config), chain('id("mosaik.tee.tdx.ticket.v1")', ['baseline', ...variants, ...limits])),
  ]
}

const chain = (start: string, steps: readonly string[]): string => `${start} derived by ${steps.join(', ')}`
