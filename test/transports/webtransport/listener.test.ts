import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Stream } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import { afterEach, describe, expect, test } from 'vitest'
import { asByteStream } from '../../../client/network/link.ts'
import { type Bytes, concat, utf8 } from '../../../client/primitives/bytes.ts'
import { createQuota, originOf } from '../../../node/transports/addresses.ts'
import { certhashOf, DAY } from '../../../node/transports/webtransport/certificate.ts'
import { H3 } from '../../../node/transports/webtransport/codes.ts'
import { CAPSULE, FRAME, writeFrame } from '../../../node/transports/webtransport/frames.ts'
import type { WebTransportOptions } from '../../../node/transports/webtransport/index.ts'
import { Client } from './_client.ts'
import { manualClock } from './_clock.ts'
import { addressOf, type Dialed, dialFrom, listenAt } from './_dialer.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const server = async (options: WebTransportOptions = {}, address?: string): Promise<Libp2p> => {
  const node = await listenAt(options, address)
  closing.push(() => node.stop())
  const answer = async (stream: Stream): Promise<void> => {
    const bytes = asByteStream(stream)
    for await (const chunk of bytes.chunks) await bytes.write(chunk)
    await bytes.finish()
  }
  await node.handle('/echo/1', answer, { maxInboundStreams: 100 })
  return node
}

const dialer = async (...args: Parameters<typeof dialFrom>): Promise<Libp2p> => {
  const node = await dialFrom(...args)
  closing.push(() => node.stop())
  return node
}

const client = async (...args: Parameters<typeof Client.connect>): Promise<Client> => {
  const found = await Client.connect(...args)
  closing.push(() => found[Symbol.asyncDispose]())
  return found
}

/** Sends `size` bytes to the echo and reads them back. */
const echo = async (from: Libp2p, to: Libp2p, size: number): Promise<Bytes> => {
  const connection = await from.dial(to.getMultiaddrs())
  const stream = asByteStream(await connection.newStream('/echo/1'))
  const sent = (async () => {
    for (let at = 0; at < size; at += 10_000) await stream.write(new Uint8Array(Math.min(10_000, size - at)).fill(at / 10_000))
    await stream.finish()
  })()
  const chunks: Bytes[] = []
  for await (const chunk of stream.chunks) chunks.push(chunk)
  await sent
  return concat(...chunks)
}

describe('a connection of libp2p', () => {
  test('streams carry bytes both ways, more than a window of them, and end in order', async () => {
    const to = await server()
    const from = await dialer()
    const back = await echo(from, to, 1_000_000)
    expect(back.length).toBe(1_000_000)
    expect([back[0], back[15_000], back[999_999]]).toEqual([0, 1, 99])
  })

  test('knows who the peer is, and its address as it is', async () => {
    const to = await server()
    const from = await dialer()
    await echo(from, to, 1)
    const [connection] = to.getConnections()
    expect(connection?.remotePeer.equals(from.peerId)).toBe(true)
    expect(connection?.remoteAddr.toString()).toMatch(/^\/ip4\/127\.0\.0\.1\/udp\/[1-9]\d*\/quic-v1\/webtransport/)
    expect(connection?.multiplexer).toBe('/webtransport')
  })

  test('over IPv6', async () => {
    const to = await server({}, '/ip6/::1/udp/0/quic-v1/webtransport')
    expect((await echo(await dialer(), to, 1_000)).length).toBe(1_000)
    expect(to.getConnections()[0]?.remoteAddr.toString()).toMatch(/^\/ip6\/::1\/udp\//)
  })

  test('streams are opened from this side too', async () => {
    const to = await server()
    const from = await dialer()
    await from.handle('/ask/1', async (stream) => {
      const bytes = asByteStream(stream)
      await bytes.write(utf8('yes'))
      await bytes.finish()
    })
    await from.dial(to.getMultiaddrs())
    await expect.poll(() => to.getConnections()).toHaveLength(1)
    const [connection] = to.getConnections()
    if (connection === undefined) throw new Error('no connection')
    const stream = asByteStream(await connection.newStream('/ask/1'))
    const chunks: Bytes[] = []
    for await (const chunk of stream.chunks) chunks.push(chunk)
    expect(Buffer.from(concat(...chunks)).toString()).toBe('yes')
  })

  test('two hundred streams one after another, and fifty at once, on one connection', async () => {
    const to = await server()
    const from = await dialer()
    for (let i = 0; i < 200; i++) expect((await echo(from, to, 10)).length).toBe(10)
    const sizes = await Promise.all(Array.from({ length: 50 }, () => echo(from, to, 5_000)))
    expect(sizes.every(({ length }) => length === 5_000)).toBe(true)
    expect(to.getConnections()).toHaveLength(1)
  })

  test('a reader that waits makes its writer wait: little more than a window is taken', async () => {
    const to = await server({ limits: { window: 100_000 } })
    let written = 0
    await to.handle('/flood/1', async (stream) => {
      const bytes = asByteStream(stream)
      while (written < 50_000_000) {
        await bytes.write(new Uint8Array(10_000))
        written += 10_000
      }
    })
    const from = await dialer(() => {}, { window: 100_000 })
    const connection = await from.dial(to.getMultiaddrs())
    const stream = await connection.newStream('/flood/1')
    stream.pause()
    // A round trip on another stream while nothing was written: whatever was on its way has arrived.
    for (let before = -1; before !== written; ) {
      before = written
      await echo(from, to, 100)
    }
    expect(written).toBeGreaterThan(25_000)
    expect(written).toBeLessThan(600_000)
    stream.addEventListener('message', () => {})
    stream.resume()
    await expect.poll(() => written, { timeout: 10_000 }).toBeGreaterThan(2_000_000)
    stream.abort(new Error('enough'))
  })
})

describe('certificates', () => {
  test('both hashes are in the address and in noise; after a turn the next one is current and open connections go on', async () => {
    const clock = manualClock()
    const to = await server({ clock })
    const before = addressOf(to).hashes
    expect(before).toHaveLength(2)
    const dialed: Dialed[] = []
    const early = await dialer((one) => void dialed.push(one))
    await echo(early, to, 10)
    clock.pass(12.5 * DAY)
    const after = addressOf(to).hashes
    expect(after[0]).toBe(before[1])
    expect(after[1]).not.toBe(before[0])
    expect((await echo(early, to, 10)).length).toBe(10)
    const late = await dialer((one) => void dialed.push(one))
    await echo(late, to, 10)
    expect(to.getConnections()).toHaveLength(2)
    // A dialer with the old address compares its hashes with these (libp2p specs, webtransport, "Security Handshake").
    expect(dialed.map(({ hashes }) => hashes.map(certhashOf))).toEqual([before, [...after, before[0]]])
    const [first, second] = dialed.map(({ client: { native } }) => native as unknown as { peerCertChain: () => Uint8Array[] })
    const shown = [first, second].map((native) =>
      certhashOf(concat(Uint8Array.of(0x12, 0x20), sha256(native?.peerCertChain()[0] as Uint8Array))),
    )
    expect(shown).toEqual([before[0], before[1]])
  })

  test('a restart with what was kept has the same hashes; one without has others', async () => {
    let kept: Bytes | null = null
    const certificates = {
      load: async () => kept,
      store: async (bytes: Bytes) => {
        kept = bytes
      },
    }
    const first = await listenAt({ certificates })
    const { hashes } = addressOf(first)
    await first.stop()
    expect(addressOf(await server({ certificates })).hashes).toEqual(hashes)
    expect(addressOf(await server()).hashes).not.toEqual(hashes)
  })
})

describe('who gets in', () => {
  test('RFC 9000 section 8.1: once one of an address is unchecked, or always with a limit of 0, a Retry comes first, and the dial goes on', async () => {
    const to = await server({ limits: { unchecked: 0 } })
    const found = await client(addressOf(to).port)
    expect(found.retries).toBe(1)
    await found.session()
    const other = await server()
    expect((await client(addressOf(other).port)).retries).toBe(0)
  })

  test('section 6: a version that is not spoken is answered with those that are, in fewer bytes; a short packet is not', async () => {
    const { port } = addressOf(await server())
    const ids = [8, ...Array<number>(8).fill(1), 8, ...Array<number>(8).fill(2)]
    const packet = Buffer.concat([Buffer.from([0xc0, 0xba, 0xba, 0xba, 0xba, ...ids]), Buffer.alloc(1_200)])
    const answer = await exchange(port, [packet.subarray(0, 600), packet])
    expect(answer[0] as number).toBeGreaterThanOrEqual(0x80)
    expect(answer.readUInt32BE(1)).toBe(0)
    expect(answer.subarray(5, 5 + ids.length)).toEqual(Buffer.from([...ids.slice(9), ...ids.slice(0, 9)]))
    expect(answer.readUInt32BE(5 + ids.length)).toBe(1)
    expect(answer.length).toBeLessThan(100)
  })

  test('garbage gets no answer and no place, and others are served meanwhile', async () => {
    const to = await server()
    const { port } = addressOf(to)
    const socket = createSocket('udp4')
    let answers = 0
    socket.on('message', () => {
      answers += 1
    })
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    closing.push(() => void socket.close())
    for (let i = 0; i < 500; i++) {
      // Ids of more than 20 bytes, or a long one would be an honest packet of a version that is not spoken.
      const head = Buffer.from([i % 2 ? 0x40 : 0xc0, ...randomBytes(4), 0xff])
      socket.send(Buffer.concat([head, randomBytes(1_400)]).subarray(0, 1 + ((i * 37) % 1_400)), port, '127.0.0.1')
    }
    // With a version that is spoken, and ids that are none.
    for (const size of [0, 7, 21, 255])
      socket.send(Buffer.concat([Buffer.from([0xc0, 0, 0, 0, 1, size]), randomBytes(1_300)]), port, '127.0.0.1')
    expect((await echo(await dialer(), to, 1_000)).length).toBe(1_000)
    expect(answers).toBe(0)
  })

  test('the connections of one address have a limit: one more is not answered, and one that ends makes room', async () => {
    const { port } = addressOf(await server({ quota: { ...createQuota(2), originOf } }))
    const first = await client(port)
    await client(port)
    const third = await Client.start(port, { idle: 400 })
    closing.push(() => third[Symbol.asyncDispose]())
    expect(await third.ended()).toBeNull()
    await first[Symbol.asyncDispose]()
    // What was closed is remembered for a few round trips, for late packets.
    await expect.poll(() => attempt(port), { timeout: 10_000 }).toBe(true)
  })

  test('whoever has shown its address and says nothing more is closed at the deadline; a libp2p peer that is done is not', async () => {
    const clock = manualClock()
    const to = await server({ clock })
    const done = await dialer()
    await echo(done, to, 10)
    const silent = await client(addressOf(to).port)
    const half = await client(addressOf(to).port)
    half.member(await half.session(), utf8('\0'))
    clock.pass(10_001)
    expect(await silent.ended()).toBe(H3.requestRejected)
    expect(await half.ended()).toBe(H3.requestRejected)
    expect((await echo(done, to, 10)).length).toBe(10)
  })
})

describe('a peer that does wrong is closed, and nobody else', () => {
  const bad: readonly (readonly [string, number, (client: Client) => unknown])[] = [
    ['DATA before HEADERS', H3.frameUnexpected, (each) => each.bidi(writeFrame(FRAME.data, new Uint8Array(1)))],
    [
      'a control stream without SETTINGS',
      H3.missingSettings,
      (each) => each.uni(concat(Uint8Array.of(0), writeFrame(FRAME.goaway, new Uint8Array(1)))),
    ],
    ['a field section that is none', H3.decompression, (each) => each.bidi(writeFrame(FRAME.headers, Uint8Array.of(2, 0)))],
    [
      'a close without a code',
      H3.message,
      async (each) => (await each.session()).queue(writeFrame(FRAME.data, writeFrame(CAPSULE.close, new Uint8Array(2)))),
    ],
    ['a handshake that is none', H3.requestRejected, async (each) => each.member(await each.session(), utf8('\0\x01x'))],
    ['a handshake that ends', H3.requestRejected, async (each) => each.member(await each.session(), utf8('\0')).finish()],
  ]
  test.each(bad)('%s', async (_, code, act) => {
    const to = await server()
    const good = await dialer()
    await echo(good, to, 10)
    const each = await client(addressOf(to).port)
    await act(each)
    expect(await each.ended()).toBe(code)
    expect((await echo(good, to, 1_000)).length).toBe(1_000)
  })
})

describe('the end', () => {
  test('of a listener: sessions are told, connections close with H3_NO_ERROR, and the port is free again', async () => {
    const to = await server()
    const { port } = addressOf(to)
    const dialed: Dialed[] = []
    const from = await dialer((one) => void dialed.push(one))
    await echo(from, to, 10)
    await to.stop()
    expect(await dialed[0]?.client.ended()).toBe(H3.noError)
    const again = await server({}, `/ip4/127.0.0.1/udp/${port}/quic-v1/webtransport`)
    expect(addressOf(again).port).toBe(port)
  })

  test('of a peer that was switched off: its connection ends when it has been silent for the idle time', async () => {
    const to = await server({ limits: { idle: 300 } })
    const dialed: Dialed[] = []
    const from = await dialer((one) => void dialed.push(one))
    await echo(from, to, 10)
    dialed[0]?.client.mute()
    await expect.poll(() => to.getConnections().length, { timeout: 10_000 }).toBe(0)
  })

  test('a stream’s end reaches the peer, whenever it comes: with the data, behind them, and while acknowledgements come in', async () => {
    const to = await server()
    const ends = [0, 1, 5, 20, 40]
    await to.handle('/late/1', async (stream): Promise<void> => {
      const bytes = asByteStream(stream)
      const first = await bytes.chunks[Symbol.asyncIterator]().next()
      await bytes.write(utf8('data'))
      const wait = ends[(first.value as Bytes)[0] as number] as number
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      await bytes.finish()
    })
    const from = await dialer()
    const connection = await from.dial(to.getMultiaddrs())
    const ask = async (kind: number): Promise<string> => {
      const stream = asByteStream(await connection.newStream('/late/1'))
      await stream.write(Uint8Array.of(kind))
      await stream.finish()
      const chunks: Bytes[] = []
      for await (const chunk of stream.chunks) chunks.push(chunk)
      return Buffer.from(concat(...chunks)).toString()
    }
    for (let round = 0; round < 5; round++)
      expect(await Promise.all(Array.from({ length: 25 }, (_, i) => ask(i % ends.length)))).toEqual(Array<string>(25).fill('data'))
  })
})

/** Whether a client gets in. */
const attempt = async (port: number): Promise<boolean> => {
  const found = await Client.start(port, { idle: 300 })
  try {
    await found.until(() => found.native.isEstablished())
    return true
  } catch {
    return false
  } finally {
    await found[Symbol.asyncDispose]()
  }
}

/** Sends datagrams; the first answer. */
const exchange = async (port: number, datagrams: readonly Buffer[]): Promise<Buffer> => {
  const socket = createSocket('udp4')
  closing.push(() => void socket.close())
  const answer = once(socket, 'message')
  for (const datagram of datagrams) socket.send(datagram, port, '127.0.0.1')
  const [first] = (await answer) as [Buffer]
  return first
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
