import type { Link } from '../../client/network/host.ts'
import { exchange } from '../../client/network/light/client.ts'
import { frame } from '../../client/network/light/frame.ts'
import { LIGHT_LIMITS, type RequestOf, requestCodec, responseCodec } from '../../client/network/light/messages.ts'
import { type StreamHandler, serveLight } from '../../client/network/light/server.ts'
import { type Bytes, concat } from '../../client/primitives/bytes.ts'
import { encode } from '../../client/primitives/codec.ts'
import { Chain, seats } from '../network/chain.ts'
import { GROUP, note } from '../network/notes.ts'
import { streamPair, World } from '../network/world.ts'

// What the hostile bytes are sent to, and how an honest peer finds it afterwards.

/** The one peer there is: hostile first and honest afterwards, so that what is not given back runs it against its own limits. */
const PEER = new Uint8Array(32).fill(3)

export interface Server {
  readonly world: World
  readonly chain: Chain
  /** A stream of the peer. */
  readonly serve: (stream: Parameters<StreamHandler>[0]) => Promise<void>
  /** What the server logged as its own failure. */
  readonly failures: readonly string[]
}

/** A server that has seen nobody yet: a case leaves nothing to the next. */
export const serverOf = (chain: Chain): Server => {
  const world = new World()
  const failures: string[] = []
  const log = (level: string, message: string, facts?: unknown): void => {
    if (level === 'error') failures.push(`${message} ${JSON.stringify(facts)}`)
  }
  const handler = serveLight(() => [chain.source()], { ...world.host(), log })
  return { world, chain, failures, serve: (stream) => handler(stream, PEER) }
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

export const chains = (): readonly Chain[] => [plain(), pruned(), heavy()]

const linkTo = ({ serve }: Server): Link => ({
  peer: PEER,
  address: 'fuzz',
  bytes: { received: 0, sent: 0 },
  closed: new AbortController().signal,
  close: async () => {},
  stream: async () => {
    const { client, server } = streamPair()
    void serve(server)
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

export interface Idle {
  /** Whether the server wrote to it: a stream that says nothing, or a watch without credit, is written to only to be refused. */
  readonly isAnswered: () => boolean
  readonly leave: () => Promise<void>
}

const idle = ({ serve }: Server, request: Bytes): Idle => {
  const { client, server, down } = streamPair()
  const done = serve(server)
  if (request.length > 0) void client.write(request).catch(() => {})
  const leave = async (): Promise<void> => {
    client.abort(new Error('gone'))
    await done
  }
  return { isAnswered: () => down.size > 0, leave }
}

/** A watch of what is to come, without credit: it stays until it is left. */
export const waiting = (server: Server): Idle => {
  const watch = { group: GROUP, surfaces: [0], from: server.chain.head.index + 1n, withstand: null, credit: 0 }
  return idle(server, frame(encode(requestCodec, { kind: 'watch', value: watch })))
}

/** How many streams are refused of those that the limits still allow, when one watch of the peer is there already. */
export const refusedOfAll = async (server: Server): Promise<number> => {
  const { streams, watches } = LIGHT_LIMITS
  const watching = Array.from({ length: watches - 1 }, () => waiting(server))
  await server.world.settle()
  const silent = Array.from({ length: streams - watches }, () => idle(server, new Uint8Array(0)))
  await server.world.settle()
  const all = [...watching, ...silent]
  const refused = all.filter(({ isAnswered }) => isAnswered()).length
  for (const { leave } of all) await leave()
  return refused
}
