import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { asByteStream } from '../../../client/network/link.ts'
import { openMux } from '../../../node/transports/webrtc/mux.ts'
import type { CertificateStore } from '../../../node/transports/webtransport/rotation.ts'
import { dialling, listening, type TestNode } from './_nodes.ts'
import { bindingRequest, sender } from './_stun.ts'

// Issue 7, item 1: webrtc-direct under the node's peer id, limits, certificates that a restart keeps. Version 2, which Node does not dial,
// is dialled by Chromium in test/e2e/webrtc.test.ts.

const nodes: TestNode[] = []
const start = async (making: Promise<TestNode>): Promise<TestNode> => {
  const node = await making
  nodes.push(node)
  return node
}
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop()
})

const addressOf = (node: TestNode) => {
  const [address] = node.getMultiaddrs()
  if (address === undefined) throw new Error('listens on nothing')
  return address
}
const portOf = (node: TestNode): number => Number(addressOf(node).getComponents()[1]?.value)
const dial = (from: TestNode, to: TestNode, ms = 10_000) => from.dial(addressOf(to), { signal: AbortSignal.timeout(ms) })

const kept = (content: Uint8Array<ArrayBuffer> | null = null): CertificateStore & { content: Uint8Array<ArrayBuffer> | null } => ({
  content,
  async load() {
    return this.content
  },
  async store(bytes) {
    this.content = bytes
  },
})

describe('a listener', () => {
  it('is dialled by version 1, proves its key, and serves streams both ways', async () => {
    const [server, client] = [await start(listening()), await start(dialling())]
    const connection = await dial(client, server)
    expect(connection.remotePeer.equals(server.peerId)).toBe(true)
    expect(await client.services.ping.ping(connection.remotePeer)).toBeGreaterThanOrEqual(0)
    const [inbound] = server.getConnections()
    expect(inbound?.remotePeer.equals(client.peerId)).toBe(true)
    await connection.close()
    await expect.poll(() => server.getConnections().length).toBe(0)
  })

  it('keeps to its own port where one process has several', async () => {
    const [first, second, client] = [await start(listening()), await start(listening()), await start(dialling())]
    for (const server of [second, first]) expect((await dial(client, server)).remotePeer.equals(server.peerId)).toBe(true)
  })

  it('has its port for itself in this process, whichever address another one names', async () => {
    const mux = await openMux('127.0.0.1', 0, () => {})
    for (const host of ['::1', '127.0.0.1', '0.0.0.0'])
      await expect(openMux(host, mux.port, () => {})).rejects.toMatchObject({ code: 'EADDRINUSE' })
    mux.stop()
    // Nobody hears of it any more: it can be listened on again.
    expect((await openMux('127.0.0.1', mux.port, () => {})).port).toBe(mux.port)
  })

  it('is had by one alone of those that ask for one port at once', async () => {
    const free = await openMux('127.0.0.1', 0, () => {})
    const port = free.port + 1
    const asked = await Promise.allSettled(['127.0.0.1', '0.0.0.0', '127.0.0.1'].map((host) => openMux(host, port, () => {})))
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  })

  it('is not believed under another certificate', async () => {
    const [server, other, client] = [await start(listening()), await start(listening()), await start(dialling())]
    const lie = addressOf(other)
      .toString()
      .replace(/\/udp\/\d+/, `/udp/${portOf(server)}`)
    const { multiaddr } = await import('@multiformats/multiaddr')
    await expect(client.dial(multiaddr(lie), { signal: AbortSignal.timeout(2_000) })).rejects.toThrow()
  })

  it('says that its port is taken', async () => {
    const socket = createSocket('udp4')
    const port = await new Promise<number>((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket.address().port)))
    await expect(listening({}, undefined, `/ip4/127.0.0.1/udp/${port}/webrtc-direct`)).rejects.toThrow(/EADDRINUSE/)
    socket.close()
  })

  it('is gone when it has closed, and its port can be had again', async () => {
    const [server, client] = [await listening(), await start(dialling())]
    await dial(client, server)
    const listen = `/ip4/127.0.0.1/udp/${portOf(server)}/webrtc-direct`
    await server.stop()
    await expect.poll(() => client.getConnections().length, { timeout: 10_000 }).toBe(0)
    expect((await dial(client, await start(listening({}, undefined, listen)))).status).toBe('open')
  })
})

describe('the certificate of a listener', () => {
  it('is the same after a restart when it is kept, and with it the address', async () => {
    const store = kept()
    const hash = async (): Promise<string | undefined> => {
      const node = await listening({}, store)
      await node.stop()
      return /certhash\/([^/]+)/.exec(String(node.getMultiaddrs()[0] ?? ''))?.[1]
    }
    const server = await listening({}, store)
    const before = addressOf(server).toString().split('/certhash/')[1]?.split('/')[0]
    await server.stop()
    const again = await start(listening({}, store))
    expect(addressOf(again).toString()).toContain(before)
    expect(await hash()).toBe(undefined)
    const stranger = await start(listening())
    expect(addressOf(stranger).toString()).not.toContain(before)
  })

  it.each([
    ['nothing', ''],
    ['garbage', 'x'.repeat(100_000)],
    ['half a file', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
    [
      'no certificate',
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    ],
  ])('is made anew where %s is kept', async (_, text) => {
    const store = kept(new Uint8Array(Buffer.from(text)))
    const [server, client] = [await start(listening({}, store)), await start(dialling())]
    expect(Buffer.from(store.content ?? []).toString()).toMatch(
      /^-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n-----BEGIN CERT/,
    )
    expect((await dial(client, server)).status).toBe('open')
  })
})

describe('whoever sends nonsense', () => {
  it('changes nothing for others: garbage, wrong versions, dials that never go on', { timeout: 60_000 }, async () => {
    const [server, client] = [await start(listening({ pending: 8 })), await start(dialling())]
    await using flood = await sender(portOf(server))
    const before = (await import('node:process')).memoryUsage().rss
    const text = () => randomBytes(12).toString('hex')
    for (let i = 0; i < 500; i++) {
      const v1 = `libp2p+webrtc+v1/${text()}`
      const v2 = `libp2p+webrtc+v2/${text()}`
      await flood.send(randomBytes(1 + (i % 1_200)))
      await flood.send(bindingRequest(`${text()}:${text()}`, text()))
      await flood.send(bindingRequest(`${v1}:${text()}`, v1))
      await flood.send(bindingRequest(`${v1}\r\na=x:${v1}`, v1))
      await flood.send(bindingRequest(`${v1}:${v1}`, v1))
      await flood.send(bindingRequest(`${v2}:${text()}`, v2))
    }
    expect((await dial(client, server)).status).toBe('open')
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
  })

  it('has so many connections from one address, and another when one has gone', async () => {
    const [server, ...clients] = [
      await start(listening({ perAddress: 2 })),
      await start(dialling()),
      await start(dialling()),
      await start(dialling()),
    ]
    const [first, second, third] = clients as [TestNode, TestNode, TestNode]
    await dial(first, server)
    const held = await dial(second, server)
    await expect(dial(third, server, 1_500)).rejects.toThrow()
    await held.close()
    await vi.waitFor(async () => expect((await dial(third, server, 2_000)).status).toBe('open'), { timeout: 15_000 })
  })

  it('has so many streams at once on one connection', async () => {
    const [server, client] = [await start(listening({ streams: 4 })), await start(dialling())]
    const opened = vi.fn()
    await server.handle('/test/hold/1', () => opened())
    const connection = await dial(client, server)
    const tries = Array.from({ length: 8 }, () => connection.newStream('/test/hold/1', { signal: AbortSignal.timeout(2_000) }))
    const made = (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled')
    expect(made.length).toBe(4)
    expect(opened).toHaveBeenCalledTimes(4)
    for (const stream of made) if (stream.status === 'fulfilled') await stream.value.close()
  })

  it('has its stream reset when it sends more than is read', async () => {
    const [server, client] = [await start(listening()), await start(dialling())]
    const ends = vi.fn()
    await server.handle('/test/ignore/1', (stream) => {
      stream.pause()
      stream.addEventListener('close', ends)
    })
    const stream = asByteStream(await (await dial(client, server)).newStream('/test/ignore/1'))
    const send = async (): Promise<void> => {
      for (let sent = 0; sent < 8_000_000; sent += 65_536) await stream.write(new Uint8Array(65_536))
    }
    await expect(send()).rejects.toThrow()
    await expect.poll(() => ends.mock.calls.length).toBe(1)
  })
})
