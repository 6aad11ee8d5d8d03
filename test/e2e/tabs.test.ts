import type { Browser, BrowserContext, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CommitteeSite, caughtUp, expectWhole, LONG, MEMBERS, openSite, openWallet, type WalletTab } from './committee-site.ts'
import { launch, newProfile } from './page.ts'

// Issue "The universe in a browser", item 6: several tabs of the wallet in one browser, with the connections counted where they end.

let browser: Browser
let site: CommitteeSite
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
  context = await newProfile(browser)
})
afterEach(async () => {
  await context.close()
  await expect.poll(() => site.connections(), LONG).toBe(0)
})

const openTabs = async (n: number): Promise<[WalletTab, WalletTab, ...WalletTab[]]> => {
  const tabs: WalletTab[] = []
  for (let i = 0; i < n; i++) tabs.push(await openWallet(context, site.url))
  return tabs as [WalletTab, WalletTab, ...WalletTab[]]
}

const report = (what: string, ms: number): void => console.info(`${what}: ${Math.round(ms)} ms`)

describe('tabs of one browser', () => {
  it.each([2, 3])('%i of them have one set of connections, and each shows every item once', async (n) => {
    const tabs = await openTabs(n)
    await expectWhole(site, tabs)
    expect(tabs.map(({ workers }) => workers())).toEqual([1, ...Array.from({ length: n - 1 }, () => 0)])
    expect(site.connections()).toBe(MEMBERS.length)
  })

  it('go on without a loss when the one that led is closed', async () => {
    const [first, ...others] = await openTabs(3)
    await first.page.close()
    report(
      'the tab that led was closed, and the others are up to date',
      Math.max(...(await Promise.all(others.map((tab) => caughtUp(site, tab))))),
    )
    await expectWhole(site, others)
    await expect.poll(() => others.reduce((sum, { workers }) => sum + workers(), 0), LONG).toBe(1)
    await expectWhole(site, others)
    await expect.poll(() => site.connections(), LONG).toBe(MEMBERS.length)
  })

  it('go on without a loss when the one that led is loaded anew, and goes on itself', async () => {
    const [first, second] = await openTabs(2)
    await first.page.reload()
    report('the tab that led was loaded anew, and the other is up to date', await caughtUp(site, second))
    await first.page.waitForSelector('#live li.refund', LONG)
    await expectWhole(site, [second])
    await expect.poll(() => [first.workers() + second.workers(), site.connections()], LONG).toEqual([1, MEMBERS.length])
  })

  it('go on without a loss when the one that led comes to another page, and back from the cache', async () => {
    const [first, second] = await openTabs(2)
    await first.page.goto('about:blank')
    report('the tab that led went to another page, and the other is up to date', await caughtUp(site, second))
    await first.page.goBack()
    await first.page.waitForSelector('#live li.refund', LONG)
    await expectWhole(site, [second])
    await expect.poll(() => [first.workers() + second.workers(), site.connections()], LONG).toEqual([1, MEMBERS.length])
  })

  it('go on without a loss when the one that led stands still, and when it goes on', async () => {
    const [first, second] = await openTabs(2)
    const goOn = await standStill(first.page)
    // It leads still, and holds the lock: nothing but its silence tells.
    const from = performance.now()
    await expect.poll(() => second.workers(), LONG).toBe(1)
    await caughtUp(site, second)
    report('the tab that led stood still, and the other is up to date', performance.now() - from)
    await goOn()
    await expectWhole(site, [first, second])
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
