import { tcp } from '@libp2p/tcp'
import type { Log } from '../../client/log.ts'
import { createQuota, originOf } from './addresses.ts'
import type { HostLimits } from './limits.ts'
import { webRtcDirect } from './webrtc/index.ts'
import { guardedWebSockets } from './websocket.ts'
import { type CertificateStore, webTransport } from './webtransport/index.ts'

/** Where the listeners of a transport keep their certificates, which are part of their addresses. Holds private keys. */
export type Certificates = (transport: 'webtransport' | 'webrtc') => CertificateStore

export interface ListenersInit {
  readonly limits: HostLimits
  readonly log: Log
  /** Without it every start has new certificates, and so new addresses. */
  readonly certificates?: Certificates | undefined
}

/** The transports of a host on Node. Those with a native library load it when an address of theirs is listened on. */
export const transportsOf = ({ limits, log, certificates }: ListenersInit) => [
  tcp({ maxConnections: limits.connections }),
  guardedWebSockets(limits),
  webTransport({
    limits: { connections: limits.connections, pending: limits.pending, perSecond: limits.perSecond, streams: limits.streams },
    quota: { ...createQuota(limits.perAddress), originOf },
    ...(certificates && { certificates: certificates('webtransport') }),
  }),
  webRtcDirect({ limits, log, certificates: certificates?.('webrtc') }),
]
