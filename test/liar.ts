import { frame } from '../client/network/light/frame.ts'
import { type Response, responseCodec } from '../client/network/light/messages.ts'
import type { StreamHandler } from '../client/network/light/server.ts'
import { type Bytes, copy } from '../client/primitives/bytes.ts'
import { decode, encode } from '../client/primitives/codec.ts'

/** What a lying server sends in the place of an answer: another answer, or bytes that are none. Null passes the honest answer on. */
export type Lie = (honest: Response) => Response | { readonly raw: Bytes } | null

/**
 * A server of the real protocol that answers honestly, and lies where it is told to. It holds whatever keys its host has: here those of a
 * member, so that every lie comes from somebody a reader has reason to listen to.
 */
export const lying =
  (honest: StreamHandler, lie: () => Lie | null): StreamHandler =>
  (stream, peer) =>
    honest({ ...stream, write: (bytes) => stream.write(bent(bytes, lie())) }, peer)

/** One write of the server is one frame. */
const bent = (bytes: Bytes, lie: Lie | null): Bytes => {
  if (lie === null) return bytes
  const told = lie(decode(responseCodec, payloadOf(bytes)))
  if (told === null) return bytes
  return 'raw' in told ? told.raw : frame(encode(responseCodec, told))
}

/** A frame without its ULEB128 length. */
const payloadOf = (bytes: Bytes): Bytes => {
  let at = 0
  while (((bytes[at] as number) & 0x80) !== 0) at += 1
  return copy(bytes.subarray(at + 1))
}

/** The same bytes with one bit of the middle one turned. */
export const flipped = (bytes: Bytes): Bytes => {
  const other = copy(bytes)
  const middle = Math.floor(other.length / 2)
  other[middle] = (other[middle] as number) ^ 1
  return other
}
