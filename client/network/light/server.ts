import { isError } from '../../error.ts'
import type { Source } from '../../groups/source.ts'
import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { decode, encode } from '../../primitives/codec.ts'
import type { ByteStream, Host } from '../host.ts'
import { Gate, race, type Scope, scope } from '../scope.ts'
import { feed, type TipFrames, type Watcher } from './feed.ts'
import { frame, frames } from './frame.ts'
import { LIGHT_LIMITS, type Request, type RequestOf, type Response, requestCodec, responseCodec } from './messages.ts'
import { answerBlob, answerEvidence, answerHello, answerOpen, answerTickets, sourceOf } from './opening.ts'
import { answerProve } from './prove.ts'
import { errorOf, Refusal } from './refusal.ts'

/** Serves one stream of a peer whose link key the transport has proven. Settles when the stream is done with, and never rejects. */
export type StreamHandler = (stream: ByteStream, peer: Bytes) => Promise<void>

interface Load {
  streams: number
  watches: number
}

interface Served {
  readonly sources: () => readonly Source[]
  readonly host: Host
  readonly tipFrames: TipFrames
  readonly loads: Map<string, Load>
  readonly watches: number
}

/**
 * The server of `/coalition/light/1` (docs/wire.md section 5). It serves whoever is connected and trusts nothing of what they send: what
 * is wrong costs its sender the stream and nobody else anything. Limits are counted by link key, so a second connection gives no second share.
 *
 * @param sources the groups that are served now
 * @param watches of one peer at once: more for a server whose peers serve others in turn
 */
export const serveLight = (sources: () => readonly Source[], host: Host, watches: number = LIGHT_LIMITS.watches): StreamHandler => {
  const served: Served = { sources, host, tipFrames: new Map(), loads: new Map(), watches }
  return async (stream, peer) => {
    const name = toHex(peer)
    const load = served.loads.get(name) ?? { streams: 0, watches: 0 }
    served.loads.set(name, load)
    load.streams += 1
    try {
      await serveStream(served, stream, load)
    } catch (error) {
      // The peer left, or does not read. It is told by the reset; the log is for whoever looks why.
      host.log('debug', 'light stream ended early', { peer: name, problem: wordsOf(error) })
      stream.abort(error instanceof Error ? error : new Error(wordsOf(error)))
    } finally {
      load.streams -= 1
      if (load.streams === 0) served.loads.delete(name)
    }
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const serveStream = async (served: Served, stream: ByteStream, load: Load): Promise<void> => {
  const { host } = served
  const own = scope()
  const input = frames(stream.chunks)
  const write = (bytes: Bytes): Promise<void> => timed(host, own, () => stream.write(bytes)).catch(left)
  try {
    try {
      if (load.streams > LIGHT_LIMITS.streams) throw new Refusal('busy', `at most ${LIGHT_LIMITS.streams} streams`, { retryMs: 1_000 })
      const request = await timed(host, own, () => readRequest(input))
      if (request.kind === 'watch') await serveWatch(served, request.value, load, { input, write, own })
      else await write(frame(encode(responseCodec, await timed(host, own, () => answer(served, request), Error))))
    } catch (error) {
      await write(frame(encode(responseCodec, { kind: 'error', value: errorOf(refusalOf(host, error)) })))
    }
    await timed(host, own, () => stream.finish())
  } finally {
    own.end()
  }
}

/**
 * A step of an exchange, within the time that an answer may take: a peer that does not read holds a stream for so long and no longer.
 *
 * @param Late what a step that takes longer is: the peer's doing, unless it is the source that was waited for
 */
const timed = async <T>(host: Host, own: Scope, step: () => Promise<T>, Late: new (problem: string) => Error = Left): Promise<T> => {
  const cancel = host.after(LIGHT_LIMITS.unaryMs, () => own.abort(new Late(`nothing moved for ${LIGHT_LIMITS.unaryMs} ms`)))
  try {
    return await race(step(), own.signal)
  } finally {
    cancel()
  }
}

const readRequest = async (input: AsyncGenerator<Bytes, void, undefined>): Promise<Request> => {
  const next = await input.next().catch(left)
  if (next.done) throw new Refusal('badRequest', 'the stream ended before a request')
  return decode(requestCodec, next.value)
}

const answer = async ({ sources, host, watches }: Served, request: Exclude<Request, { kind: 'watch' }>): Promise<Response> => {
  switch (request.kind) {
    case 'hello':
      return { kind: 'hello', value: answerHello(sources(), host, request.value, watches) }
    case 'open':
      return { kind: 'opened', value: await answerOpen(sourceOf(sources(), request.value.group), request.value) }
    case 'prove':
      return { kind: 'proven', value: await answerProve(sourceOf(sources(), request.value.group), request.value) }
    case 'tickets':
      return { kind: 'tickets', value: answerTickets(sourceOf(sources(), request.value.group), request.value) }
    case 'blob':
      return { kind: 'blob', value: await answerBlob(sources(), request.value) }
    case 'evidence':
      return { kind: 'evidence', value: await answerEvidence(sourceOf(sources(), request.value.group)) }
    case 'credit':
      throw new Refusal('badRequest', 'credit before a watch')
  }
}

interface Channel {
  readonly input: AsyncGenerator<Bytes, void, undefined>
  readonly write: (bytes: Bytes) => Promise<void>
  readonly own: Scope
}

const serveWatch = async (served: Served, request: RequestOf<'watch'>, load: Load, { input, write, own }: Channel): Promise<void> => {
  const source = sourceOf(served.sources(), request.group)
  if (load.watches >= served.watches) throw new Refusal('busy', `at most ${served.watches} watches`, { retryMs: 1_000 })
  load.watches += 1
  const end = scope(own.signal)
  const watcher: Watcher = { credit: request.credit, gate: new Gate(), signal: end.signal, write }
  // A watcher that closes its side has left, which is how a watch ends.
  void listen(input, watcher).then(
    () => end.abort(new Left()),
    (error: Error) => end.abort(error),
  )
  try {
    await feed(source, request, watcher, served.tipFrames)
  } finally {
    load.watches -= 1
    end.end()
  }
}

const MAX_CREDIT = 0xffff_ffff

const listen = async (input: AsyncGenerator<Bytes, void, undefined>, watcher: Watcher): Promise<void> => {
  for (;;) {
    const next = await input.next().catch(left)
    if (next.done) return
    const request = decode(requestCodec, next.value)
    if (request.kind !== 'credit') throw new Refusal('badRequest', `${request.kind} inside of a watch`)
    watcher.credit = Math.min(watcher.credit + request.value.n, MAX_CREDIT)
    watcher.gate.open()
  }
}

/** The peer is no longer there, or does not read: there is nobody to send an error to. */
class Left extends Error {}

const left = (error: unknown): never => {
  if (isError(error, 'Light.FrameError')) throw error
  throw new Left(wordsOf(error))
}

const refusalOf = (host: Host, error: unknown): Refusal => {
  if (error instanceof Left) throw error
  if (error instanceof Refusal) return error
  if (isError(error, 'Codec.DecodeError') || isError(error, 'Light.FrameError')) return new Refusal('badRequest', error.message)
  // The source failed, not the peer: the operator reads why, the peer only that it may try again.
  host.log('error', 'light request failed', { problem: wordsOf(error) })
  return new Refusal('busy', 'the server could not answer', { retryMs: 1_000 })
}
