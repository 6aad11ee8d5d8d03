import { type Bytes, concat } from '../../../client/primitives/bytes.ts'
import { H3, Http3Error } from './codes.ts'
import { readVarint, VARINT_BYTES, writeVarint } from './varint.ts'

// What HTTP/3's frames (RFC 9114 section 7.1) and capsules (RFC 9297 section 3.2) have in common: a type, a length and so many bytes.

export const FRAME = {
  data: 0x00n,
  headers: 0x01n,
  cancelPush: 0x03n,
  settings: 0x04n,
  pushPromise: 0x05n,
  goaway: 0x07n,
  maxPushId: 0x0dn,
} as const
/** Frames of HTTP/2 that have no place in HTTP/3 (RFC 9114 section 7.2.8). */
export const HTTP2_FRAMES: readonly bigint[] = [0x02n, 0x06n, 0x08n, 0x09n]
export const CAPSULE = { close: 0x2843n, drain: 0x78aen } as const

/** What to do with a frame of a type: keep its payload whole, up to so many bytes; hand on its bytes as they come; or drop them. */
export type Rule = number | 'pass' | 'drop'

export type Piece =
  | { readonly kind: 'whole'; readonly type: bigint; readonly payload: Bytes }
  | { readonly kind: 'part'; readonly type: bigint; readonly bytes: Uint8Array }

export interface FrameRules {
  /** What is read, for errors: `control stream`. */
  readonly place: string
  /** @throws Http3Error for a type that must not stand here */
  readonly rule: (type: bigint, offset: number) => Rule
}

interface Frame {
  readonly type: bigint
  readonly rule: Rule
  left: bigint
  readonly payload: Payload
}

/**
 * Reads frames from chunks that are cut anywhere. Holds at most one payload that its rule lets it keep, and never more than its sender has
 * sent: a length alone reserves nothing.
 */
export class FrameReader {
  readonly #rules: FrameRules
  #header: Uint8Array = new Uint8Array(0)
  #frame: Frame | null = null
  #offset = 0

  constructor(rules: FrameRules) {
    this.#rules = rules
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset
  }

  /** Whether a frame has begun that has not ended: an end of the stream there is an error. */
  get isInside(): boolean {
    return this.#frame !== null || this.#header.length > 0
  }

  /**
   * What is whole now. Parts are views of `chunk`; whole payloads are copies.
   * @throws Http3Error; the reader is of no more use then
   */
  *push(chunk: Uint8Array): Generator<Piece> {
    let rest = chunk
    while (rest.length > 0 || (this.#frame !== null && this.#frame.left === 0n)) {
      if (this.#frame === null) {
        rest = this.#begin(rest)
        continue
      }
      const size = Number(this.#frame.left < BigInt(rest.length) ? this.#frame.left : BigInt(rest.length))
      const piece = this.#take(this.#frame, rest.subarray(0, size))
      rest = rest.subarray(size)
      if (piece !== null) yield piece
    }
  }

  /** Takes a header, or what there is of it, from the front of `chunk`; gives what is behind. */
  #begin(chunk: Uint8Array): Uint8Array {
    const had = this.#header.length
    const header = concat(this.#header, chunk.subarray(0, 2 * VARINT_BYTES - had))
    const type = readVarint(header)
    const length = type === null ? null : readVarint(header, type.size)
    if (type === null || length === null) {
      this.#header = header
      this.#offset += header.length - had
      return chunk.subarray(header.length - had)
    }
    const used = type.size + length.size - had
    const start = this.#offset - had
    const rule = this.#rules.rule(type.value, start)
    if (typeof rule === 'number' && length.value > BigInt(rule))
      throw new Http3Error(
        H3.excessiveLoad,
        this.#rules.place,
        start,
        `a frame ${name(type.value)} of ${length.value} bytes, more than ${rule}`,
      )
    this.#header = new Uint8Array(0)
    this.#offset += used
    this.#frame = { type: type.value, rule, left: length.value, payload: new Payload() }
    return chunk.subarray(used)
  }

  #take(frame: Frame, bytes: Uint8Array): Piece | null {
    this.#offset += bytes.length
    frame.left -= BigInt(bytes.length)
    if (frame.left === 0n) this.#frame = null
    if (frame.rule === 'drop') return null
    if (frame.rule === 'pass') return bytes.length === 0 ? null : { kind: 'part', type: frame.type, bytes }
    frame.payload.add(bytes)
    return frame.left > 0n ? null : { kind: 'whole', type: frame.type, payload: frame.payload.bytes }
  }
}

/** Grows by doubling: a list of chunks would cost a hundred bytes for every byte that somebody sends alone. */
class Payload {
  #buffer = new Uint8Array(0)
  #size = 0

  get bytes(): Bytes {
    return this.#buffer.slice(0, this.#size)
  }

  add(chunk: Uint8Array): void {
    const size = this.#size + chunk.length
    if (size > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#buffer.length))
      grown.set(this.#buffer)
      this.#buffer = grown
    }
    this.#buffer.set(chunk, this.#size)
    this.#size = size
  }
}

const name = (type: bigint): string => `0x${type.toString(16)}`

export const writeFrame = (type: bigint, payload: Uint8Array): Bytes => concat(writeVarint(type), writeVarint(payload.length), payload)
