import { type ChildProcess, fork } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import { fileURLToPath } from 'node:url'
import { identify } from '../../client/lattice/tally/config.ts'
import * as Tally from '../../client/lattice/tally/index.ts'
import { silent } from '../../client/log.ts'
import type { Link } from '../../client/network/host.ts'
import { watch } from '../../client/network/light/client.ts'
import { createNetwork } from '../../client/network/open.ts'
import { UNIVERSE } from '../../client/primitives/id.ts'
import { bindings } from '../../node/bindings.ts'
import { createNodeHost, type NodeHost } from '../../node/host.ts'
import { testConfig } from '../lattice/tally/chain-double.ts'
import { type Committed, clock } from './_watch-server.ts'
import { median, print, quantile, type Row, row } from './report.ts'

const RUN = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url))
const SERVER = 'test/bench/_watch-server.ts'
/** Commits that are measured, one a second, after some that are not. */
const COMMITS = 30
const WARM = 5
/** One watcher in so many is a reader that verifies. */
const VERIFIED = 100

interface Arrivals {
  readonly raw: number[]
  readonly verified: number[]
}

/**
 * `npm run bench -- watch [--streams 1000] [--links 50] [--json]`: watch streams of one client process at one full node, one in a hundred of
 * them a reader that verifies all it is sent. What is measured is the time from a commit at the node to its arrival at each watcher.
 */
export const main = async (args: readonly string[]): Promise<void> => {
  const [streams, links] = [numberOf(args, '--streams', 1_000), numberOf(args, '--links', 50)]
  const few = await measure(Math.max(1, Math.floor(streams / 10)), Math.max(1, Math.floor(links / 10)))
  const many = await measure(streams, links)
  const name = `${streams} watchers over ${links} links`
  const rows: Row[] = [
    row(`${name}: arrival of a commit, median`, median(many.arrivals.raw), 'ms', 'a tenth of them', median(few.arrivals.raw)),
    row(`${name}: arrival of a commit, p99`, quantile(many.arrivals.raw, 0.99), 'ms', 'a tenth of them', quantile(few.arrivals.raw, 0.99)),
    row(`${name}: verified, p99`, quantile(many.arrivals.verified, 0.99), 'ms', 'a tenth of them', quantile(few.arrivals.verified, 0.99)),
    row(`${name}: processor time of the node for a commit`, many.cpu, 'ms', 'a tenth of them', few.cpu),
    row(`${name}: memory of the node for a watcher`, many.bytes, 'B'),
    row(`${name}: memory of the client for a watcher`, many.ownBytes, 'B'),
  ]
  print('watch', rows, args)
}

const numberOf = (args: readonly string[], name: string, otherwise: number): number => {
  const at = args.indexOf(name)
  return at < 0 ? otherwise : Number(args[at + 1])
}

interface Measured {
  readonly arrivals: Arrivals
  readonly cpu: number
  readonly bytes: number
  readonly ownBytes: number
}

const measure = async (streams: number, links: number): Promise<Measured> => {
  const each = Math.ceil(streams / links)
  const server = fork(RUN, [SERVER, `${each + 8}`], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const hosts: NodeHost[] = []
  const stop = new AbortController()
  // Each stream listens to it.
  setMaxListeners(0, stop.signal, server)
  try {
    const { address, first } = await told<{ readonly address: string; readonly first: bigint }>(server)
    const commits = new Map<bigint, Committed>()
    server.on('message', (message: Committed) => commits.set(message.index, message))
    // A payment takes two commits; the node is idle before the first, so its memory then is that without watchers.
    const idle = await commit(server, commits, first)
    const before = process.memoryUsage().rss
    const seen = new Seen()
    const readers = Math.max(1, Math.floor(streams / VERIFIED))
    for (let i = 0; i < links; i++) {
      const host = await createNodeHost({ seed: crypto.getRandomValues(new Uint8Array(32)), listen: [], log: silent })
      hosts.push(host)
      const link = await host.dial(address, { signal: stop.signal })
      const own = i < readers ? 1 : 0
      if (own === 1) await follow(host, address, seen, stop.signal)
      for (let j = own; j < Math.min(each, streams - i * each); j++) void attend(link, idle.index + 1n, seen, stop.signal)
      if (i % 10 === 9) console.error(`${i + 1} of ${links} links`)
    }
    let last = idle
    for (let i = 0; i < WARM; i++) last = await commit(server, commits, last.index)
    const start = last
    for (let i = 0; i < COMMITS; i++) {
      last = await commit(server, commits, last.index)
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
    const ownBytes = (process.memoryUsage().rss - before) / streams
    return {
      arrivals: seen.since(start.index, last.index, commits),
      cpu: (last.cpu - start.cpu) / Number(last.index - start.index),
      bytes: (last.rss - idle.rss) / streams,
      ownBytes,
    }
  } finally {
    stop.abort(new Error('measured'))
    await Promise.all(hosts.map((host) => host.close()))
    server.kill('SIGTERM')
  }
}

const told = <T>(server: ChildProcess): Promise<T> =>
  new Promise((resolve, reject) => {
    server.once('message', (message) => resolve(message as T))
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })

/** Has the server commit a payment, and resolves with the newest commit. */
const commit = async (server: ChildProcess, commits: ReadonlyMap<bigint, Committed>, after: bigint): Promise<Committed> => {
  server.send('pay')
  // The agreement on the block, and the payment.
  for (;;) {
    const found = commits.get(after + 2n)
    if (found !== undefined) return found
    await told(server)
  }
}

/** When what arrived. */
class Seen {
  readonly #raw: (readonly [index: bigint, at: number])[] = []
  readonly #verified: (readonly [index: bigint, at: number])[] = []

  raw(index: bigint): void {
    this.#raw.push([index, clock()])
  }

  verified(index: bigint): void {
    this.#verified.push([index, clock()])
  }

  since(first: bigint, last: bigint, commits: ReadonlyMap<bigint, Committed>): Arrivals {
    const late = (all: readonly (readonly [bigint, number])[]): number[] =>
      all.flatMap(([index, at]) => {
        const made = commits.get(index)
        return made !== undefined && index > first && index <= last ? [at - made.at] : []
      })
    return { raw: late(this.#raw), verified: late(this.#verified) }
  }
}

const group = identify(UNIVERSE, testConfig({ timers: { view_ms: 400, short_ms: 100, skew_ms: 500, heartbeat_ms: 3_600_000 } })).group

/** A watcher that decodes what it is sent. */
const attend = async (link: Link, from: bigint, seen: Seen, signal: AbortSignal): Promise<void> => {
  try {
    for await (const news of watch(link, { group, surfaces: [0], from, withstand: null }, { signal })) {
      if (news.kind === 'gap') throw new Error('a gap')
      const newest = news.value.headers.at(-1)
      if (newest !== undefined) seen.raw(newest.index)
    }
  } catch (error) {
    if (!signal.aborted) console.error(`a watcher ended: ${String(error)}`)
  }
}

/** A reader that verifies all, over the same host. */
const follow = async (host: NodeHost, address: string, seen: Seen, signal: AbortSignal): Promise<void> => {
  const config = testConfig({ timers: { view_ms: 400, short_ms: 100, skew_ms: 500, heartbeat_ms: 3_600_000 } })
  const network = createNetwork(host, bindings, { bootstrap: [address], signal })
  const refunds = await Tally.read(network, config)
  refunds.onState(({ head }) => {
    if (head !== null) seen.verified(BigInt(head.index))
  })
}
