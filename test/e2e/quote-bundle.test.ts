import { webcrypto } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type * as Policies from '../../client/verify/policies.ts'
import { parsePolicy } from '../../client/verify/policies.ts'
import type * as Quotes from '../../client/verify/quotes.ts'
import { createEcdsa, inspectAttestation, type QuoteVerdict, toHex } from '../../client/verify/quotes.ts'
import { policyFor } from '../../node/devnet/policy.ts'
import { newPki, trustedRoot, writeCollateral } from '../verify/_collateral-writer.ts'
import { writeQuote } from '../verify/_quote-mock.ts'
import { type QuoteCase, quoteCases } from '../verify/quote/_cases.ts'
import { launch, openTab, type Tab } from './page.ts'

// TDX.md, "Reference", in Chromium: every case through `dist/quote.js` as it is published, in a page under the policy that a member's page
// has, by WebCrypto and by the library.

const DIST = new URL('../../dist/', import.meta.url).pathname
const AT = Date.UTC(2026, 5, 1) / 1_000

const FILES: Readonly<Record<string, string>> = {
  '/': '<!doctype html><html lang="en"><title>quotes</title><script type="module" src="/run.js"></script></html>',
  '/run.js': `import * as quotes from './package/quote.js'
import * as policies from './package/policy.js'
globalThis.published = { ...quotes, ...policies }
document.title = 'ready'
`,
}

/** The page, and what is published. */
const serve = async (): Promise<{ readonly server: Server; readonly url: string }> => {
  const server = createServer((request, response) => {
    const url = request.url ?? '/'
    const path = url.startsWith('/package/') ? join(DIST, normalize(url.slice(8))) : ''
    const body = FILES[url] ?? (path.endsWith('.js') && existsSync(path) ? readFileSync(path) : null)
    // A browser asks for an icon by itself, and complains aloud when there is none.
    if (body === null) return response.writeHead(url === '/favicon.ico' ? 204 : 404).end()
    const type = url === '/' ? 'text/html' : 'text/javascript'
    return response.writeHead(200, { 'content-type': type, 'content-security-policy': policyFor([]) }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}

type Sample = Pick<QuoteCase, 'quote' | 'collateral' | 'at' | 'root'>

/** Verifies in the page, all in one go; bytes cross as hex. */
const inChromium = ({ page }: Tab, samples: readonly Sample[], subtle: boolean): Promise<readonly QuoteVerdict[]> =>
  page.evaluate(
    async ([rows, withSubtle]) => {
      const { published } = globalThis as unknown as { readonly published: typeof Quotes & typeof Policies }
      const { createEcdsa, fromHex, inspectAttestation, parsePolicy } = published
      const ecdsa = createEcdsa(withSubtle ? (crypto.subtle as Parameters<typeof createEcdsa>[0]) : undefined)
      const policy = parsePolicy({})
      return Promise.all(
        rows.map(({ quote, collateral, at, spkiHash, development }) => {
          const root = { spkiHash: fromHex(spkiHash), development }
          return inspectAttestation(fromHex(quote), collateral, { at, root, ecdsa, policy })
        }),
      )
    },
    [samples.map(crossing), subtle] as const,
  )

const crossing = ({ quote, collateral, at, root }: Sample) => ({
  ...{ quote: toHex(quote), collateral, at, spkiHash: toHex(root.spkiHash), development: root.development },
})

const ecdsa = createEcdsa(webcrypto.subtle as Parameters<typeof createEcdsa>[0])
const inNode = ({ quote, collateral, at, root }: Sample): Promise<QuoteVerdict> =>
  inspectAttestation(quote, collateral, { at, root, ecdsa, policy: parsePolicy({}) })

let browser: Browser
let site: Awaited<ReturnType<typeof serve>>
let tab: Tab

beforeAll(async () => {
  browser = await launch()
  site = await serve()
  tab = await openTab(browser, site.url)
  await tab.page.waitForFunction(() => document.title === 'ready')
})
afterAll(async () => {
  await tab?.[Symbol.asyncDispose]()
  await browser?.close()
  site?.server.close()
})

describe('quotes of a mock authority, through the published bundle in Chromium', () => {
  const pki = newPki(AT)
  const sample = (quote = writeQuote(pki), collateral = writeCollateral(pki)): Sample => ({
    quote,
    collateral,
    at: AT,
    root: trustedRoot(pki),
  })

  it.each([true, false])('are judged as in Node, with WebCrypto: %s', async (subtle) => {
    const flipped = writeQuote(pki)
    flipped[100] = (flipped[100] as number) ^ 1
    const samples = [
      sample(),
      sample(writeQuote(pki, { version: 5, bodyType: 3 })),
      sample(flipped),
      sample(new Uint8Array(0)),
      sample(writeQuote(pki), '{}'),
    ]
    const verdicts = await inChromium(tab, samples, subtle)
    expect(verdicts.map(({ accepted }) => accepted)).toEqual([true, true, false, false, false])
    expect(verdicts[2]?.checks.filter(({ state }) => state === 'failed').map(({ name }) => name)).toEqual(['quote.signature'])
    expect(verdicts).toEqual(await Promise.all(samples.map(inNode)))
    expect(tab.complaints).toEqual([])
  })
})

const all = quoteCases()

describe.skipIf(all.length === 0)('the corpus, through the published bundle in Chromium', () => {
  it("has Intel's verdict, or is refused where the manifest is stricter, and every check says what it says in Node", async () => {
    const verdicts = await inChromium(tab, all, true)
    const statusOf = (_: unknown, i: number): string => `${all[i]?.group}/${all[i]?.name} ${verdicts[i]?.status}`
    expect(verdicts).toHaveLength(133)
    expect(verdicts.map(statusOf)).toEqual(all.map(({ group, name, expected }) => `${group}/${name} ${expected}`))
    // One by one: a difference is then shown with its case.
    for (const [i, one] of all.entries()) expect({ [one.name]: verdicts[i] }).toEqual({ [one.name]: await inNode(one) })
    expect(tab.complaints).toEqual([])
  })

  it('has the same verdicts where a page has no WebCrypto', async () => {
    const real = all.filter(({ group }) => group === 'cases')
    const verdicts = await inChromium(tab, real, false)
    expect(verdicts.map(({ status }) => status)).toEqual(real.map(({ expected }) => expected))
  })
})
