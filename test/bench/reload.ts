import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright'
import { FLAGS, findChromium } from '../../scripts/chromium.mjs'
import { startDevnet } from '../devnet.ts'
import { median, print, quantile, type Row, row } from './report.ts'

const ROUNDS = 20
/** Milliseconds that the tab stays open before it is reloaded: what it verified is written within two seconds, so soon after the first head. */
const VISIT_MS = 2_500

/** Milliseconds from the navigation's start, in the page's own clock. */
interface Reloaded {
  /** The newest row that was kept is there, under a verdict that says how old it is. */
  readonly kept: number
  /** A member has confirmed the head, or shown a newer one. */
  readonly live: number
  readonly loaded: number
}

/**
 * `npm run bench -- reload [--json]`: a wallet tab against the devnet, reloaded 20 times: to the last value with its age (aim: below 400 ms) and to
 * live (below 1 s), beside the same reload in a tab whose database is empty, and the page's own load. Needs the built page.
 */
export const main = async (args: readonly string[]): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'coalition-bench-reload-'))
  try {
    await using devnet = await startDevnet(folder)
    const warm: Reloaded[] = []
    const cold: Reloaded[] = []
    await using kept = await profile(join(folder, 'kept'), devnet.page)
    await using empty = await profile(join(folder, 'empty'), devnet.page)
    for (let i = 0; i < ROUNDS; i++) {
      await kept.page.waitForTimeout(VISIT_MS)
      warm.push(await times(kept.page, devnet.page))
      await forget(empty.page, devnet.page)
      cold.push(await times(empty.page, devnet.page))
      // One tab at a time on the machine.
      await empty.page.goto('about:blank')
    }
    print('reload', rows(warm, cold), args)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const rows = (warm: readonly Reloaded[], cold: readonly Reloaded[]): readonly Row[] =>
  (['median', 'p90'] as const).flatMap((name) => {
    const of = (samples: readonly Reloaded[], what: keyof Reloaded): number => {
      const ms = samples.map((sample) => sample[what])
      return name === 'median' ? median(ms) : quantile(ms, 0.9)
    }
    return [
      row(`reload, the last value with its age, ${name} of ${warm.length}`, of(warm, 'kept'), 'ms', 'empty database', of(cold, 'kept')),
      row(`reload, live, ${name} of ${warm.length}`, of(warm, 'live'), 'ms', 'empty database', of(cold, 'live')),
      row(`reload, load event of the page, ${name} of ${warm.length}`, of(warm, 'loaded'), 'ms', 'empty database', of(cold, 'loaded')),
    ]
  })

/** A profile on disk, as people have one, with the page in its cache: what is incognito keeps no compiled code. */
const profile = async (folder: string, url: string): Promise<{ readonly page: Page } & AsyncDisposable> => {
  const context = await chromium.launchPersistentContext(folder, { executablePath: await findChromium(), args: FLAGS, headless: true })
  const page = await context.newPage()
  await page.addInitScript(watch)
  await times(page, url)
  await page.goto('about:blank')
  await times(page, url)
  return { page, [Symbol.asyncDispose]: () => context.close() }
}

/** Times are taken where they happen, by the page: asking for them from outside would add the way there. Runs in the page. */
const watch = (): void => {
  const times: { kept?: number; live?: number } = {}
  Object.assign(globalThis, { times })
  const look = (): void => {
    if (document.querySelector('#live li.refund .lights') !== null) times.kept ??= performance.now()
    if (document.querySelector('#status .state.live') !== null) times.live ??= performance.now()
  }
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ['class'] })
}

/** Loads the page, by a reload where it is there, and waits for both. */
const times = async (page: Page, url: string): Promise<Reloaded> => {
  if (page.url() === url) await page.reload({ waitUntil: 'load' })
  else await page.goto(url, { waitUntil: 'load' })
  await page.waitForFunction(() => {
    const { times } = globalThis as unknown as { readonly times: Partial<Reloaded> }
    return times.kept !== undefined && times.live !== undefined
  })
  return page.evaluate(() => {
    const { times } = globalThis as unknown as { readonly times: Pick<Reloaded, 'kept' | 'live'> }
    const { loadEventEnd } = performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming
    return { ...times, loaded: loadEventEnd }
  })
}

/** Deletes what the profile kept, from a place of the origin where nothing reads. */
const forget = async (page: Page, url: string): Promise<void> => {
  await page.goto(new URL('handshake.json', url).href)
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.deleteDatabase('coalition')
        request.onsuccess = () => resolve()
        request.onerror = () => reject(request.error)
      }),
  )
}
