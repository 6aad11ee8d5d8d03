import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CoalitionError } from '../../client/error.ts'
import type { ChainReader } from '../../client/lattice/tally/chain.ts'
import { parseConfig } from '../../client/lattice/tally/config.ts'
import { atLeast, type Level } from '../../client/log.ts'
import { toHex } from '../../client/primitives/bytes.ts'
import { createChainReader } from '../chain/reader.ts'
import { readHandshake } from '../handshake.ts'
import { type Io, UsageError } from '../io.ts'
import { jsonLog, textLog, toJson } from '../json-lines.ts'
import { initFolder } from '../members/folder.ts'
import type { TicketFiles } from '../members/own-ticket.ts'
import { startTally } from '../members/tally.ts'
import { serveHealth } from '../metrics/server.ts'
import { interrupted } from '../signals.ts'
import { HTTP_FILE, status } from './member-status.ts'

export const name = 'member'
export const summary = 'make and run a member of a committee'
export const usage = `coalition member init FOLDER [--json]
coalition member start FOLDER --config FILE --rpc URL… [--listen MULTIADDR…] [--peer MULTIADDR…] [--bootstrap MULTIADDR…]
                       [--ticket FILE --collateral PATH|URL] [--http HOST:PORT] [--log-level LEVEL] [--json]
coalition member status FOLDER | --http URL [--json]

  init    makes the member's keys (files for their owner alone) and prints the public halves for the roster;
          a folder that has keys keeps them
  start   runs the member until it is interrupted: follows the chain, votes with the others, serves readers
  status  asks a running member how it is: exit 0 when it is well, 1 when it is not, 2 when it does not answer

  --config FILE       the published tally config, or a handshake with a field "tally"
  --rpc URL           JSON-RPC of an Ethereum node; several for failover
  --listen MULTIADDR  where members (tcp) and readers (ws, webrtc-direct, webtransport) connect, several of them; default
                      /ip4/127.0.0.1/tcp/0/ws. The last two are udp, and their addresses as others dial them are printed with "ready":
                      they end in the hashes of certificates that the member makes and keeps in its folder
  --peer MULTIADDR    another member, with its /p2p/ peer id; one for each of the others
  --bootstrap MULTIADDR
                      a node of another group of the network, with its /p2p/ peer id: the first of the others that this member gossips with
  --ticket FILE       the member's TDX ticket, for a config that asks for them; read again when it changes, as it has to every few hours
  --collateral PATH   what the ticket's quote is verified with: a file, a folder of a PCCS's answers, or the http(s) address of a PCCS
  --http HOST:PORT    serves /healthz, /metrics and /status there; default any free port of 127.0.0.1
  --log-level LEVEL   debug, info, warn or error; default info
  --json              one JSON object a line: events on standard output, the log on standard error

Exit: 0 ended as asked, 1 refused, 2 unusable input.

  coalition member init /var/lib/tally
  coalition member start /var/lib/tally --config handshake.json --rpc http://127.0.0.1:8545 \\
    --listen /ip4/0.0.0.0/tcp/4000 --listen /ip4/0.0.0.0/tcp/4001/ws --listen /ip4/0.0.0.0/udp/4002/webrtc-direct \\
    --listen /ip4/0.0.0.0/udp/4003/quic-v1/webtransport --peer /ip4/192.0.2.7/tcp/4000/p2p/12D3KooW… --http 127.0.0.1:9100
  coalition member status /var/lib/tally`

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
        peer: { type: 'string', multiple: true },
        bootstrap: { type: 'string', multiple: true },
        ticket: { type: 'string' },
        collateral: { type: 'string' },
        http: { type: 'string' },
        'log-level': { type: 'string', default: 'info' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) {
      io.out(usage)
      return 0
    }
    const [verb, folder] = positionals
    if (verb === 'status') return await status({ dir: folder, http: values.http, json: values.json === true }, io)
    if (folder === undefined) throw new UsageError('name a folder')
    if (verb === 'init') return await init(folder, values.json === true, io)
    if (verb !== 'start') throw new UsageError(`no ${verb}: init, start or status`)
    if (values.config === undefined || values.rpc === undefined) throw new UsageError('start needs --config and --rpc')
    return await start(
      {
        folder,
        config: values.config,
        rpc: values.rpc,
        listen: values.listen ?? ['/ip4/127.0.0.1/tcp/0/ws'],
        peers: values.peer ?? [],
        bootstrap: values.bootstrap ?? [],
        attest: ownTicket(values.ticket, values.collateral),
        http: hostAndPort(values.http ?? '127.0.0.1:0'),
        level: levelOf(values['log-level']),
        json: values.json === true,
      },
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
  readonly peers: readonly string[]
  readonly bootstrap: readonly string[]
  readonly attest: TicketFiles | null
  readonly http: { readonly host: string; readonly port: number }
  readonly level: Level
  readonly json: boolean
}

const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']
const levelOf = (text: string): Level => {
  const level = LEVELS.find((each) => each === text)
  if (level === undefined) throw new UsageError(`--log-level is one of ${LEVELS.join(', ')}, not ${text}`)
  return level
}

const ownTicket = (ticket: string | undefined, collateral: string | undefined): TicketFiles | null => {
  if (ticket === undefined && collateral === undefined) return null
  // A ticket whose quote cannot be verified serves nobody, and collateral is that of a ticket's platform.
  if (ticket === undefined || collateral === undefined) throw new UsageError('--ticket and --collateral go together')
  return { ticket, collateral }
}

const hostAndPort = (text: string): { readonly host: string; readonly port: number } => {
  const [, host, digits] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (host === undefined || port > 65_535) throw new UsageError(`--http takes HOST:PORT, not ${text}`)
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port }
}

const start = async (
  { folder, config: file, rpc, listen, peers, bootstrap, attest, http, level, json }: Start,
  io: Io,
): Promise<number> => {
  const config = parseConfig((await readHandshake(file)).tally)
  const log = atLeast(level, (json ? jsonLog : textLog)(io.err))
  const say = (event: string, facts: object): void => io.out(json ? toJson({ event, ...facts }) : `${event} ${toJson(facts)}`)
  let before = ''
  await using member = await startTally({
    folder,
    config,
    chain: chainOf(rpc),
    listen,
    peers,
    bootstrap,
    attest,
    log,
    onChain: (state) => {
      // "agreed up to block N" changes every block; the state and what to do about it are the news.
      if (state.state !== before) say('chain', state)
      before = state.state
    },
  })
  await using health = await serveHealth({ ...http, status: member.status, log })
  await using _ = await noteUrl(folder, health.url)
  say('ready', { group: member.group, seat: member.seat, newest: member.newest(), addresses: member.addresses, http: health.url })
  await Promise.race([interrupted(), member.done])
  return 0
}

const chainOf = (urls: readonly string[]): ChainReader => {
  try {
    return createChainReader({ urls })
  } catch (error) {
    throw new UsageError(`--rpc: ${(error as Error).message}`)
  }
}

/** Leaves the address where `member status FOLDER` looks for it, for as long as the member runs. */
const noteUrl = async (folder: string, url: string): Promise<AsyncDisposable> => {
  const file = join(folder, HTTP_FILE)
  await writeFile(file, `${JSON.stringify({ url })}\n`, { mode: 0o600 })
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) }
}
