import { type Bytes, concat, utf8 } from '../../client/primitives/bytes.ts'
import { CAPSULE, FRAME, writeFrame } from '../../node/transports/webtransport/frames.ts'
import { writeFields } from '../../node/transports/webtransport/qpack.ts'
import { writeSettings } from '../../node/transports/webtransport/settings.ts'
import type { Field } from '../../node/transports/webtransport/static-table.ts'
import { writeVarint } from '../../node/transports/webtransport/varint.ts'
import { CONNECT } from '../transports/webtransport/_wire.ts'

// What a browser sends, in the parts that the fuzz changes and mixes.

const GET: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'x'],
  [':path', '/'],
  ['user-agent', 'x'],
  ['accept', '*/*'],
]

/** A value in Huffman code: www.example.com (RFC 7541 appendix C.4.1), as :authority and as a literal's. */
const HUFFMAN = Uint8Array.of(0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff)

export const SECTIONS: readonly Bytes[] = [
  writeFields(CONNECT),
  writeFields(GET),
  writeFields(CONNECT.filter(([name]) => name !== ':path')),
  concat(writeFields(CONNECT.slice(0, 3)), Uint8Array.of(0x50), HUFFMAN),
  concat(writeFields(CONNECT), Uint8Array.of(0x22, 0x78, 0x79), HUFFMAN),
  concat(Uint8Array.of(0, 0), new Uint8Array(64).fill(0xd1)),
  concat(Uint8Array.of(0, 0), writeFields([['a', 'b'.repeat(300)]]).subarray(2)),
]

export const SETTINGS = writeSettings()
const settings = writeFrame(FRAME.settings, SETTINGS)
const grease = writeFrame(0x21n, new Uint8Array(5))
const close = writeFrame(CAPSULE.close, concat(Uint8Array.of(0, 0, 0, 1), utf8('bye')))
const data = (bytes: Uint8Array): Bytes => writeFrame(FRAME.data, bytes)
const request = (fields: readonly Field[]): Bytes => writeFrame(FRAME.headers, writeFields(fields))

/** Streams in one direction, and in both. */
export const UNI: readonly Bytes[] = [
  concat(writeVarint(0), settings),
  concat(writeVarint(0), settings, grease, writeFrame(FRAME.maxPushId, writeVarint(7)), writeFrame(FRAME.goaway, writeVarint(0))),
  concat(writeVarint(2), Uint8Array.of(0x20, 0x20)),
  concat(writeVarint(3), Uint8Array.of(0x41, 0x7f, 0x80, 0x01, 0x42)),
  concat(writeVarint(0x54), writeVarint(0), new Uint8Array(9)),
  concat(writeVarint(0x21), new Uint8Array(30)),
]

export const BIDI: readonly Bytes[] = [
  request(CONNECT),
  concat(grease, request(CONNECT), data(close)),
  concat(request(CONNECT), data(writeFrame(CAPSULE.drain, new Uint8Array(0))), data(writeFrame(0x1234n, new Uint8Array(40))), grease),
  concat(request(CONNECT), data(close.subarray(0, 4)), data(close.subarray(4))),
  request(GET),
  concat(writeVarint(0x41), writeVarint(0), utf8('/multistream/1.0.0')),
  concat(writeVarint(0x41), writeVarint(4)),
  concat(writeVarint(0x41), writeVarint(8), new Uint8Array(100)),
]

/** First packets of clients of QUIC, without and with a token, of another version, and one of a connection that is open. */
export const PACKETS: readonly Bytes[] = [
  concat(
    Uint8Array.of(0xc3, 0, 0, 0, 1, 8),
    new Uint8Array(8).fill(1),
    Uint8Array.of(20),
    new Uint8Array(20).fill(2),
    Uint8Array.of(0),
    new Uint8Array(80),
  ),
  concat(Uint8Array.of(0xc3, 0, 0, 0, 1, 20), new Uint8Array(20).fill(1), Uint8Array.of(0, 0x40, 60), new Uint8Array(140)),
  concat(Uint8Array.of(0xe3, 0x6b, 0x33, 0x43, 0xcf, 8), new Uint8Array(8), Uint8Array.of(8), new Uint8Array(100)),
  concat(Uint8Array.of(0x43), new Uint8Array(60).fill(7)),
]
