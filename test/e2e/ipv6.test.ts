import { networkInterfaces } from 'node:os'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, Tally } from '../../node/index.ts'
import { transportsOf } from '../../node/transports/listeners.ts'
import { tallyOf } from '../network/tally.ts'
import { expectWhole, LONG, MEMBERS, openSite, openWallet } from './committee-site.ts'
import { launch, newProfile } from './page.ts'

// Issue "The universe in a browser", item 6: members on IPv6, read by Chromium over each transport and by Node.

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
if (!hasIpv6) console.warn('skipped: this machine has no ::1')

describe.skipIf(!hasIpv6)('members on ::1', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())

  it.each([
    ['ws', 'WebSocket', '/ip6/::1/tcp/0/ws'],
    ['webtransport', 'WebTransport', '/ip6/::1/udp/0/quic-v1/webtransport'],
    ['webrtc-direct', 'WebRTC', '/ip6/::1/udp/0/webrtc-direct'],
  ])('are read and followed by Chromium over %s', async (transport, name, listen) => {
    await using site = await openSite({ listen: [listen], transports: transportsOf })
    const profile = await newProfile(browser)
    const tab = await openWallet(profile, `${site.url}?transports=${transport}`)
    await expectWhole(site, [tab])
    await expect.poll(() => tab.page.locator('table.peers tbody td:nth-child(2)').allTextContents(), LONG).toEqual(MEMBERS.map(() => name))
    await expectWhole(site, [tab])
    await profile.close()
    await expect.poll(() => site.connections(), LONG).toBe(0)
  })

  it.each([
    ['tcp', '/ip6/::1/tcp/0'],
    ['ws', '/ip6/::1/tcp/0/ws'],
  ])('are read by Node over %s', async (transport, listen) => {
    await using site = await openSite({ listen: [listen] })
    await using network = await connect({ bootstrap: site.addresses() })
    const refunds = await Tally.read(network, tallyOf(MEMBERS.length))
    const { verdict } = await refunds.latest()
    expect(verdict.ok).toBe(true)
    await expect.poll(() => refunds.state.peers.map((peer) => peer.transport), LONG).toEqual(MEMBERS.map(() => transport))
  })
})
