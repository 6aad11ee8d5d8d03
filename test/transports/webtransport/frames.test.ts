import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bytes, concat, fromHex } from '../../../client/primitives/bytes.ts'
import { H3 } from '../../../node/transports/webtransport/codes.ts'
import { FrameReader, type Piece, type Rule, writeFrame } from '../../../node/transports/webtransport/frames.ts'
import { readSettings, SETTING, writeSettings } from '../../../node/transports/webtransport/settings.ts'
import { MAX_VARINT, writeVarint } from '../../../node/transports/webtransport/varint.ts'

const pieces = (reader: FrameReader, ...chunks: readonly Uint8Array[]): readonly Piece[] =>
  chunks.flatMap((chunk) => [...reader.push(chunk)])
const reader = (rule: Rule | ((type: bigint) => Rule)): FrameReader =>
  new FrameReader({ place: 'test', rule: (type) => (typeof rule === 'function' ? rule(type) : rule) })

describe('frames', () => {
  const frame = fc.record({ type: fc.bigInt({ min: 0n, max: MAX_VARINT }), payload: fc.uint8Array({ maxLength: 200 }) })

  test('come back whole wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (frames, cuts) => {
        const bytes = concat(...frames.map(({ type, payload }) => writeFrame(type, payload)))
        const read = reader(200)
        const found: Piece[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length] as number
          found.push(...read.push(bytes.subarray(at, at + size)))
          at += size
        }
        expect(found).toEqual(frames.map(({ type, payload }) => ({ kind: 'whole', type, payload })))
        expect(read.offset).toBe(bytes.length)
        expect(read.isInside).toBe(false)
      }),
    )
  })

  test('that are passed on come in parts, with nothing kept; those that are dropped do not come', () => {
    const read = reader((type) => (type === 0n ? 'pass' : 'drop'))
    const data = writeFrame(0n, new Uint8Array(1_000).fill(7))
    const other = writeFrame(0x21n, new Uint8Array(5_000))
    const found = pieces(read, concat(other, data.subarray(0, 400)), concat(data.subarray(400), other.subarray(0, 10)))
    expect(found.map((piece) => piece.kind)).toEqual(['part', 'part'])
    expect(concat(...found.map((piece) => (piece.kind === 'part' ? piece.bytes : new Uint8Array(0))))).toEqual(
      new Uint8Array(1_000).fill(7),
    )
    expect(read.isInside).toBe(true)
  })

  test('a payload beyond its bound is refused by its length, before a byte of it', () => {
    const header = (length: bigint): Bytes => concat(writeVarint(1n), writeVarint(length))
    expect(pieces(reader(16), header(16n))).toEqual([])
    for (const length of [17n, 1n << 40n, MAX_VARINT])
      expect(() => pieces(reader(16), header(length))).toThrow(
        expect.objectContaining({ code: H3.excessiveLoad, place: 'test', offset: 0 }),
      )
  })

  test('a length alone keeps nothing: a thousand frames that promise 16 KiB cost next to nothing', () => {
    const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
    const open = Array.from({ length: 1_000 }, () => {
      const read = reader(16_384)
      pieces(read, concat(writeVarint(1n), writeVarint(16_384n), Uint8Array.of(1)))
      return read
    })
    const after = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
    expect(after - before).toBeLessThan(4_000_000)
    expect(open.every(({ isInside }) => isInside)).toBe(true)
  })

  test('a rule is told where its frame begins, wherever that was cut', () => {
    const offsets: number[] = []
    const rule = (_: bigint, offset: number): Rule => {
      offsets.push(offset)
      return 100
    }
    const bytes = concat(writeFrame(1n, new Uint8Array(30)), writeFrame(0x4000n, new Uint8Array(70)), writeFrame(4n, new Uint8Array(0)))
    const read = new FrameReader({ place: 'test', rule })
    for (const byte of bytes) pieces(read, Uint8Array.of(byte))
    expect(offsets).toEqual([0, 32, 108])
  })
})

describe('SETTINGS (RFC 9114 section 7.2.4)', () => {
  test('ours say what browsers look for', () => {
    expect([...readSettings(writeSettings())]).toEqual([
      [SETTING.qpackCapacity, 0n],
      [SETTING.maxFieldSection, 16_384n],
      [SETTING.qpackBlocked, 0n],
      [0x08n, 1n],
      [0x33n, 1n],
      [0x2b603742n, 1n],
      [0xc671706an, 1n],
    ])
  })

  test('any others come back', () => {
    const id = fc.bigInt({ min: 0x100n, max: MAX_VARINT })
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(id, fc.bigInt({ min: 0n, max: 1n })), { maxLength: 60, selector: ([key]) => key }),
        (settings) => {
          expect([...readSettings(concat(...settings.flat().map(writeVarint)))]).toEqual(settings)
        },
      ),
    )
  })

  test.each([
    ['one stands twice', '01000100', H3.settings, 2],
    ['one is of HTTP/2', '01000200', H3.settings, 2],
    ['a flag is neither 0 nor 1', '0802', H3.settings, 0],
    ['one is half there', '010007', H3.frame, 2],
    ['a value is half there', '0740', H3.frame, 0],
  ])('refused: %s', (_, hex, code, offset) => {
    expect(() => readSettings(fromHex(hex))).toThrow(expect.objectContaining({ code, offset }))
  })

  test('refused: more than 64', () => {
    const many = (count: number): Bytes =>
      concat(...Array.from({ length: count }, (_, i) => concat(writeVarint(0x100 + i), writeVarint(0))))
    expect(readSettings(many(64)).size).toBe(64)
    expect(() => readSettings(many(65))).toThrow(expect.objectContaining({ code: H3.excessiveLoad }))
  })
})
