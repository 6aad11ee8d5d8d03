import { isIP } from 'node:net'
import { join } from 'node:path'
import { isError } from '../../client/error.ts'
import { readJson } from '../files.ts'
import { type Io, UsageError } from '../io.ts'
import { toJson } from '../json-lines.ts'
import { readReport, type StatusReport } from '../metrics/report.ts'
import { headAgeMs } from '../metrics/status.ts'
import { plain } from './report.ts'

/** In a running member's folder, `{ "url": "http://127.0.0.1:PORT" }`: where it serves its status. */
export const HTTP_FILE = 'http.json'

export interface StatusOptions {
  /** The member's folder on this machine, or the address that it serves: one of both. */
  readonly dir: string | undefined
  readonly http: string | undefined
  readonly json: boolean
  /** Milliseconds for the whole answer, default 5,000. */
  readonly timeoutMs?: number
}

/**
 * Asks a running member how it is and prints it. @returns 0 when it is well, 1 when it is not, 2 when nothing that can be used answers
 * @throws UsageError for options that name no member
 */
export const status = async ({ dir, http, json, timeoutMs = 5_000 }: StatusOptions, io: Io): Promise<number> => {
  if ((dir === undefined) === (http === undefined)) throw new UsageError('status takes the folder of a member, or --http URL')
  const given = http === undefined ? null : urlOf(http)
  if (http !== undefined && given === null) throw new UsageError(`--http takes http://HOST:PORT, not ${http}`)
  try {
    const report = await ask(given ?? (await noted(dir ?? '')), timeoutMs)
    io.out(json ? toJson(report) : plain(tableOf(report)))
    return report.health.ok ? 0 : 1
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error
    io.err(plain(`coalition member status: ${error.message}`).replace(/\s+/g, ' '))
    return 2
  }
}

/** No status to be had, and why. */
class Unanswered extends Error {}

/** The address that the member of a folder noted there when it started. */
const noted = async (dir: string): Promise<URL> => {
  const file = join(dir, HTTP_FILE)
  const found = await readJson(file, 4_096).catch((error: unknown) => {
    const { cause } = error as Error
    const isMissing = (cause as { readonly code?: unknown } | undefined)?.code === 'ENOENT'
    throw new Unanswered(isMissing ? `there is no ${file}: the member is not running` : (error as Error).message)
  })
  const text = (found as { readonly url?: unknown } | null)?.url
  const url = typeof text === 'string' ? urlOf(text) : null
  // A member notes the address that it is bound to: a name in its place is not what it wrote.
  if (url === null || isIP(url.hostname.replace(/^\[(.*)\]$/, '$1')) === 0)
    throw new Unanswered(`${file} is not what a member writes: start it again, or give --http URL`)
  return url
}

/** http, a host and a port: whatever else a URL may hold has no meaning here. */
const urlOf = (text: string): URL | null => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol !== 'http:' || `${url.origin}/` !== url.href) return null
  return url
}

const MOST = 65_536

const ask = async (url: URL, timeoutMs: number): Promise<StatusReport> => {
  const { origin } = url
  const bytes = await fetchBounded(new URL('/status', url), AbortSignal.timeout(timeoutMs)).catch((error: unknown) => {
    if (error instanceof Unanswered) throw error
    throw new Unanswered(`${origin}: ${because(error, timeoutMs)}`)
  })
  try {
    return readReport(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (error) {
    const what = isError(error, 'Config.ParseError') ? `its answer is no status: ${error.message}` : 'its answer is not JSON'
    throw new Unanswered(`${origin} is no member, or one of another version: ${what}`)
  }
}

// Counted as it arrives and once unpacked: a length in a header is the word of whoever answers.
const fetchBounded = async (url: URL, signal: AbortSignal): Promise<Uint8Array> => {
  const { status, body } = await fetch(url, { signal, redirect: 'error' })
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body ?? []) {
    size += piece.length
    if (size > MOST) throw new Unanswered(`${url.origin} is no member: its answer is longer than ${MOST} bytes`)
    pieces.push(piece)
  }
  if (status !== 200)
    throw new Unanswered(`${url.origin} answers with HTTP status ${status}: it is no member, or cannot read its own status`)
  return Buffer.concat(pieces)
}

const because = (error: unknown, timeoutMs: number): string => {
  if (isError(error, 'TimeoutError')) return `no whole answer within ${timeoutMs} ms: the member hangs, or it is not one`
  // fetch says "fetch failed" and keeps the reason in its cause.
  const { message, cause } = error as Error
  const { code } = (cause ?? {}) as { readonly code?: unknown }
  if (code === 'ECONNREFUSED') return 'nobody answers: the member is not running'
  return `no answer that can be read (${typeof code === 'string' ? code : cause instanceof Error ? cause.message : message})`
}

const tableOf = (report: StatusReport): string => {
  const rows = [
    ...seatRows(report),
    ...logRows(report),
    ...peerRows(report),
    ...ticketRows(report),
    ...ownRows(report),
    ...healthRows(report),
  ]
  return rows.map(([label, text]) => `${label.padEnd(WIDTH)}${text.replace(/[\n\t]+/g, ' ')}`.trimEnd()).join('\n')
}

const WIDTH = 13
type Row = readonly [label: string, text: string]

/** The first line with its label, the others below it. */
const under = (label: string, lines: readonly string[]): readonly Row[] => lines.map((line, i) => [i === 0 ? label : '', line])

const seatRows = ({ seat, n, operator, group, addresses, now, startedAt }: StatusReport): readonly Row[] => [
  ['member', `${seat} of a committee of ${n}, run by ${operator}; up for ${span(now - startedAt)}`],
  ['group', group],
  ...under('addresses', addresses),
]

const logRows = (report: StatusReport): readonly Row[] => {
  const { index, now, view, leader, signers, n, quorum, waiting } = report
  const who = signers.length === 0 ? '' : ` (${signers.join(', ')})`
  return [
    ['commit', index === 0n ? 'none yet' : `${index}, ${span(headAgeMs(report, now))} old`],
    ['view', `${view}, led by member ${leader}`],
    ['signers', `${signers.length} of ${n}${who}, ${quorum} needed`],
    ['pool', waiting === 1 ? '1 command waits' : `${waiting} commands wait`],
  ]
}

const peerRows = ({ peers, index }: StatusReport): readonly Row[] =>
  under(
    'peers',
    peers.length === 0
      ? ['none: a committee of one']
      : peers.map((peer) => {
          const distance = peer.index - index
          const place = distance === 0n ? 'level' : distance > 0n ? `${distance} ahead` : `${-distance} behind`
          return `member ${String(peer.member).padEnd(3)} ${peer.isUp ? 'up  ' : 'down'}  ${place}`
        }),
  )

/** Only where the config asks for tickets. */
const ticketRows = ({ tickets, now }: StatusReport): readonly Row[] =>
  under(
    'tickets',
    (tickets ?? []).map(({ member, isAttested, expires, problem }) => {
      const state = isAttested
        ? `counts for ${span(1_000 * (expires ?? 0) - now)} more`
        : `does not count: ${problem ?? 'no reason was given'}`
      return `member ${String(member).padEnd(3)} ${state}`
    }),
  )

const ownRows = ({ chain, counts, connections, lightStreams, voting }: StatusReport): readonly Row[] => [
  ['chain', chain === null ? 'not looked at yet' : `${chain.state}: ${chain.detail}`],
  ['readers', `${lightStreams} light streams, ${connections} connections with those of members`],
  [
    'since start',
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', '),
  ],
  ['voting', { voting: 'yes', asking: 'not yet', stopped: 'no' }[voting]],
]

const healthRows = ({ health }: StatusReport): readonly Row[] => under('health', health.ok ? ['well'] : health.reasons)

/** A length of time in the unit that fits it. */
const span = (ms: number): string => {
  const seconds = Math.max(0, ms) / 1_000
  if (seconds < 120) return `${seconds.toFixed(1)} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`
}
