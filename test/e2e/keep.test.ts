import { mkdir } from 'node:fs/promises'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import { silent } from '../../client/log.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { utf8 } from '../../client/primitives/bytes.ts'
import { type PageServer, servePage } from '../../node/devnet/page.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'
import { hash } from '../../wasm/core.ts'
import { type TallyChain, tallyChain, tallyOf } from '../network/tally.ts'
import { launch, openTab, type Tab } from './page.ts'

// What a reader verified is kept in IndexedDB, verified again on load, and shown at once with its age. In Chromium, a committee of four.

const PAGE = new URL('../../dist/demo', import.meta.url).pathname
const SHOTS = new URL('../../.cache/shots/', import.meta.url).pathname
const LONG = { timeout: 30_000 }
const ALL = [0, 1, 2, 3]
const BLOCKS = 60n
const config = tallyOf(4)

let browser: Browser
beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true })
  browser = await launch()
})
afterAll(() => browser?.close())

let tally: TallyChain
let hosts: readonly NodeHost[]
let site: PageServer
let stop = (): void => {}

/** A member's server, at the port where it was before, if it was. */
const serve = async (member: number, listen: string): Promise<NodeHost> => {
  const host = await createNodeHost({ seed: hash(utf8(`peer ${member}`)), listen: [listen], log: silent })
  await host.handle(
    LIGHT_PROTOCOL,
    serveLight(() => [tally.chain.source()], host),
  )
  return host
}
const addressOf = (host: NodeHost): string => host.addresses()[0] as string
const leave = async (): Promise<readonly string[]> => {
  const left = hosts.map(addressOf)
  await Promise.all(hosts.map((host) => host.close()))
  hosts = []
  return left
}
const back = async (left: readonly string[]): Promise<void> => {
  hosts = await Promise.all(left.map((address, member) => serve(member, address.split('/p2p/')[0] as string)))
}

beforeEach(async () => {
  tally = tallyChain(config, Date.now() - 70_000)
  for (let block = 1n; block <= BLOCKS; block++) tally.pay(block, { signers: ALL })
  const beat = (): void => void tally.chain.commit([], { timeMs: Date.now(), signers: ALL })
  beat()
  hosts = await Promise.all(ALL.map((member) => serve(member, '/ip4/127.0.0.1/tcp/0/ws')))
  site = await servePage({ folder: PAGE, handshake: { tally: formatConfig(config), bootstrap: hosts.map(addressOf) } })
  const timer = setInterval(beat, config.content.timers.heartbeat_ms)
  stop = () => clearInterval(timer)
})
afterEach(async () => {
  stop()
  await site?.[Symbol.asyncDispose]()
  await leave()
})

const positions = (page: Page): Promise<readonly number[]> =>
  page.locator('#live all-refunds li.refund').evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset.position)))

/** Records of the database: how many there are of a kind, by what stands before the name in their keys. */
const kept = (page: Page, change: 'none' | 'garbage' | 'delete' = 'none'): Promise<readonly string[]> =>
  page.evaluate(async (how) => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    if (how === 'delete') {
      await done(indexedDB.deleteDatabase('coalition'))
      return []
    }
    const db = await done(indexedDB.open('coalition'))
    if (!db.objectStoreNames.contains('kept')) {
      // It was not there, and was made by looking.
      db.close()
      await done(indexedDB.deleteDatabase('coalition'))
      return []
    }
    const store = db.transaction('kept', 'readwrite').objectStore('kept')
    const keys = (await done(store.getAllKeys())) as string[]
    if (how === 'garbage')
      for (const key of keys) await done(store.put({ kind: key.split(' ')[0], at: 1, value: new Uint8Array(3_000).fill(0xa5) }, key))
    db.close()
    return keys.map((key) => key.split(' ')[0] as string)
  }, change)

/** A tab that has shown its first page of rows, and kept it. */
const visited = async (warnings: string[] = []): Promise<Tab> => {
  const tab = await openTab(browser, site.url)
  tab.page.on('console', (message) => {
    if (message.type() === 'warning') warnings.push(message.text())
  })
  await expect.poll(async () => (await positions(tab.page)).length, LONG).toBe(50)
  await expect.poll(() => kept(tab.page), LONG).toEqual(['head'])
  // The rows may be under the head that is written next: a second later, so soon after the first.
  await tab.page.waitForTimeout(2_500)
  return tab
}

const NEWEST = Number(BLOCKS) - 1
const PAGE_OF_ROWS = Array.from({ length: 50 }, (_, i) => NEWEST - i)

describe('ARCHITECTURE, storage; PROTOCOL 3: a reload', () => {
  it('shows what was kept while no member can be reached, with its age and never as fresh, then goes on', async () => {
    await using tab = await visited()
    const { page } = tab
    const left = await leave()
    await page.reload()
    await expect.poll(() => positions(page), LONG).toEqual(PAGE_OF_ROWS)
    const rows = page.locator('#live all-refunds li.refund')
    for (const light of ['integrity', 'authority']) expect(await rows.locator(`.light[title="${light}: verified"]`).count()).toBe(50)
    expect(await rows.locator('.light[title="freshness: verified"]').count()).toBe(0)
    expect(await rows.locator('.light.red').count()).toBe(0)
    await page.locator('#status .state.stale').waitFor(LONG)
    expect(await page.locator('#status').textContent()).toMatch(/the newest commit is \d+ s old.*what is shown was kept on this device/)
    await rows.first().locator('.trace summary').first().click()
    expect(await rows.first().locator('.verdict').textContent()).toMatch(/stored head \d+, \d+ s old/)
    await page.screenshot({ path: `${SHOTS}kept.png`, fullPage: true })

    await back(left)
    tally.pay(BLOCKS + 1n, { timeMs: Date.now(), signers: ALL })
    await expect.poll(() => positions(page), LONG).toEqual([NEWEST + 1, ...PAGE_OF_ROWS])
    await page.locator('#status .state.live').waitFor(LONG)
    expect(await page.locator('#status').textContent()).not.toContain('kept on this device')
  })

  it('starts cold from a database full of garbage: nothing of it is shown, and it is said once', async () => {
    const warnings: string[] = []
    await using tab = await visited(warnings)
    const { page } = tab
    await page.goto('about:blank')
    // A place of the origin where nothing reads.
    const script = await page.context().newPage()
    await script.goto(`${site.url}handshake.json`)
    await kept(script, 'garbage')
    await script.close()
    await page.goto(site.url)
    await expect.poll(() => positions(page), LONG).toEqual(PAGE_OF_ROWS)
    await page.locator('#status .state.live').waitFor(LONG)
    expect(warnings.filter((text) => text.includes('kept'))).toEqual([expect.stringContaining('what was kept does not verify')])
    expect(tab.complaints).toEqual([])
    // And what is verified now is kept in its place.
    await page.waitForTimeout(2_500)
    await leave()
    await page.reload()
    await expect.poll(() => positions(page), LONG).toEqual(PAGE_OF_ROWS)
  })

  it('goes on when the database is deleted under it, and keeps anew', async () => {
    await using tab = await visited()
    const { page } = tab
    await kept(page, 'delete')
    tally.pay(BLOCKS + 1n, { timeMs: Date.now(), signers: ALL })
    await expect.poll(async () => (await positions(page))[0], LONG).toBe(NEWEST + 1)
    await expect.poll(() => kept(page), LONG).toEqual(['head'])
    expect(tab.complaints).toEqual([])
  })
})

describe('PROTOCOL 1 Certificate: a committee that was caught', () => {
  it('stays caught after a reload, with nobody there to show it again, and the proof is offered', async () => {
    await using tab = await visited()
    const { page } = tab
    const left = await leave()
    // History is rewritten behind the head that the page has: the same signers, other blocks.
    tally = tallyChain(config, Date.now() - 170_000)
    for (let block = 1n; block <= 2n * BLOCKS; block++) tally.pay(block, { signers: ALL })
    tally.chain.commit([], { timeMs: Date.now(), signers: ALL })
    await back(left)
    await page.locator('#status .state.wedged').waitFor(LONG)
    await expect.poll(() => kept(page), LONG).toEqual(['fork', 'head'])
    await leave()
    await page.reload()
    await page.getByText('The committee has signed two histories.').waitFor(LONG)
    await page.getByRole('link', { name: 'Save the proof' }).waitFor(LONG)
    expect(await page.locator('#status').textContent()).toContain('two certified blocks at index')
    expect(await positions(page)).toEqual([])
    await page.screenshot({ path: `${SHOTS}kept-fork.png`, fullPage: true })
  })
})
