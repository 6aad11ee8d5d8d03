import type { Bytes } from '../../../../client/primitives/bytes.ts'
import { readVarint } from '../varint.ts'

// As much of a QUIC packet as its receiver needs to know whose it is (RFC 8999), before any of it is decrypted or anything is kept for it.

/** Bytes of the connection ids that this end gives. */
export const CID_BYTES = 20
/** A client pads its first packet to this (RFC 9000 section 14.1), so that nobody can have much sent to others with little. */
export const INITIAL_BYTES = 1_200
const MAX_CID = 20
const MAX_TOKEN = 512

export interface ShortPacket {
  readonly kind: 'short'
  readonly key: string
}

export interface LongPacket {
  readonly kind: 'long'
  readonly key: string
  readonly version: number
  readonly dcid: Bytes
  readonly scid: Bytes
  /** Whether it is an Initial of QUIC version 1; the token that it carries, empty for none. */
  readonly token: Bytes | null
}

/** A connection id as a key of a Map. */
export const keyOf = (id: Uint8Array): string => Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')

/** What a datagram begins with, or null when it is no QUIC packet that could be for this end. */
export const readPacket = (datagram: Buffer): ShortPacket | LongPacket | null => {
  const first = datagram[0]
  if (first === undefined) return null
  if (first & 0x80) return readLong(datagram, first)
  // 0x40 is the fixed bit; an id, a packet number of at least a byte and a tag of 16 bytes are the least there is.
  if (!(first & 0x40) || datagram.length < 1 + CID_BYTES + 17) return null
  return { kind: 'short', key: datagram.toString('latin1', 1, 1 + CID_BYTES) }
}

const readLong = (datagram: Buffer, first: number): LongPacket | null => {
  const dcid = idAt(datagram, 5)
  const scid = dcid && idAt(datagram, 6 + dcid.length)
  if (!dcid || !scid) return null
  const version = datagram.readUInt32BE(1)
  const isInitial = version === 1 && (first & 0x70) === 0x40
  const token = isInitial ? tokenAt(datagram, 7 + dcid.length + scid.length) : null
  return isInitial && token === null ? null : { kind: 'long', key: keyOf(dcid), version, dcid, scid, token }
}

/** The id whose length stands at `at`. */
const idAt = (datagram: Buffer, at: number): Bytes | null => {
  const length = datagram[at]
  if (length === undefined || length > MAX_CID || datagram.length < at + 1 + length) return null
  return new Uint8Array(datagram.subarray(at + 1, at + 1 + length))
}

const tokenAt = (datagram: Buffer, at: number): Bytes | null => {
  const length = readVarint(datagram, at)
  if (length === null || length.value > BigInt(MAX_TOKEN)) return null
  const start = at + length.size
  const end = start + Number(length.value)
  return datagram.length < end ? null : new Uint8Array(datagram.subarray(start, end))
}
