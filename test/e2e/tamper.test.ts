import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import { frame } from '../../client/network/light/frame.ts'
import { LIGHT_PROTOCOL, type Response, type ResponseOf, responseCodec } from '../../client/network/light/messages.ts'
import type { Answer, AnswerOf, QueryKind } from '../../client/network/light/queries.ts'
import { serveLight } from '../../client/network/light/server.ts'
import type { Bytes } from '../../client/primitives/bytes.ts'
import { toHex } from '../../client/primitives/bytes.ts'
import { encode } from '../../client/primitives/codec.ts'
import { type PageServer, servePage } from '../../node/devnet/page.ts'
import { type History, openHistory } from '../bench/history.ts'
import { provider } from '../lattice/tally/fixtures.ts'
import { flipped, type Lie, lying } from '../liar.ts'
import { launch, openTab, temporary } from './page.ts'

const PAGE = new URL('../../dist/demo', import.meta.url).pathname

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

const opened =
  (change: (value: ResponseOf<'opened'>) => ResponseOf<'opened'>): Lie =>
  (honest) =>
    honest.kind === 'opened' ? { kind: 'opened', value: change(honest.value) } : null
const answered =
  <K extends QueryKind>(kind: K, change: (value: AnswerOf<K>) => AnswerOf<K>): Lie =>
  (honest) => {
    if (honest.kind !== 'proven' || !honest.value.answers.some((answer) => answer.kind === kind)) return null
    const answers = honest.value.answers.map((answer) =>
      answer.kind === kind ? ({ kind, value: change(answer.value as AnswerOf<K>) } as Answer) : answer,
    )
    return { kind: 'proven', value: { answers } }
  }
const commits =
  (change: (value: ResponseOf<'commits'>) => ResponseOf<'commits'>): Lie =>
  (honest) =>
    honest.kind === 'commits' ? { kind: 'commits', value: change(honest.value) } : null
const first = (list: readonly Bytes[]): readonly Bytes[] => list.map((bytes, i) => (i === 0 ? flipped(bytes) : bytes))
const longer =
  (kind: Response['kind']): Lie =>
  (honest) => {
    if (honest.kind !== kind) return null
    const raw = frame(encode(responseCodec, honest))
    raw[0] = (raw[0] as number) ^ 1
    return { raw }
  }

/** Lies that leave the page without a single value: what is on it must be the reason. */
const BEFORE: readonly (readonly [string, Lie, RegExp])[] = [
  [
    'a bit of the head’s log root',
    opened((value) => ({ ...value, head: { ...value.head, header: { ...value.head.header, log: flipped(value.head.header.log) } } })),
    /commit\.signatures/,
  ],
  [
    'a later time in the head',
    opened((value) => ({ ...value, head: { ...value.head, header: { ...value.head.header, time_ms: value.head.header.time_ms + 1n } } })),
    /commit\.signatures/,
  ],
  [
    'a bit of the signature',
    opened((value) => ({ ...value, head: { ...value.head, seal: { ...value.head.seal, signatures: first(value.head.seal.signatures) } } })),
    /commit\.signatures/,
  ],
  [
    'a signer more',
    opened((value) => ({ ...value, head: { ...value.head, seal: { ...value.head.seal, signers: Uint8Array.of(3) } } })),
    /commit\.signatures/,
  ],
  ['the length of the answer', longer('opened'), /Response\.opened|frame|ended/],
  ['a bit of the newest item', answered('item', (value) => ({ ...value, item: flipped(value.item) })), /item\.inclusion/],
  [
    'a bit of the newest item’s proof',
    answered('item', (value) => ({ ...value, proof: { ...value.proof, path: first(value.proof.path) } })),
    /item\.inclusion/,
  ],
  ['the length of the proof', longer('proven'), /Response\.proven|frame|ended/],
]

describe('a member that lies, through the page', () => {
  it('shows the honest rows, and completes an address, when nobody lies', async () => {
    lie = null
    await using tab = await openTab(browser, site.url)
    await tab.page.waitForSelector('li.refund')
    expect(await tab.page.locator('li.refund').count()).toBe(3)
    expect(tab.complaints).toEqual([])
  })

  for (const [what, told, reason] of BEFORE)
    it(`renders nothing, and says why: ${what}`, async () => {
      lie = told
      await using tab = await openTab(browser, site.url)
      await expect.poll(() => tab.page.locator('body').textContent(), { timeout: 40_000 }).toMatch(reason)
      expect(await tab.page.locator('li.refund').count()).toBe(0)
    })

  for (const [what, told] of [
    ['a bit of an item', answered('range', (value) => ({ ...value, items: first(value.items) }))],
    ['an item left out of a range', answered('range', (value) => ({ ...value, items: value.items.slice(1) }))],
  ] as const)
    it(`renders no row of it: ${what}`, async () => {
      lie = told
      await using tab = await openTab(browser, site.url)
      await expect.poll(() => tab.page.locator('body').textContent(), { timeout: 40_000 }).toMatch(/item\.inclusion|Response\.proven|frame/)
      const rows = await tab.page.locator('li.refund .block').allInnerTexts()
      expect(rows.every((row) => /^block (1|21|41)$/.test(row))).toBe(true)
    })

  for (const [what, told] of [
    [
      'a bit of a header',
      commits((value) => ({ ...value, headers: value.headers.map((header) => ({ ...header, log: flipped(header.log) })) })),
    ],
    ['a bit of a signature', commits((value) => ({ ...value, seal: { ...value.seal, signatures: first(value.seal.signatures) } }))],
    ['a bit of a new item', commits((value) => ({ ...value, appended: value.appended.map((block) => block.map(first)) }))],
    ['a new item left out', commits((value) => ({ ...value, appended: value.appended.map((block) => block.map(() => [])) }))],
    ['the length of the news', longer('commits')],
  ] as const)
    it(`shows no news that fails a check: ${what}`, async () => {
      lie = null
      await using tab = await openTab(browser, site.url)
      await tab.page.waitForSelector('li.refund')
      lie = told
      const block = await history.pay()
      await expect
        .poll(() => tab.page.locator('body').textContent(), { timeout: 40_000 })
        .toMatch(/commit\.|item\.inclusion|Response\.commits|frame/i)
      expect(await tab.page.getByText(`block ${block}`, { exact: true }).count()).toBe(0)
      // The same block from the same member, by a reader whom nobody lies to.
      lie = null
      await using honest = await openTab(browser, site.url)
      await honest.page.getByText(`block ${block}`, { exact: true }).waitFor()
    })

  const leftOut = answered('tail', (value) => ({
    ...value,
    items: value.items.slice(1),
    runs: value.runs.map((run) => ({ ...run, positions: run.positions.filter((position) => position !== value.items[0]?.position) })),
  }))
  for (const [what, told] of [
    ['one refund of the address left out', leftOut],
    [
      'a bit of the run’s link',
      answered('tail', (value) => ({ ...value, runs: value.runs.map((run) => ({ ...run, link: flipped(run.link) })) })),
    ],
    ['another count', answered('tail', (value) => ({ ...value, runs: value.runs.map((run) => ({ ...run, count: run.count + 1n })) }))],
    ['a bit of a key', answered('tail', (value) => ({ ...value, runs: value.runs.map((run) => ({ ...run, key: flipped(run.key) })) }))],
    [
      'a bit of an item',
      answered('tail', (value) => ({ ...value, items: value.items.map((placed) => ({ ...placed, item: flipped(placed.item) })) })),
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

  it('fails evidence.inclusion for a bit of the raw evidence, and shows none of it', async () => {
    lie = (honest) => (honest.kind === 'blob' ? { kind: 'blob', value: { ...honest.value, bytes: flipped(honest.value.bytes) } } : null)
    await using tab = await openTab(browser, site.url)
    await tab.page.waitForSelector('li.refund')
    await tab.page.locator('li.refund summary').first().click()
    await tab.page
      .getByRole('button', { name: /raw evidence/ })
      .first()
      .click()
    await expect.poll(() => tab.page.locator('.evidence').first().textContent(), { timeout: 40_000 }).toMatch(/evidence\.inclusion/)
    expect(await tab.page.locator('.evidence .raw').count()).toBe(0)
  })
})
