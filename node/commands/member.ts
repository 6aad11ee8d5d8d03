import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { CoalitionError } from '../../client/error.ts'
import { parseConfig } from '../../client/lattice/tally/config.ts'
import { atLeast } from '../../client/log.ts'
import { toHex } from '../../client/primitives/bytes.ts'
import { createChainReader } from '../chain/reader.ts'
import { type Io, UsageError } from '../io.ts'
import { jsonLog, textLog, toJson } from '../json-lines.ts'
import { initFolder } from '../members/folder.ts'
import { startTally } from '../members/tally.ts'
import { interrupted } from '../signals.ts'

export const name = 'member'
export const summary = 'make and run a member of a committee'
export const usage = `coalition member init FOLDER [--json]
coalition member start FOLDER --config FILE --rpc URL… [--listen MULTIADDR…] [--json]

  init    makes the member's keys (files for their owner alone) and prints the public halves for the roster;
          a folder that has keys keeps them
  start   runs the member until it is interrupted: follows the chain, signs, serves readers

  --config FILE       the published tally config, or a handshake with a field "tally"
  --rpc URL           JSON-RPC of an Ethereum node; several for failover
  --listen MULTIADDR  where readers connect; default /ip4/127.0.0.1/tcp/0/ws
  --json              one JSON object a line: events on standard output, the log on standard error

Exit: 0 ended as asked, 1 refused, 2 unusable input.

  coalition member init /var/lib/tally
  coalition member start /var/lib/tally --config handshake.json --rpc http://127.0.0.1:8545 --listen /ip4/0.0.0.0/tcp/4001/ws`

/** Runs `coalition member`; argv starts after `member`. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        rpc: { type: 'string', multiple: true },
        listen: { type: 'string', multiple: true },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) {
      io.out(usage)
      return 0
    }
    const [verb, folder] = positionals
    if (folder === undefined) throw new UsageError('name a folder')
    if (verb === 'init') return await init(folder, values.json === true, io)
    if (verb !== 'start') throw new UsageError(`no ${verb}: init or start`)
    if (values.config === undefined || values.rpc === undefined) throw new UsageError('start needs --config and --rpc')
    return await start(
      { folder, config: values.config, rpc: values.rpc, listen: values.listen ?? ['/ip4/127.0.0.1/tcp/0/ws'], json: values.json === true },
      io,
    )
  } catch (error) {
    if (error instanceof CoalitionError) {
      io.err(`${error.name}: ${error.message}`)
      return 1
    }
    if (!(error instanceof UsageError) && !isArgumentError(error)) throw error
    io.err(`${(error as Error).message}\n\n${usage}`)
    return 2
  }
}

const isArgumentError = (error: unknown): boolean =>
  error instanceof Error && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')

const init = async (folder: string, json: boolean, io: Io): Promise<number> => {
  const { peer, vote } = await initFolder(folder)
  const keys = { peer: toHex(peer), vote: toHex(vote) }
  io.out(json ? toJson(keys) : `peer ${keys.peer}\nvote ${keys.vote}`)
  return 0
}

interface Start {
  readonly folder: string
  readonly config: string
  readonly rpc: readonly string[]
  readonly listen: readonly string[]
  readonly json: boolean
}

const start = async ({ folder, config: file, rpc, listen, json }: Start, io: Io): Promise<number> => {
  const config = parseConfig(await readTally(file))
  const log = atLeast('info', (json ? jsonLog : textLog)(io.err))
  const say = (event: string, facts: object): void => io.out(json ? toJson({ event, ...facts }) : `${event} ${toJson(facts)}`)
  let before = ''
  await using member = await startTally({
    folder,
    config,
    chain: createChainReader({ urls: rpc }),
    listen,
    log,
    onChain: (state) => {
      // "agreed up to block N" changes every block; the state and what to do about it are the news.
      if (state.state !== before) say('chain', state)
      before = state.state
    },
  })
  say('ready', { group: member.group, seat: member.seat, newest: member.newest(), addresses: member.addresses })
  await Promise.race([interrupted(), member.done])
  return 0
}

/** The tally part of a published handshake, or the file itself. */
const readTally = async (file: string): Promise<unknown> => {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`${file}: ${error.message}`)
  })
  try {
    const json = JSON.parse(text) as unknown
    return typeof json === 'object' && json !== null && 'tally' in json ? json.tally : json
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`)
  }
}
