import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { median } from '../bench/report.ts'
import { residentOf } from './rss.ts'

// What a member process holds once its garbage is gone. Only an inspector can make another process collect.

/** Started with `env`, a devnet's members say on their logs where their inspectors listen. */
export interface Inspectors {
  readonly env: { readonly NODE_OPTIONS: string }
  /** Takes a line of the devnet's log. */
  readonly hear: (line: string) => void
  /** By seat, of the process that began last. */
  readonly urls: ReadonlyMap<number, string>
}

export const inspectors = (): Inspectors => {
  const urls = new Map<number, string>()
  const hear = (line: string): void => {
    const [, seat, url] = /\bmember (\d+) line=Debugger listening on (ws:\/\/\S+)/.exec(line) ?? []
    if (seat !== undefined && url !== undefined) urls.set(Number(seat), url)
  }
  return { env: { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --inspect=127.0.0.1:0`.trim() }, hear, urls }
}

/** Collections of one figure, and milliseconds between them: what finalizers let go of is gone with the next one. */
const TIMES = 5
const BETWEEN = 300

/** Resident bytes of a process, each time after a collection, in the middle of several. @throws Error when it does not answer */
export const collectedRss = async (url: string, pid: number): Promise<number> => {
  const socket = new WebSocket(url)
  const answers = new Map<number, () => void>()
  const failed = new Promise<never>((_, reject) => {
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`the inspector of process ${pid} has left`)))
  })
  failed.catch(() => {})
  socket.on('message', (data) => answers.get((JSON.parse(String(data)) as { readonly id: number }).id)?.())
  try {
    await Promise.race([new Promise<void>((resolve) => socket.once('open', resolve)), failed])
    const found: number[] = []
    for (let id = 1; id <= TIMES; id++) {
      const collected = new Promise<void>((resolve) => answers.set(id, resolve))
      socket.send(JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' }))
      await Promise.race([collected, failed])
      found.push((await residentOf(pid))?.rss ?? Number.NaN)
      await delay(BETWEEN)
    }
    return median(found.slice(1))
  } finally {
    socket.close()
  }
}
