import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as Tally from '../../client/lattice/tally/index.ts'
import { silent } from '../../client/log.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { createNetwork } from '../../client/network/open.ts'
import { bindings } from '../../node/bindings.ts'
import { createNodeHost } from '../../node/host.ts'
import { tabRows } from './_tab.ts'
import { counting, meter } from './_wire.ts'
import { type History, openHistory } from './history.ts'
import { median, print, quantile, type Row, row } from './report.ts'

const SHORT = 100
const LONG = 100_000
const ROUNDS = 20

/** What one cold read took: a reader that knows the config alone, to its first verified value, over a socket. */
interface Cold {
  /** Bytes of the whole connection, both ways. */
  readonly socket: number
  /** Bytes of the light protocol in it. */
  readonly light: number
  readonly ms: number
}

/**
 * `npm run bench -- read [--json] [--commits N] [--no-tab]`: a cold read of a tally with 100 commits and of one with 100,000, in turns, and the
 * first verified value in a fresh browser tab. The long history is written once, through the machine, and kept beside the temporary files.
 */
export const main = async (args: readonly string[]): Promise<void> => {
  const asked = args.indexOf('--commits')
  const commits = asked < 0 ? LONG : Number(args[asked + 1])
  await using short = await served(SHORT)
  await using long = await served(commits)
  const samples = { short: [] as Cold[], long: [] as Cold[] }
  await coldRead(short)
  await coldRead(long)
  for (let i = 0; i < ROUNDS; i++) {
    samples.short.push(await coldRead(short))
    samples.long.push(await coldRead(long))
  }
  const compare = (what: string, unit: string, of: (cold: readonly Cold[]) => number): Row =>
    row(`cold read at ${commits} commits, ${what}`, of(samples.long), unit, `at ${SHORT} commits`, of(samples.short))
  const rows = [
    compare('bytes on the socket, median', 'B', (cold) => median(cold.map(({ socket }) => socket))),
    compare('bytes of light/1, median', 'B', (cold) => median(cold.map(({ light }) => light))),
    compare('median', 'ms', (cold) => median(cold.map(({ ms }) => ms))),
    compare('p10', 'ms', (cold) =>
      quantile(
        cold.map(({ ms }) => ms),
        0.1,
      ),
    ),
  ]
  print('read', args.includes('--no-tab') ? rows : [...rows, ...(await tabRows(ROUNDS))], args)
}

const served = async (commits: number): Promise<History> => {
  const history = await openHistory(join(tmpdir(), `coalition-bench-${commits}`), commits, (done) => {
    if (done % 10_000 === 0) console.error(`wrote ${done} of ${commits} commits`)
  })
  const { source } = history.group
  const handler = serveLight(() => [source], history.host)
  await history.host.handle(LIGHT_PROTOCOL, handler)
  return history
}

const coldRead = async ({ host, config }: History): Promise<Cold> => {
  await using relay = await meter(host.addresses()[0] as string)
  const own = await createNodeHost({ seed: crypto.getRandomValues(new Uint8Array(32)), listen: [], log: silent })
  const counted = counting(own)
  const start = performance.now()
  const network = createNetwork(counted.host, bindings, { bootstrap: [relay.address] })
  const refunds = await Tally.read(network, config)
  const { value } = await refunds.latest()
  const cold = { ms: performance.now() - start, light: counted.bytes(), socket: relay.bytes() }
  if (value === null) throw new Error('the history has no refund')
  await network[Symbol.asyncDispose]()
  await own.close()
  return cold
}
