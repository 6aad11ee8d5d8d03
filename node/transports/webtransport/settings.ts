import { type Bytes, concat } from '../../../client/primitives/bytes.ts'
import { H3, Http3Error } from './codes.ts'
import { FIELD_LIMITS } from './qpack.ts'
import { readVarint, writeVarint } from './varint.ts'

// SETTINGS (RFC 9114 section 7.2.4) and what WebTransport adds to them.

export const SETTING = {
  /** QPACK_MAX_TABLE_CAPACITY and QPACK_BLOCKED_STREAMS (RFC 9204 section 5), both 0 here. */
  qpackCapacity: 0x01n,
  maxFieldSection: 0x06n,
  qpackBlocked: 0x07n,
  /** ENABLE_CONNECT_PROTOCOL (RFC 9220). */
  connectProtocol: 0x08n,
  /** H3_DATAGRAM (RFC 9297 section 2.1.1). */
  datagram: 0x33n,
  /** ENABLE_WEBTRANSPORT of draft-ietf-webtrans-http3-02, which libp2p and browsers speak. */
  webTransport: 0x2b603742n,
  /** WEBTRANSPORT_MAX_SESSIONS of the later drafts, up to 07. */
  maxSessions: 0xc671706an,
} as const

/** Settings of HTTP/2 that have no place in HTTP/3 (RFC 9114 section 7.2.4.1). */
const HTTP2_SETTINGS: readonly bigint[] = [0x02n, 0x03n, 0x04n, 0x05n]
/** Chromium sends 8, two of them grease. */
const MOST = 64
/** Those that are yes or no, and nothing else. */
const FLAGS: readonly bigint[] = [SETTING.connectProtocol, SETTING.datagram, SETTING.webTransport]

/**
 * A peer's settings, unknown ones too.
 * @throws Http3Error with H3_SETTINGS_ERROR for one that stands twice or has no place here, H3_FRAME_ERROR for half of one
 */
export const readSettings = (payload: Uint8Array): ReadonlyMap<bigint, bigint> => {
  const settings = new Map<bigint, bigint>()
  let at = 0
  while (at < payload.length) {
    const id = readVarint(payload, at)
    const value = id && readVarint(payload, at + id.size)
    if (!id || !value) throw new Http3Error(H3.frame, PLACE, at, 'ends in the middle of a setting')
    checkSetting(settings, id.value, value.value, at)
    settings.set(id.value, value.value)
    at += id.size + value.size
  }
  return settings
}

const PLACE = 'SETTINGS'

const checkSetting = (settings: ReadonlyMap<bigint, bigint>, id: bigint, value: bigint, at: number): void => {
  const refuse = (problem: string) => new Http3Error(H3.settings, PLACE, at, problem)
  if (settings.has(id)) throw refuse(`0x${id.toString(16)} stands twice`)
  if (HTTP2_SETTINGS.includes(id)) throw refuse(`0x${id.toString(16)} is of HTTP/2`)
  if (FLAGS.includes(id) && value > 1n) throw refuse(`0x${id.toString(16)} is neither 0 nor 1`)
  if (settings.size === MOST) throw new Http3Error(H3.excessiveLoad, PLACE, at, `more than ${MOST} settings`)
}

/** Ours. One session a connection: a browser that pins certificates pools nothing, and its limits are then the connection's. */
export const writeSettings = (): Bytes =>
  concat(
    ...[
      [SETTING.qpackCapacity, 0],
      [SETTING.maxFieldSection, FIELD_LIMITS.size],
      [SETTING.qpackBlocked, 0],
      [SETTING.connectProtocol, 1],
      [SETTING.datagram, 1],
      [SETTING.webTransport, 1],
      [SETTING.maxSessions, 1],
    ].flatMap(([id = 0, value = 0]) => [writeVarint(id), writeVarint(value)]),
  )
