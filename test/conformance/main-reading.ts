// Section 5: an answer to each kind of query against the header it was asked at. The reader in client/network/reader asks for items, ranges,
// tails and headers of one vec; maps and commands nobody asks for yet. So the parts of client/ are put together here as docs/wire.md says.

import { commitHash, type Header } from '../../client/groups/block.ts'
import type { Answer, Query, QueryKind, QueryOf } from '../../client/network/light/queries.ts'
import { verifyLeaf } from '../../client/network/reader/opened.ts'
import { expectAnswer } from '../../client/network/reader/sync.ts'
import { CheckError } from '../../client/network/reader/trust.ts'
import { type Bytes, equal, toHex } from '../../client/primitives/bytes.ts'
import { type MapLeaf, pathOf, valueHash, verifyItem, verifyMap, verifyRange, verifyTail } from '../../client/proofs/index.ts'
import { hashLeaf, hashLeaves } from '../../wasm/core.ts'
import { rootOf } from './main-blocks.ts'

type KeysOf = (by: number, item: Bytes) => readonly Bytes[]

const isTree = (kind: number): boolean => kind === 0 || kind === 5

const surfaceAt = (header: Header, place: number, tree: boolean): Header['surfaces'][number] => {
  const surface = header.surfaces[place]
  if (surface === undefined || isTree(surface.kind) !== tree) {
    throw new CheckError('commit.header', `a ${tree ? 'tree' : 'map'} at ${place}`, surface === undefined ? 'none' : `kind ${surface.kind}`)
  }
  return surface
}

const differs = (what: string, expected: unknown, found: unknown): void => {
  if (expected !== found) throw new CheckError('item.inclusion', `${what} ${String(expected)}`, String(found))
}

const expectValue = (leaf: MapLeaf | undefined, named: Bytes, value: Bytes | null): void => {
  differs('presence', leaf !== undefined, value !== null)
  if (leaf === undefined || value === null) return
  differs('path', toHex(leaf.path), toHex(pathOf(named)))
  differs('value', toHex(leaf.value), toHex(valueHash(value)))
}

type Check<K extends QueryKind> = (header: Header, query: QueryOf<K>, answer: Answer, keysOf: KeysOf) => void

const item: Check<'item'> = (header, { surface, position }, answer) => {
  const { item: shown, proof } = expectAnswer(answer, 'item')
  differs('position', position, proof.position)
  verifyItem(surfaceAt(header, surface, true), proof, hashLeaf(shown))
}

const range: Check<'range'> = (header, { surface, from, to }, answer) => {
  const { items, proof } = expectAnswer(answer, 'range')
  differs('from', from, proof.from)
  differs('to at most as asked', true, proof.to <= to)
  verifyRange(surfaceAt(header, surface, true), proof, hashLeaves(items))
}

const key: Check<'key'> = (header, query, answer) => {
  const { value, proof } = expectAnswer(answer, 'key')
  const [leaf] = verifyMap(surfaceAt(header, query.surface, false).root, 256, pathOf(query.key), proof)
  expectValue(leaf, query.key, value)
}

const prefix: Check<'prefix'> = (header, { surface, bits, path }, answer) => {
  const { entries, proof } = expectAnswer(answer, 'prefix')
  const leaves = verifyMap(surfaceAt(header, surface, false).root, bits, path, proof)
  differs('entries', leaves.length, entries.length)
  for (const [i, entry] of entries.entries()) expectValue(leaves[i], entry.key, entry.value)
}

const tail: Check<'tail'> = (header, { surface, by, bits, path, max }, answer, keysOf) => {
  const { size, by: indexes } = surfaceAt(header, surface, true)
  const root = indexes[by]?.root
  if (root === undefined) throw new CheckError('commit.header', `an index ${by}`, 'none')
  const shown = expectAnswer(answer, 'tail')
  verifyTail({ root, surfaceSize: size, bits, path, answer: shown, keysOf: (each) => keysOf(by, each), max })
}

const header: Check<'header'> = (held, { index }, answer) => {
  const { header: found, proof } = expectAnswer(answer, 'header')
  verifyLeaf({ header: held }, index, commitHash(found), proof)
}

const commands: Check<'commands'> = (held, { index }, answer) => {
  const { header: found, proof, commands: list } = expectAnswer(answer, 'commands')
  verifyLeaf({ header: held }, index, commitHash(found), proof)
  const root = rootOf(list)
  if (!equal(root, found.commands)) throw new CheckError('commit.consistency', toHex(found.commands), toHex(root))
}

const CHECKS: { readonly [K in QueryKind]: Check<K> } = { item, range, key, prefix, tail, header, commands }

/** @throws CheckError or what a proof throws */
export const checkAnswer = (held: Header, query: Query, answer: Answer, keysOf: KeysOf): void =>
  CHECKS[query.kind](held, query.value as never, answer, keysOf)
