import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { isError } from '../../client/error.ts'
import { silent } from '../../client/log.ts'
import type { ByteStream, Link } from '../../client/network/host.ts'
import { type Bytes, concat, equal } from '../../client/primitives/bytes.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'

const bytes = (n: number): Bytes => new Uint8Array(randomBytes(n))
const { signal } = new AbortController()

const hosts: NodeHost[] = []
const open = async (listen: readonly string[] = [], limits = {}): Promise<NodeHost> => {
  const host = await createNodeHost({ seed: bytes(32), listen, log: silent, limits })
  hosts.push(host)
  return host
}
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()))
})

const echo = async ({ chunks, write, finish }: ByteStream): Promise<void> => {
  for await (const chunk of chunks) await write(chunk)
  await finish()
}

const collect = async (stream: ByteStream): Promise<Bytes> => {
  const parts: Bytes[] = []
  for await (const chunk of stream.chunks) parts.push(chunk)
  return concat(...parts)
}

const exchange = async (link: Link, protocol: string, data: Bytes): Promise<Bytes> => {
  const stream = await link.stream(protocol, { signal })
  const sent = (async () => {
    await stream.write(data)
    await stream.finish()
  })()
  const [back] = await Promise.all([collect(stream), sent])
  return back
}

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
const portOf = (address: string): number => Number(/tcp\/(\d+)/.exec(address)?.[1])

const pair = async (
  listen: string,
  limits = {},
): Promise<{ readonly server: NodeHost; readonly client: NodeHost; readonly link: Link }> => {
  const server = await open([listen], limits)
  const client = await open()
  return { server, client, link: await client.dial(server.addresses()[0] ?? '', { signal }) }
}

describe.each([
  ['tcp', '/ip4/127.0.0.1/tcp/0'],
  ['WebSocket', '/ip4/127.0.0.1/tcp/0/ws'],
])('Node to Node over %s', (_, listen) => {
  it('brings back what was sent, and names the peer by its link key', async () => {
    const { server, client, link } = await pair(listen)
    const peers: Bytes[] = []
    await server.handle('/test/echo', async (stream, peer) => {
      peers.push(peer)
      await echo(stream)
    })
    const data = bytes(3_000_000)
    expect(equal(await exchange(link, '/test/echo', data), data)).toBe(true)
    expect([...link.peer]).toEqual([...server.peer])
    expect(peers.map((peer) => [...peer])).toEqual([[...client.peer]])
  })

  it('makes the writer wait for a reader that does not read, and loses nothing', async () => {
    const { server, link } = await pair(listen)
    let start = (): void => {}
    const started = new Promise<void>((resolve) => {
      start = resolve
    })
    let received = 0
    await server.handle('/test/sink', async (stream) => {
      await started
      received = (await collect(stream)).length
      await stream.finish()
    })
    await server.handle('/test/echo', echo)
    const stream = await link.stream('/test/sink', { signal })
    const [size, count] = [128 * 1024, 128]
    let written = 0
    const writing = (async () => {
      for (let i = 0; i < count; i++) {
        await stream.write(bytes(size))
        written++
      }
      await stream.finish()
    })()
    // Others on the same connection are not held up; after so many round trips without progress the writer is known to wait.
    for (let idle = 0, seen = -1; idle < 20; idle = seen === written ? idle + 1 : 0) {
      seen = written
      await exchange(link, '/test/echo', bytes(10))
    }
    expect(written * size).toBeLessThan(3 * 1024 * 1024)
    start()
    await writing
    await collect(stream)
    expect(received).toBe(size * count)
  })

  it('tells a reset from an end', async () => {
    const { server, link } = await pair(listen)
    await server.handle('/test/half', async ({ chunks, write }) => {
      for await (const chunk of chunks) {
        await write(chunk)
        throw new Error('enough')
      }
    })
    const stream = await link.stream('/test/half', { signal })
    await stream.write(bytes(10))
    await expect(collect(stream)).rejects.toThrow()
  })

  it('tells a connection that broke from an end, and says so on the link', async () => {
    const { server, link } = await pair(listen)
    let arrived = (): void => {}
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve
    })
    await server.handle('/test/silent', async ({ chunks }) => {
      arrived()
      for await (const _ of chunks);
    })
    const stream = await link.stream('/test/silent', { signal })
    await stream.write(bytes(1))
    await arrival
    const reading = collect(stream)
    const closing = once(link.closed, 'abort')
    await Promise.all([expect(reading).rejects.toThrow(), server.close(), closing])
    expect(isError(link.closed.reason, 'Network.LinkError')).toBe(true)
  })

  it('refuses a protocol that nobody answers', async () => {
    const { link } = await pair(listen)
    await expect(link.stream('/test/nobody', { signal })).rejects.toThrow()
  })

  it('refuses a peer with another key than the address names', async () => {
    const server = await open([listen])
    const other = await open([listen])
    const client = await open()
    const [address = '', named = ''] = [server.addresses()[0], other.addresses()[0]]
    await expect(client.dial(address.replace(/\/p2p\/.*/, named.replace(/.*(?=\/p2p\/)/, '')), { signal })).rejects.toThrow()
  })

  it('holds no more connections of one address than it should', async () => {
    const server = await open([listen], { perAddress: 2 })
    const clients = await Promise.all([open(), open(), open()])
    const address = server.addresses()[0] ?? ''
    const dialled = await Promise.allSettled(clients.map((client) => client.dial(address, { signal })))
    expect(dialled.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    await clients[dialled.findIndex(({ status }) => status === 'fulfilled')]?.close()
    // The place is free once the server has seen the connection go.
    const third = clients[dialled.findIndex(({ status }) => status === 'rejected')]
    await expect
      .poll(
        () =>
          third?.dial(address, { signal }).then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true)
  })

  it('is not shut to others by those who open connections and say nothing', async () => {
    const server = await open([listen], { pending: 4 })
    const address = server.addresses()[0] ?? ''
    const mute = Array.from({ length: 8 }, () => connect(portOf(address), '127.0.0.1'))
    await Promise.all(
      mute.map(async (socket) => {
        socket.on('error', () => {})
        await once(socket, 'connect')
        if (!address.includes('/ws/')) return
        socket.write(UPGRADE)
        await once(socket, 'data')
      }),
    )
    const client = await open()
    expect((await client.dial(address, { signal })).closed.aborted).toBe(false)
    for (const socket of mute) socket.destroy()
  })

  it('holds as many connections of a proxy as it is asked for', async () => {
    const server = await open([listen], { perAddress: 1, proxies: ['127.0.0.1'] })
    const clients = await Promise.all([open(), open(), open()])
    await Promise.all(clients.map((client) => client.dial(server.addresses()[0] ?? '', { signal })))
    await expect.poll(() => server.load('').connections).toBe(3)
  })
})

it('says which address of IPv6 it does not listen on', async () => {
  const said: string[] = []
  const listen = ['/ip4/127.0.0.1/tcp/0', '/ip6/2001:db8::1/tcp/0']
  const host = await createNodeHost({ seed: bytes(32), listen, log: (level, message) => void said.push(`${level} ${message}`) })
  hosts.push(host)
  expect(said).toEqual([expect.stringMatching(/^warn not listening on \/ip6\/2001:db8::1\/tcp\/0: /)])
  expect(host.addresses()).toHaveLength(1)
})

it('drops what floods a WebSocket listener before any key is proven', async () => {
  const server = await open(['/ip4/127.0.0.1/tcp/0/ws'])
  const socket = connect(portOf(server.addresses()[0] ?? ''), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(UPGRADE)
  await once(socket, 'data')
  // A masked frame that announces 64 MiB.
  const frame = Buffer.alloc(14)
  frame.set([0x82, 0xff, 0, 0, 0, 0, 4, 0, 0, 0])
  socket.write(frame)
  await once(socket, 'close')
})

it.each(['', 'nonsense', '/ip4/127.0.0.1/tcp/1/ws'])('refuses the address %j', async (address) => {
  const host = await open()
  const error: unknown = await host.dial(address, { signal }).catch((reason: unknown) => reason)
  expect(isError(error, 'Network.AddressError')).toBe(true)
})

it('gives up dialling when it is told to, with the reason that it was given', async () => {
  const [host, other] = await Promise.all([open(), open(['/ip4/127.0.0.1/tcp/0/ws'])])
  const controller = new AbortController()
  const dialling = host.dial(other.addresses()[0] ?? '', { signal: controller.signal })
  controller.abort(new Error('never mind'))
  await expect(dialling).rejects.toThrow('never mind')
})

it.each(['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'])(
  'keeps a link on %s when the signal of its dial is aborted later',
  async (listen) => {
    const [host, other] = await Promise.all([open(), open([listen])])
    await other.handle('/test/echo', async ({ chunks, write, finish }) => {
      for await (const chunk of chunks) await write(chunk)
      await finish()
    })
    const controller = new AbortController()
    const link = await host.dial(other.addresses()[0] ?? '', { signal: controller.signal })
    controller.abort(new Error('the dial is long over'))
    const stream = await link.stream('/test/echo', { signal })
    const said = bytes(3)
    await stream.write(said)
    await stream.finish()
    expect(await collect(stream)).toEqual(said)
    expect([link.closed.aborted, link.bytes]).toEqual([false, { received: 3, sent: 3 }])
  },
)

it.each(['/tcp/1', '/tcp/1/ws'])('says who cannot be reached: %s', async (end) => {
  const [host, other] = await Promise.all([open(), open(['/ip4/127.0.0.1/tcp/0'])])
  const address = `/ip4/127.0.0.1${end}${other.addresses()[0]?.replace(/.*(?=\/p2p\/)/, '')}`
  const error: unknown = await host.dial(address, { signal }).catch((reason: unknown) => reason)
  expect(isError(error, 'Network.LinkError') && error.facts.address).toBe(address)
})
