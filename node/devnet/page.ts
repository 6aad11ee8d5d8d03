import { createReadStream, type ReadStream } from 'node:fs'
import { access, readFile, realpath, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, sep } from 'node:path'
import { CoalitionError } from '../../client/error.ts'
import { policyFor } from './policy.ts'

/** What the page learns of the network: the operator's published JSON, with at least `bootstrap`. */
export interface Handshake {
  readonly bootstrap: readonly string[]
  readonly [field: string]: unknown
}

export interface PageServerOptions {
  /** The built page, with its index.html. */
  readonly folder: string
  /** As data, or the file that holds it as JSON; a file is read anew for each visit. */
  readonly handshake: Handshake | string
  /** 0 or nothing: any free one. */
  readonly port?: number
}

export interface PageServer extends AsyncDisposable {
  readonly url: string
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
}

/**
 * Serves a built page to this machine and nobody else.
 * @throws PageError when the page is not built, or the port is taken
 */
export const servePage = async ({ folder, handshake, port = 0 }: PageServerOptions): Promise<PageServer> => {
  const root = await built(folder)
  const read = async (): Promise<Handshake> =>
    typeof handshake === 'string' ? (JSON.parse(await readFile(handshake, 'utf8')) as Handshake) : handshake
  const server = createServer((request, response) => {
    answer(root, read, request, response).catch(() => {
      if (response.headersSent) response.destroy()
      else refuse(response, 500)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new PageError(`port ${port} of 127.0.0.1 cannot be had: ${cause.message}`, cause)))
    server.listen(port, '127.0.0.1', resolve)
  })
  const bound = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${bound.port}/`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const built = async (folder: string): Promise<string> => {
  try {
    await access(join(folder, 'index.html'))
    return await realpath(folder)
  } catch (cause) {
    throw new PageError(`no page in ${folder}: npm run build makes it`, cause)
  }
}

const answer = async (root: string, read: () => Promise<Handshake>, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { method, headers, socket } = request
  // A name that a stranger's DNS points at 127.0.0.1 would make this page's origin his.
  const own = [`127.0.0.1:${socket.localPort}`, `localhost:${socket.localPort}`]
  if (!own.includes(headers.host ?? '')) return refuse(response, 421)
  if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405)
  const path = pathOf(request.url ?? '/')
  if (path === null) return refuse(response, 400)
  const published = await read()
  const always = {
    'Content-Security-Policy': policyFor(published.bootstrap),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  }
  if (path === '/handshake.json') {
    response.writeHead(200, { ...always, 'Content-Type': TYPES['.json'], 'Cache-Control': 'no-store' })
    return void response.end(method === 'HEAD' ? undefined : JSON.stringify(published))
  }
  const found = await find(root, path)
  if (found === null) return refuse(response, 404)
  // vite puts a hash of the content into the names below assets/; everything else may change under its name.
  const cache = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-store'
  response.writeHead(200, { ...always, 'Content-Type': found.type, 'Content-Length': found.size, 'Cache-Control': cache })
  if (method === 'HEAD') return void response.end()
  await send(createReadStream(found.file), response)
}

const send = (stream: ReadStream, response: ServerResponse): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.on('error', reject)
    response.on('close', () => {
      stream.destroy()
      resolve()
    })
    stream.pipe(response)
  })

/** The path of a request target, decoded, or null for one that is malformed. */
const pathOf = (target: string): string | null => {
  try {
    const path = decodeURIComponent(new URL(target, 'http://page').pathname)
    return path.includes('\0') ? null : path
  } catch {
    return null
  }
}

/** The file that a path names inside `root`; null for one that is not there, is no file, or leads out by `..` or by a link. */
const find = async (
  root: string,
  path: string,
): Promise<{ readonly file: string; readonly type: string; readonly size: number } | null> => {
  const named = join(root, path.endsWith('/') ? `${path}index.html` : path)
  const type = TYPES[extname(named)]
  if (type === undefined) return null
  try {
    const file = await realpath(named)
    if (!file.startsWith(root + sep)) return null
    const { size, isFile } = await stat(file).then((stats) => ({ size: stats.size, isFile: stats.isFile() }))
    return isFile ? { file, type, size } : null
  } catch {
    return null
  }
}

const refuse = (response: ServerResponse, status: number): void => {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Security-Policy': "default-src 'none'" })
  response.end()
}

/** The page cannot be served; the message says what to do. */
export class PageError extends CoalitionError {
  constructor(problem: string, cause?: unknown) {
    super('Devnet.PageError', problem, {}, { cause })
  }
}
