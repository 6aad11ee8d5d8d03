import { concat } from '../../../client/primitives/bytes.ts'
import { H3, Http3Error } from './codes.ts'
import { FRAME, FrameReader, HTTP2_FRAMES, type Rule } from './frames.ts'
import { UNI_STREAM_TYPE } from './session.ts'
import { readSettings } from './settings.ts'
import { readVarint } from './varint.ts'
import type { WireStream } from './wire.ts'

// The streams that a peer opens in one direction (RFC 9114 section 6.2, RFC 9204 section 4.2).

const TYPE = { control: 0x00n, push: 0x01n, encoder: 0x02n, decoder: 0x03n } as const
/** Those of which there is one a connection, and which stay open as long as it does. */
const CRITICAL: readonly bigint[] = [TYPE.control, TYPE.encoder, TYPE.decoder]
/** A settings frame is refused above this; Chromium's has about 60 bytes. */
const SETTINGS_BYTES = 4_096
/** An id in a frame. */
const ID_BYTES = 8

/** Which critical streams a connection has had. */
export type Taken = Set<bigint>

/** Reads a stream of one direction to its end; what is of no use here the peer is asked to stop. */
export const serveUni = (stream: WireStream, taken: Taken): void => {
  let head: Uint8Array = new Uint8Array(0)
  let reader: ((bytes: Uint8Array) => void) | null = null
  let type: bigint | null = null
  const take = (bytes: Uint8Array): void => {
    if (reader !== null) {
      reader(bytes)
      return
    }
    head = concat(head, bytes)
    const found = readVarint(head)
    if (found === null) return
    type = found.value
    reader = readerOf(type, taken)
    if (reader === null) stream.stop(H3.streamCreation)
    else reader(head.subarray(found.size))
  }
  const readable = (): void => {
    for (let read = stream.read(); read !== null; read = stream.read()) {
      if (read.kind === 'data') take(read.bytes)
      else if (type !== null && CRITICAL.includes(type)) throw new Http3Error(H3.closedCritical, nameOf(type), 0, 'was closed')
      else return
    }
  }
  stream.attach({ readable, writable: () => {}, closed: () => {} })
}

const nameOf = (type: bigint): string =>
  type === TYPE.control ? 'control stream' : type === TYPE.encoder ? 'QPACK encoder stream' : 'QPACK decoder stream'

/** What reads a stream of a type, null for one that nobody reads: grease, or WebTransport's, which libp2p has no use for. */
const readerOf = (type: bigint, taken: Taken): ((bytes: Uint8Array) => void) | null => {
  if (type === TYPE.push) throw new Http3Error(H3.streamCreation, 'push stream', 0, 'only a server pushes')
  if (type === UNI_STREAM_TYPE || !CRITICAL.includes(type)) return null
  if (taken.has(type)) throw new Http3Error(H3.streamCreation, nameOf(type), 0, 'there is one already')
  taken.add(type)
  return type === TYPE.control ? readControl() : type === TYPE.encoder ? readEncoder() : readDecoder()
}

const readControl = (): ((bytes: Uint8Array) => void) => {
  const place = nameOf(TYPE.control)
  let isFirst = true
  const rule = (type: bigint, offset: number): Rule => {
    const refuse = (code: number, problem: string) => new Http3Error(code, place, offset, problem)
    if (isFirst !== (type === FRAME.settings))
      throw refuse(isFirst ? H3.missingSettings : H3.frameUnexpected, isFirst ? 'SETTINGS do not come first' : 'SETTINGS come twice')
    isFirst = false
    if (type === FRAME.settings) return SETTINGS_BYTES
    if (type === FRAME.data || type === FRAME.headers || type === FRAME.pushPromise || HTTP2_FRAMES.includes(type))
      throw refuse(H3.frameUnexpected, `a frame 0x${type.toString(16)} has no place here`)
    return type === FRAME.goaway || type === FRAME.maxPushId || type === FRAME.cancelPush ? ID_BYTES : 'drop'
  }
  const frames = new FrameReader({ place, rule })
  return (bytes) => {
    for (const piece of frames.push(bytes)) {
      if (piece.kind !== 'whole') continue
      if (piece.type === FRAME.settings) readSettings(piece.payload)
      else if (readVarint(piece.payload)?.size !== piece.payload.length)
        throw new Http3Error(H3.frame, place, frames.offset, 'an id is not whole')
    }
  }
}

/** With a capacity of 0 an encoder may set it to 0 once more, and nothing else (RFC 9204 section 4.3). */
const readEncoder = (): ((bytes: Uint8Array) => void) => {
  let offset = 0
  return (bytes) => {
    const wrong = bytes.findIndex((byte) => byte !== 0x20)
    if (wrong >= 0)
      throw new Http3Error(H3.encoderStream, nameOf(TYPE.encoder), offset + wrong, 'an instruction for a table that does not exist')
    offset += bytes.length
  }
}

/** This end's field sections use no table, so that a decoder can acknowledge nothing; it may cancel streams (RFC 9204 section 4.4.2). */
const readDecoder = (): ((bytes: Uint8Array) => void) => {
  let offset = 0
  // Bytes of an integer that goes on: 62 bits are 10 bytes at most.
  let left = 0
  return (bytes) => {
    for (const byte of bytes) {
      if (left > 0) left = byte & 0x80 ? left - 1 : 0
      else if ((byte & 0xc0) !== 0x40)
        throw new Http3Error(H3.decoderStream, nameOf(TYPE.decoder), offset, 'acknowledges what was not sent')
      else left = (byte & 0x3f) === 0x3f ? 10 : 0
      if (left === 1) throw new Http3Error(H3.decoderStream, nameOf(TYPE.decoder), offset, 'an integer of more than 62 bits')
      offset += 1
    }
  }
}
