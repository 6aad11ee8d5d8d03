import { CoalitionError } from '../../error.ts'
import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { decode } from '../../primitives/codec.ts'
import { check } from '../../verify/checks.ts'
import type { Binding, Question } from '../binding.ts'
import type { AskOptions, Ref, Verified } from '../handle.ts'
import { assure, refuse } from './assurance.ts'
import { consult } from './consult.ts'
import { datumOf, itemCodec, refOf } from './item.ts'
import { placedAt, present, type Read } from './present.ts'
import { fetchBlob, fetchRun } from './questions.ts'
import { bucketBits, type RunAnswer, runChecks } from './run.ts'
import type { Session } from './sync.ts'
import { failed, surfaceIn, type Trusted } from './trust.ts'

/** Options of a question with the signal that ends with its handle too. */
export type Asking = AskOptions & { readonly signal: AbortSignal }

/**
 * A question of the surface by its name; `evidence` is one where the binding has any, and its argument an item's Ref.
 *
 * @throws HandleError for another name, and as `consult`
 */
export const answer = async <T>(read: Read<T>, name: string, argument: unknown, options: Asking): Promise<Verified<unknown>> => {
  const { binding } = read
  if (name === 'evidence' && binding.evidence !== undefined) return evidence(read, argument, options.signal)
  const question = questionOf(binding, name)
  const { trusted, keys, items, disclosed } = await askRun(read, question, question.key(argument), options)
  const { header, commit } = trusted
  const verdict = assure(read.reader.standing(trusted), { checks: runChecks(items.length, keys), disclosed, header, commit })
  return { value: question.answer(items.map((placed) => datumOf(binding, placed))), ref: refOf(binding, verdict, null), verdict }
}

/** @throws HandleError for a name that the surface does not list; own properties only, since a page may ask for `constructor` */
export const questionOf = <T>({ name: surface, questions }: Binding<T>, name: string): Question<T> => {
  const question = Object.hasOwn(questions, name) ? questions[name] : undefined
  if (question === undefined) throw new HandleError(`${surface} answers no question of the name ${JSON.stringify(name.slice(0, 64))}`)
  return question
}

/** What an index holds of a key, whole, and the head that proves it. */
export interface Asked extends Pick<RunAnswer, 'items' | 'pages'> {
  readonly trusted: Trusted
  /** Keys of the whole index. */
  readonly keys: bigint
  readonly bits: number
  readonly disclosed: string
}

/** A question that an index answers completely: `answer.complete` holds, or this throws. */
export const askRun = async <T>(read: Read<T>, question: Question<T>, key: Bytes, { signal, disclose }: Asking): Promise<Asked> => {
  const { reader, binding } = read
  const { ground } = reader.options
  const { by, bucket } = question
  const index = binding.specs[binding.surface]?.by[by]
  const codec = itemCodec(binding)
  const keysOf = (item: Bytes) => index?.keys(decode(codec, item) as never) ?? []
  const sizeOf = ({ header }: Trusted) => {
    const keys = surfaceIn(ground, header).by[by]?.keys ?? 0n
    return { keys, bits: disclose === true || !bucket ? 256 : bucketBits(keys) }
  }
  const fetch = async (session: Session, trusted: Trusted): Promise<Asked> => {
    const { keys, bits } = sizeOf(trusted)
    // An index without keys is proven empty by the header alone: nobody is asked.
    if (keys === 0n) return { trusted, keys, bits, items: [], pages: [], disclosed: 'nothing' }
    const found = await fetchRun(ground, session, trusted, { by, key, bits, keysOf })
    return { ...found, trusted, keys, bits, disclosed: bits === 256 ? 'this key' : `bucket of ${found.bucket}` }
  }
  return consult(reader, fetch, { signal, discloses: (trusted) => toldBy(sizeOf(trusted)) })
}

/** What a question tells before its answer: how many keys are in the bucket, only the answer proves. */
const toldBy = ({ keys, bits }: Pick<Asked, 'keys' | 'bits'>): string => {
  if (keys === 0n) return 'nothing'
  return bits === 256 ? 'this key' : `bucket of about ${keys >> BigInt(bits)}`
}

/**
 * The blob behind an item, held against the item: what the committee committed to is shown to follow from the outside. A blob is asked for
 * by its hash, which tells the server which item is looked at.
 */
const evidence = async <T>(read: Read<T>, argument: unknown, signal: AbortSignal): Promise<Verified<unknown>> => {
  const { reader, binding, config } = read
  const position = await positionOf(read, argument, signal)
  const placed = await placedAt(read, position, signal)
  const shown = binding.evidence?.(decode(itemCodec(binding), placed.item) as never, config)
  if (shown === undefined) throw new HandleError(`${binding.name} has no evidence`)
  const blob = await consult(reader, (session) => fetchBlob(session, shown.hash), { signal, discloses: () => 'this key' })
  const { header, commit } = placed
  const standing = reader.standing(reader.trusted as Trusted)
  try {
    const value = shown.check(blob)
    const passed = check(
      'evidence.inclusion',
      'passed',
      `a blob of hash ${toHex(shown.hash)} that proves the item`,
      `${blob.length} bytes that do`,
    )
    const { ref, verdict } = present(read, placed)
    const own = verdict.integrity.checks.filter(({ name }) => name === 'item.inclusion')
    return { value, ref, verdict: assure(standing, { checks: [...own, passed], disclosed: 'this key', header, commit }) }
  } catch (error) {
    // The hash is committed to, so this is no server's lie: the item itself does not follow from its evidence.
    throw refuse(standing, failed('evidence.inclusion', error), 'this key')
  }
}

/** The position that a Ref names. It may come from a page, or from another group's handle. @throws HandleError */
export const positionOf = async ({ reader, binding }: Read<unknown>, argument: unknown, signal: AbortSignal): Promise<bigint> => {
  const group = toHex(reader.options.ground.identified.group)
  const ref = (typeof argument === 'object' && argument !== null ? argument : {}) as { readonly [K in keyof Ref]?: unknown }
  if (ref.group !== group || ref.surface !== binding.name) throw new HandleError('the ref is of another group or surface')
  if (typeof ref.position !== 'string' || !/^\d{1,20}$/.test(ref.position)) throw new HandleError('the ref names no item')
  const position = BigInt(ref.position)
  const { edge } = await reader.until(() => reader.trusted, signal)
  if (position >= edge.size) throw new HandleError(`position ${position} of ${edge.size}`)
  return position
}

/** A handle that was closed, or asked for what it does not have. */
export class HandleError extends CoalitionError {
  declare readonly problem: string

  constructor(problem: string) {
    super('Network.HandleError', problem, { problem })
  }
}
