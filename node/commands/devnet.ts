import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CoalitionError } from '../../client/error.ts'
import type { Log } from '../../client/log.ts'
import { runDevnet } from '../devnet/run.ts'
import { type Io, UsageError } from '../io.ts'
import { textLog, toJson } from '../json-lines.ts'
import { interrupted } from '../signals.ts'

export const name = 'devnet'
export const summary = 'run a chain, a tally member, traffic and the page on this machine'
export const usage = `coalition devnet [--dir FOLDER] [--port N] [--block-time S] [--no-traffic] [--json]

  Starts an EVM chain (anvil), one tally member, payments to a builder, and the wallet page, all on loopback, and prints the page's
  address. Ctrl-C ends all of it; the next start goes on with the same chain and the same log.

  --dir FOLDER     where chain, keys and log live; default .devnet
  --port N         port of the page; default 4173, 0 for any free one
  --block-time S   seconds between blocks; default 1
  --no-traffic     send no payments
  --json           one JSON object a line, {"event":"ready",…} when everything runs

Exit: 0 ended as asked, 1 could not run, 2 unusable input.

  coalition devnet
  coalition devnet --dir my-net --port 0 --json`

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Runs `coalition devnet`; argv starts after `devnet`. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        dir: { type: 'string', default: '.devnet' },
        port: { type: 'string', default: '4173' },
        'block-time': { type: 'string', default: '1' },
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
      traffic: values.traffic,
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

const whole = (flag: string, text: string, most: number): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > most) throw new UsageError(`${flag} takes a whole number up to ${most}, not ${text}`)
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
    else if (event === 'ready') io.out(ready(facts as { readonly page: string; readonly rpc: string }, options.folder))
    else if (event !== 'payment') io.out(`${event} ${toJson(facts)}`)
  }
  await runDevnet({ ...options, page: pageFolder(), log, onEvent, signal: stop.signal })
  return 0
}

const ready = ({ page, rpc }: { readonly page: string; readonly rpc: string }, folder: string): string =>
  `\n  wallet  ${page}\n  chain   ${rpc}\n  files   ${folder}\n\n  Ctrl-C ends everything; the next start goes on from here.\n`

/** The built page: dist/demo of a checkout. */
const pageFolder = (): string => {
  // The built program lies in dist/node/ or its chunks, the source in node/commands/.
  const found = ['dist/demo', '../dist/demo', '../../dist/demo'].map((path) => resolve(ROOT, path)).find((path) => existsSync(path))
  if (found === undefined) throw new UsageError('the page is not built yet: npm run build')
  return found
}
