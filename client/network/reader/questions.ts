import { hash, hashLeaf, hashLeaves } from '../../../wasm/core.ts'
import { type Bytes, compare, equal, fromHex, toHex } from '../../primitives/bytes.ts'
import { pathOf, verifyItem, verifyRange } from '../../proofs/index.ts'
import { AnswerError, exchange } from '../light/client.ts'
import { BLOB_LIMITS } from '../light/messages.ts'
import { type AnswerOf, MAX_LIST, prefixOf } from '../light/queries.ts'
import type { Tail } from './recent.ts'
import { addPage, NO_PAGES, type RunAnswer, type RunQuestion } from './run.ts'
import { ask, expectAnswer, type Session } from './sync.ts'
import { CheckError, type Ground, surfaceIn, type Trusted, under } from './trust.ts'

// Questions to one server under one head that the reader trusts. What comes back was verified; whatever was not is thrown.

/** @throws CheckError item.inclusion */
export const fetchItem = async (ground: Ground, session: Session, { header }: Trusted, position: bigint): Promise<AnswerOf<'item'>> => {
  const { surface } = ground
  const [answer] = await ask(ground, session, header.index, [{ kind: 'item', value: { surface, position } }])
  const found = expectAnswer(answer, 'item')
  if (found.proof.position !== position) throw new CheckError('item.inclusion', `item ${position}`, `item ${found.proof.position}`)
  under('item.inclusion', () => verifyItem(surfaceIn(ground, header), found.proof, hashLeaf(found.item)))
  return found
}

/**
 * Items from `from` on: at least one, at most `most`, as many as the server puts in a frame; and the right edge before them.
 *
 * @throws CheckError item.inclusion
 */
export const fetchPage = async (ground: Ground, session: Session, { header }: Trusted, from: bigint, most: bigint): Promise<Tail> => {
  const { surface } = ground
  const head = surfaceIn(ground, header)
  const rest = head.size - from
  const to = from + (most < rest ? most : rest)
  const [answer] = await ask(ground, session, header.index, [{ kind: 'range', value: { surface, from, to } }])
  const { items, proof } = expectAnswer(answer, 'range')
  if (proof.from !== from || proof.to <= from || proof.to > to) {
    throw new CheckError('item.inclusion', `items from ${from}, at most to ${to}`, `${proof.from} … ${proof.to}`)
  }
  under('item.inclusion', () => verifyRange(head, proof, hashLeaves(items)))
  return { before: { size: from, edge: proof.left }, items }
}

/**
 * All items of a key, page by page downwards until nothing is left below.
 *
 * Every key of the bucket is read to its end, the one that is wanted and those that hide it: a reader who went on for one key only, or
 * stopped when that one was whole, would tell with its second request what the first one kept to itself.
 *
 * @throws CheckError answer.complete when anything was left out, added or moved
 */
export const fetchRun = async (ground: Ground, session: Session, { header }: Trusted, question: RunQuestion): Promise<RunAnswer> => {
  const { surface } = ground
  const { by, key, bits } = question
  const asked = prefixOf(pathOf(key), bits)
  for (let run = NO_PAGES; ; ) {
    const marks = [...run.upto].map(([name, { count }]) => ({ path: fromHex(name), count })).sort((a, b) => compare(a.path, b.path))
    const value = { surface, by, bits, path: asked, have: [], upto: marks, max: MAX_LIST }
    const [answer] = await ask(ground, session, header.index, [{ kind: 'tail', value }])
    run = addPage(ground, header, question, run, expectAnswer(answer, 'tail'))
    if (run.isWhole) return run
  }
}

/**
 * The bytes of that hash, page by page. No more is kept than what came, whatever total was announced.
 *
 * @param most bytes to take: a blob that says it is longer is not fetched
 * @throws CheckError evidence.inclusion when they hash to something else
 */
export const fetchBlob = async ({ host, link, signal }: Session, wanted: Bytes, most = Number(BLOB_LIMITS.total)): Promise<Bytes> => {
  let blob: Bytes = new Uint8Array(0)
  let total: bigint | null = null
  let size = 0
  while (total === null || BigInt(size) < total) {
    const page = await exchange(link, 'blob', { hash: wanted, offset: BigInt(size) }, { host, signal })
    total ??= page.total
    if (total > BigInt(most)) throw new AnswerError(`a blob of ${total} bytes, at most ${most}`)
    if (page.total !== total) throw new AnswerError(`a blob of ${page.total} bytes that had ${total}`)
    const end = size + page.bytes.length
    if (BigInt(end) > total || (page.bytes.length === 0 && BigInt(end) < total))
      throw new AnswerError(`${page.bytes.length} bytes at ${size} of ${total}`)
    blob = grown(blob, end, Number(total))
    blob.set(page.bytes, size)
    size = end
  }
  const found = hash(blob.subarray(0, size))
  if (!equal(found, wanted)) throw new CheckError('evidence.inclusion', toHex(wanted), toHex(found))
  return blob.slice(0, size)
}

const grown = (blob: Bytes, needed: number, total: number): Bytes => {
  if (needed <= blob.length) return blob
  const larger = new Uint8Array(Math.min(total, Math.max(needed, 2 * blob.length, BLOB_LIMITS.page)))
  larger.set(blob)
  return larger
}
