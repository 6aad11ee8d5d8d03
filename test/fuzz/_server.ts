import { isError } from '../../client/error.ts'
import type { ByteStream } from '../../client/network/host.ts'
import { frame, frames } from '../../client/network/light/frame.ts'
import { LIGHT_LIMITS, type Response, responseCodec } from '../../client/network/light/messages.ts'
import { type Bytes, concat, equal } from '../../client/primitives/bytes.ts'
import { decode } from '../../client/primitives/codec.ts'
import type { Chain } from '../network/chain.ts'
import { streamPair } from '../network/world.ts'
import { jointsOf, mutate } from './_mutate.ts'
import { hostile } from './_requests.ts'
import { below, chance, type Draw, pick, type Trial, wordsOf } from './_seeded.ts'
import { honestly, refusedOfAll, type Server, serverOf, waiting } from './_served.ts'

// The light server under hostile bytes.

const FRAME_LIMIT = LIGHT_LIMITS.frame

/** A stream of frames as a hostile peer may send it, in chunks of any size. */
const sent = (draw: Draw, server: Server): readonly Bytes[] => {
  const payloads = hostile(draw, server.chain)
  const framed = payloads.map((payload) => {
    const inner = chance(draw, 0.4) ? mutate(draw, payload, { joints: jointsOf(requestHead, payload), others: payloads }) : payload
    return frame(inner.slice(0, FRAME_LIMIT))
  })
  const whole = concat(...framed)
  return cut(draw, chance(draw, 0.15) ? mutate(draw, whole, { joints: [0, 1, 2] }) : whole)
}

/** The field that decides what a request is about: what is in it is found by itself. */
const requestHead = {
  read: (reader: { bytes: (size: number) => Bytes }) => [1, 1, 1, 30, 8, 1, 1].map((size) => reader.bytes(size)),
} as never

const cut = (draw: Draw, whole: Bytes): readonly Bytes[] => {
  const chunks: Bytes[] = []
  for (let at = 0; at < whole.length; ) {
    const size = chance(draw, 0.6) ? whole.length : 1 + below(draw, 40)
    chunks.push(whole.slice(at, at + size))
    at += size
  }
  return chunks
}

const ENDINGS = ['finish', 'finish', 'late finish', 'abort', 'late abort', 'hang', 'deaf'] as const
type Ending = (typeof ENDINGS)[number]

/** Everything that the server writes until its side ends; null when it is no sequence of frames. */
const read = async (client: ByteStream, into: Bytes[]): Promise<string | null> => {
  try {
    for await (const payload of frames(client.chunks)) into.push(payload)
    return null
  } catch (error) {
    // A reset is how a stream that came to nothing ends.
    return isError(error, 'Light.FrameError') && !error.message.includes('the stream ends') ? wordsOf(error) : null
  }
}

/** One hostile stream from its first byte to its end, and what the server answered. @throws Error when it does not end */
const assail = async ({ draw, tally }: Trial, server: Server, ending: Ending, chunks: readonly Bytes[]): Promise<readonly string[]> => {
  const { world, serve, chain } = server
  const { client, server: end } = streamPair()
  const problems: string[] = []
  const served = serve(end).catch((error: unknown) => void problems.push(`the handler rejects: ${wordsOf(error)}`))
  const replies: Bytes[] = []
  const reading = ending === 'deaf' ? null : read(client, replies)
  for (const chunk of chunks) void client.write(chunk).catch(() => {})
  if (ending.startsWith('late')) await world.settle()
  if (chance(draw, 0.3)) chain.notify()
  if (ending === 'hang' || ending === 'deaf') await world.advance(LIGHT_LIMITS.unaryMs + 1_000)
  if (ending.endsWith('finish')) await client.finish()
  else client.abort(new Error('gone'))
  await world.run(served)
  client.abort(new Error('gone'))
  const unread = await reading
  return [
    ...problems,
    ...(unread === null || unread === undefined ? [] : [`writes no frames: ${unread}`]),
    ...replies.flatMap((payload) => wrong(payload, tally)),
  ]
}

/** What is wrong with one payload that the server wrote. */
const wrong = (payload: Bytes, tally: Trial['tally']): readonly string[] => {
  if (payload.length > FRAME_LIMIT) return [`answers ${payload.length} bytes`]
  try {
    const response: Response = decode(responseCodec, payload)
    tally(response.kind === 'error' ? `error ${response.value.code}` : response.kind)
    return response.kind === 'error' && response.value.code > 8 ? [`answers with error ${response.value.code}`] : []
  } catch (error) {
    return [`answers what is no response: ${wordsOf(error)}`]
  }
}

/** Hostile streams, one or many at once, and then an honest one. */
export const serverCase = async (trial: Trial, chain: Chain, expected: Bytes): Promise<string | null> => {
  const { draw } = trial
  const server = serverOf(chain)
  const { world, failures } = server
  const ending = pick(draw, ENDINGS)
  const streams = chance(draw, 0.02) ? 40 : 1 + below(draw, 2)
  const all = Array.from({ length: streams }, () => sent(draw, server))
  trial.input = concat(...all.flat())
  // The peer is never quite gone, so that its streams and watches are counted from before to after.
  const held = waiting(server)
  await world.settle()
  const problems = (await Promise.all(all.map((chunks) => assail(trial, server, ending, chunks)))).flat()
  if (!equal(await honestly(server), expected)) problems.push('answers an honest peer otherwise than before')
  const refused = await refusedOfAll(server)
  if (refused > 0) problems.push(`still counts ${refused} streams that have ended`)
  await held.leave()
  await world.settle()
  if (chain.listeners > 0 || world.pendingTimers > 0) problems.push(`leaves ${chain.listeners} listeners, ${world.pendingTimers} timers`)
  const found = [...problems, ...failures.map((failure) => `fails inside: ${failure}`)]
  return found.length === 0 ? null : `server, ${ending}: ${found.slice(0, 3).join('; ')}`
}
