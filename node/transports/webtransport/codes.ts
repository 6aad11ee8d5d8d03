import { CoalitionError } from '../../../client/error.ts'

// Codes of HTTP/3 (RFC 9114 section 8.1), QPACK (RFC 9204 section 6) and WebTransport over HTTP/3 (draft-ietf-webtrans-http3-02).

export const H3 = {
  noError: 0x100,
  general: 0x101,
  internal: 0x102,
  streamCreation: 0x103,
  closedCritical: 0x104,
  frameUnexpected: 0x105,
  frame: 0x106,
  excessiveLoad: 0x107,
  id: 0x108,
  settings: 0x109,
  missingSettings: 0x10a,
  requestRejected: 0x10b,
  message: 0x10e,
  decompression: 0x200,
  encoderStream: 0x201,
  decoderStream: 0x202,
  bufferedStreamRejected: 0x3994bd84,
  sessionGone: 0x170d7b68,
} as const

const FIRST = 0x52e4a40fa8db

/**
 * An application's stream error in the range that HTTP/3 keeps for WebTransport, which skips the code points of grease (section 4.3 of the
 * draft). @param code 0 to 2^32 - 1
 */
export const streamCode = (code: number): number => FIRST + code + Math.floor(code / 0x1e)

/** Something that a peer sent against the rules: where in what, and the code that its connection or stream is closed with. */
export class Http3Error extends CoalitionError {
  declare readonly code: number
  declare readonly place: string
  declare readonly offset: number
  declare readonly problem: string

  /** @param offset bytes from the beginning of what `place` names */
  constructor(code: number, place: string, offset: number, problem: string) {
    super('WebTransport.Http3Error', `${place} at byte ${offset}: ${problem}`, { code, place, offset, problem })
  }
}
