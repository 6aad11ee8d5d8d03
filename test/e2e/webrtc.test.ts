import { type Browser, chromium } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asByteStream } from '../../client/network/link.ts'
import { type Bytes, concat } from '../../client/primitives/bytes.ts'
import { FLAGS, findChromium } from '../../scripts/chromium.mjs'
import { type Site, serveSite } from '../site.ts'
import { listening, type TestNode } from '../transports/webrtc/_nodes.ts'
import { sumOf } from './_rtc-sum.ts'
import { openTab, type Tab } from './page.ts'

// PROTOCOL.md section 3: webrtc-direct from a page's Worker to a Node listener, in Chromium; both versions of libp2p's webrtc-direct.

/** The experiment by which Chromium refuses an offer whose ICE credentials were changed; off by default in Chromium 156. */
const NO_MUNGING = '--force-fieldtrials=WebRTC-NoSdpMangleUfrag/Enabled/'

let site: Site
let member: TestNode

beforeAll(async () => {
  site = await serveSite('test/e2e/_rtc-page.ts', 'test/e2e/_rtc-worker.ts')
  member = await listening()
  await member.handle('/test/put/1', async (stream) => {
    const { chunks, write, finish } = asByteStream(stream)
    await write(Uint8Array.from(sumOf(await read(chunks))))
    await finish()
  })
  await member.handle('/test/get/1', async (stream) => {
    const { chunks, write, finish } = asByteStream(stream)
    const size = Buffer.from(await read(chunks)).readUInt32LE()
    for (let left = size; left > 0; left -= 65_536) await write(new Uint8Array(Math.min(left, 65_536)).fill(left >> 8))
    await finish()
  })
})
afterAll(async () => {
  await member?.stop()
  await site?.[Symbol.asyncDispose]()
})

const read = async (chunks: AsyncIterable<Bytes>): Promise<Bytes> => {
  const parts: Bytes[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return concat(...parts)
}

/** What /test/get/1 answers. */
const given = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 65_536) bytes.fill((size - at) >> 8, at, Math.min(size, at + 65_536))
  return bytes
}

const address = (): string => String(member.getMultiaddrs()[0])

interface Rtc {
  start(version: 1 | 2, isBridged: boolean): void
  call(name: string, ...args: readonly unknown[]): Promise<unknown>
  end(): void
}
const call = ({ page }: Tab, name: string, ...args: readonly unknown[]): Promise<unknown> =>
  page.evaluate(([name, args]) => (globalThis as unknown as { readonly rtc: Rtc }).rtc.call(name, ...args), [name, args] as const)

const open = async (browser: Browser, version: 1 | 2, isBridged = false): Promise<Tab> => {
  const tab = await openTab(browser, site.url)
  await tab.page.waitForFunction(() => document.title === 'ready')
  await tab.page.evaluate(([version, isBridged]) => (globalThis as unknown as { readonly rtc: Rtc }).rtc.start(version, isBridged), [
    version,
    isBridged,
  ] as const)
  return tab
}

const launch = async (...more: readonly string[]): Promise<Browser> =>
  chromium.launch({ executablePath: await findChromium(), args: [...FLAGS, ...more], headless: true })

describe('a Worker in Chromium dials a Node listener over webrtc-direct', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())

  it.each([
    [2, false],
    [1, false],
    [2, true],
    [1, true],
  ] as const)('by version %i, bridged: %s', async (version, isBridged) => {
    await using tab = await open(browser, version, isBridged)
    expect(await call(tab, 'kinds')).toEqual(['function', 'function'])
    expect(await call(tab, 'dial', address())).toBe(member.peerId.toString())
    expect(await call(tab, 'ping', address())).toBeGreaterThanOrEqual(0)
    const [theirs, ours] = (await call(tab, 'put', address(), 4_000_000)) as readonly string[]
    expect(theirs).toBe(ours)
    expect(await call(tab, 'get', address(), 4_000_000)).toEqual([4_000_000, ...sumOf(given(4_000_000))])
    expect(member.getConnections().length).toBeGreaterThan(0)
    await call(tab, 'hangUp')
    await expect.poll(() => member.getConnections().length).toBe(0)
    expect(tab.complaints).toEqual([])
  })
})

describe('where Chromium refuses an offer whose ICE credentials were changed', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch(NO_MUNGING)
  })
  afterAll(() => browser?.close())

  it('version 1 fails, and says so', async () => {
    await using tab = await open(browser, 1)
    await expect(call(tab, 'dial', address())).rejects.toThrow(/SDP|munging|ufrag/i)
  })

  it('version 2 reads as ever', async () => {
    await using tab = await open(browser, 2)
    expect(await call(tab, 'get', address(), 100_000)).toEqual([100_000, ...sumOf(given(100_000))])
    expect(tab.complaints).toEqual([])
  })
})
