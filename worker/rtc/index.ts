import { RTC_LIMITS, readRtcAnswer } from '../../client/rpc/rtc.ts'
import type { Port } from '../../client/rpc/wire.ts'
import { type Line, PagedConnection, RtcError } from './connection.ts'

export interface RtcOptions {
  /** Of webrtc-direct: 1 for servers of before 2026, which know no other. */
  readonly version?: 1 | 2
}

/** The face of RTCPeerConnection that is there without an instance. */
export interface RtcClass {
  new (): PagedConnection
  generateCertificate(): Promise<object>
}

/**
 * An RTCPeerConnection class whose connections are made by the page at the other end of `port` (client/page/rtc.ts).
 * A message that is none ends them all, and the port: the page may be in the hands of whatever script got into it.
 */
export const createRtc = (port: Port, { version = 2 }: RtcOptions = {}): RtcClass => {
  const open = new Map<number, PagedConnection>()
  let last = 0
  let isOver = false
  const line: Line = {
    version,
    join: (connection) => {
      if (isOver) throw new RtcError('the page makes no more connections')
      if (open.size >= RTC_LIMITS.connections) throw new RtcError(`${RTC_LIMITS.connections} connections are open already`)
      open.set(++last, connection)
      return last
    },
    leave: (id) => void open.delete(id),
    say: (ask) => isOver || port.postMessage(ask),
  }
  port.onmessage = ({ data }: { readonly data: unknown }) => {
    const answer = readRtcAnswer(data)
    // One for a connection that has closed was on its way when it did.
    if (answer !== null) return open.get(answer.id)?.take(answer)
    isOver = true
    port.close()
    for (const [id, connection] of open) connection.take({ kind: 'state', id, state: 'failed' })
  }
  return class RTCPeerConnection extends PagedConnection {
    constructor() {
      super(line)
    }

    /** The page's connections each have a certificate of their own, so this one is a word without a meaning. */
    static async generateCertificate(): Promise<object> {
      return {}
    }
  }
}

/**
 * Gives this Worker an RTCPeerConnection, where the platform gives none and no page did before. @libp2p/webrtc takes the global when it
 * dials, so this may come after its import.
 */
export const installRtc = (port: Port, options: RtcOptions = {}): void => {
  const place = globalThis as { RTCPeerConnection?: unknown }
  if (place.RTCPeerConnection === undefined) place.RTCPeerConnection = createRtc(port, options)
  else port.close()
}
