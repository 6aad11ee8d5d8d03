import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import * as Tally from '../../client/lattice/tally/index.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { type PageServer, servePage } from '../../node/devnet/page.ts'
import { type History, openHistory } from '../bench/history.ts'
import { provider } from '../lattice/tally/fixtures.ts'
import { launch, openTab, temporary } from './page.ts'

// The published elements in a page of somebody's: no script but the package's, and the strict policy.

const DIST = new URL('../../dist/', import.meta.url).pathname

let browser: Browser
let folder: Awaited<ReturnType<typeof temporary>>
let history: History
let site: PageServer

beforeAll(async () => {
  browser = await launch()
  folder = await temporary()
  const built = join(folder.path, 'page')
  await cp(DIST, built, { recursive: true, filter: (path) => !/\/(demo|types|node|\.tsc)$|\.map$/.test(path) })
  const address = Tally.formatAddress(provider(1))
  await writeFile(
    join(built, 'index.html'),
    `<!doctype html><title>elements</title><link rel="icon" type="image/svg+xml" href="./icon.svg"><script type="module" src="./elements.js"></script>
     <refund-list address="${address}" lattice="./handshake.json"></refund-list>`,
  )
  await writeFile(join(built, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  history = await openHistory(join(folder.path, 'history'), 20, undefined, 1_000)
  const { source } = history.group
  await history.host.handle(
    LIGHT_PROTOCOL,
    serveLight(() => [source], history.host),
  )
  site = await servePage({ folder: built, handshake: { tally: formatConfig(history.config), bootstrap: history.host.addresses() } })
})
afterAll(async () => {
  await site?.[Symbol.asyncDispose]()
  await history?.[Symbol.asyncDispose]()
  await browser?.close()
  await folder?.[Symbol.asyncDispose]()
})

describe('<refund-list> in a page without a bundler', () => {
  it('connects by itself, shows a verified sum, and opens into its checks', async () => {
    await using tab = await openTab(browser, site.url)
    const list = tab.page.locator('refund-list')
    await list.locator('[part=total]').waitFor({ timeout: 60_000 })
    expect(await list.locator('[part=row]').count()).toBeGreaterThan(0)
    expect(await list.locator('verified-badge').getAttribute('state')).toMatch(/green|amber/)
    await list.locator('verified-badge summary').click()
    await expect.poll(() => list.locator('verified-badge details').textContent()).toContain('commit.signatures')
    expect(tab.complaints).toEqual([])
  })
})
