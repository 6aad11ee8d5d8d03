import { CoalitionError } from '../../error.ts'
import type { Bytes } from '../../primitives/bytes.ts'
import { decode, encode } from '../../primitives/codec.ts'
import type { ByteStream, Host, Link } from '../host.ts'
import { openStream } from '../open-stream.ts'
import { race, type Scope, scope } from '../scope.ts'
import { frame, frames } from './frame.ts'
import {
  ERROR_CODE,
  LIGHT_LIMITS,
  LIGHT_PROTOCOL,
  type Request,
  type RequestOf,
  type Response,
  type ResponseOf,
  requestCodec,
  responseCodec,
} from './messages.ts'

/** What each request is answered with. */
interface Answered {
  readonly hello: 'hello'
  readonly open: 'opened'
  readonly prove: 'proven'
  readonly tickets: 'tickets'
  readonly blob: 'blob'
  readonly evidence: 'evidence'
}

const ANSWERED: { readonly [K in keyof Answered]: Answered[K] } = {
  hello: 'hello',
  open: 'opened',
  prove: 'proven',
  tickets: 'tickets',
  blob: 'blob',
  evidence: 'evidence',
}

export interface ExchangeOptions {
  readonly host: Pick<Host, 'after'>
  readonly signal: AbortSignal
  /** Milliseconds for the whole exchange, default 30,000 (docs/wire.md section 5). */
  readonly timeoutMs?: number
  /** Called when the stream is open and the question goes out: from then on it takes one round trip. */
  readonly onSend?: () => void
}

/**
 * One request and its answer, on a stream of its own.
 *
 * @throws ServerError when the server says no, AnswerError for an answer to something else, EndError for none, TimeoutError, FrameError,
 *   DecodeError, or the signal's reason
 */
export const exchange = async <K extends keyof Answered>(
  link: Link,
  kind: K,
  value: RequestOf<K>,
  options: ExchangeOptions,
): Promise<ResponseOf<Answered[K]>> => {
  const { host, signal, timeoutMs = LIGHT_LIMITS.unaryMs } = options
  const own = scope(signal, link.closed)
  const cancel = host.after(timeoutMs, () => own.abort(new TimeoutError(kind, timeoutMs)))
  const end = (): void => {
    cancel()
    own.end()
  }
  try {
    const stream = await openStream(link, LIGHT_PROTOCOL, own.signal)
    const replies = frames(stream.chunks)
    options.onSend?.()
    await race(send(stream, { kind, value } as Request), own.signal)
    // Not waited for: some transports are done with it only when the server is, and a failure shows in the answer.
    void stream.finish().catch(() => {})
    const response = await receive(replies, own)
    void conclude(stream, replies, end)
    return expectKind(response, ANSWERED[kind]) as ResponseOf<Answered[K]>
  } catch (error) {
    own.abort(error instanceof Error ? error : new AnswerError(String(error)))
    end()
    throw error
  }
}

export type Watched =
  | { readonly kind: 'commits'; readonly value: ResponseOf<'commits'> }
  | { readonly kind: 'gap'; readonly value: ResponseOf<'gap'> }

/** `commits` that may be under way at once. Half of them hide the round trip, and a credit is sent for the other half together. */
const WINDOW = 8

/**
 * Commits as the server has them, until a gap or until the caller stops. The server gets a new credit for those that the caller came back
 * from, so a caller who stops taking stops the server.
 *
 * @throws as `exchange`
 */
export async function* watch(
  link: Link,
  request: Omit<RequestOf<'watch'>, 'credit'>,
  options: Pick<ExchangeOptions, 'signal'>,
): AsyncGenerator<Watched, void, undefined> {
  const own = scope(options.signal, link.closed)
  try {
    const stream = await openStream(link, LIGHT_PROTOCOL, own.signal)
    const replies = frames(stream.chunks)
    await race(send(stream, { kind: 'watch', value: { ...request, credit: WINDOW } }), own.signal)
    for (let credit = WINDOW, taken = 0; ; ) {
      const response = await receive(replies, own)
      if (response.kind === 'gap') return yield response
      const commits = expectKind(response, 'commits')
      if (credit-- === 0) throw new AnswerError('commits beyond the credit given')
      yield { kind: 'commits', value: commits }
      if (++taken < WINDOW / 2) continue
      await race(send(stream, { kind: 'credit', value: { n: taken } }), own.signal)
      credit += taken
      taken = 0
    }
  } finally {
    // On every way out, a caller who breaks off included: a watch has no end of its own, and the server is told by the reset.
    own.abort(new AnswerError('the watch was left'))
  }
}

const send = (stream: ByteStream, request: Request): Promise<void> => stream.write(frame(encode(requestCodec, request)))

const receive = async (replies: AsyncGenerator<Bytes, void, undefined>, { signal }: Scope): Promise<Response> => {
  const next = await race(replies.next(), signal)
  if (next.done) throw new EndError()
  const response = decode(responseCodec, next.value)
  if (response.kind === 'error') throw new ServerError(response.value)
  return response
}

const expectKind = <K extends Response['kind']>(response: Response, kind: K): ResponseOf<K> => {
  if (response.kind !== kind) throw new AnswerError(`asked for ${kind}, answered with ${response.kind}`)
  return response.value as ResponseOf<K>
}

// The answer is not kept waiting for the end of its stream. A server that leaves it open, or has more to say, is cut off at the deadline.
const conclude = async (stream: ByteStream, replies: AsyncGenerator<Bytes, void, undefined>, end: () => void): Promise<void> => {
  try {
    const next = await replies.next()
    if (!next.done) stream.abort(new AnswerError('more than one answer'))
  } catch {
    // The answer is in; how its stream ended changes nothing about it.
  } finally {
    end()
  }
}

const REASONS = Object.fromEntries(Object.entries(ERROR_CODE).map(([reason, code]) => [code, reason]))

/** The server says why it does not answer. `text` is the server's own word. */
export class ServerError extends CoalitionError {
  declare readonly code: number
  declare readonly reason: string
  declare readonly have: bigint
  declare readonly retryMs: number
  declare readonly text: string

  constructor({ code, have, retryMs, text }: ResponseOf<'error'>) {
    const reason = REASONS[code] ?? `code ${code}`
    super('Light.ServerError', `the server refused: ${reason}${text === '' ? '' : ` (${text})`}`, { code, reason, have, retryMs, text })
  }
}

/** An answer that is none: of another kind, too many, or not what was asked for. */
export class AnswerError extends CoalitionError {
  declare readonly problem: string

  constructor(problem: string) {
    super('Light.AnswerError', `light/1: ${problem}`, { problem })
  }
}

/** The stream ended where an answer was due: the server stopped, which is no lie. */
export class EndError extends CoalitionError {
  constructor() {
    super('Light.EndError', 'the server ended the stream')
  }
}

/** No answer in time. */
export class TimeoutError extends CoalitionError {
  declare readonly request: string
  declare readonly afterMs: number

  constructor(request: string, afterMs: number) {
    super('Light.TimeoutError', `no answer to ${request} within ${afterMs} ms`, { request, afterMs })
  }
}
