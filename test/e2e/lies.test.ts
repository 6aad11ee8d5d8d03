import { mkdir } from 'node:fs/promises'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, type ExpectStatic, it } from 'vitest'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import { silent } from '../../client/log.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { type StreamHandler, serveLight } from '../../client/network/light/server.ts'
import { toHex, utf8 } from '../../client/primitives/bytes.ts'
import { servePage } from '../../node/devnet/page.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'
import { hash } from '../../wasm/core.ts'
import { type Moment, type Refused, SCENARIOS, type Scenario } from '../lies/scenarios.ts'
import { ASKED, CONFIG, HEARTBEAT, liarServer, type Stage, stageOf } from '../lies/stage.ts'
import { launch, openTab, type Tab } from './page.ts'

// Issue "The wallet", Must show: every lie of the table in real Chromium, with a picture of what the page says of it.

const PAGE = new URL('../../dist/demo', import.meta.url).pathname
const BLANK = 'about:blank'
const SHOTS = new URL('../../.cache/lies/', import.meta.url).pathname
/** A page gives up opening after 15 s and a question after 30 s; a refusal stays until the next try has ended. */
const LONG = { timeout: 60_000 }

/** What the page says of bytes that are refused, or do not come: there is no verdict then. */
const WORDS: Readonly<Record<Refused, RegExp>> = {
  'Codec.DecodeError': /Response[.\w]* at byte \d+/,
  'Light.FrameError': /frame at byte 0: /,
  'Light.AnswerError': /light\/1: more epochs announced, none shown/,
  'Network.ConnectTimeoutError': /no verified (head|answer) of group [0-9a-f]{64} within \d+ ms|timed out/,
}

let browser: Browser
beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true })
  browser = await launch()
})
afterAll(() => browser?.close())

/** Tabs that no test uses now. To open one costs more than the test itself: a process, where to go on in one costs none. */
const idle: Tab[] = []

interface Scene extends AsyncDisposable {
  /** Of the test itself: several run at once. */
  readonly expect: ExpectStatic
  readonly stage: Stage
  /** Console errors of this scene. */
  readonly complaints: () => readonly string[]
  readonly page: Page
  /** From now on the liar lies. */
  readonly lie: () => void
  /** The server that was not up yet comes up: beside a liar that lags the honest one, else the liar. */
  readonly second: () => void
  readonly shoot: () => Promise<unknown>
}

/** A host whose server may come up later: until then it speaks no light protocol. */
const serving = async (name: string, handler: (host: NodeHost) => StreamHandler, isUp: () => boolean): Promise<NodeHost> => {
  const host = await createNodeHost({ seed: hash(utf8(name)), listen: ['/ip4/127.0.0.1/tcp/0/ws'], log: silent })
  const serve = handler(host)
  await host.handle(LIGHT_PROTOCOL, async (stream, peer) => (isUp() ? serve(stream, peer) : stream.abort(new Error('not yet'))))
  return host
}

/** What a scene may change about its servers while it runs. */
interface Course {
  lies: boolean
  isSecondUp: boolean
}

/** The liar's host, and an honest member's where the scenario is about two. */
const hostsOf = async ({ keys, plan, moment }: Scenario, stage: Stage, course: Course): Promise<readonly NodeHost[]> => {
  const planned = plan(stage)
  const at = { lies: () => course.lies, isLater: () => course.lies }
  const name = keys === 'none' ? 'peer stranger' : 'peer 0'
  const isLiarUp = (): boolean => moment !== 'joins' || course.isSecondUp
  const liar = await serving(name, (host) => liarServer(stage, planned, host, at), isLiarUp)
  if (moment !== 'lags' && moment !== 'joins') return [liar]
  const isHonestUp = (): boolean => moment === 'joins' || course.isSecondUp
  return [liar, await serving('peer 2', (host) => serveLight(() => [stage.truth.chain.source()], host), isHonestUp)]
}

/** A tab on a wallet that knows these hosts and nobody else. */
const sceneOf = async (scenario: Scenario, expect: ExpectStatic): Promise<Scene> => {
  const { moment, blocks, keys, lie: name } = scenario
  const stage = stageOf(keys, Date.now, blocks)
  const course: Course = { lies: moment === 'opens' || moment === 'reads', isSecondUp: false }
  const hosts = await hostsOf(scenario, stage, course)
  const bootstrap = hosts.map((host) => host.addresses()[0] as string)
  const site = await servePage({ folder: PAGE, handshake: { tally: formatConfig(CONFIG), bootstrap } })
  const tab = idle.pop() ?? (await openTab(browser, BLANK))
  const before = tab.complaints.length
  await tab.page.goto(site.url)
  const timer = setInterval(stage.beat, HEARTBEAT)
  return {
    expect,
    stage,
    page: tab.page,
    complaints: () => tab.complaints.slice(before),
    lie: () => {
      course.lies = true
    },
    second: () => {
      course.isSecondUp = true
    },
    shoot: () => tab.page.screenshot({ path: `${SHOTS}${name.replace(/\W+/g, '-')}.png`, fullPage: true }),
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      // Left before its servers go, which it would complain of.
      await tab.page.goto(BLANK)
      idle.push(tab)
      await site[Symbol.asyncDispose]()
      await Promise.all(hosts.map((host) => host.close()))
    },
  }
}

// Where the wallet says what: the one place of this file that knows its markup.

/** Rows that the wallet fetches at first. */
const PAGE_ROWS = 50
const rows = (page: Page): Promise<number> => page.locator('#live li.refund').count()
const rowOf = (page: Page, block: bigint) => page.locator('#live').getByText(`block ${block}`, { exact: true })
const allRows = ({ page, stage, expect }: Scene): Promise<void> =>
  expect.poll(() => rows(page), LONG).toBe(Math.min(PAGE_ROWS, stage.truth.chain.items.length))

const ask = async (page: Page): Promise<void> => {
  await page.fill('#of', `0x${toHex(ASKED)}`)
  await page.getByRole('button', { name: 'Show its refunds' }).click()
}

/** Names of the checks in a state, in the traces that stand under `place`. */
const traced = async (page: Page, place: string, state: 'failed' | 'unproven'): Promise<readonly string[]> =>
  page.locator(`${place} .verdict tr.${state} th`).allTextContents()

const expectRefusal = async ({ page, expect }: Scene, place: string, { caught }: Scenario): Promise<void> => {
  if (caught in WORDS) {
    await expect
      .poll(() => page.locator(`${place} .refusal`).allTextContents(), LONG)
      .toContainEqual(expect.stringMatching(WORDS[caught as Refused]))
    return
  }
  await expect.poll(() => traced(page, `${place} .refusal`, 'failed'), LONG).toEqual([caught])
}

/** What a person does, and what must and must not stand on the page. */
const SEEN: Readonly<Record<Moment, (scene: Scene, scenario: Scenario) => Promise<void>>> = {
  opens: async (scene, scenario) => {
    const { page, expect } = scene
    await expectRefusal(scene, 'body', scenario)
    expect(await rows(page)).toBe(0)
  },
  reads: async (scene, scenario) => {
    const { page, expect } = scene
    await expectRefusal(scene, '#live', scenario)
    expect(await rows(page)).toBe(0)
  },
  asks: async (scene, scenario) => {
    const { page, expect } = scene
    await allRows(scene)
    scene.lie()
    await ask(page)
    await expectRefusal(scene, '#address', scenario)
    expect(await page.locator('#address').locator('li.refund, .total').count()).toBe(0)
  },
  looks: async (scene, scenario) => {
    const { page, expect } = scene
    await allRows(scene)
    scene.lie()
    await page.locator('#live li.refund summary').first().click()
    await page.getByRole('button', { name: /raw evidence/ }).click()
    await expectRefusal(scene, '.evidence', scenario)
    expect(await page.locator('.evidence .raw').count()).toBe(0)
  },
  follows: async (scene, scenario) => {
    const { page, stage, expect } = scene
    await allRows(scene)
    const before = await rows(page)
    scene.lie()
    stage.pay()
    await expectRefusal(scene, '#live', scenario)
    expect(await rows(page)).toBe(before)
  },
  returns: async (scene, scenario) => {
    const { page, stage, expect } = scene
    await allRows(scene)
    await rowOf(page, stage.pay()).waitFor(LONG)
    const before = await rows(page)
    scene.lie()
    stage.pay()
    await expectRefusal(scene, '#live', scenario)
    expect(await rows(page)).toBe(before)
    if (scenario.keys === 'two') await page.getByRole('link', { name: 'Save the proof' }).waitFor(LONG)
  },
  joins: async (scene, scenario) => {
    const { page, stage, expect } = scene
    await allRows(scene)
    for (let i = 0; i < 2; i++) await rowOf(page, stage.pay()).waitFor(LONG)
    const before = await rows(page)
    scene.second()
    await expectRefusal(scene, '#live', scenario)
    expect(await rows(page)).toBe(before)
    await page.getByRole('link', { name: 'Save the proof' }).waitFor(LONG)
  },
  stands: async ({ page, expect }, { caught }) => {
    await page.locator('#status .state.stale').waitFor(LONG)
    await expect.poll(() => rows(page), LONG).toBe(3)
    await page.locator('#live li.refund summary').first().click()
    await expect.poll(() => traced(page, '#live', 'unproven'), LONG).toContain(caught)
    expect(await page.locator('#live li.refund .light.amber').count()).toBeGreaterThan(0)
  },
  lags: async (scene, { caught }) => {
    const { page, stage, expect } = scene
    await expect.poll(() => rows(page), LONG).toBe(6)
    const newer = stage.pay()
    // Asked at once: two seconds after the second member has shown its head, the one that lags is left for it.
    scene.second()
    await ask(page)
    await expect.poll(() => traced(page, '#address', 'unproven'), LONG).toContain(caught)
    await page.getByText('Why this is complete').click()
    await rowOf(page, newer).waitFor(LONG)
  },
}

const HONEST: Scenario = { lie: 'honest', keys: 'one', moment: 'opens', caught: 'item.inclusion', sees: '', plan: () => ({}) }
/** A committee that is caught is an operator's business too: the one thing that a page says aloud. */
const SAID = 'the committee signed two histories'
const isSlow = ({ caught }: Scenario): boolean => caught === 'Network.ConnectTimeoutError'

describe.concurrent('API Verdict, PROTOCOL 3: a server that lies, through the page', () => {
  // Those that are waited for come first, and the others run meanwhile.
  for (const scenario of [...SCENARIOS.filter(isSlow), ...SCENARIOS.filter((each) => !isSlow(each))])
    it(`${scenario.keys} keys: ${scenario.caught} when it ${scenario.lie}`, async ({ expect }) => {
      await using scene = await sceneOf(scenario, expect)
      try {
        await SEEN[scenario.moment](scene, scenario)
      } finally {
        await scene.shoot()
      }
      const isCommittee = scenario.caught === 'commit.consistency' && scenario.keys === 'two'
      expect(scene.complaints()).toEqual(isCommittee ? [expect.stringContaining(SAID)] : [])
    })

  it('shows every row, an address in full, the raw evidence and the next block when nobody lies', async ({ expect }) => {
    await using scene = await sceneOf(HONEST, expect)
    const { page, stage } = scene
    await allRows(scene)
    await ask(page)
    await expect.poll(() => page.locator('#address li.refund').count(), LONG).toBe(2)
    await page.locator('#live li.refund summary').first().click()
    await page.getByRole('button', { name: /raw evidence/ }).click()
    await page
      .locator('.evidence .raw')
      .first()
      .waitFor({ state: 'attached', ...LONG })
    await rowOf(page, stage.pay()).waitFor(LONG)
    expect(await page.locator('.refusal').count()).toBe(0)
    expect(await traced(page, 'body', 'failed')).toEqual([])
    await scene.shoot()
    expect(scene.complaints()).toEqual([])
  })
})
