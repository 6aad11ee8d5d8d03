import { parseArgs } from 'node:util'
import { CoalitionError } from '../../client/error.ts'
import { toHex } from '../../client/primitives/bytes.ts'
import { type Io, UsageError } from '../io.ts'
import { toJson } from '../json-lines.ts'
import { initFolder } from '../members/folder.ts'
import { readStart, start } from './member-start.ts'
import { status } from './member-status.ts'

export const name = 'member'
export const summary = 'make and run a member of a committee'
export const usage = `coalition member init FOLDER [--json]
coalition member start FOLDER --config FILE --rpc URL… [--listen MULTIADDR…] [--peer MULTIADDR…] [--bootstrap MULTIADDR…]
                       [--announce MULTIADDR…] [--proxy IP…] [--ticket FILE --collateral PATH|URL] [--http HOST:PORT] [--log-level LEVEL] [--json]
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
  --announce MULTIADDR
                      where others reach it when that is not where it listens, behind a NAT or a proxy: it says so instead of its own addresses.
                      Without a /p2p/ part and without hashes of certificates, which it adds itself
  --proxy IP          a proxy that passes readers on: connections from there are not counted by address, so it has to limit them itself
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
        announce: { type: 'string', multiple: true },
        proxy: { type: 'string', multiple: true },
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
    return await start(readStart(folder, values), io)
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
