import { type BridgeReport, RTC_LIMITS, type RtcAnswer, readRtcAsk, type Step } from '../rpc/rtc.ts'
import type { Port } from '../rpc/wire.ts'

/** Bytes in a channel's buffer below which a Worker that reaches it through a port may send more. */
const LOW = 262_144

/**
 * Makes the connections that a Worker asks for over `port`, since a Worker can have none (PROTOCOL.md section 3). The returned function ends
 * them all.
 */
export const hostRtc = (port: Port): (() => void) => {
  const open = new Map<number, RTCPeerConnection>()
  const say = (answer: RtcAnswer, transfer: unknown[] = []): void => port.postMessage(answer, transfer)

  /** In the task that made the channel: later it cannot be transferred any more. */
  const hand = (id: number, channel: number, real: RTCDataChannel): void => {
    try {
      say({ kind: 'channel', id, channel, real }, [real])
    } catch {
      const end = bridge(real)
      say({ kind: 'channel', id, channel, real: end }, [end])
    }
  }

  const close = (id: number): void => {
    open.get(id)?.close()
    open.delete(id)
  }

  const start = (id: number): void => {
    const tell = (state: string): void => say({ kind: 'state', id, state })
    if (open.has(id)) return
    if (open.size >= RTC_LIMITS.connections) {
      tell('failed')
      return
    }
    const connection = new RTCPeerConnection({ iceServers: [] })
    open.set(id, connection)
    connection.onconnectionstatechange = () => tell(connection.connectionState)
    connection.ondatachannel = ({ channel }) => hand(id, 0, channel)
  }

  const step = async (connection: RTCPeerConnection, kind: Step, sdp?: string): Promise<string> => {
    if (kind === 'offer') return (await connection.createOffer()).sdp ?? ''
    if (kind === 'local') await connection.setLocalDescription(sdp === undefined ? sdp : { type: 'offer', sdp })
    // Answers of webrtc-direct servers alone, so that nobody can make the page talk to another kind of peer.
    else if (sdp && /^a=ice-ufrag:libp2p\+webrtc\+v[12]\//m.test(sdp)) await connection.setRemoteDescription({ type: 'answer', sdp })
    else throw new Error('no webrtc-direct answer')
    return connection.localDescription?.sdp ?? ''
  }

  port.onmessage = ({ data }: { readonly data: unknown }) => {
    const ask = readRtcAsk(data)
    if (ask === null) return stop()
    const { kind, id } = ask
    if (kind === 'open') return start(id)
    if (kind === 'close') return close(id)
    const connection = open.get(id)
    // One that has closed makes no channels; the Worker has heard of it by its state.
    if (!connection || connection.connectionState === 'closed') return
    if (kind === 'channel') return hand(id, ask.channel, connection.createDataChannel('', ask.first ? { negotiated: true, id: 0 } : {}))
    step(connection, kind, ask.sdp).then(
      (sdp) => say({ kind, id, sdp }),
      (error: unknown) => say({ kind, id, error: String(error) }),
    )
  }
  const stop = (): void => {
    for (const id of open.keys()) close(id)
    port.close()
  }
  return stop
}

/** A port that stands for a channel. Bytes are copied once more each way. */
const bridge = (channel: RTCDataChannel): MessagePort => {
  const { port1, port2 } = new MessageChannel()
  let left = 0
  const report = (): void => {
    port1.postMessage({ state: channel.readyState, id: channel.id, sent: left } satisfies BridgeReport)
    left = 0
  }
  channel.binaryType = 'arraybuffer'
  channel.bufferedAmountLowThreshold = LOW
  channel.onopen = channel.onclose = channel.onerror = channel.onbufferedamountlow = report
  channel.onmessage = ({ data }) => (data instanceof ArrayBuffer ? port1.postMessage(data, [data]) : channel.close())
  port1.onmessage = ({ data }) => {
    // Anything else is how the Worker closes it.
    if (!(data instanceof ArrayBuffer)) return channel.close()
    try {
      channel.send(data)
      left += data.byteLength
    } catch {
      // Its buffer is full, or it has closed.
      return channel.close()
    }
    if (channel.bufferedAmount <= LOW) report()
  }
  return port2
}
