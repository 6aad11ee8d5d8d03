import { CoalitionError } from '../../error.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import { decode, encode, type Of } from '../../primitives/codec.ts'
import type { Id, UniqueId } from '../../primitives/id.ts'
import type { ByteStream, Link } from '../host.ts'
import { frame, frames } from '../light/frame.ts'
import { whenAborted } from '../scope.ts'
import type { Ticket } from '../tickets/ticket.ts'
import { endOf, STREAM_LIMITS, STREAM_PROTOCOL, type StreamEnd, streamAnswerCodec, streamRequestCodec } from './messages.ts'

/** What a peer said, and nothing but its word for it: another type than `Verified`, so that neither is taken for the other. */
export interface Unverified<T> {
  readonly unverified: T
  /** Link key of who said it, 32 bytes. */
  readonly from: Bytes
  /** Counts what the publisher sent on this subscription, from 0. */
  readonly sequence: bigint
}

export interface Subscription extends AsyncIterable<Unverified<Bytes>> {
  /** Unix second at which the tickets shown so far end it; null for never. */
  readonly expires: number | null
  /** Shows other tickets, so that it goes on. Whether they admit is told by `expires`, or by the end. */
  readonly renew: (tickets: readonly Ticket[]) => Promise<void>
}

export interface SubscribeOptions {
  readonly network: UniqueId
  readonly component: Id
  readonly surface: string
  readonly tickets?: readonly Ticket[]
  readonly signal: AbortSignal
}

/**
 * Subscribes to a link stream, from now on. The iteration ends by throwing: a stream has no end of its own.
 *
 * @throws StreamError with why the publisher ended it: an unknown stream, no ticket that admits, too slow, busy; what the transport throws;
 * DecodeError, FrameError; the signal's reason
 */
export const subscribe = async (link: Link, { signal, tickets = [], ...what }: SubscribeOptions): Promise<Subscription> => {
  const stream = await link.stream(STREAM_PROTOCOL, { signal })
  const stop = whenAborted(signal, () => stream.abort(signal.reason as Error))
  try {
    await stream.write(framed({ kind: 'subscribe', value: { ...what, tickets } }))
    const answers = readAnswers(stream)
    const first = await answers.next()
    if (first.done || first.value.kind !== 'accepted') throw new StreamError(null, 'the publisher answers out of turn')
    return subscription(stream, answers, { from: link.peer, expires: timeOf(first.value.value.expires), stop })
  } catch (error) {
    stop()
    stream.abort(error as Error)
    throw signal.aborted ? signal.reason : error
  }
}

const framed = (request: Of<typeof streamRequestCodec>): Bytes => frame(encode(streamRequestCodec, request), STREAM_LIMITS.frame)

const timeOf = (expires: bigint | null): number | null => (expires === null ? null : Number(expires))

/** Every answer but the end, which is thrown. */
async function* readAnswers(stream: ByteStream) {
  for await (const bytes of frames(stream.chunks, STREAM_LIMITS.frame)) {
    const answer = decode(streamAnswerCodec, bytes)
    if (answer.kind === 'end') throw new StreamError(endOf(answer.value.code), answer.value.text)
    yield answer
  }
  throw new StreamError(null, 'the publisher left')
}

interface Begun {
  readonly from: Bytes
  readonly expires: number | null
  readonly stop: () => void
}

const subscription = (stream: ByteStream, answers: ReturnType<typeof readAnswers>, begun: Begun): Subscription => {
  let { expires } = begun
  const items = async function* (): AsyncGenerator<Unverified<Bytes>, void, undefined> {
    let next = 0n
    try {
      for await (const answer of answers) {
        if (answer.kind === 'accepted') expires = timeOf(answer.value.expires)
        else {
          if (answer.value.first !== next) throw new StreamError(null, `item ${answer.value.first} after ${next} of them`)
          for (const item of answer.value.items) yield { unverified: item, from: begun.from, sequence: next++ }
        }
      }
    } finally {
      begun.stop()
      stream.abort(new StreamError(null, 'nobody listens any more'))
    }
  }
  const iteration = items()
  return {
    get expires() {
      return expires
    },
    renew: (tickets) => stream.write(framed({ kind: 'renew', value: { tickets } })),
    [Symbol.asyncIterator]: () => iteration,
  }
}

/** A link stream that ended. `end` says why by the publisher's word; null when it gave none. */
export class StreamError extends CoalitionError {
  declare readonly end: StreamEnd | null
  declare readonly problem: string

  constructor(end: StreamEnd | null, problem: string) {
    super('Stream.StreamError', `the stream ended: ${problem}`, { end, problem })
  }
}
