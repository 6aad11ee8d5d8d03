import type { Bytes } from '../../primitives/bytes.ts'
import type { Of } from '../../primitives/codec.ts'
import type { StreamEnd, streamAnswerCodec } from './messages.ts'

/** One subscriber's stream. */
export interface Exchange {
  readonly requests: AsyncIterable<Bytes>
  readonly send: (answer: Answer) => Promise<void>
  readonly signal: AbortSignal
}

type Answer = Of<typeof streamAnswerCodec>

/** Why a subscription ends, in words for the subscriber. */
export const WORDS: Readonly<Record<StreamEnd, string>> = {
  unknown: 'no such stream is published here',
  ticket: 'no ticket admits to this stream, or it has expired',
  slow: 'too slow: the stream went on without this subscriber',
  busy: 'too many subscriptions',
  shutdown: 'the publisher ends',
  request: 'not what is asked for here',
}

/** Ends a subscription with words for the subscriber. */
export class Ended extends Error {
  readonly end: StreamEnd

  constructor(end: StreamEnd) {
    super(WORDS[end])
    this.end = end
  }
}
