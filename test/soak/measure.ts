import { setTimeout as delay } from 'node:timers/promises'
import { median } from '../bench/report.ts'
import type { Devnet } from '../devnet.ts'
import { membersOf } from '../members.ts'
import type { Minute } from './growth.ts'
import type { Heap } from './heap.ts'
import { cpuBelow, type Resident, residentBelow, residentOf } from './rss.ts'
import type { Watched } from './watched.ts'

/** Milliseconds between two looks at the processes. */
const EVERY = 5_000

/** What every process holds at one moment. */
export interface Look {
  readonly chromium: Resident & { readonly processes: number }
  /** All members together. */
  readonly members: Resident
  readonly devnet: Resident
  readonly chain: Resident
  /** Milliseconds on this process's clock, and of processor time that Chromium, and the devnet with all that it runs, have taken by then. */
  readonly atMs: number
  readonly cpuMs: { readonly chromium: number; readonly devnet: number }
}

/** @param chromium process id of the browser */
export const lookAt = async (chromium: number, devnet: Devnet): Promise<Look> => ({
  chromium: await residentBelow(chromium),
  members: await residentIn(membersOf(devnet).map(({ pid }) => pid)),
  devnet: await residentIn([devnet.pid]),
  chain: await residentIn(devnet.children.slice(0, 1)),
  atMs: performance.now(),
  cpuMs: { chromium: await cpuBelow(chromium), devnet: await cpuBelow(devnet.pid) },
})

/** Looks again and again until the time is over, at least once. */
export const looksUntil = async (end: number, look: () => Promise<Look>): Promise<readonly Look[]> => {
  const looks: Look[] = []
  do {
    looks.push(await look())
    await delay(Math.max(0, Math.min(EVERY, end - performance.now())))
  } while (performance.now() < end)
  return looks
}

/** One that is gone holds nothing; that it is gone is told elsewhere. */
const residentIn = async (pids: readonly number[]): Promise<Resident> => {
  const found = (await Promise.all(pids.map(residentOf))).filter((resident) => resident !== null)
  return { rss: sum(found.map(({ rss }) => rss)), anonymous: sum(found.map(({ anonymous }) => anonymous)) }
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)

/** Heaps of all tabs, and who did not tell. One tab after the other: twenty collections at once would stall what is watched. */
export const heapsOf = async (
  opened: readonly Watched[],
): Promise<{ readonly heaps: readonly Heap[]; readonly silent: readonly string[] }> => {
  const heaps: Heap[] = []
  const silent: string[] = []
  for (const { name, heap } of opened) {
    const found = await heap()
    if (found === null) silent.push(name)
    else heaps.push(found)
  }
  return { heaps, silent }
}

/**
 * A minute's figures. Resident memory is the median of its looks: between two collections a process holds what it need not, and one look
 * would compare one moment of luck with another.
 */
export const minuteOf = (heaps: readonly Heap[], looks: readonly Look[]): Omit<Minute, 'minute' | 'block'> => {
  const [pages, workers] = [heaps.map(({ page }) => page), heaps.map((heap) => heap.workers)]
  const middle = (value: (look: Look) => number): number => median(looks.map(value))
  return {
    bytes: {
      pages: sum(pages),
      workers: sum(workers),
      chromium: middle(({ chromium }) => chromium.rss),
      members: middle(({ members }) => members.rss),
      devnet: middle(({ devnet }) => devnet.rss),
    },
    page: median(pages),
    anonymous: middle(({ chromium }) => chromium.anonymous),
    chain: middle(({ chain }) => chain.rss),
    processes: middle(({ chromium }) => chromium.processes),
    cpu: { tab: rateOf(looks, ({ chromium }) => chromium) / heaps.length, devnet: rateOf(looks, ({ devnet }) => devnet) },
  }
}

/** Milliseconds a second between the first and the last look; not a number where there is one only. */
const rateOf = (looks: readonly Look[], part: (cpuMs: Look['cpuMs']) => number): number => {
  const [first, last] = [looks[0], looks.at(-1)]
  return first === undefined || last === undefined
    ? Number.NaN
    : (1_000 * (part(last.cpuMs) - part(first.cpuMs))) / (last.atMs - first.atMs)
}
