import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import { silent } from '../../client/log.ts'
import type { ByteStream } from '../../client/network/host.ts'
import { LIGHT_PROTOCOL, requestCodec } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { utf8 } from '../../client/primitives/bytes.ts'
import { decode } from '../../client/primitives/codec.ts'
import { type PageServer, servePage } from '../../node/devnet/page.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'
import { hash } from '../../wasm/core.ts'
import { type TallyChain, tallyChain, tallyOf } from '../network/tally.ts'
import { launch, openTab, openTabIn, temporary } from './page.ts'

// Issue 7, "One worker per origin": a network that was away, and Save-Data, in Chromium. A committee of four.

const PAGE = new URL('../../dist/demo', import.meta.url).pathname
const LONG = { timeout: 30_000 }
const ALL = [0, 1, 2, 3]
const config = tallyOf(4)

let browser: Browser
beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser?.close())

let tally: TallyChain
let hosts: readonly NodeHost[]
let site: PageServer
/** Greetings that each member was sent. */
let greeted: number[]
let stop = (): void => {}

/** Counts a greeting: the first frame of its stream. */
const counting =
  (member: number, handler: ReturnType<typeof serveLight>): typeof handler =>
  (stream, peer) => {
    const chunks = async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>> {
      let isFirst = true
      for await (const chunk of stream.chunks) {
        const frame = chunk.subarray(chunk.findIndex((byte) => byte < 0x80) + 1)
        if (isFirst && decode(requestCodec, frame).kind === 'hello') greeted[member] = (greeted[member] ?? 0) + 1
        isFirst = false
        yield chunk
      }
    }
    return handler({ ...stream, chunks: chunks() } satisfies ByteStream, peer)
  }

const serve = async (member: number): Promise<NodeHost> => {
  const host = await createNodeHost({ seed: hash(utf8(`peer ${member}`)), listen: ['/ip4/127.0.0.1/tcp/0/ws'], log: silent })
  const handler = serveLight(() => [tally.chain.source()], host)
  await host.handle(LIGHT_PROTOCOL, counting(member, handler))
  return host
}

const handshake = () => ({ tally: formatConfig(config), bootstrap: hosts.map((host) => host.addresses()[0] as string) })

beforeEach(async () => {
  greeted = ALL.map(() => 0)
  tally = tallyChain(config, Date.now() - 20_000)
  for (let block = 1n; block <= 10n; block++) tally.pay(block, { signers: ALL })
  const beat = (): void => void tally.chain.commit([], { timeMs: Date.now(), signers: ALL })
  beat()
  hosts = await Promise.all(ALL.map(serve))
  site = await servePage({ folder: PAGE, handshake: handshake() })
  const timer = setInterval(beat, config.content.timers.heartbeat_ms)
  stop = () => clearInterval(timer)
})
afterEach(async () => {
  stop()
  await site?.[Symbol.asyncDispose]()
  await Promise.all(hosts.map((host) => host.close()))
})

const connections = (): number => hosts.reduce((sum, host) => sum + host.load(LIGHT_PROTOCOL).connections, 0)
const live = (page: Page): Promise<void> => page.locator('#status .state.live').waitFor(LONG)

describe('a network that was away', () => {
  it('is told of to the Worker, which greets every member anew at once, and keeps the links that answer', async () => {
    await using profile = await browser.newContext()
    const { page } = await openTabIn(profile, site.url)
    await live(page)
    await expect.poll(connections, LONG).toBe(ALL.length)
    // A member that shows heads is greeted once a minute.
    await page.waitForTimeout(2_500)
    const before = [...greeted]
    await profile.setOffline(true)
    const [worker] = page.workers()
    await expect.poll(() => worker?.evaluate(() => navigator.onLine), LONG).toBe(false)
    await page.waitForTimeout(2_500)
    await profile.setOffline(false)
    await expect.poll(() => greeted.map((count, member) => count - (before[member] as number)), LONG).toEqual([1, 1, 1, 1])
    await live(page)
    expect(connections()).toBe(ALL.length)
  })
})

/** The page, in whose Workers the browser asks to save data: Chromium's own switch, as a debugger sets it, is for pages alone. */
const savingPage = async (folder: string): Promise<void> => {
  await cp(PAGE, folder, { recursive: true })
  const assets = join(folder, 'assets')
  for (const name of await readdir(assets)) {
    if (!/^worker-.*\.js$/.test(name)) continue
    const text = await readFile(join(assets, name), 'utf8')
    await writeFile(join(assets, name), `Object.defineProperty(navigator, 'connection', { value: { saveData: true } });${text}`)
  }
}

describe('Save-Data', () => {
  it('links as many members as confirm a head, and the verdict is as green as with all', async () => {
    await using folder = await temporary()
    await savingPage(folder.path)
    await using saving = await servePage({ folder: folder.path, handshake: handshake() })
    await using tab = await openTab(browser, saving.url)
    await live(tab.page)
    await tab.page.locator('#live all-refunds li.refund .light[title="freshness: verified"]').first().waitFor(LONG)
    expect(connections()).toBe(2)
    expect(tab.complaints).toEqual([])
  })
})
