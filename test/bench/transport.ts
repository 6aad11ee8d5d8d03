import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright'
import { readAddress } from '../../client/network/address.ts'
import { launch } from '../e2e/page.ts'
import { serveSite } from '../site.ts'
import { cpuBelow, pidOf } from '../soak/rss.ts'
import type { Job } from './_transport.ts'
import { median, print, quantile, type Row, rate, row } from './report.ts'

const RUN = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url))
const ROUNDS = 7
const MB = 1_048_576
const TRIPS = 50
/** Bytes of a transfer in one round, over all its streams. */
const AMOUNT = 8 * MB
const PLAIN = 'plain ws'

/** What is measured of each transport in each round. */
const CASES = [
  { name: 'dial to first byte', what: 'dial', streams: 1, amount: 1 },
  { name: 'round trip', what: 'rtt', streams: 1, amount: TRIPS },
  { name: 'down, 1 stream', what: 'get', streams: 1, amount: AMOUNT },
  { name: 'down, 8 streams', what: 'get', streams: 8, amount: AMOUNT / 8 },
  { name: 'up, 1 stream', what: 'put', streams: 1, amount: AMOUNT },
  { name: 'up, 8 streams', what: 'put', streams: 8, amount: AMOUNT / 8 },
] as const satisfies readonly (Omit<Job, 'address'> & { readonly name: string })[]

interface Sample {
  readonly ms: number
  /** Milliseconds of processor time, of the node and of all of the browser. */
  readonly node: number
  readonly browser: number
}

/**
 * `npm run bench -- transport [--json]`: what a tab's Worker reaches a full node over, beside plain WebSockets of the same two processes, in
 * turns. Everything is on this machine, so both ends share its cores: a transfer is bounded by the work of both.
 */
export const main = async (args: readonly string[]): Promise<void> => {
  const server = fork(RUN, ['test/bench/_transport-server.ts'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const browser = await launch()
  try {
    const { plain, addresses } = await answer<{ readonly plain: string; readonly addresses: readonly string[] }>(server)
    const ways = new Map([[PLAIN, plain], ...addresses.map((address) => [readAddress(address).transport, address] as const)])
    await using site = await serveSite('test/bench/_transport-page.ts', 'test/bench/_transport-worker.ts')
    const page = await (await browser.newContext()).newPage()
    await page.goto(site.url)
    const pid = await pidOf(browser)
    const samples = new Map<string, Sample[]>()
    for (let round = 0; round <= ROUNDS; round++) {
      for (const { name, ...job } of CASES)
        for (const [way, address] of ways) {
          const sample = await measure(page, { server, pid }, { ...job, address })
          // The first round loads code and warms what is compiled.
          if (round > 0) samples.set(`${way} ${name}`, [...(samples.get(`${way} ${name}`) ?? []), sample])
        }
      console.error(`round ${round} of ${ROUNDS}`)
    }
    print('transport', rowsOf([...ways.keys()], samples), args)
  } finally {
    await browser.close()
    server.kill()
  }
}

const answer = async <T>(server: ChildProcess): Promise<T> => {
  const [message] = await once(server, 'message')
  return message as T
}

const cpuOf = (server: ChildProcess): Promise<{ readonly cpu: number }> => {
  const told = answer<{ readonly cpu: number }>(server)
  server.send('cpu')
  return told
}

/** Milliseconds for one sample, a hundred times what the slowest takes. */
const PATIENCE = 60_000

const measure = async (page: Page, { server, pid }: { readonly server: ChildProcess; readonly pid: number }, job: Job): Promise<Sample> => {
  const [before, tab] = [await cpuOf(server), await cpuBelow(pid)]
  const running = page.evaluate((job) => (globalThis as unknown as { measure(job: Job): Promise<number> }).measure(job), job)
  const ms = await Promise.race([running, delay(PATIENCE, null, { ref: false })])
  if (ms === null) {
    console.error(`${job.what} on ${job.streams} streams of ${job.address} did not end in ${PATIENCE} ms: again in a new page`)
    running.catch(() => {})
    await page.reload()
    return measure(page, { server, pid }, job)
  }
  return { ms, node: (await cpuOf(server)).cpu - before.cpu, browser: (await cpuBelow(pid)) - tab }
}

const rowsOf = (ways: readonly string[], samples: ReadonlyMap<string, readonly Sample[]>): readonly Row[] =>
  CASES.flatMap(({ name, what }) =>
    ways
      .filter((way) => way !== PLAIN)
      .flatMap((way) => {
        const [ours, rival] = [samples.get(`${way} ${name}`) ?? [], samples.get(`${PLAIN} ${name}`) ?? []]
        const of = (all: readonly Sample[], part: keyof Sample): number => median(all.map((sample) => sample[part]))
        const title = `${way}: ${name}`
        if (what === 'dial' || what === 'rtt')
          return [
            row(`${title}, median`, of(ours, 'ms'), 'ms', PLAIN, of(rival, 'ms')),
            row(`${title}, p10`, quantile(times(ours), 0.1), 'ms', PLAIN, quantile(times(rival), 0.1)),
          ]
        const size = AMOUNT / MB
        const speed = (all: readonly Sample[]): number => (1_000 * size) / of(all, 'ms')
        return [
          rate(`${title}, median`, speed(ours), 'MB/s', PLAIN, speed(rival)),
          row(`${title}, processor of the node`, of(ours, 'node') / size, 'ms/MB', PLAIN, of(rival, 'node') / size),
          row(`${title}, processor of the browser`, of(ours, 'browser') / size, 'ms/MB', PLAIN, of(rival, 'browser') / size),
        ]
      }),
  )

const times = (samples: readonly Sample[]): readonly number[] => samples.map(({ ms }) => ms)
