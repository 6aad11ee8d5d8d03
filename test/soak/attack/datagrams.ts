import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { FRAME, writeFrame } from '../../../node/transports/webtransport/frames.ts'
import { BIDI, PACKETS, UNI } from '../../fuzz/_h3-moves.ts'
import { mutate } from '../../fuzz/_mutate.ts'
import { below, type Draw, pick } from '../../fuzz/_seeded.ts'
import { bindingRequest } from '../../transports/webrtc/_stun.ts'
import { Client } from '../../transports/webtransport/_client.ts'
import { Held, type Kind, sources, type Target } from './kind.ts'

// Attacks on the two ports that take datagrams: QUIC with WebTransport on it, and ICE with WebRTC on it.

/** Of each kind: so many that the oldest has been open for longer than a handshake may take. */
const MOST = 32
/** Milliseconds for the handshake of QUIC: a member that is full does not answer at all. */
const PATIENCE = 5_000

/** Datagrams to one of a member's ports, each from the next address. */
const datagrams = (name: string, port: (target: Target) => number, bytes: () => Uint8Array): Kind => {
  const from = sources()
  const sockets = new Map<string, Promise<Socket>>()
  const held = new Held(8)
  const socketAt = (address: string): Promise<Socket> => {
    const known = sockets.get(address) ?? bound(address)
    if (!sockets.has(address)) {
      sockets.set(address, known)
      held.keep(() => void known.then((socket) => socket.close()))
    }
    return known
  }
  const act = async (target: Target): Promise<void> => {
    const socket = await socketAt(from())
    await new Promise<void>((resolve, reject) =>
      socket.send(bytes(), port(target), '127.0.0.1', (error) => (error === null ? resolve() : reject(error))),
    )
  }
  return { name, act, held }
}

const bound = (address: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.bind(0, address, () => {
      // What ICMP brings back is about one datagram.
      socket.off('error', reject).on('error', () => {})
      resolve(socket)
    })
  })

/** A QUIC client each time, which does something and is then left open. */
const clients = (name: string, attack: (client: Client) => Promise<void> | void): Kind => {
  const from = sources()
  const held = new Held(MOST)
  const act = async (target: Target): Promise<void> => {
    const client = await Client.start(target.wt, { from: from() })
    const ended = held.keep(() => void client[Symbol.asyncDispose]())
    // Without a code it was silence, ours or the member's.
    void client.ended().then((code) => code !== null && ended())
    await attack(client)
  }
  return { name, act, held }
}

/** @throws Error when the handshake is not done in time */
const established = async (client: Client): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), PATIENCE)
  })
  try {
    await Promise.race([client.until(() => client.native.isEstablished()), late])
  } finally {
    clearTimeout(timer)
  }
}

/** What a browser's ICE agent sends first, from nobody who has one. */
const dial = (): Bytes => {
  const ufrag = `libp2p+webrtc+v1/${randomBytes(16).toString('hex')}`
  return new Uint8Array(bindingRequest(`${ufrag}:${ufrag}`, ufrag))
}

export const datagramKinds = (draw: Draw): readonly Kind[] => {
  const wt = (target: Target): number => target.wt
  const rtc = (target: Target): number => target.rtc
  const garbage = (): Uint8Array => new Uint8Array(randomBytes(1 + below(draw, 1_400)))
  return [
    datagrams('webtransport: garbage', wt, garbage),
    datagrams('webtransport: packets that are not quite QUIC', wt, () => mutate(draw, pick(draw, PACKETS), { others: PACKETS })),
    clients('webtransport: a first packet and no more', (client) => client.mute()),
    clients('webtransport: QUIC and no more', established),
    clients('webtransport: QUIC, then silence', async (client) => {
      await established(client)
      client.mute()
    }),
    clients('webtransport: garbage for HTTP/3', async (client) => {
      await established(client)
      client.uni(mutate(draw, pick(draw, UNI), { others: UNI }))
      client.bidi(mutate(draw, pick(draw, BIDI), { others: BIDI }))
    }),
    clients('webtransport: half of a frame', async (client) => {
      await established(client)
      client.bidi(writeFrame(FRAME.headers, new Uint8Array(4_000)).slice(0, 2_000))
    }),
    clients('webtransport: a session and no more', async (client) => {
      await established(client)
      // Its answer is not waited for: nothing of it is looked at.
      void client.session().catch(() => {})
    }),
    datagrams('webrtc-direct: garbage', rtc, garbage),
    datagrams('webrtc-direct: requests that are not quite STUN', rtc, () => mutate(draw, dial())),
    datagrams('webrtc-direct: a dial and no more', rtc, dial),
  ]
}
