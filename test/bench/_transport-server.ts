import { type WebSocket, WebSocketServer } from 'ws'
import { silent } from '../../client/log.ts'
import type { ByteStream } from '../../client/network/host.ts'
import { createNodeHost } from '../../node/host.ts'
import { transportsOf } from '../../node/transports/listeners.ts'
import { secretOf } from '../groups/counter.ts'
import { CHUNK, ECHO, GET, PUT } from './_transport.ts'

const LISTEN = ['/ip4/127.0.0.1/tcp/0/ws', '/ip4/127.0.0.1/udp/0/webrtc-direct', '/ip4/127.0.0.1/udp/0/quic-v1/webtransport']
const chunk = new Uint8Array(CHUNK)

/** Sends back what comes. */
const echo = async ({ chunks, write, finish }: ByteStream): Promise<void> => {
  for await (const bytes of chunks) await write(bytes)
  await finish()
}

/** Sends as many bytes as it is asked for. */
const get = async ({ chunks, write, finish }: ByteStream): Promise<void> => {
  for await (const bytes of chunks) {
    for (let left = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true); left > 0; left -= CHUNK)
      await write(left < CHUNK ? chunk.subarray(0, left) : chunk)
    break
  }
  await finish()
}

/** Takes everything, then says so. */
const put = async ({ chunks, write, finish }: ByteStream): Promise<void> => {
  for await (const _ of chunks);
  await write(Uint8Array.of(1))
  await finish()
}

const give = async (socket: WebSocket, size: number): Promise<void> => {
  for (let left = size; left > 0; left -= CHUNK)
    await new Promise<void>((resolve) => socket.send(left < CHUNK ? chunk.subarray(0, left) : chunk, () => resolve()))
}

/** The same three over plain `ws`: the path says which. */
const startPlain = async (): Promise<string> => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  await new Promise((resolve) => server.once('listening', resolve))
  server.on('connection', (socket, { url }) => {
    socket.on('message', (data: Buffer) => {
      if (url === '/echo') socket.send(data)
      // An empty message ends what is put.
      else if (url === '/put') data.length === 0 && socket.send(Uint8Array.of(1))
      else void give(socket, data.readUInt32LE())
    })
  })
  return `ws://127.0.0.1:${(server.address() as { readonly port: number }).port}`
}

/** One full node with all its listeners, and a plain WebSocket server in the same process. */
export const main = async (): Promise<void> => {
  const limits = { perAddress: 256, perSecond: 256, pending: 256 }
  const host = await createNodeHost({ seed: secretOf(0, 'peer'), listen: LISTEN, log: silent, limits, transports: transportsOf })
  await host.handle(ECHO, echo)
  await host.handle(GET, get)
  await host.handle(PUT, put)
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.({ cpu: (user + system) / 1_000 })
  })
  process.once('disconnect', () => process.exit(0))
  process.send?.({ plain: await startPlain(), addresses: host.addresses() })
}
