import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { concat, utf8 } from '../../../client/primitives/bytes.ts'
import { below, type Draw } from '../../fuzz/_seeded.ts'
import { Held, type Kind, sources, type Target } from './kind.ts'

// Attacks below libp2p, on the two ports that take TCP connections.

const line = (text: string): Uint8Array => concat(Uint8Array.of(text.length + 1), utf8(`${text}\n`))
/** How a libp2p connection begins, up to where noise does. */
const OPENING = concat(line('/multistream/1.0.0'), line('/noise'))
/** A noise message that says to be as long as one can be, of which little comes. */
const HALF_NOISE = concat(OPENING, Uint8Array.of(0xff, 0xff), new Uint8Array(100))

const upgrade = (): Uint8Array =>
  utf8(
    `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n`,
  )
const END = utf8('\r\n')

/** A WebSocket frame of a client, masked with zeros: of `says` bytes by its length, of which `payload` comes. */
const webSocketFrame = (payload: Uint8Array, says = payload.length): Uint8Array => {
  const head = Buffer.alloc(14)
  head.writeUInt16BE(0x82ff, 0)
  head.writeBigUInt64BE(BigInt(says), 2)
  return concat(new Uint8Array(head), payload)
}

const noise = (draw: Draw, most: number): Uint8Array => new Uint8Array(randomBytes(1 + below(draw, most)))

/** A connection from `from`, read and not listened to. Rejects when there is none. */
const open = (port: number, from: string, held: Held): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true })
    socket.on('error', reject)
    socket.once('connect', () => {
      socket.once(
        'close',
        held.keep(() => socket.destroy()),
      )
      resolve(socket)
    })
    socket.resume()
  })

/** Of each kind: so many that the oldest has been open for longer than a handshake may take. */
const MOST = 32
/** Slow ones at a time: few, so that each of them gets a byte before the member loses its patience. */
const SLOW = 4

type Port = (target: Target) => number
const tcp: Port = (target) => target.tcp
const ws: Port = (target) => target.ws
type Bytes = () => Uint8Array

/** A new connection each time, on which all is said at once, and which is then left as it is. */
const once = (name: string, port: Port, bytes: Bytes): Kind => {
  const from = sources()
  const held = new Held(MOST)
  const act = async (target: Target): Promise<void> => {
    const socket = await open(port(target), from(), held)
    socket.write(bytes())
  }
  return { name, act, held }
}

/** Few connections, on one of which one byte is said each time. */
const slowly = (name: string, port: Port, bytes: Bytes): Kind => {
  const from = sources()
  const held = new Held(SLOW)
  const slots: (Slow | undefined)[] = []
  let turn = 0
  const begin = async (port: number): Promise<Slow> => ({ socket: await open(port, from(), held), bytes: bytes(), next: 0 })
  const act = async (target: Target): Promise<void> => {
    const at = turn++ % SLOW
    const known = slots[at]
    const slow = known && !known.socket.destroyed && known.next < known.bytes.length ? known : await begin(port(target))
    slots[at] = slow
    slow.socket.write(slow.bytes.subarray(slow.next, ++slow.next))
  }
  return { name, act, held }
}

const reset = (): Kind => {
  const from = sources()
  const act = async (target: Target): Promise<void> => {
    using held = new Held(1)
    const socket = await open(target.tcp, from(), held)
    socket.write(OPENING)
    socket.resetAndDestroy()
  }
  return { name: 'tcp: a connection that is reset', act, held: null }
}

/** An upgrade and frames, all at once. */
const whole = (...frames: readonly Uint8Array[]): Uint8Array => concat(upgrade(), END, ...frames)
/** An upgrade whose headers go on and on. */
const headers = (): Uint8Array => concat(upgrade(), ...Array.from({ length: 400 }, () => utf8(`X-Y: ${'z'.repeat(50)}\r\n`)))

export const socketKinds = (draw: Draw): readonly Kind[] => [
  once('tcp: garbage', tcp, () => noise(draw, 4_096)),
  once('tcp: a connection that says nothing', tcp, () => new Uint8Array(0)),
  once('tcp: half a noise message', tcp, () => HALF_NOISE),
  once('tcp: garbage for noise', tcp, () => concat(OPENING, Uint8Array.of(0, 200), randomBytes(200))),
  slowly('tcp: slow loris', tcp, () => HALF_NOISE),
  reset(),
  once('ws: garbage', ws, () => noise(draw, 4_096)),
  once('ws: half an upgrade', ws, upgrade),
  once('ws: headers without end', ws, headers),
  slowly('ws: slow loris', ws, () => concat(upgrade(), END)),
  once('ws: a frame of a terabyte', ws, () => whole(webSocketFrame(new Uint8Array(1_024), 2 ** 40))),
  once('ws: half a frame of 1 MiB', ws, () => whole(webSocketFrame(new Uint8Array(65_536), 1_048_576))),
  once('ws: frames of garbage', ws, () => whole(webSocketFrame(noise(draw, 400)), webSocketFrame(noise(draw, 400)))),
  once('ws: half a handshake', ws, () => whole(webSocketFrame(OPENING))),
]

interface Slow {
  readonly socket: Socket
  readonly bytes: Uint8Array
  next: number
}
