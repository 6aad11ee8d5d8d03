import '../../../node/polyfill.ts'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { webRTCDirect } from '@libp2p/webrtc'
import { createLibp2p, type Libp2p } from 'libp2p'
import { silent } from '../../../client/log.ts'
import { type HostLimits, LIMITS } from '../../../node/transports/limits.ts'
import { webRtcDirect } from '../../../node/transports/webrtc/index.ts'
import type { CertificateStore } from '../../../node/transports/webtransport/rotation.ts'

const services = () => ({ identify: identify({ runOnConnectionOpen: false }), ping: ping() })

/** A node that listens by this project's transport alone. */
export const listening = (
  limits: Partial<HostLimits> = {},
  certificates?: CertificateStore,
  listen = '/ip4/127.0.0.1/udp/0/webrtc-direct',
) =>
  createLibp2p({
    addresses: { listen: [listen] },
    transports: [webRtcDirect({ limits: { ...LIMITS, ...limits }, log: silent, certificates })],
    services: services(),
    connectionMonitor: { enabled: false },
  })

/** A node that dials by @libp2p/webrtc, which speaks version 1. */
export const dialling = () =>
  createLibp2p({
    transports: [webRTCDirect({ rtcConfiguration: { iceServers: [] } })],
    services: services(),
    connectionMonitor: { enabled: false },
  })

export type TestNode = Awaited<ReturnType<typeof dialling>>
export type { Libp2p }
