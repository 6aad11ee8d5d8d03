import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import * as verify from '../../node/commands/verify.ts'
import { type PageServer, servePage } from '../../node/devnet/page.ts'
import type { NodeHost } from '../../node/host.ts'
import { serveTally, type TallyChain, tallyChain, tallyOf } from '../network/tally.ts'
import { launch, openTab, temporary } from './page.ts'

// The page and a committee of four: two of its vote keys in a liar's hands, and two servers, one side of a fork each.

const PAGE = new URL('../../dist/demo', import.meta.url).pathname
const SHOTS = new URL('../../.cache/shots/', import.meta.url).pathname
const config = tallyOf(4)
const ALL = [0, 1, 2, 3]

let browser: Browser
let folder: Awaited<ReturnType<typeof temporary>>
beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true })
  browser = await launch()
  folder = await temporary()
})
afterAll(async () => {
  await browser?.close()
  await folder?.[Symbol.asyncDispose]()
})

let sides: readonly [TallyChain, TallyChain]
/** What each member serves: 0 for side A, 1 for side B. */
let shows: (0 | 1)[]
let hosts: readonly NodeHost[]
let site: PageServer
/** Members 0 and 1 sign both sides. A block on each, and none while the group stands still. */
let stands: boolean
let stop = (): void => {}

const beat = (): void => {
  if (stands) return
  const timeMs = Date.now()
  sides[0].chain.commit([], { timeMs, signers: [0, 1, 2] })
  sides[1].chain.commit([], { timeMs, signers: [0, 1, 3] })
}

beforeEach(async () => {
  const start = Date.now() - 60_000
  sides = [tallyChain(config, start), tallyChain(config, start)]
  for (const side of sides) for (let block = 1n; block <= 3n; block++) side.pay(block, { signers: ALL })
  shows = [0, 0, 0, 0]
  stands = false
  sides[0].pay(10n, { timeMs: Date.now(), signers: [0, 1, 2] })
  sides[1].pay(20n, { timeMs: Date.now(), signers: [0, 1, 3] })
  hosts = await Promise.all(ALL.map((member) => serveTally(member, () => sides[shows[member] ?? 0].chain)))
  const bootstrap = hosts.map((host) => host.addresses()[0] as string)
  site = await servePage({ folder: PAGE, handshake: { tally: formatConfig(config), bootstrap } })
  const timer = setInterval(beat, config.content.timers.heartbeat_ms)
  stop = () => clearInterval(timer)
})
afterEach(async () => {
  stop()
  await site?.[Symbol.asyncDispose]()
  await Promise.all(hosts.map((host) => host.close()))
})

describe('PROTOCOL 1 Certificate, Must show: a committee that signs two histories, through the page', () => {
  it('shows that it did and which check failed, none of side B, and offers the proof, which verify confirms offline', async () => {
    await using tab = await openTab(browser, site.url)
    const { page } = tab
    await page.getByText('block 10', { exact: true }).waitFor()
    await expect.poll(() => page.locator('#status').textContent(), { timeout: 20_000 }).toContain('4 of 4 connected')
    expect(await page.locator('#status .state').textContent()).toContain('live')
    shows[3] = 1
    await page.getByText('The committee has signed two histories.').waitFor({ timeout: 20_000 })
    await expect.poll(() => page.locator('#live').textContent(), { timeout: 20_000 }).toMatch(/commit\.consistency\s*failed/)
    expect(await page.getByText('block 20', { exact: true }).count()).toBe(0)
    await page.screenshot({ path: `${SHOTS}fork.png`, fullPage: true })

    const downloading = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Save the proof' }).click()
    const file = join(folder.path, 'equivocation.json')
    await (await downloading).saveAs(file)
    const said: string[] = []
    const write = (text: string): void => void said.push(text)
    expect(await verify.run([file], { out: write, err: write })).toBe(0)
    expect(said.join('\n')).toMatch(
      /^proof holds: at least 2 members signed two histories\n {2}member 0, operator 0.*\n {2}member 1, operator 1/,
    )
    // The one complaint is about the committee.
    expect(tab.complaints).toEqual([expect.stringContaining('the committee signed two histories')])
  })
})

describe('FAI-04: a group that stands still, through the page', () => {
  it('is called stale, keeps every verified row, and goes on when commits do', async () => {
    await using tab = await openTab(browser, site.url)
    const { page } = tab
    await page.getByText('block 10', { exact: true }).waitFor()
    stands = true
    await page.locator('#status .state.stale').waitFor({ timeout: 30_000 })
    expect(await page.locator('#status').textContent()).toMatch(
      /stale No fresh commit: newer refunds may exist\.[\s\S]*the newest commit is \d+ s old/,
    )
    expect(await page.locator('#live li.refund').count()).toBe(4)
    await page.screenshot({ path: `${SHOTS}stale.png`, fullPage: true })
    stands = false
    sides[0].pay(11n, { timeMs: Date.now(), signers: [0, 1, 2] })
    await page.getByText('block 11', { exact: true }).waitFor({ timeout: 20_000 })
    await page.locator('#status .state.live').waitFor({ timeout: 20_000 })
    expect(await page.locator('#live li.refund').count()).toBe(5)
  })
})
