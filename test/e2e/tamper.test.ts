import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import { LIGHT_PROTOCOL, type Response } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { toHex } from '../../client/primitives/bytes.ts'
import { type PageServer, servePage } from '../../node/devnet/page.ts'
import { type History, openHistory } from '../bench/history.ts'
import { provider } from '../lattice/tally/fixtures.ts'
import { answered, commits, first, flipped, instead, type Lie, lying } from '../liar.ts'
import { launch, openTab, temporary } from './page.ts'

const PAGE = new URL('../../dist/demo', import.meta.url).pathname

// Changed bytes in single messages, beside the lies of test/lies: what is on the page must be the reason, and nothing of the lie.

let browser: Browser
let folder: Awaited<ReturnType<typeof temporary>>
let history: History
let site: PageServer
let lie: Lie | null = null

beforeAll(async () => {
  browser = await launch()
  folder = await temporary()
  history = await openHistory(folder.path, 60, undefined, 1_000)
  const { source } = history.group
  await history.host.handle(
    LIGHT_PROTOCOL,
    lying(
      serveLight(() => [source], history.host),
      () => lie,
    ),
  )
  site = await servePage({ folder: PAGE, handshake: { tally: formatConfig(history.config), bootstrap: history.host.addresses() } })
})
afterAll(async () => {
  await site?.[Symbol.asyncDispose]()
  await history?.[Symbol.asyncDispose]()
  await browser?.close()
  await folder?.[Symbol.asyncDispose]()
})

const longer = (kind: Response['kind']): Lie =>
  instead(kind, (raw) => {
    raw[0] = (raw[0] as number) ^ 1
    return { raw }
  })

/** Lies that leave the page without a single value: what is on it must be the reason. */
const BEFORE: readonly (readonly [string, Lie, RegExp])[] = [
  ['the length of the answer', longer('opened'), /Response\.opened|frame|ended/],
  [
    'a bit of the newest item’s proof',
    answered('item', (value) => ({ ...value, proof: { ...value.proof, path: first(value.proof.path) } })),
    /item\.inclusion/,
  ],
]

describe('a member that lies, through the page', () => {
  for (const [what, told, reason] of BEFORE)
    it(`renders nothing, and says why: ${what}`, async () => {
      lie = told
      await using tab = await openTab(browser, site.url)
      await expect.poll(() => tab.page.locator('body').textContent(), { timeout: 40_000 }).toMatch(reason)
      expect(await tab.page.locator('li.refund').count()).toBe(0)
    })

  it('shows no news that fails a check: a bit of a signature', async () => {
    lie = null
    await using tab = await openTab(browser, site.url)
    await tab.page.waitForSelector('li.refund')
    lie = commits((value) => ({ ...value, seal: { ...value.seal, signatures: first(value.seal.signatures) } }))
    const block = await history.pay()
    await expect.poll(() => tab.page.locator('body').textContent(), { timeout: 40_000 }).toMatch(/commit\.signatures/)
    expect(await tab.page.getByText(`block ${block}`, { exact: true }).count()).toBe(0)
    // The same block from the same member, by a reader whom nobody lies to.
    lie = null
    await using honest = await openTab(browser, site.url)
    await honest.page.getByText(`block ${block}`, { exact: true }).waitFor()
  })

  for (const [what, told] of [
    [
      'a bit of the run’s link',
      answered('tail', (value) => ({ ...value, runs: value.runs.map((run) => ({ ...run, link: flipped(run.link) })) })),
    ],
    ['a run left out', answered('tail', (value) => ({ ...value, runs: value.runs.slice(1) }))],
  ] as const)
    it(`TAL-07 fails answer.complete, and shows nothing of the address: ${what}`, async () => {
      lie = null
      await using tab = await openTab(browser, site.url)
      await tab.page.waitForSelector('li.refund')
      lie = told
      await tab.page.fill('#of', `0x${toHex(provider(21))}`)
      await tab.page.getByRole('button', { name: 'Show its refunds' }).click()
      await expect.poll(() => tab.page.locator('#address').textContent(), { timeout: 40_000 }).toMatch(/answer\.complete/)
      expect(await tab.page.locator('#address li.refund').count()).toBe(0)
    })
})
