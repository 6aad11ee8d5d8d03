import type { Browser, BrowserContext, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import { silent } from '../../client/log.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { utf8 } from '../../client/primitives/bytes.ts'
import { servePage } from '../../node/devnet/page.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'
import { hash } from '../../wasm/core.ts'
import { tallyChain, tallyOf } from '../network/tally.ts'
import { followed, NOTHING, type Sequence, watchRows } from '../soak/rows.ts'
import { launch } from './page.ts'

// Issue "The universe in a browser", item 6: several tabs of the wallet in one browser, with the connections counted where they end.

const PAGE = new URL('../../dist/demo', import.meta.url).pathname
const MEMBERS = [0, 1, 2, 3]
const LONG = { timeout: 60_000 }
/** Milliseconds between two payments. */
const EVERY = 150

interface Site extends AsyncDisposable {
  readonly url: string
  /** Links that members have with browsers. */
  readonly connections: () => number
  /** Position of the newest refund. */
  readonly newest: () => bigint
}

/** A committee that pays without a pause, and the wallet. */
const openSite = async (): Promise<Site> => {
  const tally = tallyChain(tallyOf(MEMBERS.length), Date.now() - 60_000)
  let block = 0n
  const pay = (): void => tally.pay(++block, { timeMs: Date.now(), signers: MEMBERS })
  for (let i = 0; i < 5; i++) pay()
  const serve = async (member: number): Promise<NodeHost> => {
    const host = await createNodeHost({ seed: hash(utf8(`peer ${member}`)), listen: ['/ip4/127.0.0.1/tcp/0/ws'], log: silent })
    await host.handle(
      LIGHT_PROTOCOL,
      serveLight(() => [tally.chain.source()], host),
    )
    return host
  }
  const hosts = await Promise.all(MEMBERS.map(serve))
  const bootstrap = hosts.map((host) => host.addresses()[0] as string)
  const site = await servePage({ folder: PAGE, handshake: { tally: formatConfig(tallyOf(MEMBERS.length)), bootstrap } })
  const timer = setInterval(pay, EVERY)
  return {
    url: site.url,
    connections: () => hosts.reduce((sum, host) => sum + host.load(LIGHT_PROTOCOL).connections, 0),
    newest: () => block - 1n,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await site[Symbol.asyncDispose]()
      await Promise.all(hosts.map((host) => host.close()))
    },
  }
}

interface Tab {
  readonly page: Page
  readonly sequence: () => Sequence
  readonly complaints: readonly string[]
  /** Workers that run in it. */
  readonly workers: () => number
}

let browser: Browser
let site: Site
let context: BrowserContext
beforeAll(async () => {
  browser = await launch()
  site = await openSite()
})
afterAll(async () => {
  await site?.[Symbol.asyncDispose]()
  await browser?.close()
})
beforeEach(async () => {
  context = await browser.newContext()
})
afterEach(async () => {
  await context.close()
  await expect.poll(() => site.connections(), LONG).toBe(0)
})

const openTab = async (): Promise<Tab> => {
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  let sequence = NOTHING
  await page.goto(site.url)
  await watchRows(page, (listing) => {
    sequence = followed(sequence, listing)
  })
  await page.waitForSelector('#live li.refund', LONG)
  return { page, complaints, sequence: () => sequence, workers: () => page.workers().length }
}

const openTabs = async (n: number): Promise<[Tab, Tab, ...Tab[]]> => {
  const tabs: Tab[] = []
  for (let i = 0; i < n; i++) tabs.push(await openTab())
  return tabs as [Tab, Tab, ...Tab[]]
}

/** Waits until a tab shows what is the newest by now. Milliseconds that it took. */
const caughtUp = async ({ sequence }: Tab): Promise<number> => {
  const [goal, from] = [site.newest(), performance.now()]
  await expect.poll(() => (sequence().newest ?? -1n) >= goal, LONG).toBe(true)
  return performance.now() - from
}

const report = (what: string, ms: number): void => console.info(`${what}: ${Math.round(ms)} ms`)

/** Nothing was lost, nothing came twice, nothing went wrong. */
const expectWhole = async (tabs: readonly Tab[]): Promise<void> => {
  for (const tab of tabs) {
    await caughtUp(tab)
    expect(tab.sequence().problems).toEqual([])
    expect(tab.complaints).toEqual([])
  }
}

describe('tabs of one browser', () => {
  it.each([2, 3])('%i of them have one set of connections, and each shows every item once', async (n) => {
    const tabs = await openTabs(n)
    await expectWhole(tabs)
    expect(tabs.map(({ workers }) => workers())).toEqual([1, ...Array.from({ length: n - 1 }, () => 0)])
    expect(site.connections()).toBe(MEMBERS.length)
  })

  it('go on without a loss when the one that led is closed', async () => {
    const [first, ...others] = await openTabs(3)
    await first.page.close()
    report('the tab that led was closed, and the others are up to date', Math.max(...(await Promise.all(others.map(caughtUp)))))
    await expectWhole(others)
    await expect.poll(() => others.reduce((sum, { workers }) => sum + workers(), 0), LONG).toBe(1)
    await expectWhole(others)
    await expect.poll(() => site.connections(), LONG).toBe(MEMBERS.length)
  })

  it('go on without a loss when the one that led is loaded anew, and goes on itself', async () => {
    const [first, second] = await openTabs(2)
    await first.page.reload()
    report('the tab that led was loaded anew, and the other is up to date', await caughtUp(second))
    await first.page.waitForSelector('#live li.refund', LONG)
    await expectWhole([second])
    await expect.poll(() => [first.workers() + second.workers(), site.connections()], LONG).toEqual([1, MEMBERS.length])
  })

  it('go on without a loss when the one that led comes to another page, and back from the cache', async () => {
    const [first, second] = await openTabs(2)
    await first.page.goto('about:blank')
    report('the tab that led went to another page, and the other is up to date', await caughtUp(second))
    await first.page.goBack()
    await first.page.waitForSelector('#live li.refund', LONG)
    await expectWhole([second])
    await expect.poll(() => [first.workers() + second.workers(), site.connections()], LONG).toEqual([1, MEMBERS.length])
  })

  it('go on without a loss when the one that led stands still, and when it goes on', async () => {
    const [first, second] = await openTabs(2)
    const goOn = await standStill(first.page)
    // It leads still, and holds the lock: nothing but its silence tells.
    const from = performance.now()
    await expect.poll(() => second.workers(), LONG).toBe(1)
    await caughtUp(second)
    report('the tab that led stood still, and the other is up to date', performance.now() - from)
    await goOn()
    await expectWhole([first, second])
    await expect.poll(() => [first.workers(), second.workers(), site.connections()], LONG).toEqual([0, 1, MEMBERS.length])
  })
})

/**
 * Halts a page and its Workers, as a browser does that freezes it. `Page.setWebLifecycleState` freezes neither in a headless Chromium 156, so
 * they are halted by the debugger.
 */
const standStill = async (page: Page): Promise<() => Promise<void>> => {
  const session = await page.context().newCDPSession(page)
  const workers = new Set<string>()
  session.on('Target.attachedToTarget', ({ sessionId }) => workers.add(sessionId))
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false })
  const all = async (method: 'Debugger.enable' | 'Debugger.pause' | 'Debugger.resume'): Promise<void> => {
    for (const sessionId of workers)
      await session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id: 1, method }) }).catch(() => {})
    await session.send(method).catch(() => {})
  }
  await all('Debugger.enable')
  await all('Debugger.pause')
  return () => all('Debugger.resume')
}
