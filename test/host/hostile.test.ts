import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { createLibp2p } from 'libp2p'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { silent } from '../../client/log.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'

// An uncaught exception fails the run: whatever anybody sends, a member goes on.

const { signal } = new AbortController()
let server: NodeHost
let client: NodeHost

beforeAll(async () => {
  const limits = { perSecond: 10_000, perAddress: 1_000 }
  server = await createNodeHost({
    seed: new Uint8Array(randomBytes(32)),
    listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'],
    log: silent,
    limits,
  })
  client = await createNodeHost({ seed: new Uint8Array(randomBytes(32)), listen: [], log: silent })
  await server.handle('/test/echo', async ({ chunks, write, finish }) => {
    for await (const chunk of chunks) await write(chunk)
    await finish()
  })
})
afterAll(() => Promise.all([server.close(), client.close()]))

const address = (end: RegExp): string => server.addresses().find((each) => end.test(each)) ?? ''
const port = (end: RegExp): number => Number(/tcp\/(\d+)/.exec(address(end))?.[1])
const TCP = /tcp\/\d+\/p2p/
const WS = /\/ws\//

const line = (text: string): Uint8Array => Buffer.from(`${String.fromCharCode(text.length + 1)}${text}\n`)
const openings = [Buffer.alloc(0), line('/multistream/1.0.0'), Buffer.concat([line('/multistream/1.0.0'), line('/noise')])]

/** Sends, half-closes, and waits until the server has let go, or for whatever it answers. */
const pour = async (to: number, data: Uint8Array): Promise<void> => {
  const socket = connect(to, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  socket.end(data)
  // `once` would reject on the reset that is a lawful answer.
  await new Promise((resolve) => socket.on('close', resolve))
}

const stillServes = async (): Promise<void> => {
  const link = await client.dial(address(TCP), { signal })
  const stream = await link.stream('/test/echo', { signal })
  await stream.write(Uint8Array.of(7))
  await stream.finish()
  const parts: number[] = []
  for await (const chunk of stream.chunks) parts.push(...chunk)
  expect(parts).toEqual([7])
}

it.each([
  ['TCP', TCP],
  ['WebSocket', WS],
])('outlives any bytes on its %s port', async (_, end) => {
  const data = fc.tuple(fc.constantFrom(...openings), fc.uint8Array({ maxLength: 300 }))
  await fc.assert(
    fc.asyncProperty(data, async ([opening, rest]) => pour(port(end), Buffer.concat([opening, rest]))),
    { numRuns: 40 },
  )
  await stillServes()
})

it('outlives any message on a WebSocket', async () => {
  const message = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 300 }))
  const data = fc.tuple(fc.constantFrom(...openings), fc.array(message, { minLength: 1, maxLength: 3 }))
  await fc.assert(
    fc.asyncProperty(data, async ([opening, rest]) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port(WS)}`)
      await once(socket, 'open')
      for (const each of [opening, ...rest]) socket.send(each)
      socket.close()
      await once(socket, 'close')
    }),
    { numRuns: 40 },
  )
  await stillServes()
})

it('outlives any bytes below the encryption', async () => {
  const frame = fc.uint8Array({ minLength: 1, maxLength: 60 })
  // A yamux header with valid version and type, so that more than the first check is reached.
  const header = fc.tuple(fc.nat(3), fc.nat(0xffff), fc.nat(9), fc.nat(0xffff_ffff)).map(([type, flags, stream, length]) => {
    const bytes = new Uint8Array(12)
    const view = new DataView(bytes.buffer)
    view.setUint8(1, type)
    view.setUint16(2, flags)
    view.setUint32(4, stream)
    view.setUint32(8, length)
    return bytes
  })
  const node = await createLibp2p({ transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(frame, header), { minLength: 1, maxLength: 5 }), async (frames) => {
      const connection = await node.dial(multiaddr(address(TCP)), { force: true })
      const closed = once(connection, 'close')
      const { maConn } = (connection as unknown as { readonly muxer: { readonly maConn: { send(data: Uint8Array): void } } }).muxer
      for (const each of frames) maConn.send(each)
      await connection.close()
      await closed
    }),
    { numRuns: 40 },
  )
  await node.stop()
  await stillServes()
})
