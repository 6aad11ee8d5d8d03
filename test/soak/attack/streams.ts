import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { COMMIT_LIMITS, COMMIT_PROTOCOL, joinCodec } from '../../../client/groups/commit/messages.ts'
import { CATALOG_LIMITS, CATALOG_PROTOCOL, catalogRequestCodec } from '../../../client/network/discovery/messages.ts'
import { topicOf } from '../../../client/network/discovery/rumours.ts'
import type { ByteStream } from '../../../client/network/host.ts'
import { frame } from '../../../client/network/light/frame.ts'
import { LIGHT_LIMITS, LIGHT_PROTOCOL, requestCodec } from '../../../client/network/light/messages.ts'
import { asByteStream } from '../../../client/network/link.ts'
import { STREAM_LIMITS, STREAM_PROTOCOL, streamRequestCodec } from '../../../client/network/streams/messages.ts'
import { type Bytes, concat, utf8 } from '../../../client/primitives/bytes.ts'
import { encode } from '../../../client/primitives/codec.ts'
import { UNIVERSE } from '../../../client/primitives/id.ts'
import { mutate } from '../../fuzz/_mutate.ts'
import { below, type Draw, pick } from '../../fuzz/_seeded.ts'
import { Held, type Kind, type Target, WAYS } from './kind.ts'
import type { Links } from './links.ts'

// Attacks over real links: every protocol that a member answers is met in each of these ways over each transport, and one that members of a
// tally do not answer, link streams.

/** A protocol as an attacker sees it. */
interface Protocol {
  readonly id: string
  /** Longest frame that it takes, in bytes. */
  readonly most: number
  /** What an honest peer begins with. */
  readonly first: Bytes
  /** What has the longest answer, where that is something else. */
  readonly greedy?: Bytes
}

const ZEROS = new Uint8Array(32)
const { subscribe, sync } = {
  subscribe: encode(streamRequestCodec, {
    kind: 'subscribe',
    value: { network: UNIVERSE, component: ZEROS, surface: 'x', tickets: [] },
  }),
  sync: encode(catalogRequestCodec, { kind: 'sync', value: { network: UNIVERSE, groups: [], from: ZEROS, have: [] } }),
}
export const GOSSIP = '/meshsub/1.2.0'
const TOPIC = utf8(topicOf(UNIVERSE))
const OPTIONS = concat(Uint8Array.of(0x08, 1, 0x12, TOPIC.length), TOPIC)
/** A gossipsub RPC that subscribes to the members' topic. */
export const SUBSCRIPTION = concat(Uint8Array.of(OPTIONS.length + 2, 0x0a, OPTIONS.length), OPTIONS)

const protocolsFor = (group: Bytes): readonly Protocol[] => [
  {
    id: LIGHT_PROTOCOL,
    most: LIGHT_LIMITS.frame,
    first: frame(encode(requestCodec, { kind: 'open', value: { group, fromEpoch: 0, known: [], withstand: null } })),
    greedy: frame(encode(requestCodec, { kind: 'watch', value: { group, surfaces: [0], from: 1n, withstand: null, credit: 0xffff_ffff } })),
  },
  {
    id: COMMIT_PROTOCOL,
    most: COMMIT_LIMITS.frame,
    first: frame(encode(joinCodec, { network: UNIVERSE, group, roster: ZEROS })),
  },
  { id: CATALOG_PROTOCOL, most: CATALOG_LIMITS.request, first: frame(sync) },
  { id: STREAM_PROTOCOL, most: STREAM_LIMITS.frame, first: frame(subscribe) },
  { id: GOSSIP, most: 65_536, first: SUBSCRIPTION },
  { id: '/ipfs/id/1.0.0', most: 65_536, first: SUBSCRIPTION },
  { id: '/ipfs/ping/1.0.0', most: 65_536, first: new Uint8Array(32) },
]

const uleb = (value: number): Bytes => {
  const head: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) head.push((rest & 0x7f) | 0x80)
  return Uint8Array.of(...head, rest)
}

const PATIENCE = 10_000
/** Of each way and protocol: so many that the oldest has been open for longer than an honest member waits, 30 s for light/1. */
const MOST = 48
const SLOW = 4

/** A stream that was opened, and what has to be called when the member has ended it. */
interface Opened {
  readonly stream: ByteStream
  readonly ended: () => void
}

type Open = (target: Target, held: Held) => Promise<Opened>

/** A way to use a protocol: what is done with a stream of it. */
type Move = (opened: Opened, protocol: Protocol, draw: Draw) => Promise<void>

const MOVES: Readonly<Record<string, Move>> = {
  garbage: async ({ stream, ended }, _, draw) => {
    await within(stream.write(new Uint8Array(randomBytes(1 + below(draw, 2_048)))))
    void drained(stream, ended)
  },
  'not quite a request': async ({ stream, ended }, { first }, draw) => {
    await within(stream.write(mutate(draw, first)))
    await within(stream.finish())
    void drained(stream, ended)
  },
  'a frame too long': async ({ stream, ended }, { most }) => {
    void drained(stream, ended)
    await within(stream.write(concat(uleb(most + 1), new Uint8Array(65_536))))
  },
  'a frame of 4 GiB': async ({ stream, ended }) => {
    void drained(stream, ended)
    await within(stream.write(concat(uleb(2 ** 32 - 1), new Uint8Array(4_096))))
  },
  nothing: async ({ stream, ended }) => void drained(stream, ended),
  'half of the longest frame': async ({ stream, ended }, { most }) => {
    void drained(stream, ended)
    await within(stream.write(concat(uleb(most), new Uint8Array(Math.floor(most / 2)))))
  },
  'a reset': async ({ stream }, { first }) => {
    await within(stream.write(first.subarray(0, Math.ceil(first.length / 2))))
    stream.abort(new Error('an attack'))
  },
  'a request': async ({ stream, ended }, { first }) => {
    void drained(stream, ended)
    await within(stream.write(first))
    await within(stream.finish())
  },
  // asByteStream takes 256 kB, and from then on the member has to wait.
  'a request, and the answer is not read': async ({ stream }, { first, greedy = first }) => within(stream.write(greedy)),
}

/** Reads what comes to its end. */
const drained = async ({ chunks }: ByteStream, ended: () => void): Promise<void> => {
  try {
    for await (const _ of chunks);
  } catch {
    // Reset: the member wants no more of it.
  }
  ended()
}

/** The promise's outcome: a write to a stream whose window is shut does not hold an attacker up. */
const within = async (promise: Promise<void>): Promise<void> => {
  await Promise.race([promise, delay(PATIENCE, undefined, { ref: false })])
}

/** @param group of the members: an attacker has read the config as everybody has */
export const streamKinds = (links: Links, group: Bytes, draw: Draw): readonly Kind[] =>
  protocolsFor(group).flatMap((protocol) => {
    const open = opener(links, protocol, draw)
    const moves = Object.entries(MOVES).map(([name, move]): Kind => {
      const held = new Held(MOST)
      const act = async (target: Target): Promise<void> => {
        const opened = await open(target, held)
        // What is said to a member that has had enough is said all the same.
        await move(opened, protocol, draw).catch(opened.ended)
      }
      return { name: `${protocol.id}: ${name}`, act, held }
    })
    return [...moves, dripping(open, protocol)]
  })

/** Opens a stream, over any of the transports. */
const opener =
  (links: Links, { id }: Protocol, draw: Draw): Open =>
  async (target, held) => {
    const connection = await links.to(pick(draw, WAYS), target)
    const found = await connection.newStream(id, { signal: AbortSignal.timeout(PATIENCE), maxOutboundStreams: 1_024 })
    const stream = asByteStream(found)
    const ended = held.keep(() => stream.abort(new Error('an attack')))
    return { stream, ended }
  }

/** A request that comes one byte at a time. */
const dripping = (open: Open, protocol: Protocol): Kind => {
  const held = new Held(SLOW)
  const slots: { readonly stream: ByteStream; next: number; isOver: boolean }[] = []
  let turn = 0
  const begin = async (target: Target) => {
    const { stream, ended } = await open(target, held)
    const slow = { stream, next: 0, isOver: false }
    void drained(stream, () => {
      slow.isOver = true
      ended()
    })
    return slow
  }
  const act = async (target: Target): Promise<void> => {
    const at = turn++ % SLOW
    const known = slots[at]
    const slow = known && !known.isOver && known.next < protocol.first.length ? known : await begin(target)
    slots[at] = slow
    await within(slow.stream.write(protocol.first.subarray(slow.next, ++slow.next))).catch(() => {})
  }
  return { name: `${protocol.id}: slow loris`, act, held }
}
