import type { Header } from '../../groups/block.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { type Placed, pathOf, type Tips, type VerifiedRun, verifyTail } from '../../proofs/index.ts'
import { check } from '../../verify/checks.ts'
import type { Check } from '../../verify/verdict.ts'
import { type AnswerOf, MAX_LIST } from '../light/queries.ts'
import { CheckError, failed, type Ground, surfaceIn } from './trust.ts'

// Complete answers (PROTOCOL.md section 2), from pages that a server sent or a file kept. Nothing here asks anybody.

/** A key of an index and how much of it the server is told. */
export interface RunQuestion {
  readonly by: number
  readonly key: Bytes
  /** Bits of the key's path that are asked for: 256 is the key itself. */
  readonly bits: number
  readonly keysOf: (item: Bytes) => readonly Bytes[]
}

export interface RunAnswer {
  /** Every item that carries the key, ascending by position; none is proven too. */
  readonly items: readonly Placed[]
  /** Keys of the bucket. */
  readonly bucket: number
  /** The answers that prove it, in the order they were asked for: from the newest entries down. */
  readonly pages: readonly AnswerOf<'tail'>[]
}

/** Bits of a bucket of about 64 keys, from what the certified header says of the index (PROTOCOL.md section 3, "Disclosure"). */
export const bucketBits = (keys: bigint): number => {
  let bits = 0
  for (let rest = keys / 64n; rest > 1n && bits < 32; rest >>= 1n) bits++
  return bits
}

/**
 * The same answer from its pages alone, as somebody kept them.
 *
 * @throws CheckError answer.complete, for pages that are missing or too many as well
 */
export const verifyRun = (ground: Ground, header: Header, question: RunQuestion, pages: RunAnswer['pages']): RunAnswer => {
  const run = pages.reduce((sum, page) => addPage(ground, header, question, sum, page), NO_PAGES)
  if (!run.isWhole) throw new CheckError('answer.complete', 'pages down to the first entry of each key', `${pages.length} pages`)
  return run
}

/** Pages so far. */
export interface Pages extends RunAnswer {
  readonly isWhole: boolean
  /** Where the next page has to link to. */
  readonly upto: Tips
}

export const NO_PAGES: Pages = { items: [], bucket: 0, pages: [], isWhole: false, upto: new Map() }

export const addPage = (ground: Ground, header: Header, question: RunQuestion, sum: Pages, answer: AnswerOf<'tail'>): Pages => {
  if (sum.isWhole) throw new CheckError('answer.complete', `${sum.pages.length} pages`, 'more')
  const path = pathOf(question.key)
  const page = verifyPage(ground, header, question, answer, sum.upto)
  const isWhole = page.runs.every(({ start }) => start === 0n)
  if (!isWhole && page.runs.every(({ positions }) => positions.length === 0))
    throw new CheckError('answer.complete', 'an entry in each page', 'a page of none')
  const own = page.runs.find((run) => equal(run.path, path))
  const items = (own?.positions ?? []).map((position) => ({ position, item: page.items.get(position) as Bytes }))
  return {
    items: [...items, ...sum.items],
    bucket: page.runs.length,
    pages: [...sum.pages, answer],
    isWhole,
    upto: new Map(page.runs.map((run) => [toHex(run.path), { count: run.start, link: run.before }])),
  }
}

const verifyPage = (
  ground: Ground,
  header: Header,
  { by, key, bits, keysOf }: RunQuestion,
  answer: AnswerOf<'tail'>,
  upto: Tips,
): { readonly runs: readonly VerifiedRun[]; readonly items: ReadonlyMap<bigint, Bytes> } => {
  const { size, by: indexes } = surfaceIn(ground, header)
  const root = indexes[by]?.root
  if (root === undefined) throw new CheckError('commit.header', `an index ${by}`, `${indexes.length} indexes`)
  try {
    return verifyTail({ root, surfaceSize: size, bits, path: pathOf(key), answer, keysOf, upto, max: MAX_LIST })
  } catch (error) {
    // An item that does not decode is none that the committee committed to, and that is a check too; its DecodeError is the cause.
    throw failed('answer.complete', error)
  }
}

/** What a complete answer of so many items under an index of so many keys has passed. */
export const runChecks = (items: number, keys: bigint): readonly Check[] => {
  const none = `none: the key is absent among ${keys}`
  return [
    check('item.inclusion', 'passed', 'each item in the key’s chain of links', items === 0 ? none : `${items} items`),
    check(
      'answer.complete',
      'passed',
      items === 0 ? 'a proof that the index has no such key' : `the index’s count and link`,
      items === 0 ? none : `${items} items, link closed`,
    ),
  ]
}
