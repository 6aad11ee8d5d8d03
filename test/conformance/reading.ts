// docs/wire.md, section 5: what a reader checks in an answer. Every check is against a header that the reader holds already.

import { Refused } from './bcs.ts'
import { type Committee, checkCertificate, checkNext, commitHash, type Header, isTree, type Surface } from './blocks.ts'
import { checkRoster, rosterId, type Scope } from './committee.ts'
import { at, type Bytes, same } from './hash.ts'
import type { Answer, Commits, Opened, Query, Request } from './light.ts'
import { checkMap, pathOf, valueHash } from './map.ts'
import { checkPrefix, checkTail } from './tails.ts'
import { appendToEdge, checkItem, checkRange, type RangeProof, treeRoot } from './tree.ts'

export interface Reader {
  /** The header that `prove` named by `at`. */
  header: Header
  /** Which keys an item carries under index `by` of a surface. */
  keysOf: (surface: number, by: number, item: Bytes) => Bytes[]
  /** `before` of the run that `upto` continues. */
  continued: (path: Bytes) => Bytes | null
}

function surfaceOf(header: Header, place: number, tree: boolean): Surface {
  const surface = header.surfaces[place]
  if (surface === undefined) throw new Refused('surface', `no surface ${place}`)
  if (isTree(surface.kind) !== tree) throw new Refused('surface-kind', `surface ${place} is of kind ${surface.kind}`)
  return surface
}

/** Another header, by its commit hash under `log` of the one we hold: `log` has as many leaves as the index says. */
function checkLogged(held: Header, index: bigint, header: Header, proof: Parameters<typeof checkItem>[4]): void {
  if (header.index !== index) throw new Refused('index', `${header.index}, not ${index}`)
  checkItem(held.log, held.index, index, commitHash(header), proof)
}

export function checkAnswer(query: Query, answer: Answer, reader: Reader): void {
  const { header } = reader
  if (query.is === 'item' && answer.is === 'item') {
    const surface = surfaceOf(header, query.value.surface, true)
    checkItem(surface.root, surface.size, query.value.position, answer.value.item, answer.value.proof)
  } else if (query.is === 'range' && answer.is === 'range') {
    const surface = surfaceOf(header, query.value.surface, true)
    const { items, proof } = answer.value
    if (proof.from !== query.value.from) throw new Refused('range', `from ${proof.from}, not ${query.value.from}`)
    if (proof.to > query.value.to) throw new Refused('range', `to ${proof.to}, past ${query.value.to}`)
    checkRange(surface.root, surface.size, items, proof)
  } else if (query.is === 'key' && answer.is === 'key') {
    const surface = surfaceOf(header, query.value.surface, false)
    const leaf = checkMap(surface.root, pathOf(query.value.key), 256, answer.value.proof)[0]
    const { value } = answer.value
    if ((leaf === undefined) !== (value === null)) throw new Refused('presence', 'the value and the proof disagree on presence')
    if (leaf !== undefined && value !== null && !same(valueHash(value), leaf.value)) throw new Refused('value', 'another value')
  } else if (query.is === 'prefix' && answer.is === 'prefix') {
    const surface = surfaceOf(header, query.value.surface, false)
    checkPrefix(query.value.bits, query.value.path)
    const leaves = checkMap(surface.root, query.value.path, query.value.bits, answer.value.proof)
    const { entries } = answer.value
    if (entries.length !== leaves.length) throw new Refused('entry-count', `${entries.length} for ${leaves.length} leaves`)
    for (const [i, entry] of entries.entries()) {
      if (!same(pathOf(entry.key), at(leaves, i).path)) throw new Refused('entry-path', `entry ${i}`)
      if (!same(valueHash(entry.value), at(leaves, i).value)) throw new Refused('value', `entry ${i}`)
    }
  } else if (query.is === 'tail' && answer.is === 'tail') {
    const surface = surfaceOf(header, query.value.surface, true)
    const index = surface.by[query.value.by]
    if (index === undefined) throw new Refused('by', `no index ${query.value.by}`)
    const keysOf = (item: Bytes) => reader.keysOf(query.value.surface, query.value.by, item)
    checkTail(query.value, answer.value, { root: index.root, size: surface.size, keysOf, continued: reader.continued })
  } else if (query.is === 'header' && answer.is === 'header') {
    checkLogged(header, query.value.index, answer.value.header, answer.value.proof)
  } else if (query.is === 'commands' && answer.is === 'commands') {
    checkLogged(header, query.value.index, answer.value.header, answer.value.proof)
    if (!same(treeRoot(answer.value.commands), answer.value.header.commands)) throw new Refused('commands-root', 'another root')
  } else {
    throw new Refused('answer', `${answer.is} to ${query.is}`)
  }
}

export function checkProven(queries: Query[], answers: Answer[], reader: Reader): void {
  if (queries.length !== answers.length) throw new Refused('answer', `${answers.length} answers to ${queries.length} queries`)
  for (const [i, query] of queries.entries()) checkAnswer(query, at(answers, i), reader)
}

/** The chain of rosters from one that the reader trusts to the head. Returns the committee of the head. */
export function checkOpened(scope: Scope, from: Committee, request: Extract<Request, { is: 'open' }>['value'], opened: Opened): Committee {
  const { known, withstand } = request
  let committee = from
  for (const { certificate, roster } of opened.steps) {
    const { header } = certificate
    checkCertificate(certificate, committee, withstand)
    if (same(header.next, header.roster)) throw new Refused('step', 'not the last block of an epoch')
    const id = rosterId(scope, roster, header.prev)
    if (!same(id, header.next)) throw new Refused('step-roster', 'not the roster that the block names')
    if (roster.epoch !== committee.roster.epoch + 1) throw new Refused('step-epoch', `${roster.epoch} after ${committee.roster.epoch}`)
    checkRoster(roster)
    committee = { roster, id }
  }
  // With `more` the head may belong to an epoch that the steps do not reach yet: ask again before it is checked.
  if (opened.more) return committee
  checkCertificate(opened.head, committee, withstand)
  const head = opened.head.header
  if (opened.links.length !== known.length) throw new Refused('links', `${opened.links.length} for ${known.length} known`)
  for (const [i, link] of opened.links.entries()) {
    const { index, hash } = at(known, i)
    if (link !== null) checkItem(head.log, head.index, index, hash, link)
  }
  return committee
}

/** A watcher: the header verified last, and the right edge of each watched vec or stream at it. */
export interface Watcher {
  header: Header
  edges: Map<number, RangeProof>
}

export function checkCommits(
  watcher: Watcher,
  surfaces: number[],
  commits: Commits,
  committee: Committee,
  withstand: number | null,
): Watcher {
  const { headers, seal, appended } = commits
  if (appended.length !== headers.length) throw new Refused('appended', `${appended.length} for ${headers.length} headers`)
  let { header, edges } = watcher
  for (const [i, next] of headers.entries()) {
    checkNext(header, next)
    if (!same(next.roster, committee.id)) throw new Refused('epoch', `block ${next.index} is of another roster`)
    const lists = at(appended, i)
    if (lists.length !== surfaces.length) throw new Refused('appended', `${lists.length} lists for ${surfaces.length} surfaces`)
    const grown = new Map<number, RangeProof>()
    for (const [j, place] of surfaces.entries()) {
      const edge = edges.get(place)
      if (edge === undefined) throw new Error(`no edge of surface ${place}`)
      const after = appendToEdge(edge, at(lists, j))
      const surface = surfaceOf(next, place, true)
      if (surface.size !== after.edge.size) throw new Refused('size', `${surface.size}, not ${after.edge.size}`)
      if (!same(surface.root, after.root)) throw new Refused('root', `surface ${place} of block ${next.index}`)
      grown.set(place, after.edge)
    }
    header = next
    edges = grown
  }
  checkCertificate({ header, seal }, committee, withstand)
  return { header, edges }
}
