import type { BrowserContext } from 'playwright'
import { openTabIn, type Tab } from '../e2e/page.ts'
import { type Heapmeter, heapmeter } from './heap.ts'
import type { Reader } from './reader.ts'
import { followed, NOTHING, rowsOf, type Sequence, watchRows } from './rows.ts'

/** A tab of the wallet and all that it has shown. */
export interface Watched {
  readonly name: string
  readonly tab: Tab
  readonly heap: Heapmeter
  readonly sequence: () => Sequence
}

/** Milliseconds until a tab shows its first refund, on a machine that twenty others keep busy. */
const PATIENCE = 120_000

/** Opens a tab and waits for its first refund. @throws Error when there is none in time, with what the page says instead */
export const openWatched = async (profile: BrowserContext, url: string, name: string): Promise<Watched> => {
  const tab = await openTabIn(profile, url)
  const { page } = tab
  let sequence = NOTHING
  await watchRows(page, (listing) => {
    sequence = followed(sequence, listing)
  })
  await page.waitForSelector('#live li.refund', { timeout: PATIENCE }).catch(async (cause: unknown) => {
    const says = (await page.locator('body').textContent()) ?? ''
    throw new Error(`${name} shows no refund, but: ${says.replaceAll(/\s+/g, ' ').slice(0, 1_000)}`, { cause })
  })
  return { name, tab, heap: await heapmeter(page), sequence: () => sequence }
}

/** What is wrong with a tab at the end, given what Node read by then. */
export const finalProblems = async ({ name, tab, sequence }: Watched, reader: Reader): Promise<readonly string[]> => {
  const { newest, problems } = sequence()
  const all = [...problems, ...tab.complaints.map((complaint) => `the console says: ${complaint}`)]
  if (newest !== reader.newest()) all.push(`the newest row is ${newest}, and Node read ${reader.newest()}`)
  const rows = await rowsOf(tab.page).catch((error: unknown) => void all.push(`the page does not answer: ${String(error)}`))
  for (const { position, block } of rows ?? []) {
    const slot = /^\d{1,20}$/.test(position) ? reader.slots.get(BigInt(position)) : undefined
    if (block !== `block ${slot}`) all.push(`position ${position} is shown as ${block}, and Node read block ${slot}`)
  }
  return all.map((problem) => `${name}: ${problem}`)
}
