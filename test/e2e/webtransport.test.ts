import type { Stream } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import type { Browser } from 'playwright'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { asByteStream } from '../../client/network/link.ts'
import { DAY } from '../../node/transports/webtransport/certificate.ts'
import type { WebTransportOptions } from '../../node/transports/webtransport/index.ts'
import { type Site, serveSite } from '../site.ts'
import { manualClock } from '../transports/webtransport/_clock.ts'
import { addressOf, listenAt } from '../transports/webtransport/_dialer.ts'
import { launch, openTab, type Tab } from './page.ts'

// PROTOCOL.md section 5: our WebTransport listener and a real Chromium, by its own WebTransport and by js-libp2p's dialer in a Worker.

const PATH = '/.well-known/libp2p-webtransport?type=noise'

let browser: Browser
let site: Site
beforeAll(async () => {
  browser = await launch()
  site = await serveSite(null, 'test/e2e/_webtransport-worker.ts')
})
afterAll(async () => {
  await browser?.close()
  await site?.[Symbol.asyncDispose]()
})

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const served = { flooded: 0 }
const serve = async (options: WebTransportOptions = {}): Promise<Libp2p> => {
  const node = await listenAt(options)
  closing.push(() => node.stop())
  const echo = async (stream: Stream): Promise<void> => {
    const bytes = asByteStream(stream)
    for await (const chunk of bytes.chunks) await bytes.write(chunk)
    await bytes.finish()
  }
  const flood = async (stream: Stream): Promise<void> => {
    const bytes = asByteStream(stream)
    const { value } = await bytes.chunks[Symbol.asyncIterator]().next()
    const size = Number(new TextDecoder().decode(value))
    for (served.flooded = 0; served.flooded < size; served.flooded += 65_536) await bytes.write(new Uint8Array(65_536))
    await bytes.finish()
  }
  await node.handle('/echo/1', echo, { maxInboundStreams: 100 })
  await node.handle('/flood/1', flood)
  return node
}

const tab = async (): Promise<Tab> => {
  const opened = await openTab(browser, site.url)
  closing.push(() => opened[Symbol.asyncDispose]())
  return opened
}

/** The 32 bytes of a certhash. */
const digestOf = (certhash: string): readonly number[] => [...Buffer.from(certhash.slice(1), 'base64url').subarray(2)]

interface Opened {
  readonly ready: string
  readonly closed: string
}

/** Opens a session by hand, sends `first` on a stream of it, and closes it with 7 and "bye" unless it is to be closed by the server. */
const raw = ({ page }: Tab, url: string, digests: readonly (readonly number[])[], first: readonly number[] | null): Promise<Opened> =>
  page.evaluate(
    async ([url, digests, first]) => {
      const serverCertificateHashes = digests.map((digest) => ({ algorithm: 'sha-256', value: new Uint8Array(digest) }))
      const session = new WebTransport(url, { serverCertificateHashes })
      const word = (promise: Promise<unknown>): Promise<string> =>
        promise.then(
          (value) => (value === undefined ? 'yes' : JSON.stringify(value)),
          (error: unknown) => (error as Error).name,
        )
      const closed = word(session.closed)
      const ready = await word(session.ready)
      if (ready !== 'yes') return { ready, closed: await closed }
      if (first === null) session.close({ closeCode: 7, reason: 'bye' })
      else await (await session.createBidirectionalStream()).writable.getWriter().write(new Uint8Array(first))
      return { ready, closed: await closed }
    },
    [url, digests, first] as const,
  )

describe('a page’s own WebTransport', () => {
  it('opens a session with the hashes of the address, and closes it', async () => {
    const { port, hashes } = addressOf(await serve())
    const opened = await raw(await tab(), `https://127.0.0.1:${port}${PATH}`, hashes.map(digestOf), null)
    expect(opened).toEqual({ ready: 'yes', closed: JSON.stringify({ closeCode: 7, reason: 'bye' }) })
  })

  it('is refused at another path, and with the hash of another certificate', async () => {
    const { port, hashes } = addressOf(await serve())
    const [current = '', next = ''] = hashes
    const page = await tab()
    expect((await raw(page, `https://127.0.0.1:${port}/other`, [digestOf(current)], null)).ready).toBe('WebTransportError')
    expect((await raw(page, `https://127.0.0.1:${port}${PATH}`, [digestOf(next)], null)).ready).toBe('WebTransportError')
    expect((await raw(page, `https://127.0.0.1:${port}${PATH}`, [digestOf(current)], null)).ready).toBe('yes')
  })

  it('that says nonsense where noise is expected loses its session, and the next one is served', async () => {
    const { port, hashes } = addressOf(await serve())
    const page = await tab()
    const url = `https://127.0.0.1:${port}${PATH}`
    const opened = await raw(page, url, hashes.map(digestOf), [0, 1, 120])
    expect(opened.ready).toBe('yes')
    expect((await raw(page, url, hashes.map(digestOf), null)).ready).toBe('yes')
  })
})

type Call = (call: 'dial' | 'echo' | 'hold' | 'sip' | 'open' | 'close', address: string, size?: number) => Promise<unknown>

/** A Worker with js-libp2p's dialer, in a page of its own. */
const worker = async (): Promise<{ readonly call: Call; readonly tab: Tab }> => {
  const opened = await tab()
  await opened.page.evaluate(() => {
    const own = new Worker('/worker.js', { type: 'module' })
    let last = 0
    const ask = (message: object): Promise<unknown> =>
      new Promise((resolve, reject) => {
        last += 1
        const id = last
        const listen = ({ data }: MessageEvent<{ readonly id: number; readonly value?: unknown; readonly error?: string }>): void => {
          if (data.id !== id) return
          own.removeEventListener('message', listen)
          if (data.error === undefined) resolve(data.value)
          else reject(new Error(data.error))
        }
        own.addEventListener('message', listen)
        own.postMessage({ id, ...message })
      })
    Object.assign(globalThis, { ask })
  })
  const call: Call = (name, address, size = 0) =>
    opened.page.evaluate((message) => (globalThis as unknown as { readonly ask: (message: object) => Promise<unknown> }).ask(message), {
      call: name,
      address,
      size,
    })
  return { call, tab: opened }
}

describe('js-libp2p in a Worker', () => {
  it('dials, knows the peer, and echoes 5 MB and 50 streams at once', async () => {
    const node = await serve()
    const { call } = await worker()
    const { text } = addressOf(node)
    expect(await call('dial', text)).toBe(node.peerId.toString())
    // 80 pieces, each filled with the low byte of what was left then.
    expect(await call('echo', text, 5_242_880)).toBe(0)
    expect(await call('echo', text, 1_000)).toBe(1_000 * (1_000 & 0xff))
    expect(await call('open', text, 50)).toBe(50)
    expect(node.getConnections()).toHaveLength(1)
    expect(node.getConnections()[0]?.remoteAddr.toString()).toMatch(/^\/ip4\/127\.0\.0\.1\/udp\/\d+\/quic-v1\/webtransport/)
  })

  it('that does not read makes the listener wait, while its other streams go on', async () => {
    const node = await serve()
    const { call } = await worker()
    const { text } = addressOf(node)
    await call('hold', text, 60_000_000)
    // A round trip on another stream while nothing was written: whatever was on its way has arrived.
    for (let before = -1; before !== served.flooded; ) {
      before = served.flooded
      await call('echo', text, 1_000)
    }
    // Chromium's window of a stream is 6 MiB.
    expect(served.flooded).toBeLessThan(12_000_000)
    expect(await call('sip', text)).toBeGreaterThanOrEqual(60_000_000)
  })

  it('is told when the listener closes, and when it dials again it is served', async () => {
    const node = await serve()
    const { call } = await worker()
    await call('dial', addressOf(node).text)
    await call('close', '')
    await expect.poll(() => node.getConnections()).toHaveLength(0)
    await call('dial', addressOf(node).text)
    expect(node.getConnections()).toHaveLength(1)
    const { text } = addressOf(node)
    await node.stop()
    await expect(call('echo', text, 10)).rejects.toThrow()
  })

  it('has a connection that goes on when the certificate is rotated, and dials the next one by the address it knew', async () => {
    // A certificate's turn that ends an hour from now, so that Chromium's own clock finds both of them valid.
    const clock = manualClock(Date.now() - 12 * DAY + DAY / 24)
    const node = await serve({ clock })
    clock.pass(12 * DAY - DAY / 24)
    const { text, hashes } = addressOf(node)
    const early = await worker()
    await early.call('echo', text, 1_000)
    await early.call('hold', text, 20_000_000)
    clock.pass(DAY / 12)
    expect(addressOf(node).hashes[0]).toBe(hashes[1])
    expect(await early.call('sip', text)).toBeGreaterThanOrEqual(20_000_000)
    await early.call('echo', text, 1_000)
    const late = await worker()
    expect(await late.call('dial', text)).toBe(node.peerId.toString())
    expect(node.getConnections()).toHaveLength(2)
    // The second that a browser has for its leave is this clock's too.
    const stopped = node.stop()
    const passed = (): string => {
      clock.pass(2_000)
      return node.status
    }
    await expect.poll(passed).toBe('stopped')
    await stopped
  })
})
