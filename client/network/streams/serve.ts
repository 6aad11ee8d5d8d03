import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { decode, encode, type Of } from '../../primitives/codec.ts'
import type { ByteStream, Host } from '../host.ts'
import { frame, frames } from '../light/frame.ts'
import { race, scope } from '../scope.ts'
import { type Exchange, WORDS } from './exchange.ts'
import { STREAM_END, STREAM_LIMITS, type StreamEnd, streamAnswerCodec, streamRequestCodec } from './messages.ts'
import type { Publisher } from './publish.ts'

/**
 * The server of `/coalition/stream/1`.
 *
 * @param publishers the streams that are published now
 * @returns serves one stream of a peer whose link key the transport has proven; settles when it is done with, and never rejects
 */
export const serveStreams =
  (publishers: () => readonly Publisher[], host: Pick<Host, 'now' | 'after' | 'log'>) =>
  async (stream: ByteStream, peer: Bytes): Promise<void> => {
    const own = scope()
    const requests = frames(stream.chunks, STREAM_LIMITS.frame)
    const send: Exchange['send'] = (answer) => stream.write(frame(encode(streamAnswerCodec, answer), STREAM_LIMITS.frame))
    try {
      const end = await serve(publishers(), { requests, send, signal: own.signal }, peer, host)
      // It is told, and one that does not read is not waited for.
      const told = send({ kind: 'end', value: { code: STREAM_END[end], text: WORDS[end] } }).then(() => stream.finish())
      await inTime(host, told, 'the subscriber does not read')
    } catch (error) {
      host.log('debug', 'a subscription ended early', { peer: toHex(peer), problem: String(error) })
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    } finally {
      own.abort(new Error('the subscription ended'))
    }
  }

/** The promise's outcome, if it comes within the time of a request. */
const inTime = async <T>(host: Pick<Host, 'after'>, promise: Promise<T>, problem: string): Promise<T> => {
  const own = scope()
  const cancel = host.after(STREAM_LIMITS.ask, () => own.abort(new Error(`${problem}: ${STREAM_LIMITS.ask} ms`)))
  try {
    return await race(promise, own.signal)
  } finally {
    cancel()
  }
}

const serve = async (publishers: readonly Publisher[], exchange: Exchange, peer: Bytes, host: Pick<Host, 'after'>): Promise<StreamEnd> => {
  const request = await first(exchange, host)
  if (request.kind !== 'subscribe') return 'request'
  const publisher = publishers.find((known) => known.isOf(request.value))
  return publisher === undefined ? 'unknown' : publisher.attend(exchange, peer, request.value.tickets)
}

const first = async ({ requests }: Exchange, host: Pick<Host, 'after'>): Promise<Of<typeof streamRequestCodec>> => {
  const next = await inTime(host, requests[Symbol.asyncIterator]().next(), 'no request')
  if (next.done) throw new Error('the stream ended before a request')
  return decode(streamRequestCodec, next.value)
}
