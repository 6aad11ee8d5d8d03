import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, isIPv4, isIPv6 } from 'node:net'
import { CoalitionError } from '../../client/error.ts'
import { type Log, silent } from '../../client/log.ts'
import { toJson } from '../json-lines.ts'
import { listenProblem } from '../transports/listening.ts'
import { createMetrics, METRICS_TYPE } from './metrics.ts'
import { reportOf } from './report.ts'
import { healthOf, type MemberStatus } from './status.ts'

export interface HealthOptions {
  /** Where to listen: a name or an address, and a port; 0 for any free one. Whoever reaches it reads all of it. */
  readonly host: string
  readonly port: number
  readonly status: () => MemberStatus
  readonly log?: Log
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Milliseconds that a request may take to arrive, default 5,000. */
  readonly patienceMs?: number
}

export interface HealthServer extends AsyncDisposable {
  /** `http://ADDRESS:PORT`, as it is reached from this machine. */
  readonly url: string
}

/** A monitor needs one connection and a handful of headers. What is above is cut, so that nobody takes the member's memory or its files. */
const LIMITS = { connections: 32, headers: 64, headerBytes: 8_192, idleMs: 5_000 } as const

const ALWAYS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
} as const

/**
 * Serves `/healthz`, `/metrics` and `/status` to monitors and to `coalition member status`.
 * @throws HealthError when it cannot listen there
 */
export const serveHealth = async (options: HealthOptions): Promise<HealthServer> => {
  const { host, port, status, now = Date.now, patienceMs = 5_000, log = silent } = options
  const pages = pagesOf(status, now)
  const server = createBounded(patienceMs, (request, response) => {
    answer(pages, request, response).catch((error: unknown) => {
      log('error', 'a monitor could not be answered', { problem: error instanceof Error ? error.message : String(error) })
      if (response.headersSent) response.destroy()
      else send(request, response, { status: 500, text: 'the status could not be read: the log of the member says why' })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new HealthError(host, port, cause)))
    server.listen(port, host, resolve)
  })
  // From here on an error of one connection, or of accept, must not end the member.
  server.on('error', () => {})
  return {
    url: urlOf(server.address() as AddressInfo),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const createBounded = (patienceMs: number, listener: RequestListener): Server => {
  const server = createServer(
    {
      headersTimeout: patienceMs,
      requestTimeout: patienceMs,
      connectionsCheckingInterval: Math.min(1_000, patienceMs),
      keepAliveTimeout: LIMITS.idleMs,
      maxHeaderSize: LIMITS.headerBytes,
    },
    listener,
  )
  server.maxConnections = LIMITS.connections
  server.maxHeadersCount = LIMITS.headers
  // Whoever takes no answer is cut too.
  server.setTimeout(patienceMs + LIMITS.idleMs)
  // Node's own answer to "Expect: 100-continue" invites the body that is refused here.
  server.on('checkContinue', listener)
  return server
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly type?: string
}

type Pages = ReadonlyMap<string, () => Answer | Promise<Answer>>

const pagesOf = (status: () => MemberStatus, now: () => number): Pages => {
  const metrics = createMetrics({ status, now })
  return new Map<string, () => Answer | Promise<Answer>>([
    [
      '/healthz',
      () => {
        const { ok, reasons } = healthOf(status(), now())
        return { status: ok ? 200 : 503, text: JSON.stringify(ok ? { ok } : { ok, reasons }), type: JSON_TYPE }
      },
    ],
    ['/metrics', async () => ({ status: 200, text: await metrics(), type: METRICS_TYPE })],
    // Answered with 200 however the member is: it is the status that was asked for.
    ['/status', () => ({ status: 200, text: toJson(reportOf(status(), now())), type: JSON_TYPE })],
  ])
}

const JSON_TYPE = 'application/json; charset=utf-8'

const answer = async (pages: Pages, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { method, headers, socket, url = '' } = request
  if (!isOwnName(headers.host ?? '', socket.localAddress ?? ''))
    return send(request, response, { status: 421, text: 'this server is not known by that name' })
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD')
    return send(request, response, { status: 405, text: 'GET or HEAD' })
  }
  if (hasBody(request)) return send(request, response, { status: 413, text: 'no body is taken' })
  const page = pages.get(url.split('?', 1)[0] ?? '')
  if (page === undefined) return send(request, response, { status: 404, text: `there is ${[...pages.keys()].join(', ')}` })
  send(request, response, await page())
}

/**
 * On loopback, only a loopback name: a page whose own name a stranger's DNS points at 127.0.0.1 could read all of this. Whatever port it
 * names, as tunnels have ports of their own. Elsewhere any name may be the right one, and a monitor's network is its operator's to guard.
 */
const isOwnName = (header: string, local: string): boolean => {
  if (!isLoopback(local.replace(/^::ffff:/, ''))) return true
  const name = header.replace(/:\d{1,5}$/, '').replace(/^\[(.*)\]$/, '$1')
  return name.toLowerCase() === 'localhost' || isLoopback(name)
}

const isLoopback = (address: string): boolean => (isIPv4(address) && address.startsWith('127.')) || (isIPv6(address) && address === '::1')

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'

const send = (request: IncomingMessage, response: ServerResponse, { status, text, type }: Answer): void => {
  const body = Buffer.from(type === undefined ? `${text}\n` : text)
  // What is refused may have a body after it: the connection ends, and nothing of it is read.
  const connection = status < 500 && status >= 400 && status !== 404 ? { Connection: 'close' } : {}
  response.writeHead(status, {
    ...ALWAYS,
    ...connection,
    'Content-Type': type ?? 'text/plain; charset=utf-8',
    'Content-Length': body.length,
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** As it is reached from this machine: an address that means all interfaces is none to connect to. */
const urlOf = ({ address, family, port }: AddressInfo): string => {
  const reached = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
  return `http://${family === 'IPv6' ? `[${reached}]` : reached}:${port}`
}

/** The health server cannot listen; the message says what to do. */
export class HealthError extends CoalitionError {
  declare readonly host: string
  declare readonly port: number

  constructor(host: string, port: number, cause: Error) {
    super('Member.HealthError', `health cannot be served at ${host}:${port}: ${listenProblem(cause)}`, { host, port }, { cause })
  }
}
