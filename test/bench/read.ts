import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as Tally from '../../client/lattice/tally/index.ts'
import { silent } from '../../client/log.ts'
import type { Host } from '../../client/network/host.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { createNetwork } from '../../client/network/open.ts'
import { bindings } from '../../node/bindings.ts'
import { createNodeHost } from '../../node/host.ts'
import { tabRows } from './_tab.ts'
import { type History, openHistory } from './history.ts'
import { median, print, quantile, type Row, row } from './report.ts'

const SHORT = 100
const LONG = 100_000
const ROUNDS = 20

/** What one cold read took: a reader that knows the config alone, to its first verified value, over a socket. */
interface Cold {
  readonly bytes: number
  readonly ms: number
}

/**
 * `npm run bench -- read [--json] [--commits N] [--no-tab]`: a cold read of a tally with 100 commits and of one with 100,000, in turns, and the
 * first verified value in a fresh browser tab. The long history is written once, through the machine, and kept beside the temporary files.
 */
export const main = async (args: readonly string[]): Promise<void> => {
  const commits = Number(args[args.indexOf('--commits') + 1] ?? LONG) || LONG
  await using short = await served(SHORT)
  await using long = await served(commits)
  const samples: { short: Cold[]; long: Cold[] } = { short: [], long: [] }
  await coldRead(short)
  await coldRead(long)
  for (let i = 0; i < ROUNDS; i++) {
    samples.short.push(await coldRead(short))
    samples.long.push(await coldRead(long))
  }
  const rows: Row[] = [
    row(
      `cold read at ${commits} commits, bytes`,
      median(samples.long.map(({ bytes }) => bytes)),
      'B',
      `at ${SHORT} commits`,
      median(samples.short.map(({ bytes }) => bytes)),
    ),
    row(
      `cold read at ${commits} commits, median`,
      median(samples.long.map(({ ms }) => ms)),
      'ms',
      `at ${SHORT} commits`,
      median(samples.short.map(({ ms }) => ms)),
    ),
    row(
      `cold read at ${commits} commits, p10`,
      quantile(
        samples.long.map(({ ms }) => ms),
        0.1,
      ),
      'ms',
      `at ${SHORT} commits`,
      quantile(
        samples.short.map(({ ms }) => ms),
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
  await history.host.handle(
    LIGHT_PROTOCOL,
    serveLight(() => [source], history.host),
  )
  return history
}

const coldRead = async ({ host, config }: History): Promise<Cold> => {
  const own = await createNodeHost({ seed: crypto.getRandomValues(new Uint8Array(32)), listen: [], log: silent })
  const counted = counting(own)
  const start = performance.now()
  const network = createNetwork(counted.host, bindings, { bootstrap: host.addresses() })
  const refunds = await Tally.read(network, config)
  const { value } = await refunds.latest()
  const ms = performance.now() - start
  const bytes = counted.bytes()
  if (value === null) throw new Error('the history has no refund')
  await network[Symbol.asyncDispose]()
  await own.close()
  return { bytes, ms }
}

/** The same host, with the bytes of its streams counted both ways: what the light protocol costs, above noise and yamux. */
const counting = (own: Host): { readonly host: Host; readonly bytes: () => number } => {
  let bytes = 0
  const dial: Host['dial'] = async (address, options) => {
    const link = await own.dial(address, options)
    return {
      ...link,
      stream: async (protocol, open) => {
        const stream = await link.stream(protocol, open)
        return {
          ...stream,
          write: (chunk) => {
            bytes += chunk.length
            return stream.write(chunk)
          },
          chunks: counted(stream.chunks, (length) => {
            bytes += length
          }),
        }
      },
    }
  }
  return { host: { ...own, dial }, bytes: () => bytes }
}

async function* counted<T extends { readonly length: number }>(
  chunks: AsyncIterable<T>,
  count: (length: number) => void,
): AsyncIterable<T> {
  for await (const chunk of chunks) {
    count(chunk.length)
    yield chunk
  }
}
