import { spawn } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodePay } from '../../client/lattice/tally/payment.ts'
import { fromHex, toHex } from '../../client/primitives/bytes.ts'
import { createRpc } from '../../node/chain/rpc.ts'
import { BUILDER } from '../../node/devnet/handshake.ts'
import { policyFor } from '../../node/devnet/policy.ts'
import { hashText } from '../../wasm/core.ts'
import { type Devnet, startDevnet } from '../devnet.ts'
import { copyExample, ENV, install, run } from './_pack.ts'
import { launch, openTab, temporary } from './page.ts'

// The example under demo/next as a stranger builds it: the packed package, Next's own compiler, its server, and a policy without
// 'unsafe-inline'. The devnet's published file is put where the example says.

const NEXT = 'node_modules/next/dist/bin/next'
const PROVIDER = '0x5a0b54d5dc17e0aadc383d2db43b0a0d3e029c4c'

interface Site {
  readonly url: string
  /** What the server wrote, line by line. */
  readonly said: readonly string[]
  readonly end: () => Promise<void>
}

/** `next start` on a free port of this machine. */
const startNext = async (folder: string): Promise<Site> => {
  const args = [NEXT, 'start', '--hostname', '127.0.0.1', '--port', '0']
  const child = spawn(process.execPath, args, { cwd: folder, env: ENV, stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const said: string[] = []
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (line: string): void => {
      said.push(line)
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? []
      if (found !== undefined) resolve(`${found}/`)
    }
    createInterface({ input: child.stdout }).on('line', hear)
    createInterface({ input: child.stderr }).on('line', hear)
    void exit.then(() => reject(new Error(`next start ended:\n${said.join('\n')}`)))
  })
  const end = (): Promise<void> => {
    // It would wait for connections that a browser keeps open.
    child.kill('SIGKILL')
    return exit
  }
  return { url, said, end }
}

let browser: Browser
let folder: Awaited<ReturnType<typeof temporary>>
let devnet: Devnet
let site: Site
beforeAll(async () => {
  folder = await temporary()
  const app = join(folder.path, 'app')
  await copyExample('next', app)
  const [started] = await Promise.all([startDevnet(join(folder.path, 'devnet'), ['--no-traffic']), install(app)])
  devnet = started
  await cp(devnet.config, join(app, 'handshake.json'))
  const build = await run(app, process.execPath, NEXT, 'build')
  if (build.status !== 0) throw new Error(`next build ended with ${build.status}:\n${build.stdout}\n${build.stderr}`)
  site = await startNext(app)
  browser = await launch()
  // A minute on two cores; a compiler that has to share them takes many times as long.
}, 300_000)
afterAll(async () => {
  await browser?.close()
  await site?.end()
  await devnet?.[Symbol.asyncDispose]()
  await folder?.[Symbol.asyncDispose]()
})

/** Pays the builder, naming one provider for 25 %. */
const pay = async (wei: bigint): Promise<void> => {
  const rpc = createRpc({ urls: [devnet.rpc] })
  const signal = AbortSignal.timeout(20_000)
  const [from] = (await rpc.call('eth_accounts', [], { signal })) as readonly string[]
  const data = encodePay({ ref: hashText('order of the test'), providers: [fromHex(PROVIDER)], bps: [2_500] })
  const call = { from, to: `0x${toHex(BUILDER)}`, value: `0x${wei.toString(16)}`, data: `0x${toHex(data)}` }
  await rpc.call('eth_sendTransaction', [call], { signal })
}

/** The directives of a policy, by name. */
const directives = (policy: string | null): Readonly<Record<string, string>> =>
  Object.fromEntries((policy ?? '').split('; ').map((directive) => directive.split(/ (.*)/s)))

describe('the example under demo/next', () => {
  it('renders the empty state on the server, under a policy whose nonce is new for each visit', async () => {
    const [first, second] = await Promise.all([fetch(site.url), fetch(site.url)])
    const html = await first.text()
    expect(html).toContain('<p role="status">connecting</p>')
    expect(html).toContain('No address yet.')
    const policy = directives(first.headers.get('content-security-policy'))
    const nonce = /'nonce-([^']+)'/.exec(policy['script-src'] ?? '')?.[1]
    expect(html.match(/<script(?![^>]* nonce=)/g)).toBeNull()
    expect(html).toContain(`nonce="${nonce}"`)
    expect(second.headers.get('content-security-policy')).not.toContain(nonce)
  })

  it('has the policy of the wallet, but for the nonce and trusted types', async () => {
    const { headers } = await fetch(site.url)
    const { 'script-src': scripts, ...policy } = directives(headers.get('content-security-policy'))
    const bootstrap = devnet.members.flatMap(({ addresses }) => addresses)
    const { 'script-src': ours, 'require-trusted-types-for': _, 'trusted-types': __, ...wallet } = directives(policyFor(bootstrap))
    expect(policy).toEqual(wallet)
    expect(scripts?.replace(/ 'nonce-[^']+'/, '')).toBe(ours)
  })

  it('TAL-03 shows a refund verified in the tab, by the Worker that the bundler found', async () => {
    await using tab = await openTab(browser, site.url)
    const { page } = tab
    await page.getByText(/^live/).waitFor({ timeout: 30_000 })
    await page.getByLabel('Address').fill(PROVIDER)
    await page.getByRole('button', { name: 'Show' }).click()
    await page.locator('summary').waitFor()
    expect(await page.locator('li').count()).toBe(0)

    await pay(4_000_000_000_000_000_003n)
    // 25 % of the value, floored to the wei.
    await page.getByText(/^1000000000000000000 wei in block \d+$/).waitFor({ timeout: 60_000 })
    await expect.poll(() => page.locator('summary').textContent()).toBe('integrity green, authority green, freshness green')
    expect(await page.locator('details').textContent()).toContain('commit.signatures')
    await page.getByText(/^live, newest refunds in block \d+$/).waitFor()

    const [worker] = page.workers()
    expect(worker?.url()).toMatch(/\/_next\/static\/media\/worker\.[^/]+\.js$/)
    const script = await fetch(worker?.url() ?? '')
    expect(directives(script.headers.get('content-security-policy'))['connect-src']).toContain('ws://127.0.0.1')
    expect(tab.complaints).toEqual([])
  })
})
