import { hash, hashLeaf } from '../../../wasm/core.ts'
import type { Binding } from '../../network/binding.ts'
import { blobBehind, datumOf, itemCodec } from '../../network/reader/item.ts'
import { runChecks, verifyRun } from '../../network/reader/run.ts'
import { CheckError, type Ground, surfaceIn, type Trusted, under } from '../../network/reader/trust.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { decode } from '../../primitives/codec.ts'
import { ParseError } from '../../primitives/json.ts'
import { verifyItem } from '../../proofs/index.ts'
import { check } from '../checks.ts'
import type { Check } from '../verdict.ts'
import type { Claim } from './read.ts'

/** A surface, the config that a file names it by, and the ground that follows from both. */
export interface Place {
  readonly binding: Binding<unknown>
  readonly config: unknown
  readonly ground: Ground
}

/** A value and the checks that it passed, beside those of the head that it stands under. */
export interface Checked {
  readonly value: unknown
  /** What was asked, where it is an answer. */
  readonly asked: { readonly question: string; readonly key: string } | null
  readonly position: bigint | null
  readonly checks: readonly Check[]
}

/** A verified head. */
type Headed = Pick<Trusted, 'header'>

type ClaimOf<K extends Claim['kind']> = Extract<Claim, { readonly kind: K }>

/** @throws CheckError item.inclusion, evidence.inclusion */
export const checkItem = (
  place: Place,
  { header }: Headed,
  { answer: { item, proof }, blob }: Pick<ClaimOf<'item'>, 'answer' | 'blob'>,
): Checked => {
  const { binding, ground } = place
  const surface = surfaceIn(ground, header)
  const { position } = proof
  const value = under('item.inclusion', () => {
    verifyItem(surface, proof, hashLeaf(item))
    return datumOf(binding, { item, position })
  })
  const included = check(
    'item.inclusion',
    'passed',
    `item ${position} under the surface’s root`,
    `one of ${surface.size} in block ${header.index}`,
  )
  return { value, asked: null, position, checks: [included, ...checkBlob(place, item, blob)] }
}

/** The raw evidence of an item, held against it. */
const checkBlob = ({ binding, config }: Place, item: Bytes, blob: Bytes | null): readonly Check[] => {
  const shown = blobBehind(binding, item, config)
  if (shown === null && blob !== null) throw new ParseError('$.blob', 'is there, and the item points at none')
  if (shown === null) return []
  const expected = `a blob of hash ${toHex(shown.hash)} that proves the item`
  if (blob === null) return [check('evidence.inclusion', 'unproven', expected, 'none in the file')]
  const found = hash(blob)
  if (!equal(found, shown.hash)) throw new CheckError('evidence.inclusion', toHex(shown.hash), toHex(found))
  under('evidence.inclusion', () => shown.check(blob))
  return [check('evidence.inclusion', 'passed', expected, `${blob.length} bytes that do`)]
}

/** @throws CheckError item.inclusion, answer.complete; ParseError for a question that the surface does not answer */
export const checkAnswer = ({ binding, ground }: Place, { header }: Headed, claim: ClaimOf<'answer'>): Checked => {
  const { question: name, key, bits, answers } = claim
  // An own property only: a file may ask for `constructor`.
  const question = Object.hasOwn(binding.questions, name) ? binding.questions[name] : undefined
  if (question === undefined) throw new ParseError('$.question', `is no question of ${binding.name}`)
  const { by } = question
  const index = binding.specs[binding.surface]?.by[by]
  const keysOf = (item: Bytes) => index?.keys(decode(itemCodec(binding), item) as never) ?? []
  const keys = surfaceIn(ground, header).by[by]?.keys ?? 0n
  if (keys === 0n && answers.length > 0)
    throw new CheckError('answer.complete', 'no answer from an index without keys', `${answers.length}`)
  const items = keys === 0n ? [] : verifyRun(ground, header, { by, key, bits, keysOf }, answers).items
  const value = under('answer.complete', () => question.answer(items.map((placed) => datumOf(binding, placed))))
  return { value, asked: { question: name, key: toHex(key) }, position: null, checks: runChecks(items.length, keys) }
}
