import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CoalitionError } from '../../client/error.ts'
import type { Log } from '../../client/log.ts'
import { SERVED, type Served } from '../devnet/committee.ts'
import { runDevnet } from '../devnet/run.ts'
import { type Io, UsageError } from '../io.ts'
import { textLog, toJson } from '../json-lines.ts'
import { interrupted } from '../signals.ts'

export const name = 'devnet'
export const summary = 'run a chain, a committee, traffic and the page on this machine'
export const usage = `coalition devnet [--dir FOLDER] [--members N] [--port N] [--transports LIST] [--block-time S] [--restart-after S] [--no-traffic]
                 [--quotes FOLDER] [--json]

  Starts an EVM chain (anvil), the members of a tally, each a process of its own, payments to a builder, and the wallet page, all on
  loopback, and prints the page's address. Ctrl-C ends all of it; the next start goes on with the same chain and the same log.

  --dir FOLDER       where chain, keys and logs live; default .devnet
  --members N        1 to 7 members, for a new folder; default 4: one may fail, or lie
  --port N           port of the page; default 4173, 0 for any free one
  --transports LIST  what the page can dial the members over: ws, webrtc-direct, webtransport, or some of them with commas; default all
  --block-time S     seconds between blocks; default 1
  --restart-after S  seconds from a member's death to its next start; default 1
  --no-traffic       send no payments
  --quotes FOLDER    a committee whose members show TDX quotes: FOLDER is that of your quoting service. It has to hold gate.json; what quotes
                     are needed is written there as requests.json, and the tickets are waited for. A root in gate.json that is not Intel's is
                     a development root, and every reader says so
  --json             one JSON object a line: chain, tickets (waiting), member (up, down), payment, and {"event":"ready",…} when everything runs

Exit: 0 ended as asked, 1 could not run, 2 unusable input.

  coalition devnet
  coalition devnet --dir my-net --members 1 --port 0 --json`

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Runs `coalition devnet`; argv starts after `devnet`. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        dir: { type: 'string', default: '.devnet' },
        port: { type: 'string', default: '4173' },
        members: { type: 'string' },
        transports: { type: 'string', default: SERVED.join() },
        'block-time': { type: 'string', default: '1' },
        'restart-after': { type: 'string', default: '1' },
        quotes: { type: 'string' },
        traffic: { type: 'boolean', default: true },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
      allowNegative: true,
    })
    if (values.help) {
      io.out(usage)
      return 0
    }
    const folder = resolve(values.dir)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const options = {
      folder,
      port: whole('--port', values.port, 65_535),
      blockTime: whole('--block-time', values['block-time'], 60),
      transports: servedOf(values.transports),
      traffic: values.traffic,
      members: values.members === undefined ? null : whole('--members', values.members, 7, 1),
      quotes: values.quotes === undefined ? null : resolve(values.quotes),
      restartMs: 1_000 * whole('--restart-after', values['restart-after'], 3_600),
    }
    return await serve(options, values.json, io)
  } catch (error) {
    if (error instanceof CoalitionError) {
      io.err(`${error.name}: ${error.message}`)
      return 1
    }
    if (!(error instanceof UsageError) && !String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')) throw error
    io.err(`${(error as Error).message}\n\n${usage}`)
    return 2
  }
}

const servedOf = (text: string): readonly Served[] => {
  const names = text.split(',')
  const unknown = names.find((name) => !(SERVED as readonly string[]).includes(name))
  if (unknown !== undefined) throw new UsageError(`--transports takes ${SERVED.join(', ')}, not ${JSON.stringify(unknown)}`)
  return SERVED.filter((name) => names.includes(name))
}

const whole = (flag: string, text: string, most: number, least = 0): number => {
  const value = Number(text)
  if (!/^\d{1,5}$/.test(text) || value < least || value > most)
    throw new UsageError(`${flag} takes a whole number from ${least} to ${most}, not ${text}`)
  return value
}

type Options = Omit<Parameters<typeof runDevnet>[0], 'log' | 'onEvent' | 'signal' | 'page'>

const serve = async (options: Options, json: boolean, io: Io): Promise<number> => {
  const log: Log = textLog(io.err)
  const stop = new AbortController()
  // A second Ctrl-C while children end must not leave them: the handler stays until they are gone.
  void interrupted().then(() => stop.abort())
  const onEvent = (event: string, facts: object): void => {
    if (json) io.out(toJson({ event, ...facts }))
    else if (event === 'ready') io.out(ready(facts as Ready, options.folder))
    else if (event === 'member') io.out(memberLine(facts as { readonly seat: number; readonly state: string; readonly pid?: number }))
    else if (event === 'tickets') io.out(ticketsLine(facts as Tickets))
    else if (event !== 'payment') io.out(`${event} ${toJson(facts)}`)
  }
  await runDevnet({ ...options, page: pageFolder(), log, onEvent, signal: stop.signal })
  return 0
}

interface Ready {
  readonly page: string
  readonly rpc: string
  readonly members: readonly { readonly http: string }[]
}

const memberLine = ({ seat, state, pid }: { readonly seat: number; readonly state: string; readonly pid?: number }): string =>
  `member ${seat} is ${state}${pid === undefined ? '' : `, process ${pid}`}`

interface Tickets {
  readonly folder: string
  readonly waitingFor: readonly number[]
}

const ticketsLine = ({ folder, waitingFor }: Tickets): string =>
  `waiting for ${waitingFor.length === 0 ? 'collateral' : `the tickets of member ${waitingFor.join(', ')}`} in ${folder}`

const ready = ({ page, rpc, members }: Ready, folder: string): string => `
  wallet   ${page}
  chain    ${rpc}
  members  ${members.map(({ http }) => http).join('  ')}   (/healthz, /metrics)
  files    ${folder}

  Ctrl-C ends everything; the next start goes on from here.
`

/** The built page: dist/demo of a checkout. */
const pageFolder = (): string => {
  // The built program lies in dist/node/ or its chunks, the source in node/commands/.
  const found = ['dist/demo', '../dist/demo', '../../dist/demo'].map((path) => resolve(ROOT, path)).find((path) => existsSync(path))
  if (found === undefined) throw new UsageError('the page is not built yet: npm run build')
  return found
}
