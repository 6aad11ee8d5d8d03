import { isError } from '../../error.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import type { Evidence } from '../../verify/evidence/format.ts'
import type { Chain } from '../../verify/evidence/read.ts'
import { checkItem } from '../../verify/evidence/value.ts'
import { answerEvidence, equivocationEvidence, itemEvidence, type Origin } from '../../verify/evidence/write.ts'
import type { Verdict } from '../../verify/verdict.ts'
import { type Asking, askRun, HandleError, positionOf, questionOf } from './ask.ts'
import { assure } from './assurance.ts'
import { consult } from './consult.ts'
import { blobBehind } from './item.ts'
import type { Read } from './present.ts'
import { fetchBlob, fetchItem } from './questions.ts'
import { runChecks } from './run.ts'
import { certificateOf, type Trusted } from './trust.ts'

/**
 * A value with everything that it rests on, under the head of now: asked for again, since a reader keeps what it verified and not the proofs.
 *
 * @param subject from a page: hostile
 * @throws HandleError for a subject that is none, and as the question itself
 */
export const exportOf = async (read: Read<unknown>, subject: unknown, options: Asking): Promise<Evidence> => {
  const { ref, question, argument } = (typeof subject === 'object' && subject !== null ? subject : {}) as Partial<
    Record<'ref' | 'question' | 'argument', unknown>
  >
  if (ref !== undefined) return exportItem(read, ref, options)
  if (typeof question === 'string') return exportAnswer(read, question, argument, options)
  throw new HandleError('what is to be exported is neither a ref nor a question')
}

const exportItem = async (read: Read<unknown>, ref: unknown, { signal }: Asking): Promise<Evidence> => {
  const { reader, binding, config } = read
  const { ground } = reader.options
  const position = await positionOf(read, ref, signal)
  const { trusted, answer } = await consult(
    reader,
    async (session, trusted) => ({ trusted, answer: await fetchItem(ground, session, trusted, position) }),
    { signal, discloses: () => 'this key' },
  )
  const blob = await blobOf(read, answer.item, signal)
  // By the code that will check the file: what would not pass is not exported.
  const { checks } = checkItem({ binding, config, ground }, trusted, { answer, blob })
  const { header, commit } = trusted
  const verdict = assure(reader.standing(trusted), { checks, disclosed: 'this key', header, commit })
  return itemEvidence(originOf(read, verdict), chainOf(trusted), answer, blob)
}

/** The raw evidence of an item; null where it has none, or where nobody holds it any more. */
const blobOf = async ({ reader, binding, config }: Read<unknown>, item: Bytes, signal: AbortSignal): Promise<Bytes | null> => {
  const shown = blobBehind(binding, item, config)
  if (shown === null) return null
  try {
    return await consult(reader, (session) => fetchBlob(session, shown.hash), { signal, discloses: () => 'this key' })
  } catch (error) {
    if (isError(error, 'Light.ServerError')) return null
    throw error
  }
}

const exportAnswer = async (read: Read<unknown>, name: string, argument: unknown, options: Asking): Promise<Evidence> => {
  const { reader, binding } = read
  const question = questionOf(binding, name)
  const key = question.key(argument)
  const { trusted, keys, bits, items, pages, disclosed } = await askRun(read, question, key, options)
  const { header, commit } = trusted
  const verdict = assure(reader.standing(trusted), { checks: runChecks(items.length, keys), disclosed, header, commit })
  return answerEvidence(originOf(read, verdict), chainOf(trusted), { question: name, key, bits }, pages)
}

/** The proof against a committee that signed two histories; null as long as none did. */
export const equivocationOf = (read: Read<unknown>): Evidence | null => {
  const { equivocation } = read.reader
  return equivocation && equivocationEvidence(originOf(read, equivocation.verdict), equivocation.fork)
}

const originOf = ({ reader, binding, config }: Read<unknown>, verdict: Verdict | null): Origin => ({
  network: reader.options.ground.identified.network,
  surface: binding.name,
  config: binding.published(config),
  verdict,
})

const chainOf = (trusted: Trusted): Chain => {
  const certificate = certificateOf(trusted)
  if (certificate === null) throw new HandleError('no head is certified yet')
  return { steps: trusted.steps, certificate }
}
