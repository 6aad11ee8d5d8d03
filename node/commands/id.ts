import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { parseConfig as parseCoalition } from '../../client/coalition/config.ts'
import { parseIssuer } from '../../client/coalition/tickets/config.ts'
import { parseConfig as parseConfluence } from '../../client/confluences/config.ts'
import { CoalitionError } from '../../client/error.ts'
import { type LatticeShapes, parseConfig as parseLattice } from '../../client/lattice/config.ts'
import { parseConfig as parseTally, shape as tallyShape } from '../../client/lattice/tally/config.ts'
import type { MeasurementCriteria, TdxValidatorConfig } from '../../client/network/tickets/tdx.ts'
import { JWT_CLASS, TDX_CLASS, type TicketClass } from '../../client/network/tickets/ticket.ts'
import { parseConfig as parseOrganism } from '../../client/organisms/reference.ts'
import { fromHex } from '../../client/primitives/bytes.ts'
import { asId, id } from '../../client/primitives/id.ts'
import * as read from '../../client/primitives/json.ts'
import { type Io, UsageError } from '../io.ts'
import * as rows from './id-rows.ts'

export const name = 'id'
export const summary = 'print any id with the inputs of its formula'
export const usage = `coalition id SUBJECT … [--json]

  text TEXT                         a UniqueId: 64 hex digits decoded, anything else hashed
  derive PARENT LABEL…              one level of derivation for each label
  lattice FILE                      LATTICE, six roots, configs and committees, lattice_id
  tally FILE                        a tally by its own config
  organism FILE                     a standalone organism
  confluence FILE                   a confluence or module
  coalition FILE                    COALITION, ROOT, its modules and ticket issuer
  fingerprint content|acl SCHEMA HEX
  issuer FILE                       issuer_fp of a ticket issuer
  ticket CLASS HEX                  CLASS: jwt, tdx, or what text takes
  tdx report PEER NETWORK STARTED QUOTED [EXPIRES]
  tdx criteria [mrtd=HEX] [rtmr0=HEX] … [rtmr3=HEX]
  tdx validator FILE                { baseline, variants, maxAge, notBefore, maxLifetime }

FILE is the JSON an operator publishes. Times are whole seconds. Exit: 0 printed, 1 refused, 2 unusable input.

  coalition id text mosaik.universe
  coalition id derive mosaik.universe module atlas
  coalition id fingerprint content 'tally content@1' 00
  coalition id ticket jwt 65794a68 --json`

/** Runs `coalition id`; argv starts after `id`. Resolves with the exit code, never rejects for anything in the input. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help) {
      io.out(usage)
      return 0
    }
    const [subject = '', ...words] = positionals
    const found = await rowsOf(subject, words)
    io.out(values.json ? JSON.stringify(found, null, 2) : table(found))
    return 0
  } catch (error) {
    return report(error, io)
  }
}

const rowsOf = async (subject: string, words: readonly string[]): Promise<readonly rows.Row[]> => {
  const one = SUBJECTS.get(subject)
  if (!one) throw new UsageError(subject === '' ? 'no subject given' : `no subject "${subject}"`)
  return one(words)
}

// Organisms whose content and ACL may be published by value; the others give fingerprints or canonical bytes.
const SHAPES: LatticeShapes = { tally: tallyShape }

type Subject = (words: readonly string[]) => readonly rows.Row[] | Promise<readonly rows.Row[]>

const SUBJECTS: ReadonlyMap<string, Subject> = new Map<string, Subject>([
  ['text', (words) => rows.textRows(take(words, 1)[0] as string)],
  ['derive', ([parent, ...labels]) => rows.deriveRows(...parentAndLabels(parent, labels))],
  ['lattice', async (words) => rows.latticeRows(parseLattice(await json(words), '$', SHAPES), SHAPES)],
  ['tally', async (words) => rows.tallyRows(parseTally(await json(words)))],
  ['organism', async (words) => rows.organismRows(parseOrganism(await json(words)))],
  ['confluence', async (words) => rows.confluenceRows(parseConfluence(await json(words)))],
  ['coalition', async (words) => rows.coalitionRows(parseCoalition(await json(words), '$', { lattices: SHAPES }))],
  ['issuer', async (words) => rows.issuerRows(parseIssuer({ value: await json(words), path: '$' }))],
  ['fingerprint', (words) => fingerprint(take(words, 3))],
  ['ticket', (words) => ticket(take(words, 2))],
  ['tdx', ([kind = '', ...words]) => tdx(kind, words)],
])

const fingerprint = ([side, schema = '', canonical = '']: readonly string[]): readonly rows.Row[] => {
  if (side !== 'content' && side !== 'acl') throw new UsageError(`"${side}" is neither content nor acl`)
  return rows.fingerprintRows(side, { schema, canonical: fromHex(canonical, 'HEX') })
}

const ticket = ([label = '', data = '']: readonly string[]): readonly rows.Row[] => {
  const known: TicketClass | undefined = label === 'jwt' ? JWT_CLASS : label === 'tdx' ? TDX_CLASS : undefined
  return rows.ticketRows(known ?? asId(id(label)), fromHex(data, 'HEX'))
}

const tdx = async (kind: string, words: readonly string[]): Promise<readonly rows.Row[]> => {
  if (kind === 'validator') return rows.validatorRows(validator({ value: await json(words), path: '$' }))
  if (kind === 'criteria') return rows.criteriaRows(criteria({ value: Object.fromEntries(words.map(assignment)), path: '$' }))
  if (kind !== 'report') throw new UsageError(`"${kind}" is not report, criteria or validator`)
  const [peer = '', network = '', startedAt, quotedAt, expiresAt] = take(words, 4, 5)
  return rows.reportRows({
    peer: fromHex(peer, 'PEER', 32),
    network: id(network),
    startedAt: seconds('STARTED', startedAt),
    quotedAt: seconds('QUOTED', quotedAt),
    expiresAt: expiresAt === undefined ? null : seconds('EXPIRES', expiresAt),
  })
}

const REGISTERS = ['mrtd', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const

// Registers as 96 hex digits; a key that is none of the five is unknown and tolerated, as in every published config (CFG-17).
const criteria = (from: read.Json): MeasurementCriteria =>
  Object.fromEntries(REGISTERS.map((register) => [register, bytesOrNone(read.optional(from, register))]))

const bytesOrNone = (from: read.Json | undefined) => from && read.bytes(from, 48)

const validator = (from: read.Json): TdxValidatorConfig => {
  const limit = (key: string): bigint | undefined => {
    const found = read.optional(from, key)
    return found && read.u64(found)
  }
  const variants = read.optional(from, 'variants')
  return {
    baseline: criteria(read.member(from, 'baseline')),
    variants: variants ? read.items(variants, criteria) : [],
    maxAge: limit('maxAge'),
    notBefore: limit('notBefore'),
    maxLifetime: limit('maxLifetime'),
  }
}

// On the command line nobody publishes for a later version: there an unknown register is a slip.
const assignment = (word: string): readonly [string, string] => {
  const [key = '', value] = word.split('=', 2)
  if (value === undefined || !(REGISTERS as readonly string[]).includes(key)) throw new UsageError(`"${word}" is not REGISTER=HEX`)
  return [key, value]
}

// Whole seconds as decimal text: mosaik folds i64 timestamps, and none of them is before 1970.
const seconds = (what: string, value: string | undefined): bigint => read.u64({ value, path: what })

const parentAndLabels = (parent: string | undefined, labels: readonly string[]): [string, readonly string[]] => {
  if (parent === undefined || labels.length === 0) throw new UsageError('derive takes a parent and at least one label')
  return [parent, labels]
}

/** The words of a subject, if their number fits: a word too many is more likely a missing quote than meant. */
const take = (words: readonly string[], least: number, most = least): readonly string[] => {
  if (words.length < least || words.length > most) throw new UsageError(`${words.length} arguments given, ${least} wanted`)
  return words
}

/** The one file of a subject, parsed. Its fields are checked by the reader of that config. */
const json = async (words: readonly string[]): Promise<unknown> => {
  const [file = ''] = take(words, 1)
  const raw = await readFile(file).catch((cause: unknown) => {
    throw new UsageError(`cannot read ${file}`, { cause })
  })
  try {
    // Fatal: a lenient decoder puts U+FFFD for bad bytes, and the name with it would have an id of its own.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw))
  } catch (cause) {
    throw new UsageError(`${file} is not JSON`, { cause })
  }
}

// One line for each id, so that grep and diff between two operators' outputs work.
const table = (found: readonly rows.Row[]): string => {
  const width = Math.max(...found.map((each) => each.name.length))
  return found.map((each) => `${each.name.padEnd(width)}  ${each.id}  = ${each.formula}`).join('\n')
}

// Well-formed input that the rules of identity refuse exits 1; everything that is no such input exits 2.
const REFUSALS: ReadonlySet<string> = new Set([
  'Identity.NameError',
  'Identity.FoldError',
  'Lattice.PartialError',
  'Lattice.ChainIdError',
  'Confluence.SpanError',
  'Coalition.DuplicateError',
  'Coalition.IssuerError',
])

const report = (error: unknown, io: Io): number => {
  const refused = error instanceof CoalitionError && [error, error.cause].some((each) => each instanceof Error && REFUSALS.has(each.name))
  // parseArgs throws TypeErrors with a code.
  const unusable = error instanceof CoalitionError || error instanceof UsageError || (error instanceof TypeError && 'code' in error)
  if (!unusable) throw error
  io.err(`coalition id: ${refused ? 'refused: ' : ''}${error.message}`)
  if (!refused) io.err('try: coalition id --help')
  return refused ? 1 : 2
}
