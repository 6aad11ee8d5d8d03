import { describe, expect, test } from 'vitest'
import { type Bytes, concat, fromHex, utf8 } from '../../../client/primitives/bytes.ts'
import { H3 } from '../../../node/transports/webtransport/codes.ts'
import { CAPSULE, FRAME, writeFrame } from '../../../node/transports/webtransport/frames.ts'
import { readFields, writeFields } from '../../../node/transports/webtransport/qpack.ts'
import { writeSettings } from '../../../node/transports/webtransport/settings.ts'
import type { Field } from '../../../node/transports/webtransport/static-table.ts'
import { readVarint, writeVarint } from '../../../node/transports/webtransport/varint.ts'
import { CONNECT, PATH, type Served, serve } from './_wire.ts'

const headers = (fields: readonly Field[]): Bytes => writeFrame(FRAME.headers, writeFields(fields))
const control = (...frames: readonly Bytes[]): Bytes => concat(writeVarint(0), ...frames)
const settings = writeFrame(FRAME.settings, writeSettings())
const member = (session: number, ...rest: readonly Bytes[]): Bytes => concat(writeVarint(0x41), writeVarint(session), ...rest)
const closeCapsule = writeFrame(CAPSULE.close, concat(Uint8Array.of(0, 0, 0, 7), utf8('bye')))

const open = (): Served => {
  const served = serve()
  served.connection.arrive(2, control(settings))
  served.connection.arrive(0, headers(CONNECT))
  return served
}

/** Fields of the answer on a stream. */
const answerOn = ({ connection }: Served, id: number): readonly Field[] => {
  const sent = connection.streams.get(id)?.sent ?? new Uint8Array(0)
  const type = readVarint(sent)
  const length = readVarint(sent, 1)
  expect(type?.value).toBe(FRAME.headers)
  return readFields(sent.subarray(1 + (length?.size ?? 0), 1 + (length?.size ?? 0) + Number(length?.value)))
}

describe('a session is opened', () => {
  test('by an extended CONNECT at libp2p’s path; the answer names the draft, the control stream its settings', () => {
    const served = open()
    expect(served.sessions).toHaveLength(1)
    expect(answerOn(served, 0)).toEqual([
      [':status', '200'],
      ['sec-webtransport-http3-draft', 'draft02'],
    ])
    expect(served.connection.streams.get(3)?.sent).toEqual(control(settings))
    expect(served.connection.code).toBeNull()
  })

  test('byte by byte too', () => {
    const { connection, sessions } = serve()
    for (const byte of control(settings)) connection.arrive(2, Uint8Array.of(byte))
    for (const byte of headers(CONNECT)) connection.arrive(0, Uint8Array.of(byte))
    expect(sessions).toHaveLength(1)
  })

  test('with frames and streams of grease in between', () => {
    const { connection, sessions } = serve()
    connection.arrive(2, control(settings, writeFrame(0xfan, new Uint8Array(9))))
    connection.arrive(6, concat(writeVarint(0x21 + 0x1f * 5), new Uint8Array(50)))
    connection.arrive(0, writeFrame(0x21n, new Uint8Array(30)), headers(CONNECT), writeFrame(0x40n, new Uint8Array(3)))
    expect(sessions).toHaveLength(1)
    expect(connection.streams.get(6)?.stopped).toBe(H3.streamCreation)
  })

  test.each<readonly [string, readonly Field[]]>([
    ['another path', CONNECT.map(([name, value]): Field => [name, name === ':path' ? '/' : value])],
    ['another protocol', CONNECT.map(([name, value]): Field => [name, name === ':protocol' ? 'websocket' : value])],
    ['a plain CONNECT', CONNECT.filter(([name]) => name === ':method' || name === ':authority')],
    [
      'a GET',
      [
        [':method', 'GET'],
        [':scheme', 'https'],
        [':authority', 'x'],
        [':path', '/'],
      ],
    ],
  ])('not by %s: 404, and the connection goes on', (_, fields) => {
    const served = serve()
    served.connection.arrive(0, headers(fields))
    expect(answerOn(served, 0)[0]).toEqual([':status', '404'])
    expect(served.connection.streams.get(0)).toMatchObject({ wrote: -1, stopped: H3.noError })
    served.connection.arrive(4, headers(CONNECT))
    expect(served.sessions).toHaveLength(1)
  })

  test('once a connection; requests that are refused end it when there are five', () => {
    const served = open()
    for (const id of [4, 8, 12, 16]) served.connection.arrive(id, headers(CONNECT))
    expect(served.sessions).toHaveLength(1)
    expect(() => served.connection.arrive(20, headers(CONNECT))).toThrow(expect.objectContaining({ code: H3.excessiveLoad }))
  })
})

describe('malformed requests (RFC 9114 section 4.1.2) are refused with H3_MESSAGE_ERROR', () => {
  const without = (name: string): readonly Field[] => CONNECT.filter(([each]) => each !== name)
  test.each<readonly [string, readonly Field[]]>([
    ['no method', without(':method')],
    ['a pseudo-field twice', [...CONNECT.slice(0, 2), [':method', 'CONNECT']]],
    ['a pseudo-field behind others', [...CONNECT, [':path2', '/']]],
    ['a known one behind others', [...without(':path'), [':path', PATH]]],
    ['an unknown pseudo-field', [[':status', '200'], ...CONNECT]],
    ['a capital in a name', [...CONNECT, ['Origin', 'x']]],
    ['an empty name', [...CONNECT, ['', 'x']]],
    ['a line break in a value', [...CONNECT, ['x', 'a\r\nb']]],
    ['a field of a connection', [...CONNECT, ['transfer-encoding', 'chunked']]],
    [
      'a GET without a path',
      [
        [':method', 'GET'],
        [':scheme', 'https'],
        [':authority', 'x'],
      ],
    ],
    ['an empty path', CONNECT.map(([name, value]): Field => [name, name === ':path' ? '' : value])],
  ])('%s', (_, fields) => {
    expect(() => serve().connection.arrive(0, headers(fields))).toThrow(expect.objectContaining({ code: H3.message }))
  })
})

describe('a connection error', () => {
  const table: readonly (readonly [string, number, readonly (readonly [number, readonly (Bytes | 'end' | 'reset')[]])[]])[] = [
    ['DATA before HEADERS', H3.frameUnexpected, [[0, [writeFrame(FRAME.data, new Uint8Array(1))]]]],
    ['SETTINGS on a request', H3.frameUnexpected, [[0, [settings]]]],
    ['a frame of HTTP/2 on a request', H3.frameUnexpected, [[0, [fromHex('0600')]]]],
    ['a second HEADERS on a CONNECT', H3.frameUnexpected, [[0, [headers(CONNECT), headers(CONNECT)]]]],
    ['HEADERS beyond the bound', H3.excessiveLoad, [[0, [concat(writeVarint(1), writeVarint(16_385))]]]],
    ['HEADERS that are no QPACK', H3.decompression, [[0, [writeFrame(FRAME.headers, fromHex('0200'))]]]],
    ['a stream of a session inside a request', H3.frame, [[0, [headers(CONNECT), member(0)]]]],
    [
      'a session id that is none',
      H3.id,
      [
        [0, [headers(CONNECT)]],
        [4, [member(1)]],
      ],
    ],
    ['a control stream without SETTINGS', H3.missingSettings, [[2, [control(writeFrame(FRAME.maxPushId, writeVarint(1)))]]]],
    ['SETTINGS twice', H3.frameUnexpected, [[2, [control(settings, settings)]]]],
    ['DATA on the control stream', H3.frameUnexpected, [[2, [control(settings, writeFrame(FRAME.data, new Uint8Array(0)))]]]],
    ['an id with something behind it', H3.frame, [[2, [control(settings, writeFrame(FRAME.goaway, fromHex('0000')))]]]],
    ['SETTINGS beyond the bound', H3.excessiveLoad, [[2, [concat(writeVarint(0), writeVarint(4), writeVarint(4_097))]]]],
    [
      'two control streams',
      H3.streamCreation,
      [
        [2, [control(settings)]],
        [6, [control(settings)]],
      ],
    ],
    ['a control stream that ends', H3.closedCritical, [[2, [control(settings), 'end']]]],
    ['a control stream that is reset', H3.closedCritical, [[2, [control(settings), 'reset']]]],
    ['a push stream from a client', H3.streamCreation, [[2, [fromHex('0100')]]]],
    ['an insertion into a table that does not exist', H3.encoderStream, [[2, [fromHex('02c00161')]]]],
    ['an acknowledgement of nothing', H3.decoderStream, [[2, [fromHex('0380')]]]],
    ['an increment of nothing', H3.decoderStream, [[2, [fromHex('0301')]]]],
    ['a cancelled stream without an end', H3.decoderStream, [[2, [fromHex('037fffffffffffffffffffff')]]]],
    ['a CONNECT that ends inside a frame', H3.frame, [[0, [headers(CONNECT), fromHex('0005'), 'end']]]],
    ['a capsule that ends with the stream', H3.message, [[0, [headers(CONNECT), writeFrame(FRAME.data, fromHex('6843ff')), 'end']]]],
    ['a close without a code', H3.message, [[0, [headers(CONNECT), writeFrame(FRAME.data, writeFrame(CAPSULE.close, new Uint8Array(3)))]]]],
    [
      'a reason beyond 1,024 bytes',
      H3.excessiveLoad,
      [[0, [headers(CONNECT), writeFrame(FRAME.data, concat(writeVarint(CAPSULE.close), writeVarint(1_029)))]]],
    ],
  ]
  test.each(table)('%s', (_, code, moves) => {
    const { connection } = serve()
    const act = (): void => {
      for (const [id, reads] of moves) connection.arrive(id, ...reads)
    }
    expect(act).toThrow(expect.objectContaining({ name: 'WebTransport.Http3Error', code }))
  })
})

describe('streams of a session', () => {
  test('go to whoever listens, the first apart from the others, what came with their head included', () => {
    const served = open()
    const [session] = served.sessions
    const heads: string[] = []
    served.connection.arrive(4, member(0, utf8('one')))
    served.connection.arrive(8, member(0, utf8('two')))
    session?.onFirst((_, head) => void heads.push(`first ${Buffer.from(head)}`))
    served.connection.arrive(12, member(0))
    session?.onStream((stream, head) => void heads.push(`${stream.id} ${Buffer.from(head)}`))
    served.connection.arrive(16, member(0, utf8('four')))
    expect(heads).toEqual(['first one', '8 two', '12 ', '16 four'])
  })

  test('are refused before there is a session, and when they name another; their connection goes on', () => {
    const served = serve()
    served.connection.arrive(0, member(4))
    expect(served.connection.streams.get(0)).toMatchObject({ wrote: H3.bufferedStreamRejected, stopped: H3.bufferedStreamRejected })
    served.connection.arrive(4, headers(CONNECT))
    served.connection.arrive(8, member(8))
    expect(served.connection.streams.get(8)).toMatchObject({ stopped: H3.bufferedStreamRejected })
    expect(served.connection.code).toBeNull()
  })

  test('that this end opens begin with the session’s id', async () => {
    const [session] = open().sessions
    const stream = await session?.open()
    expect((stream as unknown as { readonly sent: Bytes }).sent).toEqual(member(0))
  })

  test('in one direction are stopped: libp2p has no use for them', () => {
    const served = open()
    served.connection.arrive(14, concat(writeVarint(0x54), writeVarint(0), new Uint8Array(9)))
    expect(served.connection.streams.get(14)?.stopped).toBe(H3.streamCreation)
  })
})

describe('a session ends', () => {
  test('by the peer’s capsule, its end or its reset', () => {
    const ends: readonly (readonly (Bytes | 'end' | 'reset')[])[] = [[writeFrame(FRAME.data, closeCapsule)], ['end'], ['reset']]
    for (const reads of ends) {
      const served = open()
      const told: string[] = []
      served.sessions[0]?.onClosed(() => void told.push('closed'))
      served.connection.arrive(0, ...reads)
      expect(told).toEqual(['closed'])
      expect(served.connection.code).toBe(H3.noError)
    }
  })

  test('by this end: the capsule and the end of the stream, and the connection a second later', async () => {
    const served = open()
    const [session] = served.sessions
    session?.close(7, 'bye')
    const connect = served.connection.streams.get(0)
    expect(Buffer.from(connect?.sent ?? []).toString('hex')).toContain(Buffer.from(writeFrame(FRAME.data, closeCapsule)).toString('hex'))
    expect(connect?.wrote).toBe(-1)
    expect(served.connection.code).toBeNull()
    await expect(session?.open()).rejects.toMatchObject({ name: 'WebTransport.SessionClosedError' })
    served.connection.arrive(4, member(0))
    expect(served.connection.streams.get(4)?.stopped).toBe(H3.sessionGone)
    served.pass()
    expect(served.connection.code).toBe(H3.noError)
  })

  test('by this end, and at once when the peer has ended its side', () => {
    const served = open()
    served.sessions[0]?.close()
    served.connection.arrive(0, 'end')
    expect(served.connection.code).toBe(H3.noError)
  })

  test('capsules that nobody knows are passed over', () => {
    const served = open()
    served.connection.arrive(
      0,
      writeFrame(FRAME.data, writeFrame(0x1234n, new Uint8Array(5_000))),
      writeFrame(FRAME.data, writeFrame(CAPSULE.drain, new Uint8Array(0))),
    )
    expect(served.sessions[0]?.isOpen).toBe(true)
  })
})
