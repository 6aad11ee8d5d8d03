import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import { silent } from '../../client/log.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { type Bytes, toHex, utf8 } from '../../client/primitives/bytes.ts'
import * as verify from '../../node/commands/verify.ts'
import { servePage } from '../../node/devnet/page.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'
import { hash } from '../../wasm/core.ts'
import { attributionIn, CHAIN, provider } from '../lattice/tally/fixtures.ts'
import { type TallyChain, tallyChain, tallyOf } from '../network/tally.ts'
import { launch, openTab, type Tab, temporary } from './page.ts'

// Issue "The wallet": what a person sees and does, in Chromium, on a committee of four whose history is known to the wei.

const PAGE = new URL('../../dist/demo', import.meta.url).pathname
const SHOTS = new URL('../../.cache/shots/', import.meta.url).pathname
const LONG = { timeout: 30_000 }
const ALL = [0, 1, 2, 3]
const HEARTBEAT = 1_000
const BLOCKS = 120n
/** The block whose refund was taken back. */
const REVERSED = 118n
/** Named as second provider of block n and as first of n + 1: 40 % and 30 % of what they pay. */
const ADDRESS = `0x${toHex(provider(118))}`

const config = tallyOf(4)

interface Site extends AsyncDisposable {
  readonly url: string
  readonly tally: TallyChain
  /** Ends the servers of all members. */
  readonly leave: () => Promise<void>
}

/** A committee's history behind four servers, and the wallet. `clockMs` is how far the members' clocks are ahead of this device's. */
const siteOf = async (blocks: bigint, clockMs = 0): Promise<Site> => {
  const tally = tallyChain(config, Date.now() + clockMs - 60_000)
  for (let block = 1n; block <= blocks; block++) tally.pay(block, { signers: ALL })
  if (blocks === BLOCKS) takeBack(tally)
  const beat = (): void => void tally.chain.commit([], { timeMs: Date.now() + clockMs, signers: ALL })
  beat()
  const hosts = await Promise.all(ALL.map((member) => serve(member, tally, clockMs)))
  const bootstrap = hosts.map((host) => host.addresses()[0] as string)
  const site = await servePage({ folder: PAGE, handshake: { tally: formatConfig(config), bootstrap } })
  const timer = setInterval(beat, HEARTBEAT)
  const leave = async (): Promise<void> => {
    await Promise.all(hosts.map((host) => host.close()))
  }
  return {
    url: site.url,
    tally,
    leave,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await site[Symbol.asyncDispose]()
      await leave()
    },
  }
}

const serve = async (member: number, { chain }: TallyChain, clockMs: number): Promise<NodeHost> => {
  const host = await createNodeHost({ seed: hash(utf8(`peer ${member}`)), listen: ['/ip4/127.0.0.1/tcp/0/ws'], log: silent })
  const clocked = { ...host, now: () => Date.now() + clockMs }
  await host.handle(
    LIGHT_PROTOCOL,
    serveLight(() => [chain.source()], clocked),
  )
  return host
}

const takeBack = ({ chain }: TallyChain): void => {
  const { slot, revision, blockHash, recipients } = attributionIn(chain.items[Number(REVERSED) - 1] as Bytes)
  const reversal = {
    of: { slot, revision },
    chainId: CHAIN,
    blockHash,
    reason: { kind: 'reorganised', value: { number: slot, hash: hash(utf8('another block')) } },
    addresses: recipients.map(({ addr }) => addr).sort((a, b) => Buffer.compare(a, b)),
    committedAt: BigInt(chain.timeMs),
  } as const
  chain.commit([{ kind: 'reversal', value: reversal }], { signers: ALL })
}

/** Rules that are broken, by name and how badly; the page's own policy forbids it an inline script, so axe comes in by the debugger. */
const broken = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as { axe: { run: () => Promise<{ violations: { id: string; impact: string }[] }> } }
    ).axe.run()
    return violations.map(({ id, impact }) => `${id} (${impact})`)
  })
}

const ask = async (page: Page, address: string): Promise<void> => {
  await page.fill('#of', address)
  await page.getByRole('button', { name: 'Show its refunds' }).click()
}
const download = async (page: Page, name: string | RegExp, place = '#address'): Promise<string> => {
  const coming = page.waitForEvent('download')
  await page.locator(place).getByRole('button', { name }).first().click()
  const file = join(folder.path, (await coming).suggestedFilename())
  await (await coming).saveAs(file)
  return file
}
const verified = async (file: string): Promise<string> => {
  const said: string[] = []
  const write = (text: string): void => void said.push(text)
  expect(await verify.run([file], { out: write, err: write })).toBe(0)
  return said.join('\n')
}
const shoot = (tab: Tab, name: string): Promise<unknown> => tab.page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: true })

let browser: Browser
let folder: Awaited<ReturnType<typeof temporary>>
let site: Site
beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true })
  browser = await launch()
  folder = await temporary()
  site = await siteOf(BLOCKS)
})
afterAll(async () => {
  await site?.[Symbol.asyncDispose]()
  await browser?.close()
  await folder?.[Symbol.asyncDispose]()
})

describe('one address', () => {
  it('TAL-03 shows exact sums without what was taken back, why, a chart, and files that verify', async () => {
    await using tab = await openTab(browser, site.url)
    const { page } = tab
    await page.waitForSelector('#live li.refund', LONG)
    // Somebody is filled in, and nobody is asked about before the person asks.
    await expect.poll(() => page.inputValue('#of')).toMatch(/^0x[0-9a-f]{40}$/)
    expect(await page.locator('#address .total').count()).toBe(0)

    await ask(page, ADDRESS)
    await page.locator('#address .total').waitFor(LONG)
    // Second of block 117: 30 % of 1,000,117 wei; first of block 118, taken back: 40 % of 1,000,118.
    expect(await page.locator('#address .total').textContent()).toContain('0.000000000000300035 ETH in 1 refund 300035 wei')
    expect(await page.locator('#address .back').textContent()).toContain('400047 wei')
    const struck = page.locator('#address li.refund.reversed')
    expect(await struck.count()).toBe(1)
    expect(await struck.textContent()).toContain('taken back: block 118 was replaced by another one')
    expect(await struck.locator('.shares strong').evaluate((element) => getComputedStyle(element).textDecorationLine)).toBe('line-through')

    // The block that stands there now pays it too: the answer follows by itself, and there is something to draw.
    site.tally.pay(REVERSED, { revision: 1, timeMs: Date.now(), signers: ALL })
    await expect.poll(() => page.locator('#address .total').textContent(), LONG).toContain('in 2 refunds')
    await page.locator('refund-chart canvas').waitFor(LONG)
    await shoot(tab, 'wallet-address')

    const csv = await readFile(await download(page, 'Save as CSV'), 'utf8')
    const [head, ...lines] = csv.trim().split('\r\n')
    expect(head).toMatch(/^block,revision,status,address,wei,ether,/)
    expect(lines.map((line) => line.split(',').slice(0, 5).join(' '))).toEqual([
      `117 0 attributed ${ADDRESS} 300035`,
      `118 0 taken back ${ADDRESS} 400047`,
      `118 1 attributed ${ADDRESS} 400047`,
    ])
    expect(await verified(await download(page, /proof \(JSON\)/))).toMatch(/answer/)
    expect(tab.complaints).toEqual([])
  })

  it('refuses a name, a broken checksum and half an address, each in words', async () => {
    await using tab = await openTab(browser, site.url)
    const { page } = tab
    await page.waitForSelector('#live li.refund', LONG)
    const said = page.locator('#address .refusal')
    for (const [typed, words] of [
      ['someone.eth', /ENS names are not resolved here/],
      ['0x5A0b54d5dc17e0aadc383d2db43b0a0d3e029c4c', /its checksum \(EIP-55\) does not hold/],
      ['0x5a0b', /40 hex digits are wanted after 0x, 4 given/],
    ] as const) {
      await ask(page, typed)
      await expect.poll(() => said.textContent(), LONG).toMatch(words)
    }
    await ask(page, `0x${'11'.repeat(20)}`)
    await expect.poll(() => page.locator('#address').textContent(), LONG).toContain('No refund names this address. That is proven, too.')
    await shoot(tab, 'wallet-empty')
    expect(tab.complaints).toEqual([])
  })
})

describe('all refunds', () => {
  it('pages back to the first, is narrowed to a block and a recipient, and takes what is new on top', async () => {
    await using tab = await openTab(browser, site.url)
    const { page } = tab
    const positions = (): Promise<readonly number[]> =>
      page.locator('#live all-refunds li.refund').evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset.position)))
    await expect.poll(async () => (await positions()).length, LONG).toBe(50)
    while ((await page.getByRole('button', { name: 'Show older refunds' }).count()) > 0) {
      const before = (await positions()).length
      await page.getByRole('button', { name: 'Show older refunds' }).click()
      await expect.poll(async () => (await positions()).length, LONG).toBeGreaterThan(before)
    }
    await page.getByText('This is the first refund of the tally.').waitFor()
    const all = await positions()
    expect(all).toEqual(all.map((_, i) => all.length - 1 - i))
    site.tally.pay(2_000n, { timeMs: Date.now(), signers: ALL })
    await expect.poll(async () => (await positions())[0], LONG).toBe(all.length)

    await page.fill('#block', '117')
    await page.getByRole('button', { name: 'Filter' }).click()
    await expect.poll(() => page.locator('filter-view li.refund').count(), LONG).toBe(1)
    expect(await page.locator('all-refunds').isVisible()).toBe(false)
    await page.fill('#recipient', ADDRESS)
    await page.getByRole('button', { name: 'Filter' }).click()
    await expect.poll(() => page.url()).toContain('block=117')
    await expect.poll(() => page.locator('filter-view li.refund').count(), LONG).toBe(1)
    await page.fill('#block', '3')
    await page.getByRole('button', { name: 'Filter' }).click()
    await page.getByText('No refund matches. That is proven, too.').waitFor(LONG)
    await page.fill('#block', 'three')
    await page.getByRole('button', { name: 'Filter' }).click()
    await page.getByText('A block is named by its number.').waitFor(LONG)
    await page.getByRole('button', { name: 'Show all' }).click()
    expect(await page.locator('all-refunds').isVisible()).toBe(true)
    expect(tab.complaints).toEqual([])
  })

  it('gives a link to each refund, which shows it with whether it counts, and one of another tally is refused', async () => {
    await using tab = await openTab(browser, site.url)
    const { page } = tab
    const row = page.locator('all-refunds li.refund.reversed').first()
    await row.waitFor(LONG)
    const link = await row.getByRole('link', { name: /Link to this refund/ }).getAttribute('href')
    await using other = await openTab(browser, `${site.url}${link}`)
    await other.page.locator('item-view li.refund.reversed').waitFor(LONG)
    expect(await other.page.locator('item-view').textContent()).toContain(`block ${REVERSED}`)
    await other.page.locator('item-view summary').first().click()
    expect(await verified(await download(other.page, /proof \(JSON\)/, 'item-view'))).toMatch(/item/)
    await shoot(other, 'wallet-permalink')
    await other.page.goto(`${site.url}${link?.replace(/[0-9a-f]{64}/, 'ab'.repeat(32))}`)
    await other.page.getByText('This link names a refund of another tally').waitFor(LONG)
    await other.page.goto(`${site.url}${link?.replace(/\d+$/, '999999')}`)
    await other.page.getByText('There is no refund at the place that this link names').waitFor(LONG)
    expect([...tab.complaints, ...other.complaints]).toEqual([])
  })
})

describe('what may go wrong besides', () => {
  it('names a wrong clock of this device, and does not call it stale', async () => {
    await using ahead = await siteOf(5n, 3_600_000)
    await using tab = await openTab(browser, ahead.url)
    const { page } = tab
    await page.getByText(/The clock of this device is wrong: this device’s clock about (59|60) min behind/).waitFor(LONG)
    expect(await page.locator('#status .state').textContent()).toContain('live')
    await shoot(tab, 'wallet-clock')
    expect(tab.complaints).toEqual([])
  })

  it('says that it is offline, and what it waits for when nobody can be reached, and goes on when they are back', async () => {
    await using gone = await siteOf(3n)
    await gone.leave()
    await using tab = await openTab(browser, gone.url)
    const { page } = tab
    await page.locator('.stages .doing', { hasText: 'reach a member' }).waitFor(LONG)
    await page.context().setOffline(true)
    await page.getByText('This device is offline').waitFor(LONG)
    await shoot(tab, 'wallet-offline')
    await page.context().setOffline(false)
    await expect.poll(() => page.getByText('This device is offline').count(), LONG).toBe(0)
    await expect.poll(() => page.locator('#status .refusal').textContent(), LONG).toMatch(/within 15000 ms|nobody/)
    await page.getByRole('button', { name: 'Try again now' }).waitFor()
  })
})

describe('for everybody', () => {
  it.each([
    ['light', 900],
    ['dark', 900],
    ['light', 360],
  ] as const)('axe finds nothing in %s at %i pixels, with every part open', async (colorScheme, width) => {
    await using tab = await openTab(browser, site.url)
    const { page } = tab
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 900 })
    await page.waitForSelector('#live li.refund', LONG)
    await ask(page, ADDRESS)
    await page.locator('#address .total').waitFor(LONG)
    await page.getByText('Why this is complete').click()
    await page.locator('all-refunds .trace summary').first().click()
    await page.getByText('Settings').click()
    expect(await broken(page)).toEqual([])
    // Nothing sticks out of a phone's screen.
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    await shoot(tab, `wallet-${colorScheme}-${width}`)
    expect(tab.complaints).toEqual([])
  })

  it('is used by keyboard alone, and keeps the explorer that was chosen', async () => {
    await using tab = await openTab(browser, site.url)
    const { page } = tab
    await page.waitForSelector('#live li.refund', LONG)
    const focused = (): Promise<string> =>
      page.evaluate(() => document.activeElement?.id || (document.activeElement?.textContent ?? '').trim())
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('To the address')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('of')
    await page.keyboard.press('Enter')
    await page.locator('#address .total').waitFor(LONG)
    await page.locator('all-refunds .trace summary').first().focus()
    await page.keyboard.press('Enter')
    await page.locator('all-refunds .verdict').first().waitFor()

    await page.getByText('Settings').click()
    await page.fill('#explorer', 'javascript:{block}')
    await page.keyboard.press('Tab')
    expect(await page.locator('#explorer').evaluate((input) => (input as HTMLInputElement).validationMessage)).toContain(
      'must begin with https://',
    )
    await page.fill('#explorer', 'https://explorer.example/block/{block}')
    await page.keyboard.press('Tab')
    const block = page.locator('all-refunds a.block').first()
    await expect.poll(() => block.getAttribute('href')).toMatch(/^https:\/\/explorer\.example\/block\/\d+$/)
    await page.reload()
    await block.waitFor(LONG)
    expect(tab.complaints).toEqual([])
  })
})
