import { readdir, readFile } from 'node:fs/promises'
import type { Browser } from 'playwright'

// Resident memory as Linux counts it, proc(5).

/** Resident bytes. */
export interface Resident {
  /** All of it; what several processes share, such as the program itself, counts in each of them. */
  readonly rss: number
  /** The part that stands for no file: what a process has made itself. */
  readonly anonymous: number
}

/** What a process holds, or null when it is gone. */
export const residentOf = async (pid: number): Promise<Resident | null> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const [rss, anonymous] = [/^VmRSS:\s+(\d+) kB$/m, /^RssAnon:\s+(\d+) kB$/m].map((line) => line.exec(status)?.[1])
  return rss === undefined || anonymous === undefined ? null : { rss: Number(rss) * 1024, anonymous: Number(anonymous) * 1024 }
}

/** What a process and all that it started hold. */
export const residentBelow = async (root: number): Promise<Resident & { readonly processes: number }> => {
  const found = await Promise.all((await pidsBelow(root)).map(residentOf))
  const living = found.filter((resident) => resident !== null)
  const sum = (part: (resident: Resident) => number): number => living.reduce((all, resident) => all + part(resident), 0)
  return { rss: sum(({ rss }) => rss), anonymous: sum(({ anonymous }) => anonymous), processes: living.length }
}

/** Milliseconds of processor time that a process and those that it started, and that are there still, have taken. */
export const cpuBelow = async (root: number): Promise<number> => {
  const found = await Promise.all((await pidsBelow(root)).map(ticksOf))
  return found.reduce((all, ticks) => all + ticks, 0) * TICK
}

/** Milliseconds of a tick: USER_HZ is 100 on every Linux that there is. */
const TICK = 10

/** User and system time, fields 14 and 15; the second field is a name in brackets that may hold anything. */
const ticksOf = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) || 0) + (Number(fields[12]) || 0)
}

const pidsBelow = async (root: number): Promise<readonly number[]> => {
  const parents = await parentsOf()
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at !== 0; at = parents.get(at)) if (at === root) return true
    return false
  }
  return [...parents.keys()].filter(isBelow)
}

/** Parents by process id. */
const parentsOf = async (): Promise<ReadonlyMap<number, number>> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const parents = await Promise.all(pids.map(parentOf))
  return new Map(pids.flatMap((pid, i) => (typeof parents[i] === 'number' ? [[pid, parents[i]] as const] : [])))
}

const parentOf = async (pid: number): Promise<number | null> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const parent = /^PPid:\s+(\d+)$/m.exec(status)?.[1]
  return parent === undefined ? null : Number(parent)
}

/** Process id of the browser itself, below which all its others stand. @throws Error when the browser does not name it */
export const pidOf = async (browser: Browser): Promise<number> => {
  const session = await browser.newBrowserCDPSession()
  try {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo')
    const own = processInfo.find(({ type }) => type === 'browser')
    if (own === undefined) throw new Error('Chromium does not name its own process')
    return own.id
  } finally {
    await session.detach()
  }
}
