import type { BrowserContext } from 'playwright'
import { expect } from 'vitest'
import { formatConfig } from '../../client/lattice/tally/config.ts'
import { silent } from '../../client/log.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { utf8 } from '../../client/primitives/bytes.ts'
import { servePage } from '../../node/devnet/page.ts'
import { createNodeHost, type NodeHost, type NodeHostOptions } from '../../node/host.ts'
import { hash } from '../../wasm/core.ts'
import { tallyChain, tallyOf } from '../network/tally.ts'
import { followed, NOTHING, type Sequence, watchRows } from '../soak/rows.ts'
import { openTabIn, type Tab } from './page.ts'

// A committee in this process that pays without a pause, and the wallet in front of it.

const PAGE = new URL('../../dist/demo', import.meta.url).pathname
/** Places in the roster. */
export const MEMBERS = [0, 1, 2, 3] as const
export const LONG = { timeout: 60_000 }
/** Milliseconds between two payments. */
const EVERY = 150

export interface CommitteeSite extends AsyncDisposable {
  readonly url: string
  /** Where members are reached now, in their order. */
  readonly addresses: () => readonly string[]
  /** What the page is told from now on of where members are; at first it is `addresses`. */
  readonly publish: (bootstrap: readonly string[]) => void
  /** Links that members have with readers. */
  readonly connections: () => number
  /** Links on which members were asked anything, since the start. */
  readonly dialled: () => number
  /** Position of the newest refund. */
  readonly newest: () => bigint
}

export interface SiteOptions extends Pick<NodeHostOptions, 'transports' | 'limits'> {
  /** Where each member listens. */
  readonly listen?: readonly string[]
}

export const openSite = async ({ listen = ['/ip4/127.0.0.1/tcp/0/ws'], ...given }: SiteOptions = {}): Promise<CommitteeSite> => {
  const tally = tallyChain(tallyOf(MEMBERS.length), Date.now() - 60_000)
  let block = 0n
  const pay = (): void => tally.pay(++block, { timeMs: Date.now(), signers: MEMBERS })
  for (let i = 0; i < 5; i++) pay()
  const dialled = new Set<string>()
  const serve = async (member: number): Promise<NodeHost> => {
    const host = await createNodeHost({ seed: hash(utf8(`peer ${member}`)), listen, log: silent, ...given })
    const answer = serveLight(() => [tally.chain.source()], host)
    await host.handle(LIGHT_PROTOCOL, (stream, peer, connection) => {
      dialled.add(`${member} ${connection}`)
      return answer(stream, peer)
    })
    return host
  }
  const hosts = await Promise.all(MEMBERS.map(serve))
  const addresses = (): readonly string[] => hosts.flatMap((host) => host.addresses())
  let bootstrap = addresses()
  const handshake = {
    tally: formatConfig(tallyOf(MEMBERS.length)),
    // Read anew for each visit, policy included.
    get bootstrap() {
      return bootstrap
    },
  }
  const site = await servePage({ folder: PAGE, handshake })
  const timer = setInterval(pay, EVERY)
  return {
    url: site.url,
    addresses,
    publish: (changed) => {
      bootstrap = changed
    },
    connections: () => hosts.reduce((sum, host) => sum + host.load(LIGHT_PROTOCOL).connections, 0),
    dialled: () => dialled.size,
    newest: () => block - 1n,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await site[Symbol.asyncDispose]()
      await Promise.all(hosts.map((host) => host.close()))
    },
  }
}

/** A tab of the wallet, and every refund that it has shown. */
export interface WalletTab extends Tab {
  readonly sequence: () => Sequence
  /** Workers that run in it. */
  readonly workers: () => number
}

/** Opens one and waits for its first refund. */
export const openWallet = async (profile: BrowserContext, url: string): Promise<WalletTab> => {
  const tab = await openTabIn(profile, url)
  const { page } = tab
  let sequence = NOTHING
  await watchRows(page, (listing) => {
    sequence = followed(sequence, listing)
  })
  await page.waitForSelector('#live li.refund', LONG)
  return { ...tab, sequence: () => sequence, workers: () => page.workers().length }
}

/** Waits until a tab shows what is the newest by now. Milliseconds that it took. */
export const caughtUp = async ({ newest }: CommitteeSite, { sequence }: WalletTab): Promise<number> => {
  const [goal, from] = [newest(), performance.now()]
  await expect.poll(() => (sequence().newest ?? -1n) >= goal, LONG).toBe(true)
  return performance.now() - from
}

/** Nothing was lost, nothing came twice, nothing went wrong. */
export const expectWhole = async (site: CommitteeSite, tabs: readonly WalletTab[]): Promise<void> => {
  for (const tab of tabs) {
    await caughtUp(site, tab)
    expect(tab.sequence().problems).toEqual([])
    expect(tab.complaints).toEqual([])
  }
}
