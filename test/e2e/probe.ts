import { copyFile, cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright'
import type { TransportName } from '../../client/network/address.ts'
import type { StateReport } from '../../client/network/handle.ts'
import { type PageServer, servePage } from '../../node/devnet/page.ts'
import { openTab, type Tab } from './page.ts'

// A page that does nothing but read (probe.js), with the published files beside it and under the strict policy.

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))
const SCRIPT = fileURLToPath(new URL('./probe.js', import.meta.url))

/** Serves the page from `folder`. @param handshake the devnet's published file */
export const serveProbe = async (folder: string, handshake: string): Promise<PageServer> => {
  const built = join(folder, 'probe')
  await cp(DIST, built, { recursive: true, filter: (path) => !/\/(demo|types|node|\.tsc)$|\.map$/.test(path) })
  await copyFile(SCRIPT, join(built, 'probe.js'))
  await writeFile(join(built, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  await writeFile(
    join(built, 'index.html'),
    '<!doctype html><title>probe</title><link rel="icon" type="image/svg+xml" href="./icon.svg"><script type="module" src="./probe.js"></script>',
  )
  return servePage({ folder: built, handshake })
}

/** What a tab was given so far; times are this machine's, in milliseconds since the epoch. */
export interface Seen {
  readonly items: readonly { readonly position?: string; readonly isGood?: boolean; readonly problem?: string; readonly atMs: number }[]
  readonly heads: readonly { readonly index: string; readonly atMs: number }[]
  readonly state: StateReport
}

export interface First {
  /** From `connect` to the first verified value. */
  readonly firstMs: number
  readonly isGood: boolean
  readonly position: string | null
}

/** A tab that reads. */
export interface Probe extends AsyncDisposable {
  readonly tab: Tab
  readonly first: First
  readonly seen: () => Promise<Seen>
}

/** Opens the page in a browser context of its own, and reads over these transports alone. */
export const openProbe = async (browser: Browser, url: string, transports: readonly TransportName[]): Promise<Probe> => {
  const tab = await openTab(browser, url)
  const { page } = tab
  await page.waitForFunction(() => 'read' in globalThis)
  const first = await page.evaluate(
    (names) => (globalThis as unknown as { read: (names: readonly string[]) => Promise<First> }).read(names),
    transports,
  )
  const seen = (): Promise<Seen> => page.evaluate(() => (globalThis as unknown as { seen: () => Seen }).seen())
  return { tab, first, seen, [Symbol.asyncDispose]: () => tab[Symbol.asyncDispose]() }
}

/** What is wrong with the items of a tab: each is there once, in order, and verified. */
export const itemProblems = ({ items }: Seen): readonly string[] => {
  const problems = items.flatMap(({ problem, isGood, position }) => problem ?? (isGood ? [] : [`position ${position} came unverified`]))
  const positions = items.flatMap(({ position }) => (position === undefined ? [] : [BigInt(position)]))
  const at = positions.findIndex((position, i) => position !== (positions[0] as bigint) + BigInt(i))
  return at < 0 ? problems : [...problems, `after position ${positions[at - 1]} came ${positions[at]}`]
}
