import { randomBytes } from 'node:crypto'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { LIGHT_PROTOCOL } from '../../../client/network/light/messages.ts'
import { below, type Draw } from '../../fuzz/_seeded.ts'
import { Held, type Kind, type Target } from './kind.ts'
import { attacker, type Routes } from './links.ts'
import { GOSSIP, SUBSCRIPTION } from './streams.ts'

// Attackers that prove a new key each time, as whoever likes can.

const PATIENCE = 10_000

/** yamux, with garbage before its first frame, or a frame that no peer may send. */
const spoilt =
  (bytes: () => Uint8Array): typeof yamux =>
  (init) =>
  () => {
    const factory = yamux(init)()
    return {
      protocol: factory.protocol,
      createStreamMuxer: (connection) => {
        connection.send(bytes())
        return factory.createStreamMuxer(connection)
      },
    }
  }

/** A data frame of yamux for a stream that nobody opened, of `length` bytes. */
const stray = (length: number): Uint8Array => {
  const head = Buffer.alloc(12)
  head.writeUInt32BE(77, 4)
  head.writeUInt32BE(length, 8)
  return new Uint8Array(head)
}

type Act = (node: Libp2p) => Promise<void>

/** A node of its own each time, over tcp and ws in turns. */
const each = (name: string, routes: Routes, attack: Act, muxer: typeof yamux = yamux): Kind => {
  const held = new Held(8)
  let turn = 0
  const act = async (target: Target): Promise<void> => {
    const { tcp, ws } = target.addresses
    const address = await routes.through(turn++ % 2 === 0 ? tcp : ws)
    const node = await attacker(muxer)
    try {
      const connection = await node.dial(multiaddr(address), { signal: AbortSignal.timeout(PATIENCE) })
      connection.addEventListener(
        'close',
        held.keep(() => void node.stop()),
      )
      await attack(node)
    } catch (error) {
      await node.stop()
      throw error
    }
  }
  return { name, act, held }
}

const nothing: Act = async () => {}

/** Leaves in the middle of everything. */
const breakOff: Act = async (node) => {
  const [connection] = node.getConnections()
  const stream = await connection?.newStream(LIGHT_PROTOCOL, { signal: AbortSignal.timeout(PATIENCE) })
  stream?.send(Uint8Array.of(40, 1, 2, 3))
  connection?.abort(new Error('an attack'))
}

/** Leaves as one should, for others to take its place. */
const gossipAndGo: Act = async (node) => {
  const [connection] = node.getConnections()
  const stream = await connection?.newStream(GOSSIP, { signal: AbortSignal.timeout(PATIENCE) })
  stream?.send(SUBSCRIPTION)
  await stream?.close()
  await connection?.close()
}

export const dialKinds = (routes: Routes, draw: Draw): readonly Kind[] => {
  const garbage = spoilt(() => new Uint8Array(randomBytes(12 + below(draw, 500))))
  return [
    each('yamux: garbage', routes, nothing, garbage),
    each(
      'yamux: a frame for no stream',
      routes,
      nothing,
      spoilt(() => stray(4)),
    ),
    each(
      'yamux: a frame of 4 GiB',
      routes,
      nothing,
      spoilt(() => stray(2 ** 32 - 1)),
    ),
    each('links: a new key, and no more', routes, nothing),
    each('links: a new key, half a request, gone', routes, breakOff),
    each('links: a new key, gossip, gone in good order', routes, gossipAndGo),
  ]
}
