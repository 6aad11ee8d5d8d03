import type { SocketLimits } from './websocket.ts'

/** What a host holds open for others at most. */
export interface HostLimits extends SocketLimits {
  /** New connections a second from one address. */
  readonly perSecond: number
  /** Connections that have not yet proven a key. */
  readonly pending: number
  /** Streams that one connection has open: /coalition/light/1 allows 32, the rest is for what runs beside it. */
  readonly streams: number
}

/** For a member on a small machine: at most 1,024 readers, 32 of them behind one address. */
export const LIMITS: HostLimits = { connections: 1_024, perAddress: 32, perSecond: 32, pending: 64, streams: 64, proxies: [] }
