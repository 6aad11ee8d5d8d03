import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright'
import { FLAGS, findChromium } from '../../scripts/chromium.mjs'
import { startDevnet } from '../devnet.ts'
import { median, quantile, type Row, row } from './report.ts'

/** Milliseconds from the navigation's start, in the page's own clock. */
interface Shown {
  readonly loaded: number
  readonly verified: number
}

/** From opening a fresh tab to the first verified value on the page, against the page's own load. Needs the built page. */
export const tabRows = async (rounds: number): Promise<readonly Row[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'coalition-bench-tab-'))
  const browser = await chromium.launch({ executablePath: await findChromium(), args: FLAGS, headless: true })
  try {
    await using devnet = await startDevnet(folder)
    const samples: Shown[] = []
    await shown(browser, devnet.page)
    for (let i = 0; i < rounds; i++) samples.push(await shown(browser, devnet.page))
    const verified = samples.map(({ verified: ms }) => ms)
    const loaded = samples.map(({ loaded: ms }) => ms)
    return [
      row(
        `first verified value in a fresh tab, median of ${rounds}`,
        median(verified),
        'ms',
        'load event of the same page',
        median(loaded),
      ),
      row(
        `first verified value in a fresh tab, p90 of ${rounds}`,
        quantile(verified, 0.9),
        'ms',
        'load event of the same page',
        quantile(loaded, 0.9),
      ),
    ]
  } finally {
    await browser.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** A context has no cache, no storage and no connection of another: to the page it is a fresh profile. */
const shown = async (browser: Browser, url: string): Promise<Shown> => {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await page.goto(url, { waitUntil: 'commit' })
    await page.waitForSelector('li.refund', { timeout: 60_000 })
    // The row is in the document now; asking costs the time of one message to the page.
    const verified = await page.evaluate(() => performance.now())
    const loaded = await page.evaluate(() => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).loadEventEnd)
    return { loaded, verified }
  } finally {
    await context.close()
  }
}
