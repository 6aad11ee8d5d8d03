// Reads the vectors back from JSON alone and states what each entry claims: that something is accepted, or that it is refused under a
// rule. The generator and the test both run every claim, so an entry that lacks what is needed to check it does not get in.

import { decode, encode, type Json, Refused, type Type } from './bcs.ts'
import {
  Block,
  Certificate,
  Command,
  type Committee,
  checkAuthor,
  checkBlock,
  checkCertificate,
  checkLog,
  checkNext,
  commitHash,
  Header,
  Observation,
  observationMessage,
  repeats,
  takes,
} from './blocks.ts'
import { checkRoster, Roster, rosterId, type Scope } from './committee.ts'
import { CatalogRequest, CatalogResponse, HeadHint, Rumour, SignedEntry } from './discovery.ts'
import { cofactored, refusedSignature, verify } from './ed25519.ts'
import { type Bytes, hex, same, unhex } from './hash.ts'
import { Request, Response, unframe } from './light.ts'
import { PRIMITIVES, tryEncode } from './make-encoding.ts'
import { checkMap, MapProof } from './map.ts'
import { checkTail, TailAnswer, TailQuery } from './tails.ts'
import { Acl, BlockFacts, Content, MachineCommand, PaymentFact, PaymentProofs, Refund } from './tally.ts'
import { checkItem, checkRange, foldRange, foldTree, leafOf, RangeProof, TreeProof } from './tree.ts'

/** What an entry says, and how to find out. `rule` is null for what is accepted. */
export interface Claim {
  name: string
  rule: string | null
  run: () => void
}

// --- reading JSON

export type Value = Json | undefined
export function get(value: Value, ...path: (string | number)[]): Value {
  let here: Value = value
  for (const step of path) {
    if (Array.isArray(here)) here = here[Number(step)]
    else if (typeof here === 'object' && here !== null) here = here[step]
    else return undefined
  }
  return here
}
export function rows(value: Value, ...path: (string | number)[]): Json[] {
  const found = get(value, ...path)
  if (!Array.isArray(found)) throw new Error(`no list at ${path.join('.')}`)
  return found
}
export function string(value: Value, ...path: (string | number)[]): string {
  const found = get(value, ...path)
  if (typeof found !== 'string') throw new Error(`no text at ${path.join('.')}`)
  return found
}
export function number(value: Value, ...path: (string | number)[]): number {
  const found = get(value, ...path)
  if (typeof found !== 'number') throw new Error(`no number at ${path.join('.')}`)
  return found
}
export const bytesAt = (value: Value, ...path: (string | number)[]): Bytes => unhex(string(value, ...path))
export const scopeOf = (value: Value): Scope => ({ network: bytesAt(value, 'network'), group: bytesAt(value, 'group') })
export const read = <T>(type: Type<T>, value: Value, ...path: (string | number)[]): T => decode(type, bytesAt(value, ...path))

const ruleAt = (row: Json): string | null => {
  const found = get(row, 'rule')
  return typeof found === 'string' ? found : null
}
export const claims = (name: string, list: Json[], run: (row: Json) => void): Claim[] =>
  list.map((row, i) => ({
    name: `${name}[${i}] ${String(get(row, 'why') ?? get(row, 'name') ?? '')}`,
    rule: ruleAt(row),
    run: () => run(row),
  }))

export function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

// --- types by name

export const TYPES: Record<string, Type<unknown>> = {
  ...PRIMITIVES,
  Acl,
  Block,
  BlockFacts,
  CatalogRequest,
  CatalogResponse,
  Certificate,
  Command,
  Content,
  HeadHint,
  Header,
  MachineCommand,
  MapProof,
  Observation,
  PaymentFact,
  PaymentProofs,
  RangeProof,
  Refund,
  Request,
  Response,
  Roster,
  Rumour,
  SignedEntry,
  TailAnswer,
  TailQuery,
  TreeProof,
}

function typeNamed(name: string): Type<unknown> {
  const type = TYPES[name]
  if (type === undefined) throw new Error(`no type ${name}`)
  return type
}

/** Decodes, encodes again to the same bytes, and shows the same value. */
export function roundTrip<T>(type: Type<T>, row: Json): T {
  const value = read(type, row, 'hex')
  demand(hex(encode(type, value)) === string(row, 'hex'), 'encodes to other bytes')
  const shown = get(row, 'value')
  if (shown !== undefined && shown !== null) demand(JSON.stringify(type.show(value)) === JSON.stringify(shown), 'shows another value')
  return value
}

export const refusals = (name: string, list: Json[]): Claim[] =>
  claims(name, list, (row) => read(typeNamed(string(row, 'type')), row, 'hex'))
export const roundTrips = <T>(name: string, type: Type<T>, list: Json[]): Claim[] =>
  claims(name, list, (row) => {
    roundTrip(type, row)
  })

// --- sections 1 to 4

function encoding(all: Json): Claim[] {
  const part = get(all, 'encoding')
  return [
    ...claims('encoding.accepted', rows(part, 'accepted'), (row) => roundTrip(typeNamed(string(row, 'type')), row)),
    ...refusals('encoding.refused', rows(part, 'refused')),
    ...claims('encoding.unencodable', rows(part, 'unencodable'), (row) => tryEncode(string(row, 'type'), get(row, 'value'))),
    ...claims('encoding.frames.accepted', rows(part, 'frames', 'accepted'), (row) => {
      demand(JSON.stringify(unframe(bytesAt(row, 'stream')).map(hex)) === JSON.stringify(get(row, 'messages')), 'other messages')
    }),
    ...claims('encoding.frames.refused', rows(part, 'frames', 'refused'), (row) => {
      unframe(bytesAt(row, 'stream'))
    }),
  ]
}

function keys(all: Json): Claim[] {
  const part = get(all, 'rosters')
  return [
    ...claims('ed25519.cases', rows(all, 'ed25519', 'cases'), (row) => {
      const [key, message, signature] = [bytesAt(row, 'public'), bytesAt(row, 'message'), bytesAt(row, 'signature')]
      const why = refusedSignature(key, message, signature)
      demand(why === get(row, 'why') && (why === null) === get(row, 'valid'), `the verdict is ${why}`)
      demand(cofactored(key, message, signature) === get(row, 'cofactored'), 'the other verdict')
    }),
    ...claims('rosters.accepted', rows(part, 'accepted'), (row) => {
      const roster = roundTrip(Roster, row)
      checkRoster(roster)
      demand(hex(rosterId(scopeOf(part), roster, bytesAt(row, 'after'))) === string(row, 'id'), 'another id')
    }),
    ...claims('rosters.refused', rows(part, 'refused'), (row) => checkRoster(read(Roster, row, 'hex'))),
  ]
}

function blocks(all: Json): Claim[] {
  const commands = get(all, 'commands')
  const headers = (name: string) =>
    claims(name, rows(all, name), (row) => {
      demand(hex(commitHash(roundTrip(Header, row))) === string(row, 'commitHash'), 'another commit hash')
    })
  const certificates = get(all, 'certificates')
  const committees = new Map(
    rows(certificates, 'committees').map((row): [number, Committee] => [
      number(row, 'members'),
      { roster: read(Roster, row, 'roster'), id: bytesAt(row, 'id') },
    ]),
  )
  const certificate = (row: Json) => {
    const committee = committees.get(number(row, 'members'))
    if (committee === undefined) throw new Error('no such committee')
    const withstand = get(row, 'withstand')
    checkCertificate(read(Certificate, row, 'hex'), committee, typeof withstand === 'number' ? withstand : null)
  }
  const observations = get(all, 'observations')
  const next = get(all, 'blocks', 'next')
  const follows = (row: Json) => {
    const [genesis, parent, header] = [read(Header, next, 'genesis'), read(Header, next, 'parent'), read(Header, row, 'hex')]
    checkNext(parent, header)
    checkLog([genesis, parent], header)
  }
  return [
    ...headers('headers'),
    ...headers('genesis'),
    ...claims('commands.accepted', rows(commands, 'accepted'), (row) => checkAuthor(scopeOf(commands), roundTrip(Command, row))),
    ...claims('commands.badAuthors', rows(commands, 'badAuthors'), (row) => checkAuthor(scopeOf(commands), read(Command, row, 'hex'))).map(
      (claim) => ({ ...claim, rule: 'author' }),
    ),
    ...claims('commands.terms', rows(commands, 'terms'), (row) => {
      demand(takes(BigInt(string(row, 'index')), BigInt(string(row, 'until'))) === get(row, 'taken'), 'the other answer')
    }),
    ...claims('commands.repeats', rows(commands, 'repeats'), (row) => {
      const before = rows(row, 'before').map((each) => BigInt(string(each)))
      demand(repeats(BigInt(string(row, 'index')), before) === get(row, 'repeats'), 'the other answer')
    }),
    ...refusals('commands.refused', rows(commands, 'refused')),
    ...claims('blocks.accepted', rows(all, 'blocks', 'accepted'), (row) => checkBlock(scopeOf(get(all, 'blocks')), roundTrip(Block, row))),
    ...claims('blocks.refused', rows(all, 'blocks', 'refused'), (row) => checkBlock(scopeOf(get(all, 'blocks')), read(Block, row, 'hex'))),
    ...claims('blocks.next.accepted', rows(next, 'accepted'), follows),
    ...claims('blocks.next.refused', rows(next, 'refused'), follows),
    ...claims('votes', rows(all, 'votes', 'votes'), (row) => {
      demand(verify(bytesAt(row, 'public'), bytesAt(row, 'message'), bytesAt(row, 'signature')), 'the signature')
    }),
    ...claims('certificates.accepted', rows(certificates, 'accepted'), certificate),
    ...claims('certificates.refused', rows(certificates, 'refused'), certificate),
    ...claims('observations', rows(observations, 'observations'), (row) => {
      const message = observationMessage(roundTrip(Observation, row))
      demand(hex(message) === string(row, 'message'), 'another message')
      demand(verify(bytesAt(observations, 'public'), message, bytesAt(row, 'signature')), 'the signature')
    }),
  ]
}

const limits = (all: Json): Claim[] => [
  ...claims('limits.accepted', rows(all, 'limits', 'accepted'), (row) => roundTrip(typeNamed(string(row, 'type')), row)),
  ...refusals('limits.refused', rows(all, 'limits', 'refused')),
]

function trees(all: Json): Claim[] {
  const part = get(all, 'trees')
  const items = rows(part, 'items').map((item) => bytesAt(item))
  const rootOf = (size: number): Bytes => {
    const row = rows(part, 'roots').find((each) => get(each, 'size') === size)
    return bytesAt(row, 'root')
  }
  return [
    ...claims('trees.proofs', rows(part, 'proofs'), (row) => {
      const [size, position] = [number(row, 'size'), number(row, 'position')]
      checkItem(rootOf(size), BigInt(size), BigInt(position), items[position] ?? unhex(''), roundTrip(TreeProof, row))
    }),
    ...claims('trees.ranges', rows(part, 'ranges'), (row) => {
      const proof = roundTrip(RangeProof, row)
      demand(proof.from === BigInt(number(row, 'from')) && proof.to === BigInt(number(row, 'to')), 'another range')
      checkRange(rootOf(number(row, 'size')), BigInt(number(row, 'size')), items.slice(number(row, 'from'), number(row, 'to')), proof)
    }),
    ...claims('trees.folds', rows(part, 'folds'), (row) => {
      const root =
        get(row, 'proof') === 'TreeProof'
          ? foldTree(leafOf(bytesAt(row, 'item')), roundTrip(TreeProof, row))
          : foldRange(
              rows(row, 'items').map((item) => leafOf(bytesAt(item))),
              roundTrip(RangeProof, row),
            )
      demand(same(root, bytesAt(row, 'root')), 'another root')
    }),
    ...claims('trees.refusedProofs', rows(part, 'refusedProofs'), (row) =>
      checkItem(
        bytesAt(row, 'root'),
        BigInt(number(row, 'size')),
        BigInt(number(row, 'position')),
        bytesAt(row, 'item'),
        read(TreeProof, row, 'hex'),
      ),
    ),
    ...claims('trees.refusedRanges', rows(part, 'refusedRanges'), (row) =>
      checkRange(
        bytesAt(row, 'root'),
        BigInt(number(row, 'size')),
        rows(row, 'items').map((item) => bytesAt(item)),
        read(RangeProof, row, 'hex'),
      ),
    ),
  ]
}

function maps(all: Json): Claim[] {
  const part = get(all, 'maps')
  const proof = (row: Json) => {
    const root = bytesAt(part, 'maps', number(row, 'map'), 'root')
    const shown = checkMap(root, bytesAt(row, 'path'), number(row, 'bits'), roundTrip(MapProof, row))
    demand(JSON.stringify(shown.map((leaf) => hex(leaf.path))) === JSON.stringify(get(row, 'shows')), 'shows other leaves')
  }
  return [
    ...claims('maps.keys', rows(part, 'keys'), proof),
    ...claims('maps.prefixes', rows(part, 'prefixes'), proof),
    ...claims('maps.refused', rows(part, 'refused'), (row) => {
      checkMap(bytesAt(row, 'root'), bytesAt(row, 'path'), number(row, 'bits'), read(MapProof, row, 'hex'))
    }),
  ]
}

function indexes(all: Json): Claim[] {
  const part = get(all, 'indexes')
  const items = rows(part, 'items')
  const keysOf = (item: Bytes): Bytes[] =>
    rows(
      items.find((each) => string(each, 'item') === hex(item)),
      'keys',
    ).map((key) => bytesAt(key))
  const tail = (row: Json) => {
    const link = (path: Bytes) => rows(row, 'continued').find((each) => string(each, 'path') === hex(path))
    checkTail(read(TailQuery, row, 'query'), read(TailAnswer, row, 'answer'), {
      root: bytesAt(part, 'root'),
      size: BigInt(items.length),
      keysOf,
      continued: (path) => (link(path) === undefined ? null : bytesAt(link(path), 'link')),
    })
  }
  return [...claims('indexes.tails', rows(part, 'tails'), tail), ...claims('indexes.refused', rows(part, 'refused'), tail)]
}

export const firstClaims = (all: Json): Claim[] => [
  ...encoding(all),
  ...keys(all),
  ...blocks(all),
  ...limits(all),
  ...trees(all),
  ...maps(all),
  ...indexes(all),
]

/** What went wrong with a claim, or null. */
export function failure({ name, rule, run }: Claim): string | null {
  try {
    run()
  } catch (error) {
    const found = error instanceof Refused ? error.rule : `no refusal: ${String(error)}`
    return found === rule ? null : `${name}: ${rule === null ? 'refused' : `refused under ${rule}`}, found ${found} (${String(error)})`
  }
  return rule === null ? null : `${name}: not refused (${rule})`
}
