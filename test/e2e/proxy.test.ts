import { once } from 'node:events'
import { request as ask, createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { transportsOf } from '../../node/transports/listeners.ts'
import { type CommitteeSite, caughtUp, expectWhole, LONG, MEMBERS, openSite, openWallet } from './committee-site.ts'
import { hasNginx, type Nginx, selfSigned, startNginx } from './nginx.ts'
import { launch, newProfile, temporary } from './page.ts'

// Issue "The universe in a browser", item 6: wss behind nginx, where every reader comes from the proxy's address; and a reader whose browser
// goes through a proxy.

if (!hasNginx) console.warn('skipped: there is no nginx here (Debian: apt-get install nginx-light)')

describe.skipIf(!hasNginx)('members behind nginx', () => {
  const shown = selfSigned()
  let browser: Browser
  let folder: Awaited<ReturnType<typeof temporary>>
  let site: CommitteeSite
  let nginx: Nginx
  beforeAll(async () => {
    browser = await launch(`--ignore-certificate-errors-spki-list=${shown.spki}`)
    folder = await temporary()
    site = await openSite({ limits: { perAddress: 1, proxies: ['127.0.0.1'] } })
    const upstreams = site.addresses().map((address) => Number(/\/tcp\/(\d+)\/ws\//.exec(address)?.[1]))
    nginx = await startNginx(folder.path, upstreams, shown)
    site.publish(site.addresses().map((address, i) => address.replace(/\/tcp\/\d+\/ws\//, `/tcp/${nginx.ports[i]}/tls/ws/`)))
  })
  afterAll(async () => {
    await browser?.close()
    await nginx?.[Symbol.asyncDispose]()
    await site?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  it('are read and followed over wss, by more readers than one address may be', async () => {
    const profiles = await Promise.all([newProfile(browser), newProfile(browser)])
    const tabs = await Promise.all(profiles.map((profile) => openWallet(profile, site.url)))
    await expectWhole(site, tabs)
    for (const { page } of tabs) {
      const reached = page.locator('table.peers tbody td:nth-child(2)')
      await expect.poll(() => reached.allTextContents(), LONG).toEqual(MEMBERS.map(() => 'WebSocket, TLS'))
    }
    expect(site.connections()).toBe(2 * MEMBERS.length)
    await expectWhole(site, tabs)
    for (const profile of profiles) await profile.close()
    await expect.poll(() => site.connections(), LONG).toBe(0)
  })
})

interface Forward extends AsyncDisposable {
  readonly port: number
  /** How many were made. */
  readonly tunnels: () => number
}

/** A proxy as an office has one: it fetches pages, and makes a tunnel for whoever asks by CONNECT. */
const openForward = async (): Promise<Forward> => {
  let tunnels = 0
  const server = createServer((asked, response) => {
    const { url = '', method = 'GET', headers } = asked
    const passed = ask(url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    asked.pipe(passed)
  })
  server.on('connect', ({ url = '' }, socket, head) => {
    tunnels += 1
    const [, host = '', port] = /^(.+):(\d+)$/.exec(url) ?? []
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.write(head)
      upstream.pipe(socket).pipe(upstream)
    })
    upstream.on('error', () => socket.destroy())
    socket.on('error', () => upstream.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    tunnels: () => tunnels,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('a browser behind an HTTP proxy', () => {
  it('reaches members over WebSocket, as UDP does not come through, and reads and follows', async () => {
    await using forward = await openForward()
    await using site = await openSite({
      listen: ['/ip4/127.0.0.1/udp/0/quic-v1/webtransport', '/ip4/127.0.0.1/tcp/0/ws'],
      transports: transportsOf,
    })
    // The second argument takes loopback addresses from those that no proxy is asked for.
    const browser = await launch(`--proxy-server=127.0.0.1:${forward.port}`, '--proxy-bypass-list=<-loopback>')
    try {
      const tab = await openWallet(await newProfile(browser), site.url)
      await caughtUp(site, tab)
      const reached = tab.page.locator('table.peers tbody td:nth-child(2)')
      await expect.poll(() => reached.allTextContents(), LONG).toEqual(MEMBERS.map(() => 'WebSocket'))
      await caughtUp(site, tab)
      expect(tab.sequence().problems).toEqual([])
      expect(forward.tunnels()).toBeGreaterThanOrEqual(MEMBERS.length)
    } finally {
      await browser.close()
    }
  })
})
