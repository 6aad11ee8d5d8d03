import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { FLAGS, findChromium } from '../../scripts/chromium.mjs'

/** A page, and everything that it complained about. */
export interface Tab extends AsyncDisposable {
  readonly page: Page
  /** Console errors and uncaught exceptions so far. */
  readonly complaints: readonly string[]
}

/** One browser for a whole test file. @param more arguments of its own */
export const launch = async (...more: readonly string[]): Promise<Browser> =>
  chromium.launch({ executablePath: await findChromium(), args: [...FLAGS, ...more], headless: true })

/** A tab in a profile of its own, which ends with it. */
export const openTab = async (browser: Browser, url: string): Promise<Tab> => {
  const context = await newProfile(browser)
  return { ...(await openTabIn(context, url)), [Symbol.asyncDispose]: () => context.close() }
}

/** What a person opens tabs in: they share storage, locks and with them one Worker. */
export const newProfile = (browser: Browser): Promise<BrowserContext> => browser.newContext({ viewport: { width: 900, height: 1_000 } })

export const openTabIn = async (profile: BrowserContext, url: string): Promise<Tab> => {
  const page = await profile.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(url)
  return { page, complaints, [Symbol.asyncDispose]: () => page.close() }
}

/** A folder that is gone when the test is done. */
export const temporary = async (): Promise<{ readonly path: string } & AsyncDisposable> => {
  const path = await mkdtemp(join(tmpdir(), 'coalition-e2e-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
