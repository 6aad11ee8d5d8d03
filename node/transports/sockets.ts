import { tcp } from '@libp2p/tcp'
import type { Log } from '../../client/log.ts'
import type { HostLimits } from './limits.ts'
import { guardedWebSockets } from './websocket.ts'
import type { CertificateStore } from './webtransport/index.ts'

/** Where the listeners of a transport keep their certificates, which are part of their addresses. Holds private keys. */
export type Certificates = (transport: 'webtransport' | 'webrtc') => CertificateStore

export interface ListenersInit {
  readonly limits: HostLimits
  readonly log: Log
  /** Without it every start has new certificates, and so new addresses. */
  readonly certificates?: Certificates | undefined
}

/**
 * The transports of a host that needs no native library: what a reader has, and so all that a bundler finds who packs a page for a server.
 * Those of a member are in listeners.ts.
 */
export const socketsOf = ({ limits }: ListenersInit) => [tcp({ maxConnections: limits.connections }), guardedWebSockets(limits)]
