import { isError } from '../../client/error.ts'
import type { ByteStream, Link } from '../../client/network/host.ts'
import { exchange } from '../../client/network/light/client.ts'
import { frame, frames } from '../../client/network/light/frame.ts'
import { LIGHT_LIMITS, type RequestOf, type Response, responseCodec } from '../../client/network/light/messages.ts'
import { type StreamHandler, serveLight } from '../../client/network/light/server.ts'
import { type Bytes, concat, equal } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { Chain, seats } from '../network/chain.ts'
import { GROUP, note } from '../network/notes.ts'
import { streamPair, World } from '../network/world.ts'
import { jointsOf, mutate } from './_mutate.ts'
import { hostile } from './_requests.ts'
import { below, chance, type Draw, pick, type Trial, wordsOf } from './_seeded.ts'

// The light server under hostile bytes. One peer sends them and asks honestly afterwards, so that a stream or watch that is not given back
// runs it against its own limits.

/** The peer that sends everything. */
const PEER = new Uint8Array(32).fill(3)
const FRAME_LIMIT = LIGHT_LIMITS.frame

export interface Server {
  readonly world: World
  readonly chain: Chain
  readonly handler: StreamHandler
  /** What the server logged as its own failure. */
  readonly failures: string[]
}

const serverOf = (chain: Chain): Server => {
  const world = new World()
  const failures: string[] = []
  const log = (level: string, message: string, facts?: unknown): void => {
    if (level === 'error') failures.push(`${message} ${JSON.stringify(facts)}`)
  }
  return { world, chain, failures, handler: serveLight(() => [chain.source()], { ...world.host(), log }) }
}

const plain = (): Chain => {
  const chain = new Chain(seats(1))
  for (let i = 0; i < 30; i++) {
    const next = i === 12 || i === 20 ? { next: seats(1, i) } : {}
    chain.commit([note(`a ${i}`, i % 3), note(`b ${i}`, 5, i)], { ...next, unsealed: i % 7 === 3 })
  }
  return chain
}

/** Long enough for a gap, and without its first blocks. */
const pruned = (): Chain => {
  const chain = new Chain(seats(1))
  for (let i = 0; i < 1_060; i++) chain.commit(i % 100 === 0 ? [note(`c ${i}`, i % 3)] : [])
  chain.oldest = 20n
  chain.oldestHeld = 1_000n
  return chain
}

/** Items of which eleven fill a frame. */
const heavy = (): Chain => {
  const chain = new Chain(seats(1))
  for (let i = 0; i < 30; i++) chain.commit([note(`${i} ${'x'.repeat(90_000)}`, i % 3)])
  return chain
}

export const servers = (): readonly Server[] => [plain(), pruned(), heavy()].map(serverOf)

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
  const { world, handler, chain } = server
  const { client, server: end } = streamPair()
  const problems: string[] = []
  const served = handler(end, PEER).catch((error: unknown) => void problems.push(`the handler rejects: ${wordsOf(error)}`))
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

const linkTo = ({ handler }: Server): Link => ({
  peer: PEER,
  address: 'fuzz',
  closed: new AbortController().signal,
  close: async () => {},
  stream: async () => {
    const { client, server } = streamPair()
    void handler(server, PEER)
    return client
  },
})

/** What an honest peer is told, in bytes: the same before and after whatever was sent in between. */
export const honestly = async (server: Server): Promise<Bytes> => {
  const { world, chain } = server
  const options = { host: world.host(), signal: new AbortController().signal }
  const at = chain.head.index
  const queries: RequestOf<'prove'>['queries'] = [
    { kind: 'item', value: { surface: 0, position: 0n } },
    { kind: 'header', value: { index: at - 2n } },
  ]
  const proven = await world.run(exchange(linkTo(server), 'prove', { group: GROUP, at, queries }, options))
  const open = { group: GROUP, fromEpoch: 0, known: [], withstand: null }
  const opened = await world.run(exchange(linkTo(server), 'open', open, options))
  return concat(encode(responseCodec, { kind: 'proven', value: proven }), encode(responseCodec, { kind: 'opened', value: opened }))
}

/** Hostile streams, one or many at once, and then an honest one. */
export const serverCase = async (trial: Trial, server: Server, expected: Bytes): Promise<string | null> => {
  const { draw } = trial
  const { world, chain, failures } = server
  failures.length = 0
  const ending = pick(draw, ENDINGS)
  const streams = chance(draw, 0.02) ? 40 : 1 + below(draw, 2)
  const all = Array.from({ length: streams }, () => sent(draw, server))
  trial.input = concat(...all.flat())
  const problems = (await Promise.all(all.map((chunks) => assail(trial, server, ending, chunks)))).flat()
  const honest = await honestly(server)
  if (!equal(honest, expected)) problems.push('answers an honest peer otherwise than before')
  await world.settle()
  if (chain.listeners > 0 || world.pendingTimers > 0) problems.push(`leaves ${chain.listeners} listeners, ${world.pendingTimers} timers`)
  const found = [...problems, ...failures.map((failure) => `fails inside: ${failure}`)]
  return found.length === 0 ? null : `server, ${ending}: ${found.slice(0, 3).join('; ')}`
}
