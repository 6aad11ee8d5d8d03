import { type Certificate, certificateCodec, type Header, headerCodec } from '../../groups/block.ts'
import { type EpochStep, MAX_HEADERS, stepCodec } from '../../network/light/messages.ts'
import { type Answer, type AnswerOf, answerCodec } from '../../network/light/queries.ts'
import type { Branch, Fork, ForkLink } from '../../network/reader/fork.ts'
import { type Bytes, fromHex } from '../../primitives/bytes.ts'
import { type Codec, decode } from '../../primitives/codec.ts'
import { asId, type UniqueId } from '../../primitives/id.ts'
import * as read from '../../primitives/json.ts'
import { TreeProof } from '../../proofs/index.ts'
import { FORMAT } from './format.ts'

// From a hostile file to values whose form is right. Nothing is proven here; an error names the place in the file.

/**
 * Bounds of work that a file could ask for: handovers and pages are each followed one by one, and admitting a member's two keys takes some
 * 3 ms, so that a file of somebody's own making costs half a minute at most.
 */
const MOST = { steps: 1_024, seats: 8_192, answers: 256, headers: MAX_HEADERS } as const

/** How trust gets from the config to a certified head. */
export interface Chain {
  readonly steps: readonly EpochStep[]
  readonly certificate: Certificate
}

export type Claim =
  | ({ readonly kind: 'item'; readonly answer: AnswerOf<'item'>; readonly blob: Bytes | null } & Chain)
  | ({
      readonly kind: 'answer'
      readonly question: string
      readonly key: Bytes
      readonly bits: number
      readonly answers: readonly AnswerOf<'tail'>[]
    } & Chain)
  | ({ readonly kind: 'equivocation' } & Fork)

/** A file's content, decoded. */
export interface Read {
  readonly network: UniqueId
  readonly surface: string
  readonly config: unknown
  readonly claim: Claim
}

/** @throws ParseError naming the path in the file */
export const readEvidence = (json: unknown): Read => {
  const whole = { value: json, path: '$' }
  const format = read.text(read.member(whole, 'format'))
  if (format !== FORMAT) throw new read.ParseError('$.format', `is not "${FORMAT}", the only format known here`)
  return {
    network: asId<'UniqueId'>(bytesAt(read.member(whole, 'network'), 32)),
    surface: short(read.member(whole, 'surface')),
    config: read.member(whole, 'config').value,
    claim: claimAt(whole),
  }
}

const claimAt = (whole: read.Json): Claim => {
  const kind = read.member(whole, 'kind')
  switch (kind.value) {
    case 'item': {
      const blob = read.optional(whole, 'blob')
      return { kind: 'item', ...chainAt(whole), answer: answerAt(read.member(whole, 'answer'), 'item'), blob: blob ? bytesAt(blob) : null }
    }
    case 'answer':
      return {
        kind: 'answer',
        ...chainAt(whole),
        question: short(read.member(whole, 'question')),
        key: bytesAt(read.member(whole, 'key')),
        bits: Number(read.u64(read.member(whole, 'bits'))),
        answers: listAt(read.member(whole, 'answers'), MOST.answers, (json) => answerAt(json, 'tail')),
      }
    case 'equivocation':
      return { kind: 'equivocation', index: read.u64(read.member(whole, 'index')), branches: branchesAt(read.member(whole, 'histories')) }
    default:
      throw new read.ParseError(kind.path, 'is none of item, answer, equivocation')
  }
}

const branchesAt = (json: read.Json): Fork['branches'] => {
  const [first, second, ...more] = listAt(json, 2, branchAt)
  if (first === undefined || second === undefined || more.length > 0) throw new read.ParseError(json.path, 'are not two histories')
  return [first, second]
}

const branchAt = (json: read.Json): Branch => ({ commit: bytesAt(read.member(json, 'commit'), 32), ...chainAt(json), link: linkAt(json) })

const linkAt = (json: read.Json): ForkLink | null => {
  const [proof, headers] = [read.optional(json, 'proof'), read.optional(json, 'headers')]
  if (proof !== undefined && headers !== undefined) throw new read.ParseError(json.path, 'has both a proof and headers')
  if (proof !== undefined) return { kind: 'leaf', proof: decodeAt(TreeProof, proof) }
  if (headers === undefined) return null
  return { kind: 'headers', headers: listAt(headers, MOST.headers, (header): Header => decodeAt(headerCodec, header)) }
}

const chainAt = (json: read.Json): Chain => ({
  steps: stepsAt(read.member(json, 'steps')),
  certificate: decodeAt(certificateCodec, read.member(json, 'certificate')),
})

const stepsAt = (json: read.Json): readonly EpochStep[] => {
  const steps = listAt(json, MOST.steps, (step) => decodeAt(stepCodec, step))
  const seats = steps.reduce((sum, { roster }) => sum + roster.members.length, 0)
  if (seats > MOST.seats) throw new read.ParseError(json.path, `${seats} members in all rosters, at most ${MOST.seats}`)
  return steps
}

const answerAt = <K extends Answer['kind']>(json: read.Json, kind: K): AnswerOf<K> => {
  const answer = decodeAt(answerCodec, json)
  if (answer.kind !== kind) throw new read.ParseError(json.path, `is an answer to ${answer.kind}, not to ${kind}`)
  return answer.value as AnswerOf<K>
}

/** A list of at most `most`: counted before anything of it is decoded. */
const listAt = <T>(json: read.Json, most: number, one: (item: read.Json) => T): T[] => {
  if (Array.isArray(json.value) && json.value.length > most) throw new read.ParseError(json.path, `${json.value.length} of at most ${most}`)
  return read.items(json, one)
}

/** A name: what is longer was made by nobody. */
const short = (json: read.Json): string => {
  const text = read.text(json)
  if (text.length > 64) throw new read.ParseError(json.path, 'is longer than 64 characters')
  return text
}

// One form only: a file with capitals or a prefix would be another file that says the same.
const bytesAt = (json: read.Json, length?: number): Bytes => {
  const text = read.text(json)
  if (/[^0-9a-f]/.test(text)) throw new read.ParseError(json.path, 'is not lowercase hex')
  return at(json.path, () => fromHex(text, json.path, length))
}

const decodeAt = <T>(codec: Codec<T>, json: read.Json): T => {
  const bytes = bytesAt(json)
  return at(json.path, () => decode(codec, bytes))
}

const at = <T>(path: string, run: () => T): T => {
  try {
    return run()
  } catch (cause) {
    throw new read.ParseError(path, cause instanceof Error ? cause.message : String(cause), cause)
  }
}
