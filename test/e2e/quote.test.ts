import { existsSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../client/primitives/bytes.ts'
import { type PageServer, servePage } from '../../node/devnet/page.ts'
import { newPki, pem, writeCollateral } from '../verify/_collateral-writer.ts'
import { writeQuote } from '../verify/_quote-mock.ts'
import { broken, choose, drop, type Upload } from './_upload.ts'
import { launch, openTab, type Tab } from './page.ts'

// TDX.md section 9, last paragraph, on a page: what is dropped is verified in the tab and explained, whether it is accepted or not.

const PAGE = new URL('../../dist/demo', import.meta.url).pathname
const SHOTS = new URL('../../.cache/shots/', import.meta.url).pathname
const CORPUS = new URL('../../../shared/data/tdx/', import.meta.url)
const LONG = { timeout: 30_000 }

const banner = async (page: Page): Promise<string> => (await page.locator('quote-verdict').textContent()) ?? ''
const failed = (page: Page): Promise<readonly string[]> =>
  page.locator('quote-verdict tr.failed').evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.check ?? ''))
const shoot = (tab: Tab, name: string): Promise<unknown> => tab.page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: true })

// Valid now, by this device's clock: what a page is shown has to be so without a chosen time.
const pki = newPki(Math.floor(Date.now() / 1_000))
const quote = writeQuote(pki)
const collateral: Upload = { name: 'collateral.json', bytes: utf8(writeCollateral(pki)) }
const root: Upload = { name: 'root.pem', bytes: utf8(pem(pki.root)) }

let browser: Browser
let site: PageServer
beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true })
  browser = await launch()
  site = await servePage({ folder: PAGE, handshake: { bootstrap: [] } })
})
afterAll(async () => {
  await site?.[Symbol.asyncDispose]()
  await browser?.close()
})

const open = (): Promise<Tab> => openTab(browser, `${site.url}quote.html`)

describe('a quote on the page', () => {
  it('is accepted under a development root, aloud, with its measurements, and without the network', async () => {
    await using tab = await open()
    const { page } = tab
    await page.getByText('A quote is wanted first.').waitFor(LONG)
    await page.waitForLoadState('networkidle')
    await page.context().setOffline(true)
    await drop(page, [{ name: 'quote.bin', bytes: quote }, collateral])
    // Under Intel's root it is nobody's, and the page says which check says so.
    await expect.poll(() => banner(page), LONG).toContain('Refused by collateral.chains')
    expect(await page.locator('.development').count()).toBe(0)
    await drop(page, [root])
    await expect.poll(() => banner(page), LONG).toContain('Accepted')
    expect(await page.locator('.development').textContent()).toContain('Development root.')
    expect(await page.locator('dd[data-value=mrTd] code').textContent()).toBe('a0'.repeat(48))
    expect(await page.locator('quote-verdict tbody tr').count()).toBe(27)
    expect(await failed(page)).toEqual([])
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Copy MR_TD' }).click()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('a0'.repeat(48))
    await shoot(tab, 'quote-accepted')
    expect(tab.complaints).toEqual([])
  })

  it('is read as hex and base64, chosen or pasted, and refused by the check that fails', async () => {
    await using tab = await open()
    const { page } = tab
    await choose(page, 'Root of your own', root)
    await choose(page, 'Collateral', collateral)
    await choose(page, 'Quote', { name: 'quote.hex', bytes: utf8(`0x${toHex(quote)}\n`) })
    await expect.poll(() => banner(page), LONG).toContain('Accepted')
    const forged = quote.slice()
    forged[200] = (forged[200] as number) ^ 1
    await page.getByLabel('Or paste one').fill(Buffer.from(forged).toString('base64'))
    await expect.poll(() => banner(page), LONG).toContain('Refused by quote.signature')
    expect(await failed(page)).toEqual(['quote.signature'])
    expect(await page.locator('quote-verdict').textContent()).toContain('none of this may be believed')
    await choose(page, 'Quote', {
      name: 'outdated.bin',
      bytes: writeQuote(pki, { report: { teeTcbSvn: Uint8Array.from({ length: 16 }, (_, i) => [4, 1, 5][i] ?? 0) } }),
    })
    await expect.poll(() => banner(page), LONG).toContain('Refused by policy.status')
    expect(await page.locator('.short').textContent()).toContain('tdxtcbcomponents[2] 5 < 6')
    await page.getByLabel('OutOfDate', { exact: true }).check()
    await expect.poll(() => banner(page), LONG).toContain('Accepted')
    await shoot(tab, 'quote-outdated')
    expect(tab.complaints).toEqual([])
  })

  it('says what cannot be used, what is missing, and which terms a quote does not meet', async () => {
    await using tab = await open()
    const { page } = tab
    await drop(page, [{ name: 'photo.png', bytes: Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3) }])
    await page.getByText('What photo.png is cannot be told').waitFor(LONG)
    await drop(page, [{ name: 'quote.bin', bytes: quote }])
    await page.getByText('Without collateral nothing of a quote can be shown to be true.').waitFor(LONG)
    await drop(page, [collateral, root])
    await expect.poll(() => banner(page), LONG).toContain('Accepted')
    await page.getByLabel('MR_TD', { exact: true }).fill('ab'.repeat(48))
    await page.keyboard.press('Enter')
    await expect.poll(() => banner(page), LONG).toContain('Refused by policy.measurements')
    await page.getByLabel('MR_TD', { exact: true }).fill('ab')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('quote-verdict .problem').textContent(), LONG).toMatch(/mrTd/)
    await page.getByLabel('MR_TD', { exact: true }).fill('')
    await page.getByLabel('The time, UTC').fill('2001-01-01T00:00:00')
    await page.keyboard.press('Tab')
    await expect.poll(() => banner(page), LONG).toContain('Refused by collateral.')
    await page.getByRole('button', { name: 'When the collateral was valid' }).click()
    await expect.poll(() => banner(page), LONG).toContain('Accepted')
    await page.getByRole('button', { name: 'Remove Quote' }).click()
    await page.getByText('A quote is wanted first.').waitFor(LONG)
    expect(tab.complaints).toEqual([])
  })
})

const there = existsSync(CORPUS)
if (!there) console.warn('no shared/data/tdx beside the checkout: a real quote with its event log is not shown')
const sample = (path: string): Upload => ({ name: path, bytes: readFileSync(new URL(path, CORPUS)) })

describe.skipIf(!there)('a quote of a real machine', () => {
  it("is Intel's own, at its time, and its event log explains all four registers", async () => {
    await using tab = await open()
    const { page } = tab
    const folder = 'cases/tdx-v4-cos113-google-2025-10/'
    await drop(page, [sample(`${folder}quote.bin`), sample(`${folder}collateral.json`), sample('extras/ccel_data.dat')])
    await expect.poll(() => banner(page), LONG).toContain('Refused by')
    await page.getByRole('button', { name: 'When the collateral was valid' }).click()
    await expect.poll(() => banner(page), LONG).toContain('Accepted')
    expect(await page.locator('.development').count()).toBe(0)
    await expect.poll(() => page.locator('event-log dd.passed').count(), LONG).toBe(4)
    await page.getByText('RTMR2, 20 events').click()
    expect(await page.locator('event-log').textContent()).toContain('kernel_cmdline: /syslinux/vmlinuz.A init=')
    await shoot(tab, 'quote-real')
    // A log of another start leads elsewhere.
    const { bytes } = sample('extras/ccel_data.dat')
    const end = Buffer.from(bytes).indexOf('kernel_cmdline')
    const changed = Uint8Array.from(bytes)
    for (let i = end - 60; i < end - 4; i++) changed[i] = (changed[i] as number) ^ 1
    await choose(page, 'Event log', { name: 'changed.dat', bytes: changed })
    await expect.poll(() => page.locator('event-log dd.failed, event-log .problem').count(), LONG).toBeGreaterThan(0)
    expect(tab.complaints).toEqual([])
  })
})

describe('for everybody', () => {
  it.each([
    ['light', 900],
    ['dark', 900],
    ['light', 360],
  ] as const)('axe finds nothing in %s at %i pixels, accepted and refused', async (colorScheme, width) => {
    await using tab = await open()
    const { page } = tab
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 900 })
    await drop(page, [{ name: 'quote.bin', bytes: quote }, collateral])
    await expect.poll(() => banner(page), LONG).toContain('Refused')
    expect(await broken(page)).toEqual([])
    await drop(page, [root])
    await expect.poll(() => banner(page), LONG).toContain('Accepted')
    expect(await broken(page)).toEqual([])
    // Nothing sticks out of a phone's screen.
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    await shoot(tab, `quote-${colorScheme}-${width}`)
    expect(tab.complaints).toEqual([])
  })

  it('is reached by keyboard alone', async () => {
    await using tab = await open()
    const { page } = tab
    const focused = (): Promise<string> =>
      page.evaluate(() => document.activeElement?.id || (document.activeElement?.textContent ?? '').trim())
    await page.locator('#file-quote').waitFor(LONG)
    const seen: string[] = []
    for (let i = 0; i < 14; i++) {
      await page.keyboard.press('Tab')
      seen.push(await focused())
    }
    expect(seen.slice(0, 6)).toEqual(['To the files', 'file-quote', 'file-collateral', 'file-log', 'file-root', 'pasted'])
    expect(seen).toContain('moment')
    expect(tab.complaints).toEqual([])
  })
})
