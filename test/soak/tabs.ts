import { setTimeout as delay } from 'node:timers/promises'
import type { Browser } from 'playwright'
import { createRpc, type Rpc } from '../../node/chain/rpc.ts'
import { BUILDER } from '../../node/devnet/handshake.ts'
import { payBuilder } from '../../node/devnet/traffic.ts'
import { textLog } from '../../node/json-lines.ts'
import type { Devnet } from '../devnet.ts'
import { launch, newProfile } from '../e2e/page.ts'
import { deaths } from '../members.ts'
import { FROM, growthOf, growthProblems, lineOf, type Minute, paceProblems } from './growth.ts'
import { heapsOf, lookAt, looksUntil, minuteOf } from './measure.ts'
import { openReader, type Reader } from './reader.ts'
import { shownIn } from './rows.ts'
import { pidOf } from './rss.ts'
import { finalProblems, openWatched, type Watched } from './watched.ts'

// Tabs of one profile, so with one Worker among them, that stay open while a refund comes with every block, and what must come out of it:
// each shows every item once and in order, the same that a reader in Node is given, and neither page, Worker, browser nor member holds more
// at the end than when the lists were full.

export interface TabOptions {
  /** Started with `--no-traffic`: the soak pays itself. */
  readonly devnet: Devnet
  readonly tabs: number
  readonly minutes: number
  readonly log: (line: string) => void
}

export interface TabOutcome {
  readonly tabs: number
  readonly minutes: readonly Minute[]
  /** The end over minute 4, by kind; null for a run that is shorter. */
  readonly growth: ReturnType<typeof growthOf>
  /** Items that a reader in Node was given. */
  readonly items: number
  /** Items that each tab showed, from the oldest of its first rows on. */
  readonly shown: readonly number[]
  readonly problems: readonly string[]
}

/** Milliseconds between payments on average. The longest pause is half as much again: less than a block, so that each has one. */
const EVERY = 600
/** Milliseconds until everybody has what was paid last: members on a busy machine are a minute behind their chain. */
const PATIENCE = 300_000

/** Opens the tabs, watches them, lets the last payment arrive everywhere, and compares. */
export const soakTabs = async ({ devnet, tabs, minutes, log }: TabOptions): Promise<TabOutcome> => {
  const browser = await launch()
  const stop = new AbortController()
  const sent: string[] = []
  const traffic = { url: devnet.rpc, feeRecipient: BUILDER, signal: stop.signal, log: textLog(console.error), everyMs: EVERY }
  const paying = payBuilder(traffic, ({ hash }) => sent.push(hash))
  try {
    await using reader = await openReader(devnet.config)
    const profile = await newProfile(browser)
    const opened: Watched[] = []
    for (let i = 0; i < tabs; i++) opened.push(await openWatched(profile, devnet.page, `tab ${i}`))
    log(`${tabs} tabs show refunds, ${reader.slots.size} read in Node`)
    const parts = { devnet, browser, opened, reader, sent, log }
    const { taken, silent } = await watch(parts, minutes)
    stop.abort()
    await paying
    const late = await settle(parts, sent.at(-1))
    const wrong = (await Promise.all(opened.map((watched) => finalProblems(watched, reader)))).flat()
    const problems = [...wrong, ...reader.problems, ...silent, ...late, ...deaths(devnet), ...growthProblems(taken), ...paceProblems(taken)]
    if (minutes <= FROM) log(`growth is measured against minute ${FROM}: not in a run of ${minutes}`)
    const shown = opened.map(({ sequence }) => shownIn(sequence()))
    return { tabs, minutes: taken, growth: growthOf(taken), items: reader.slots.size, shown, problems }
  } finally {
    stop.abort()
    await paying
    await browser.close()
  }
}

interface Parts {
  readonly devnet: Devnet
  readonly browser: Browser
  readonly opened: readonly Watched[]
  readonly reader: Reader
  /** Hashes of the payments so far. */
  readonly sent: readonly string[]
  readonly log: (line: string) => void
}

/** Watches until every minute is over; each is measured at its end. */
const watch = async (parts: Parts, minutes: number): Promise<{ readonly taken: readonly Minute[]; readonly silent: readonly string[] }> => {
  const { devnet, browser, opened, reader, sent, log } = parts
  const pid = await pidOf(browser)
  const rpc = createRpc({ urls: [devnet.rpc] })
  const started = performance.now()
  const taken: Minute[] = []
  const silent: string[] = []
  for (let minute = 1; minute <= minutes; minute++) {
    const looks = await looksUntil(started + minute * 60_000, () => lookAt(pid, devnet))
    const { heaps, silent: mute } = await heapsOf(opened)
    silent.push(...mute.map((name) => `${name} does not say in minute ${minute} how large its heap is`))
    const one = { minute, block: (await newestBlock(rpc)) ?? taken.at(-1)?.block ?? 0n, ...minuteOf(heaps, looks) }
    taken.push(one)
    const newest = opened.map(({ sequence }) => Number(sequence().newest ?? -1n))
    log(
      `${lineOf(one)} · ${sent.length} payments · newest row ${Math.min(...newest)} to ${Math.max(...newest)}, in Node ${reader.newest()}`,
    )
  }
  return { taken, silent }
}

/** Null where the chain is too busy to say: no reason to lose what was measured so far. */
const newestBlock = async (rpc: Rpc): Promise<bigint | null> => {
  const found = await rpc.call('eth_blockNumber', [], { signal: AbortSignal.timeout(30_000) }).catch(() => null)
  return found === null ? null : BigInt(found as string)
}

/** The block of a payment, or null as long as the chain names none. */
const blockOf = async (rpc: Rpc, payment: string): Promise<bigint | null> => {
  const receipt = await rpc.call('eth_getTransactionReceipt', [payment], { signal: AbortSignal.timeout(30_000) }).catch(() => null)
  return receipt === null ? null : BigInt((receipt as { readonly blockNumber: string }).blockNumber)
}

/** Waits until the reader in Node has the block of the last payment, and every tab what the reader has. What is late then. */
const settle = async ({ devnet, opened, reader }: Parts, payment: string | undefined): Promise<readonly string[]> => {
  if (payment === undefined) return ['no payment was sent']
  const rpc = createRpc({ urls: [devnet.rpc] })
  const end = performance.now() + PATIENCE
  const isRead = async (): Promise<boolean> => {
    const [slot, newest] = [await blockOf(rpc, payment), reader.newest()]
    return slot !== null && newest !== null && (reader.slots.get(newest) ?? 0n) >= slot
  }
  if (!(await until(isRead, end))) return ['the reader in Node was not given the last payment in time']
  // A tab that stays behind is named where it is compared.
  await until(async () => opened.every(({ sequence }) => sequence().newest === reader.newest()), end)
  return []
}

const until = async (test: () => Promise<boolean>, end: number): Promise<boolean> => {
  while (performance.now() < end) {
    if (await test()) return true
    await delay(200)
  }
  return false
}
