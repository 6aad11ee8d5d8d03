import { createSocket } from 'node:dgram'
import { createRequire } from 'node:module'
import type * as Threads from 'node:worker_threads'
import { Worker } from 'node:worker_threads'
import type * as Library from 'node-datachannel'

// The shared UDP sockets of webrtc-direct listeners. Whatever is no STUN request of a known dial is handed out by the native library with no
// bound, so it is taken in by a thread of its own, and at most WAITING reach this one at a time.
//
// A socket is never given back: `stop` of the library's listener reads a flag that nobody has set (libdatachannel 0.24), and mostly does
// nothing but free what the socket's thread goes on to use with the next datagram. It stays for the process's life and can be listened on again.

/** A STUN request with a USERNAME that no dial is known by. */
export interface Request {
  /** Of USERNAME, what stands before the colon. */
  readonly server: string
  readonly client: string
  readonly host: string
  readonly port: number
}

/** Hears of the requests that reach a port. */
type Take = (request: Request, port: number) => void

/** A port that is listened on. */
export interface Mux {
  readonly port: number
  /** Nobody hears of its requests any more. */
  readonly stop: () => void
}

interface Socket {
  readonly host: string
  take: Take | null
}

type Said = { readonly port: number; readonly request: Request } | { readonly port: number; readonly error: string | null }

/** Requests on their way to this thread; more are dropped, and their senders repeat them. */
const WAITING = 256

let thread: Worker | null = null
const sockets = new Map<number, Socket>()
const opening = new Map<number, (error: string | null) => void>()

/**
 * Listens on a port, or on a free one for 0.
 * @throws the system's error, with its code
 */
export const openMux = async (host: string, wanted: number, take: Take): Promise<Mux> => {
  const known = sockets.get(wanted)
  // The library tells its sockets apart by their port alone: one of IPv4 and one of IPv6 would take each other's requests.
  if (known !== undefined && (known.host !== host || known.take !== null))
    throw Object.assign(new Error(`EADDRINUSE: udp port ${wanted} has a listener in this process`), { code: 'EADDRINUSE' })
  const socket = known ?? { host, take }
  socket.take = take
  const port = known === undefined ? await bind(socket, wanted) : wanted
  return {
    port,
    stop: () => {
      if (socket.take === take) socket.take = null
    },
  }
}

/** Opens a socket. Its port is taken before anything is waited for: a node opens all that it listens on at once. */
const bind = async (socket: Socket, wanted: number): Promise<number> => {
  if (wanted > 0) sockets.set(wanted, socket)
  let port = wanted
  try {
    // The native library neither chooses a port nor says why it cannot have one.
    port = await reserve(socket.host, wanted)
    if (wanted === 0 && sockets.has(port)) return await bind(socket, 0)
    sockets.set(port, socket)
    await open(socket.host, port)
    return port
  } catch (error) {
    if (sockets.get(port) === socket) sockets.delete(port)
    throw error
  }
}

const open = async (host: string, port: number): Promise<void> => {
  thread ??= start()
  const error = await new Promise<string | null>((resolve) => {
    opening.set(port, resolve)
    thread?.postMessage({ host, port })
  })
  if (error !== null) throw new Error(`${host}:${port} cannot be listened on: ${error}`)
}

const start = (): Worker => {
  const library = createRequire(import.meta.url).resolve('node-datachannel')
  const code = `(${String(serve)})(require('node:worker_threads'), require(${JSON.stringify(library)}), ${WAITING})`
  const made = new Worker(code, {
    eval: true,
    name: 'webrtc-direct',
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 32 },
  })
  made.on('message', (said: Said) => {
    if ('error' in said) {
      opening.get(said.port)?.(said.error)
      opening.delete(said.port)
      return
    }
    made.postMessage('taken')
    sockets.get(said.port)?.take?.(said.request, said.port)
  })
  // Sockets that are open do not keep a program from its end.
  made.unref()
  return made
}

/** What the thread runs. It is sent as text, so it names nothing from outside. */
const serve = ({ parentPort }: typeof Threads, { IceUdpMuxListener }: typeof Library, most: number): void => {
  const open: unknown[] = []
  let waiting = 0
  const listen = (host: string, port: number): void => {
    const mux = new IceUdpMuxListener(port, host)
    mux.onUnhandledStunRequest(({ localUfrag: server, ufrag: client, host: from, port: fromPort }) => {
      if (waiting >= most || typeof server !== 'string' || !server.startsWith('libp2p+webrtc+v')) return
      waiting++
      parentPort?.postMessage({ port, request: { server, client, host: from, port: fromPort } })
    })
    open.push(mux)
  }
  parentPort?.on('message', (message: 'taken' | { readonly host: string; readonly port: number }) => {
    if (message === 'taken') {
      waiting--
      return
    }
    const { host, port } = message
    try {
      listen(host, port)
      parentPort.postMessage({ port, error: null })
    } catch (error) {
      parentPort.postMessage({ port, error: String(error) })
    }
  })
}

const reserve = (host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', reject)
    socket.bind(port, host, () => {
      const { port: found } = socket.address()
      socket.close(() => resolve(found))
    })
  })
