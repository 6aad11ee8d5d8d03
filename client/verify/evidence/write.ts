import { certificateCodec, headerCodec } from '../../groups/block.ts'
import { stepCodec } from '../../network/light/messages.ts'
import { type AnswerOf, answerCodec } from '../../network/light/queries.ts'
import type { Branch, Fork } from '../../network/reader/fork.ts'
import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { type Codec, encode } from '../../primitives/codec.ts'
import { TreeProof } from '../../proofs/index.ts'
import type { Verdict } from '../verdict.ts'
import {
  type AnswerEvidence,
  type Chained,
  type EquivocationEvidence,
  FORMAT,
  type Hex,
  type History,
  type ItemEvidence,
} from './format.ts'
import type { Chain } from './read.ts'

/** What every export says: of which group, and what the reader made of it. */
export interface Origin {
  readonly network: Bytes
  readonly surface: string
  /** JSON, as an operator publishes it. */
  readonly config: unknown
  readonly verdict: Verdict | null
}

export const itemEvidence = (origin: Origin, chain: Chain, answer: AnswerOf<'item'>, blob: Bytes | null): ItemEvidence => ({
  ...heading(origin, 'item'),
  ...chained(chain),
  answer: hex(answerCodec, { kind: 'item', value: answer }),
  blob: blob && toHex(blob),
  verdict: origin.verdict,
})

/** A question as it was put to an index. */
export interface Asked {
  readonly question: string
  readonly key: Bytes
  readonly bits: number
}

export const answerEvidence = (
  origin: Origin,
  chain: Chain,
  { question, key, bits }: Asked,
  answers: readonly AnswerOf<'tail'>[],
): AnswerEvidence => ({
  ...heading(origin, 'answer'),
  question,
  key: toHex(key),
  bits,
  ...chained(chain),
  answers: answers.map((value) => hex(answerCodec, { kind: 'tail', value })),
  verdict: origin.verdict,
})

export const equivocationEvidence = (origin: Origin, { index, branches: [ours, theirs] }: Fork): EquivocationEvidence => ({
  ...heading(origin, 'equivocation'),
  index: index.toString(),
  histories: [history(ours), history(theirs)],
  verdict: origin.verdict,
})

const history = ({ commit, link, ...chain }: Branch): History => ({
  commit: toHex(commit),
  ...chained(chain),
  proof: link?.kind === 'leaf' ? hex(TreeProof, link.proof) : null,
  headers: link?.kind === 'headers' ? link.headers.map((header) => hex(headerCodec, header)) : null,
})

// The order is that of the file: what it is about first, the long hex after it.
const heading = <const K extends string>({ network, surface, config }: Origin, kind: K) =>
  ({ format: FORMAT, kind, network: toHex(network), surface, config }) as const

const chained = ({ steps, certificate }: Chain): Chained => ({
  steps: steps.map((step) => hex(stepCodec, step)),
  certificate: hex(certificateCodec, certificate),
})

const hex = <T>(codec: Codec<T>, value: T): Hex => toHex(encode(codec, value as never))
