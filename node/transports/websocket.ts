import type { Server, Socket } from 'node:net'
import { type WebSocketsComponents, webSockets } from '@libp2p/websockets'
import { createQuota, originOf } from './addresses.ts'
import { QuietWebSocket } from './quiet-socket.ts'

/** What may be open before anybody has said who they are. */
export interface SocketLimits {
  /** Sockets in all. */
  readonly connections: number
  /** Sockets of one IPv4 address or one IPv6 /64. */
  readonly perAddress: number
  /** IP addresses whose sockets are not counted by address: those of proxies, which everybody behind them comes from. */
  readonly proxies: readonly string[]
}

/** Milliseconds for an HTTP upgrade: it is one packet each way. */
const UPGRADE = 10_000
/** A noise message has at most 65,535 bytes; js-libp2p sends each as a message of its own, others a few at once. */
const MESSAGE = 1024 * 1024

/**
 * @libp2p/websockets with limits on what it accepts. Its listener (10.1) takes messages of up to 100 MiB, which `ws` gathers in memory
 * before libp2p sees them, and waits for ever on a socket that never sends its upgrade; neither can be set from outside.
 */
export const guardedWebSockets = (limits: SocketLimits) => (components: WebSocketsComponents) => {
  const transport = webSockets()(components)
  const createListener = transport.createListener.bind(transport)
  transport.createListener = (options) => guard(createListener(options), limits)
  return transport
}

/** Fields of its listener that it keeps to itself. */
interface Inside {
  readonly server?: Server
  readonly wsServer?: { readonly options: { maxPayload?: number; WebSocket?: unknown } }
}

const guard = <L extends object>(listener: L, limits: SocketLimits): L => {
  const { server, wsServer } = listener as Inside
  // After an update that renames them the limits must not be lost without a word.
  if (server === undefined || wsServer === undefined) throw new Error('@libp2p/websockets has changed: its listener cannot be limited')
  Object.assign(wsServer.options, { maxPayload: MESSAGE, WebSocket: QuietWebSocket })
  server.maxConnections = limits.connections
  const quota = createQuota(limits.perAddress, limits.proxies)
  server.on('connection', (socket: Socket) => {
    const release = quota.take(originOf(socket.remoteAddress ?? ''))
    if (release === null) return socket.destroy()
    socket.on('close', release)
    gather(socket)
    // `ws` takes the timer off once the connection is upgraded.
    socket.setTimeout(UPGRADE, () => socket.destroy())
  })
  return listener
}

/** Sends together what is written in one turn of the event loop: at a commit, all streams of a link write a frame each. */
const gather = (socket: Socket): void => {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
  let isGathering = false
  socket.write = (...args: unknown[]): boolean => {
    if (!isGathering) {
      isGathering = true
      socket.cork()
      process.nextTick(() => {
        isGathering = false
        socket.uncork()
      })
    }
    return write(...args)
  }
}
