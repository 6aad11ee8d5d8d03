import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  ENTRY_LIMITS,
  entryMessage,
  isSigned,
  peerEntryCodec,
  type SignedEntry,
  signedEntryCodec,
} from '../../../client/network/discovery/entry.ts'
import { catalogRequestCodec, catalogResponseCodec } from '../../../client/network/discovery/messages.ts'
import { type Bytes, toHex, utf8 } from '../../../client/primitives/bytes.ts'
import { type Codec, decode, encode } from '../../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../../client/primitives/ed25519.ts'
import { asId } from '../../../client/primitives/id.ts'
import { entryOf, goodbye, groupIn, signedBy, sorted, told } from './peers.ts'

// docs/wire.md section 10; PROTOCOL.md section 4, "Peer entry".

const u64 = fc.bigInt({ min: 0n, max: (1n << 63n) - 1n })
const bytes = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => new Uint8Array(array))
const ids = (maxLength: number) => fc.uniqueArray(bytes(32), { maxLength, selector: toHex }).map(sorted)
const tag = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,11}$/).filter((word) => word !== 'gone')

const entry = fc
  .record({
    peer: bytes(32),
    network: bytes(32).map((raw) => asId<'UniqueId'>(raw)),
    stamps: fc.tuple(u64, u64),
    addresses: fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 4 }),
    tags: fc.uniqueArray(tag, { maxLength: 4 }).map((words) => words.toSorted()),
    streams: ids(3),
    groups: ids(3),
    tickets: fc.array(fc.record({ class: bytes(32), data: bytes(9) }), { maxLength: 2 }),
  })
  .map(({ stamps: [a, b], ...rest }) => ({ ...rest, version: { start_ms: a, update_ms: a + b } }))
const signed: fc.Arbitrary<SignedEntry> = fc.record({ entry, signature: bytes(64) })

const have = fc
  .uniqueArray(bytes(32), { maxLength: 4, selector: toHex })
  .map((peers) => sorted(peers).map((peer) => ({ peer, start_ms: 1n, update_ms: 2n })))
const sync = fc.record({
  network: bytes(32).map((raw) => asId<'UniqueId'>(raw)),
  groups: fc.array(bytes(32), { maxLength: 3 }),
  from: bytes(32),
  have,
})
const hint = fc.record({
  group: bytes(32).map((raw) => asId<'GroupId'>(raw)),
  index: u64,
  commit: bytes(32),
  certificate: fc.constant(null),
})
const entries = fc.record({
  entries: fc.array(signed, { maxLength: 3 }),
  next: fc.option(bytes(32)),
  heads: fc.array(hint, { maxLength: 2 }),
})

const roundTrips = <T>(codec: Codec<T>, values: fc.Arbitrary<T>): void =>
  fc.assert(
    fc.property(values, (value) => {
      const whole = encode(codec, value)
      expect(decode(codec, whole)).toEqual(value)
      expect(() => decode(codec, whole.subarray(0, -1))).toThrow(/Codec|wanted|left|at byte/)
    }),
    { numRuns: 100 },
  )

test('every entry, request and answer is read back as it was written, and not from fewer bytes', () => {
  roundTrips(signedEntryCodec, signed)
  roundTrips(
    catalogRequestCodec,
    sync.map((value) => ({ kind: 'sync' as const, value })),
  )
  roundTrips(
    catalogResponseCodec,
    entries.map((value) => ({ kind: 'entries' as const, value })),
  )
})

test('any bytes are read or refused with a path and an offset, and what is read has no other form', () => {
  const refused = { name: 'Codec.DecodeError' }
  fc.assert(
    fc.property(signed, fc.nat(), fc.nat(255), (value, at, byte) => {
      const raw = encode(signedEntryCodec, value)
      raw[at % raw.length] = byte
      try {
        expect(encode(signedEntryCodec, decode(signedEntryCodec, raw))).toEqual(raw)
      } catch (error) {
        expect(error).toMatchObject(refused)
        expect((error as { facts: object }).facts).toMatchObject({
          path: expect.stringMatching(/^SignedEntry/),
          offset: expect.any(Number),
        })
      }
    }),
    { numRuns: 500 },
  )
})

test('an entry is signed by its peer under its own tag, and by nobody else', async () => {
  const mine = await told('a', { updateMs: 5 })
  expect(await isSigned(mine, verifyWithNoble)).toBe(true)
  expect(await isSigned(await signedBy(mine.entry, 'b'), verifyWithNoble)).toBe(false)
  expect(await isSigned({ ...mine, entry: { ...mine.entry, tags: ['mirror'] } }, verifyWithNoble)).toBe(false)
  const message = entryMessage(mine.entry)
  expect(message.subarray(0, 18)).toEqual(utf8('coalition peer v1|'))
  expect(message.subarray(18)).toEqual(encode(peerEntryCodec, mine.entry))
})

const refusal = (words: Partial<Parameters<typeof entryOf>[1]>) => () => encode(peerEntryCodec, entryOf('a', { updateMs: 5, ...words }))

test('an entry says no more than it may, and each thing in one way', () => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => `/ip4/9.9.9.9/tcp/${i + 1}/ws`)
  expect(refusal({ addresses: many(ENTRY_LIMITS.addresses) })).not.toThrow()
  expect(refusal({ addresses: many(ENTRY_LIMITS.addresses + 1) })).toThrow('addresses: 17 items, at most 16')
  expect(refusal({ addresses: ['x'.repeat(513)] })).toThrow('513 bytes of text, at most 512')
  expect(refusal({ groups: [groupIn(2), groupIn(1)] })).toThrow('do not ascend')
  expect(refusal({ groups: [groupIn(1), groupIn(1)] })).toThrow('do not ascend')
  expect(refusal({ tags: ['b', 'a'] })).toThrow('do not ascend')
  expect(refusal({ tags: ['Upper'] })).toThrow('is no tag')
  expect(refusal({ startMs: 6, updateMs: 5 })).toThrow('updated before it started')
  expect(refusal({ addresses: [] })).toThrow('no address, and not gone')
})

test('an entry of more than 8,192 bytes is refused, though each of its lists is short enough', async () => {
  const long = Array.from({ length: 15 }, (_, i) => `/${'x'.repeat(500)}${String.fromCharCode(97 + i)}`)
  await expect(told('a', { updateMs: 5, addresses: long, groups: [] })).resolves.toBeDefined()
  const ticket = { class: groupIn(1), data: new Uint8Array(1_024) }
  await expect(told('a', { updateMs: 5, addresses: long, tickets: [ticket] })).rejects.toThrow(/bytes, at most 8192/)
})

test('a departure names its groups and nothing else', async () => {
  await expect(goodbye('a', { updateMs: 5 })).resolves.toBeDefined()
  await expect(goodbye('a', { updateMs: 5, addresses: ['/x'] })).rejects.toThrow('gone, and yet')
  await expect(goodbye('a', { updateMs: 5, tags: ['gone', 'mirror'] })).rejects.toThrow('gone, and yet')
})
