import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CommitteeSite, expectWhole, LONG, MEMBERS, openSite, openWallet } from './committee-site.ts'
import { launch, newProfile, openTabIn } from './page.ts'

// Issue "The universe in a browser", item 8: cross-origin isolation (COOP and COEP) and Trusted Types, with the wallet as it is published.
// docs/guide.md, "A page's policy", says what is shown here.

const COEP = 'cross-origin-embedder-policy'
const CSP = 'content-security-policy'

const OF_ONE_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding']

type Headers = Readonly<Record<string, string>>
interface Front extends AsyncDisposable {
  readonly url: string
}

/** The same page at another port, with its headers changed on the way. */
const front = async (inner: string, change: (path: string, headers: Headers) => Headers): Promise<Front> => {
  const pass = async ({ url = '/' }: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = await fetch(new URL(url, inner))
    const body = Buffer.from(await answer.arrayBuffer())
    // Those of one connection are not passed on (RFC 9110 section 7.6.1).
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => !OF_ONE_CONNECTION.includes(name)))
    response.writeHead(answer.status, change(url, headers)).end(body)
  }
  const server = createServer((request, response) => void pass(request, response).catch(() => response.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

let browser: Browser
let site: CommitteeSite
let profile: BrowserContext
beforeAll(async () => {
  browser = await launch()
  site = await openSite()
})
afterAll(async () => {
  await browser?.close()
  await site?.[Symbol.asyncDispose]()
})
beforeEach(async () => {
  profile = await newProfile(browser)
})
afterEach(() => profile?.close())

describe('a page that is cross-origin isolated', () => {
  it.each(['require-corp', 'credentialless'])('by COOP and COEP %s reads and follows, with its Worker', async (embedder) => {
    await using isolated = await front(site.url, (_, headers) => ({ ...headers, [COEP]: embedder }))
    const tab = await openWallet(profile, isolated.url)
    expect(await tab.page.evaluate(() => [crossOriginIsolated, typeof SharedArrayBuffer])).toEqual([true, 'function'])
    await expectWhole(site, [tab])
    await expect.poll(() => site.connections(), LONG).toBe(MEMBERS.length)
    expect(tab.workers()).toBe(1)
  })

  it('is told which file it is when the Worker comes without the header', async () => {
    await using isolated = await front(site.url, (path, headers) =>
      path.includes('.js') ? headers : { ...headers, [COEP]: 'require-corp' },
    )
    const { page } = await openTabIn(profile, isolated.url)
    await expect.poll(() => page.locator('network-status').textContent(), LONG).toMatch(/no worker at http\S+\.js: it cannot be loaded/)
  })
})

describe('a page under Trusted Types', () => {
  it('reads and follows, and no text becomes script or markup in it', async () => {
    const tab = await openWallet(profile, site.url)
    await expectWhole(site, [tab])
    const refused = await tab.page.evaluate(() => {
      const { trustedTypes } = globalThis as unknown as {
        readonly trustedTypes: { createPolicy: (name: string, rules: object) => unknown }
      }
      const tried = (run: () => void): string => {
        try {
          run()
          return 'taken'
        } catch (error) {
          return (error as Error).name
        }
      }
      return [
        tried(() => {
          document.createElement('div').innerHTML = '<b></b>'
        }),
        tried(() => void new Worker('./worker.js')),
        tried(() => void trustedTypes.createPolicy('another', {})),
      ]
    })
    expect(refused).toEqual(['TypeError', 'TypeError', 'TypeError'])
  })

  it('is told so where its policy does not name the library’s', async () => {
    const without = (policy = ''): string => policy.replace('trusted-types coalition-client lit-html', 'trusted-types lit-html')
    await using strict = await front(site.url, (_, headers) => ({ ...headers, [CSP]: without(headers[CSP]) }))
    const { page } = await openTabIn(profile, strict.url)
    await expect.poll(() => page.locator('network-status').textContent(), LONG).toMatch(/no worker at \S+\.js: the page may not start it/)
  })
})
