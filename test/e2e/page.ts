import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { FLAGS, findChromium } from '../../scripts/chromium.mjs'

/** A page in a Chromium of its own, and everything that it complained about. */
export interface Tab extends AsyncDisposable {
  readonly page: Page
  /** Console errors and uncaught exceptions so far. */
  readonly complaints: readonly string[]
}

/** One browser for a whole test file. */
export const launch = async (): Promise<Browser> => chromium.launch({ executablePath: await findChromium(), args: FLAGS, headless: true })

export const openTab = async (browser: Browser, url: string): Promise<Tab> => {
  const context: BrowserContext = await browser.newContext({ viewport: { width: 900, height: 1_000 } })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(url)
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() }
}

/** A folder that is gone when the test is done. */
export const temporary = async (): Promise<{ readonly path: string } & AsyncDisposable> => {
  const path = await mkdtemp(join(tmpdir(), 'coalition-e2e-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
