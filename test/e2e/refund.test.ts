import { mkdir } from 'node:fs/promises'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodePay } from '../../client/lattice/tally/payment.ts'
import { fromHex, toHex } from '../../client/primitives/bytes.ts'
import { createRpc } from '../../node/chain/rpc.ts'
import { BUILDER } from '../../node/devnet/handshake.ts'
import { hashText } from '../../wasm/core.ts'
import { type Devnet, startDevnet } from '../devnet.ts'
import { launch, openTab, temporary } from './page.ts'

const SHOTS = new URL('../../.cache/shots/', import.meta.url).pathname
const PROVIDER = fromHex('0x5a0b54d5dc17e0aadc383d2db43b0a0d3e029c4c')

let browser: Browser
let folder: Awaited<ReturnType<typeof temporary>>
let devnet: Devnet
beforeAll(async () => {
  await mkdir(SHOTS, { recursive: true })
  browser = await launch()
  folder = await temporary()
  devnet = await startDevnet(folder.path, ['--no-traffic'])
})
afterAll(async () => {
  await devnet?.[Symbol.asyncDispose]()
  await browser?.close()
  await folder?.[Symbol.asyncDispose]()
})

/** Pays the builder, naming one provider for 25 %. */
const pay = async (wei: bigint): Promise<void> => {
  const rpc = createRpc({ urls: [devnet.rpc] })
  const signal = AbortSignal.timeout(20_000)
  const [from] = (await rpc.call('eth_accounts', [], { signal })) as readonly string[]
  const data = encodePay({ ref: hashText('order of the test'), providers: [PROVIDER], bps: [2_500] })
  await rpc.call('eth_sendTransaction', [{ from, to: `0x${toHex(BUILDER)}`, value: `0x${wei.toString(16)}`, data: `0x${toHex(data)}` }], {
    signal,
  })
}

describe('one payment, one signed commit, one verified refund in a tab', () => {
  it('TAL-03 TAL-07 LAT-07 shows a payment sent to the chain, verified, with its reasons and its evidence', async () => {
    await using tab = await openTab(browser, devnet.page)
    const { page } = tab
    await page.getByText('Waiting for the first refund').waitFor()
    const start = performance.now()
    await pay(4_000_000_000_000_000_003n)
    await page.waitForSelector('#live li.refund', { timeout: 60_000 })
    console.log(`a payment was on the page, verified, after ${((performance.now() - start) / 1_000).toFixed(1)} s`)

    const row = page.locator('#live li.refund').first()
    // 25 % of the value, floored to the wei.
    expect(await row.textContent()).toContain('1000000000000000000 wei')
    for (const light of ['integrity', 'authority', 'freshness'])
      expect(await row.locator(`.light[title="${light}: verified"]`).count()).toBe(1)

    await row.locator('summary').first().click()
    const verdict = await row.locator('.verdict').first().textContent()
    for (const check of ['commit.signatures', 'item.inclusion', 'roster.chain', 'head.age']) expect(verdict).toContain(check)
    await row.getByRole('button', { name: /evidence/i }).click()
    await row.getByText(/^Block header, RLP/).waitFor()
    expect(await row.locator('.evidence').textContent()).toMatch(/evidence\.inclusion\s*passed/)
    await page.screenshot({ path: `${SHOTS}refund.png`, fullPage: true })

    await page.fill('#of', `0x${toHex(PROVIDER)}`)
    await page.getByRole('button', { name: 'Show its refunds' }).click()
    await expect.poll(() => page.locator('#address').textContent(), { timeout: 20_000 }).toMatch(/1 ETH in 1 refund/)
    await page.screenshot({ path: `${SHOTS}address.png`, fullPage: true })
    expect(tab.complaints).toEqual([])
  })
})

describe('a devnet that is ended', () => {
  it('leaves no child behind, and the next start goes on with the same log', async () => {
    const before = devnet.children
    expect(await devnet.end('SIGINT')).toBe(0)
    for (const pid of before) expect(() => process.kill(pid, 0)).toThrow()
    devnet = await startDevnet(folder.path, ['--no-traffic'])
    await using tab = await openTab(browser, devnet.page)
    await tab.page.waitForSelector('#live li.refund', { timeout: 60_000 })
    expect(await tab.page.locator('#live li.refund').first().textContent()).toContain('1000000000000000000 wei')
    await pay(8n)
    await expect.poll(() => tab.page.locator('#live li.refund').count(), { timeout: 60_000 }).toBe(2)
  })
})
