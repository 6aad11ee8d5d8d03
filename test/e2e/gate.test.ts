import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { REQUESTS_FILE } from '../../node/devnet/quotes.ts'
import { answerRequests, openQuoting } from '../devnet/tdx.ts'
import { type Devnet, startDevnet } from '../devnet.ts'
import { launch, openTab, temporary } from './page.ts'

// Issue "TDX quotes", Must show: a devnet whose members carry quotes, one of them wrong, through the page.

const SHOTS = new URL('../../.cache/shots/', import.meta.url).pathname
const LONG = { timeout: 60_000 }
const WRONG = 2

let browser: Browser
let folder: Awaited<ReturnType<typeof temporary>>
let devnet: Devnet
beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true })
  browser = await launch()
  folder = await temporary()
  const quotes = join(folder.path, 'quotes')
  const pki = await openQuoting(quotes)
  const asked = async (): Promise<void> => {
    await vi.waitFor(() => expect(existsSync(join(quotes, REQUESTS_FILE))).toBe(true), LONG)
    await answerRequests(quotes, pki, { wrong: new Map([[WRONG, 'mrtd']]) })
  }
  const [started] = await Promise.all([startDevnet(join(folder.path, 'net'), ['--quotes', quotes]), asked()])
  devnet = started
})
afterAll(async () => {
  await devnet?.[Symbol.asyncDispose]()
  await browser?.close()
  await folder?.[Symbol.asyncDispose]()
})

it('TDX Tickets: refunds carry a green attestation check with what was measured, and the page says whose ticket does not count', async () => {
  await using tab = await openTab(browser, devnet.page)
  const { page } = tab
  const start = performance.now()
  await page.waitForSelector('#live li.refund', LONG)
  console.log(`the first refund of a gated group was on the page after ${((performance.now() - start) / 1_000).toFixed(1)} s`)
  // By its place: newer ones come on top while it is looked at.
  const place = await page.locator('#live li.refund').first().getAttribute('data-position')
  const row = page.locator(`#live li.refund[data-position="${place}"]`)
  expect(await row.locator('.light[title="authority: verified"]').count()).toBe(1)
  await row.locator('summary').first().click()
  const attested = row.locator('.verdict tr.passed', { hasText: 'quote.chain' })
  const said = await attested.textContent()
  expect(said).toMatch(/3 of [34] signers attested, MR_TD (?:a0){48}, under a development root [0-9a-f]{64}/)
  expect(said).toContain('devnet operator 3 does not count: ticket.mrtd failed')
  await expect.poll(() => page.locator('#status .ticket.problem').count(), LONG).toBe(1)
  expect(await page.locator('#status .ticket').count()).toBe(4)
  await page.screenshot({ path: `${SHOTS}gate.png`, fullPage: true })
  expect(tab.complaints).toEqual([])
})
