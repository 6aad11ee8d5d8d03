import { mkdir } from 'node:fs/promises'
import type { Browser, BrowserContext } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Bytes } from '../../client/primitives/bytes.ts'
import { DAY, makeCertificate } from '../../node/transports/webtransport/certificate.ts'
import { webTransport } from '../../node/transports/webtransport/index.ts'
import { writeTurn } from '../../node/transports/webtransport/rotation.ts'
import { type ManualClock, manualClock } from '../transports/webtransport/_clock.ts'
import { type CommitteeSite, caughtUp, expectWhole, LONG, MEMBERS, openSite, openWallet, type WalletTab } from './committee-site.ts'
import { launch, newProfile } from './page.ts'

// Issue "The universe in a browser", must show: a member's certificate rotates while a tab streams. The wallet, over WebTransport alone.

const SHOTS = new URL('../../.cache/shots/', import.meta.url).pathname
const HOUR = DAY / 24
/** From the clock's start to the first rotation, and from there to the second. */
const TURN = 6 * HOUR
const OVER_WEBTRANSPORT = '?transports=webtransport'
const TICK = 100

/**
 * Certificates of which three follow each other within half a day by the members' clock, and which Chromium's own clock finds valid all the
 * time: a rotation is a day before a certificate's end.
 */
const beginning = (now: number): Bytes => {
  const current = makeCertificate(now - 3 * DAY, now - DAY + TURN + DAY)
  const next = makeCertificate(now - 2 * DAY, now - DAY + 2 * TURN + DAY)
  return writeTurn({ current, next, previous: null })
}

let browser: Browser
let clock: ManualClock
let ticking: NodeJS.Timeout
let site: CommitteeSite
const profiles: BrowserContext[] = []
beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true })
  browser = await launch()
})
afterAll(() => browser?.close())

beforeEach(async () => {
  const now = Date.now()
  clock = manualClock(now - DAY)
  // It goes on as any clock does; the test makes it jump.
  ticking = setInterval(() => clock.pass(TICK), TICK)
  const certificates = { load: async () => beginning(now), store: async () => {} }
  site = await openSite({
    listen: ['/ip4/127.0.0.1/udp/0/quic-v1/webtransport'],
    transports: () => [webTransport({ certificates, clock })],
  })
})
afterEach(async () => {
  await Promise.all(profiles.splice(0).map((profile) => profile.close()))
  await site?.[Symbol.asyncDispose]()
  clearInterval(ticking)
})

/** A tab in a profile of its own: it knows nothing but what the page was told when it was opened. */
const openAlone = async (): Promise<WalletTab> => {
  const profile = await newProfile(browser)
  profiles.push(profile)
  return openWallet(profile, `${site.url}${OVER_WEBTRANSPORT}`)
}

/** The hash of the certificate that is shown now, of each member. */
const shown = (): readonly string[] => site.addresses().map((address) => /\/certhash\/([^/]+)/.exec(address)?.[1] ?? 'none')

/** Every member takes its next certificate into use. */
const rotate = (): void => {
  const before = shown()
  clock.pass(TURN)
  expect(shown().filter((hash, member) => hash === before[member] || hash === 'none')).toEqual([])
}

const problemsIn = async ({ page }: WalletTab): Promise<readonly string[]> =>
  page.locator('table.peers tbody tr td:last-child').allTextContents()

it('PROTOCOL 5: members rotate twice under a tab that streams: its connections stay, and no item is lost or comes twice', async () => {
  const first = site.addresses()
  const streaming = await openAlone()
  await expectWhole(site, [streaming])
  expect([site.connections(), site.dialled()]).toEqual([MEMBERS.length, MEMBERS.length])
  await expect
    .poll(() => streaming.page.locator('table.peers tbody td:nth-child(2)').allTextContents(), LONG)
    .toEqual(MEMBERS.map(() => 'WebTransport'))

  rotate()
  await expectWhole(site, [streaming])
  // The same four as before: nothing was dialled again.
  expect([site.connections(), site.dialled()]).toEqual([MEMBERS.length, MEMBERS.length])

  // What was published before the rotation names the certificate of now as its second.
  const early = await openAlone()
  await expectWhole(site, [early, streaming])
  expect(site.dialled()).toBe(2 * MEMBERS.length)

  rotate()
  await expectWhole(site, [early, streaming])
  expect([site.connections(), site.dialled()]).toEqual([2 * MEMBERS.length, 2 * MEMBERS.length])

  // Three members by the address of now, one by that of two rotations ago.
  const [stale = ''] = first
  site.publish([stale, ...site.addresses().slice(1)])
  const late = await openAlone()
  await caughtUp(site, late)
  await expect
    .poll(async () => (await problemsIn(late))[0], LONG)
    .toMatch(/no connection: webtransport: .*(?:Opening handshake failed|certificate)/i)
  await expect.poll(() => late.page.locator('table.peers tr.on').count(), LONG).toBe(MEMBERS.length - 1)
  expect((await problemsIn(late)).slice(1)).toEqual(MEMBERS.slice(1).map(() => '–'))
  expect(late.sequence().problems).toEqual([])
  await late.page.screenshot({ path: `${SHOTS}rotation.png` })

  // With the address of now that member is reached too.
  site.publish(site.addresses())
  const fresh = await openAlone()
  await expectWhole(site, [fresh, early, streaming])
  await expect.poll(() => fresh.page.locator('table.peers tr.on').count(), LONG).toBe(MEMBERS.length)
})
