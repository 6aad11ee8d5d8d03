import { mkdir } from 'node:fs/promises'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Devnet, startDevnet } from '../devnet.ts'
import { killMembers } from '../soak/kills.ts'
import { launch, openTab, type Tab, temporary } from './page.ts'

const SHOTS = new URL('../../.cache/shots/', import.meta.url).pathname
/** `npm run soak -- --kills 20` is the whole. */
const KILLS = 4
const SEED = 7

let browser: Browser
let folder: Awaited<ReturnType<typeof temporary>>
let devnet: Devnet
beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true })
  browser = await launch()
  folder = await temporary()
  // Long enough for a page to see that nothing is committed: it says stale after six heartbeats.
  devnet = await startDevnet(folder.path, ['--restart-after', '12'])
})
afterAll(async () => {
  await devnet?.[Symbol.asyncDispose]()
  await browser?.close()
  await folder?.[Symbol.asyncDispose]()
})

const rows = (tab: Tab): Promise<number> => tab.page.locator('#live li.refund').count()
/** Rows of which some reason was not verified. */
const unverified = async (tab: Tab): Promise<number> =>
  (await rows(tab)) -
  (await tab.page.locator('#live li.refund:has(.light[title="integrity: verified"]):has(.light[title="authority: verified"])').count())
const up = (seat: number) => devnet.next('member', (event) => event.seat === seat && event.state === 'up')
const kill = (seat: number): void => void process.kill(devnet.members[seat]?.pid as number, 'SIGKILL')
const timed = async (what: string, work: Promise<unknown>): Promise<void> => {
  const start = performance.now()
  await work
  console.log(`${what} after ${((performance.now() - start) / 1_000).toFixed(1)} s`)
}

describe('a page and a committee of four', () => {
  it('THR-03 LAT-07 goes on when one member dies, says stale when two are dead, shows nothing unverified, and goes on when they are back', async () => {
    await using tab = await openTab(browser, devnet.page)
    const state = tab.page.locator('p.state strong')
    await expect.poll(() => rows(tab), { timeout: 60_000 }).toBeGreaterThan(0)
    await expect.poll(() => state.textContent(), { timeout: 20_000 }).toBe('live')

    const [first, second] = [up(1), up(2)]
    kill(1)
    const before = await rows(tab)
    await timed('a new refund with one member dead', expect.poll(() => rows(tab), { timeout: 30_000 }).toBeGreaterThan(before))
    expect(await state.textContent()).toBe('live')

    kill(2)
    await timed('stale with two members dead', expect.poll(() => state.textContent(), { timeout: 30_000 }).toBe('stale'))
    expect(await unverified(tab)).toBe(0)
    await tab.page.screenshot({ path: `${SHOTS}two-dead.png`, fullPage: true })
    const stopped = await rows(tab)

    await Promise.race([first, second])
    await timed('a new refund from the first restart on', expect.poll(() => rows(tab), { timeout: 60_000 }).toBeGreaterThan(stopped))
    await expect.poll(() => state.textContent(), { timeout: 30_000 }).toBe('live')
    expect(await unverified(tab)).toBe(0)
    await Promise.all([first, second])
    // What the dead members' sockets said is the browser's word for a refused connection; anything else is a fault.
    expect(
      tab.complaints.filter(
        (line) => !/WebSocket connection to .* failed|ERR_CONNECTION|Failed to establish a connection to https/.test(line),
      ),
    ).toEqual([])
  })
})

describe('members that are killed under load', () => {
  it(`MSK-02 THR-03 lose nothing that was shown, and hold one history: ${KILLS} kills, seed ${SEED}`, async () => {
    await devnet.end('SIGINT')
    devnet = await startDevnet(folder.path, ['--no-traffic'])
    const { seen, blocks, problems } = await killMembers({
      devnet,
      folder: folder.path,
      kills: KILLS,
      seed: SEED,
      log: (line) => console.log(line),
    })
    console.log(`${seen} refunds shown, ${blocks} blocks compared`)
    expect(problems).toEqual([])
    expect(seen).toBeGreaterThan(0)
  })
})
