import { createQuota, originOf } from './addresses.ts'
import { type ListenersInit, socketsOf } from './sockets.ts'
import { webRtcDirect } from './webrtc/index.ts'
import { webTransport } from './webtransport/index.ts'

/** The transports of a member. Those with a native library load it when an address of theirs is listened on. */
export const transportsOf = (init: ListenersInit) => {
  const { limits, log, certificates } = init
  const { connections, pending, perSecond, streams } = limits
  return [
    ...socketsOf(init),
    webTransport({
      limits: { connections, pending, perSecond, streams },
      quota: { ...createQuota(limits.perAddress), originOf },
      ...(certificates && { certificates: certificates('webtransport') }),
    }),
    webRtcDirect({ limits, log, certificates: certificates?.('webrtc') }),
  ]
}
