import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChainReader } from '../../client/lattice/tally/chain.ts'
import { parseConfig } from '../../client/lattice/tally/config.ts'
import { atLeast, type Level } from '../../client/log.ts'
import { readIp4, readIp6 } from '../../client/network/ip.ts'
import { createChainReader } from '../chain/reader.ts'
import { readHandshake } from '../handshake.ts'
import { type Io, UsageError } from '../io.ts'
import { jsonLog, textLog, toJson } from '../json-lines.ts'
import type { TicketFiles } from '../members/own-ticket.ts'
import { startTally } from '../members/tally.ts'
import { serveHealth } from '../metrics/server.ts'
import { interrupted } from '../signals.ts'
import { HTTP_FILE } from './member-status.ts'

/** What was said behind `coalition member start FOLDER`. */
export interface StartFlags {
  readonly config?: string | undefined
  readonly rpc?: readonly string[] | undefined
  readonly listen?: readonly string[] | undefined
  readonly announce?: readonly string[] | undefined
  readonly proxy?: readonly string[] | undefined
  readonly peer?: readonly string[] | undefined
  readonly bootstrap?: readonly string[] | undefined
  readonly ticket?: string | undefined
  readonly collateral?: string | undefined
  readonly http?: string | undefined
  readonly 'log-level': string
  readonly json?: boolean | undefined
}

interface Start {
  readonly folder: string
  readonly config: string
  readonly rpc: readonly string[]
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly proxies: readonly string[]
  readonly peers: readonly string[]
  readonly bootstrap: readonly string[]
  readonly attest: TicketFiles | null
  readonly http: { readonly host: string; readonly port: number }
  readonly level: Level
  readonly json: boolean
}

/** @throws UsageError for a flag that is missing, or whose value is none */
export const readStart = (folder: string, flags: StartFlags): Start => {
  if (flags.config === undefined || flags.rpc === undefined) throw new UsageError('start needs --config and --rpc')
  return {
    folder,
    config: flags.config,
    rpc: flags.rpc,
    listen: flags.listen ?? ['/ip4/127.0.0.1/tcp/0/ws'],
    announce: flags.announce ?? [],
    proxies: (flags.proxy ?? []).map(proxyOf),
    peers: flags.peer ?? [],
    bootstrap: flags.bootstrap ?? [],
    attest: ownTicket(flags.ticket, flags.collateral),
    http: hostAndPort(flags.http ?? '127.0.0.1:0'),
    level: levelOf(flags['log-level']),
    json: flags.json === true,
  }
}

const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']
const levelOf = (text: string): Level => {
  const level = LEVELS.find((each) => each === text)
  if (level === undefined) throw new UsageError(`--log-level is one of ${LEVELS.join(', ')}, not ${text}`)
  return level
}

// A name could come to lead elsewhere, and whoever is there then would be counted by nobody.
const proxyOf = (text: string): string => {
  if (readIp4(text) === null && readIp6(text) === null) throw new UsageError(`--proxy takes an IP address, not ${text}`)
  return text
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

/** Runs the member until it is interrupted. */
export const start = async ({ config: file, rpc, http, level, json, ...options }: Start, io: Io): Promise<number> => {
  const config = parseConfig((await readHandshake(file)).tally)
  const log = atLeast(level, (json ? jsonLog : textLog)(io.err))
  const say = (event: string, facts: object): void => io.out(json ? toJson({ event, ...facts }) : `${event} ${toJson(facts)}`)
  let before = ''
  await using member = await startTally({
    ...options,
    config,
    chain: chainOf(rpc),
    log,
    onChain: (state) => {
      // "agreed up to block N" changes every block; the state and what to do about it are the news.
      if (state.state !== before) say('chain', state)
      before = state.state
    },
  })
  await using health = await serveHealth({ ...http, status: member.status, log })
  await using _ = await noteUrl(options.folder, health.url)
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
