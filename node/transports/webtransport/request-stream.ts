import { type Bytes, concat } from '../../../client/primitives/bytes.ts'
import { H3, Http3Error } from './codes.ts'
import { FRAME, FrameReader, HTTP2_FRAMES, type Rule, writeFrame } from './frames.ts'
import { FIELD_LIMITS, readFields, writeFields } from './qpack.ts'
import { type Request, readRequest } from './request.ts'
import { type Session, STREAM_TYPE } from './session.ts'
import { readVarint } from './varint.ts'
import type { WireStream } from './wire.ts'

// The streams that a peer opens in both directions: requests, one of which becomes the session, and the session's own.

export interface Bidi {
  /** The connection's session, once there is one. */
  readonly session: () => Session | null
  /** Decides on a request: the session that it opens, or null. */
  readonly request: (stream: WireStream, request: Request) => Session | null
  readonly opened: (session: Session) => void
}

const IDLE = { readable: (): void => {}, writable: (): void => {}, closed: (): void => {} }

/** Reads the beginning of a stream, which says whose it is. */
export const serveBidi = (stream: WireStream, bidi: Bidi): void => {
  let head: Bytes = new Uint8Array(0)
  const readable = (): void => {
    const read = stream.read()
    if (read === null) return
    // Ended or reset before it said what it is.
    if (read.kind !== 'data') {
      stream.reset(H3.requestRejected)
      return
    }
    head = concat(head, read.bytes)
    const type = readVarint(head)
    if (type === null) {
      readable()
      return
    }
    if (type.value !== STREAM_TYPE) {
      serveRequest(stream, head, bidi)
      return
    }
    const id = readVarint(head, type.size)
    if (id === null) {
      readable()
      return
    }
    stream.attach(IDLE)
    join(stream, id.value, head.slice(type.size + id.size), bidi.session())
  }
  stream.attach({ ...IDLE, readable })
}

const join = (stream: WireStream, id: bigint, head: Bytes, session: Session | null): void => {
  // Ids of requests are multiples of 4 (RFC 9000 section 2.1).
  if (id % 4n !== 0n) throw new Http3Error(H3.id, 'stream of a session', 0, `${id} is no session's id`)
  if (session !== null && session.id === id) {
    session.accept(stream, head)
    return
  }
  // A client that follows the draft waits for the answer to its CONNECT; what is early is not kept for it.
  stream.stop(H3.bufferedStreamRejected)
  stream.reset(H3.bufferedStreamRejected)
}

const serveRequest = (stream: WireStream, head: Bytes, bidi: Bidi): void => {
  const place = `request ${stream.id}`
  let state: 'headers' | 'session' | 'refused' = 'headers'
  let session: Session | null = null
  const rule = (type: bigint, offset: number): Rule => {
    if (type === (state === 'headers' ? FRAME.headers : FRAME.data)) return state === 'headers' ? FIELD_LIMITS.size : 'pass'
    // On the stream of a CONNECT there are DATA frames and unknown ones (RFC 9114 section 4.4).
    const isKnown = (Object.values(FRAME) as readonly bigint[]).includes(type) || HTTP2_FRAMES.includes(type)
    if (isKnown) throw new Http3Error(H3.frameUnexpected, place, offset, `a frame 0x${type.toString(16)} has no place here`)
    if (type === STREAM_TYPE) throw new Http3Error(H3.frame, place, offset, 'a stream of a session begins in the middle of another')
    return 'drop'
  }
  const frames = new FrameReader({ place, rule })
  const take = (bytes: Uint8Array): void => {
    for (const piece of frames.push(bytes)) {
      if (piece.kind === 'part') session?.receive(piece.bytes)
      else {
        session = answer(stream, piece.payload, bidi)
        state = session === null ? 'refused' : 'session'
      }
      if (state === 'refused') return
    }
  }
  const end = (kind: 'end' | 'reset'): void => {
    stream.attach(IDLE)
    if (session === null) {
      stream.reset(H3.requestRejected)
      return
    }
    if (kind === 'end' && frames.isInside) throw new Http3Error(H3.frame, place, frames.offset, 'ends in the middle of a frame')
    if (kind === 'end') session.finished()
    else session.abort()
  }
  const readable = (): void => {
    while (state !== 'refused') {
      const read = stream.read()
      if (read === null) return
      if (read.kind !== 'data') {
        end(read.kind)
        return
      }
      take(read.bytes)
    }
  }
  stream.attach({ ...IDLE, readable })
  take(head)
  readable()
}

/** Answers a request, and gives the session when it opened one. */
const answer = (stream: WireStream, section: Uint8Array, bidi: Bidi): Session | null => {
  const session = decide(stream, section, bidi)
  const status = session === null ? '404' : '200'
  const fields = writeFields([
    [':status', status],
    // Chromium and Firefox look for the draft that was agreed on; without it they take the server for one of another draft.
    ['sec-webtransport-http3-draft', 'draft02'],
  ])
  stream.queue(writeFrame(FRAME.headers, fields))
  if (session !== null) bidi.opened(session)
  else {
    stream.finish()
    stream.stop(H3.noError)
  }
  return session
}

const decide = (stream: WireStream, section: Uint8Array, bidi: Bidi): Session | null =>
  bidi.request(stream, readRequest(readFields(section)))
