import { fields, isPort, type Port } from './wire.ts'

// Between a page, which alone may have RTCPeerConnections, and its Worker, where libp2p runs. Only what webrtc-direct needs can be said: the
// page makes every connection with no ICE server, an own certificate and no name for any channel, whatever the Worker asks.

/** The port of such a message, or null for any other. */
export const attachedRtc = (data: unknown): Port | null => {
  const { coalition, port } = fields(data)
  return coalition === 'rtc/1' && isPort(port) ? port : null
}

/** What one Worker may hold open. */
export const RTC_LIMITS = {
  connections: 32,
  /** Characters of a session description: Chromium 156 writes 600. */
  sdp: 8_192,
} as const

/** Steps of a dial; a connection takes each once, and answers it with the same kind. */
export type Step = 'offer' | 'local' | 'remote'

/** From the Worker. `id` and `channel` are its own, count up from 1 and are used once. */
export type RtcAsk =
  | { readonly kind: 'open'; readonly id: number }
  /** `first` is the one of the noise handshake: negotiated, stream id 0. */
  | { readonly kind: 'channel'; readonly id: number; readonly channel: number; readonly first: boolean }
  /** `offer` makes one. `local` sets the given offer, or the browser's own. `remote` sets an answer. */
  | { readonly kind: Step; readonly id: number; readonly sdp?: string }
  | { readonly kind: 'close'; readonly id: number }

/** From the page. */
export type RtcAnswer =
  | { readonly kind: Step; readonly id: number; readonly sdp: string }
  | { readonly kind: Step; readonly id: number; readonly error: string }
  /** `connectionState`, whenever it changes. */
  | { readonly kind: 'state'; readonly id: number; readonly state: string }
  /** Channel 0 is one that the other side opened. `real` is the RTCDataChannel or, where it cannot cross, a port to it. */
  | { readonly kind: 'channel'; readonly id: number; readonly channel: number; readonly real: unknown }

/** On the port of a channel that could not cross: ArrayBuffers both ways are messages, and this is the page's word on the channel. */
export interface BridgeReport {
  readonly state: string
  readonly id: number | null
  /** Bytes that have left the channel's buffer since the last report. */
  readonly sent: number
}

const isId = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0
const isSdp = (value: unknown): boolean => typeof value === 'string' && value.length <= RTC_LIMITS.sdp
const isStep = (kind: unknown): boolean => kind === 'offer' || kind === 'local' || kind === 'remote'

/** The message, or null for what is none. */
export const readRtcAsk = (data: unknown): RtcAsk | null => {
  const { kind, id, channel, first, sdp } = fields(data)
  if (!isId(id)) return null
  if (kind === 'channel') return isId(channel) && typeof first === 'boolean' ? (data as RtcAsk) : null
  return kind === 'open' || kind === 'close' || (isStep(kind) && (sdp === undefined || isSdp(sdp))) ? (data as RtcAsk) : null
}

/** The message, or null for what is none. What `real` is its reader has to see. */
export const readRtcAnswer = (data: unknown): RtcAnswer | null => {
  const { kind, id, channel, state, sdp, error } = fields(data)
  if (!isId(id)) return null
  if (kind === 'channel') return channel === 0 || isId(channel) ? (data as RtcAnswer) : null
  if (kind === 'state') return typeof state === 'string' ? (data as RtcAnswer) : null
  return isStep(kind) && (isSdp(sdp) || isSdp(error)) ? (data as RtcAnswer) : null
}

/** The report, or null for what is none. */
export const readBridgeReport = (data: unknown): BridgeReport | null => {
  const { state, id, sent } = fields(data)
  const fits = typeof state === 'string' && (id === null || Number.isSafeInteger(id)) && Number.isSafeInteger(sent) && (sent as number) >= 0
  return fits ? (data as BridgeReport) : null
}
