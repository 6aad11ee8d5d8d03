import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encode, fixed, struct, u32, u64, vector } from '../../client/primitives/codec.ts'
import {
  aclFingerprint,
  type ContentFingerprint,
  contentFingerprint,
  FoldError,
  fingerprints,
  params,
  parseFolded,
  type Shape,
  schema,
} from '../../client/primitives/fingerprint.ts'
import { NameError } from '../../client/primitives/id.ts'
import { bytes, exactly, extra, hexOf, members } from '../vectors/identity.ts'

const contentCodec = struct('Content', { cadence: u32, window: u64 })
const aclCodec = struct('Acl', { mrtds: vector(fixed(48), 4) })
const shape: Shape = {
  content: schema('feed content@1', contentCodec),
  acl: schema('feed acl@1', aclCodec),
}
const content = { cadence: 400, window: 7n }
const acl = { mrtds: [new Uint8Array(48).fill(1)] }

describe('fingerprints of content and ACL', () => {
  it('CFG-16 every vector', () => {
    for (const vector of members(extra, 'fingerprints')) {
      exactly(vector, ['schema', 'canonical', 'content', 'acl'])
      const published = { schema: String(vector.schema), canonical: bytes(vector.canonical) }
      expect(hexOf(contentFingerprint(published))).toBe(vector.content)
      expect(hexOf(aclFingerprint(published))).toBe(vector.acl)
    }
  })

  it('CFG-16 values, published parameters and fingerprint of one config are one fingerprint', () => {
    const published = { content: params(shape.content, content), acl: params(shape.acl, acl) }
    const given = fingerprints({ content, acl }, shape)
    expect(hexOf(params(shape.content, content).canonical)).toBe(hexOf(encode(contentCodec, content)))
    for (const form of [published, given, { content, acl: published.acl }]) expect(fingerprints(form, shape)).toEqual(given)
    expect(fingerprints(published)).toEqual(given)
    expect(fingerprints(given)).toEqual(given)
  })

  it('CFG-10 CFG-11 IDN-17 each field, and one byte of a measurement, moves its own side and no other', () => {
    const base = fingerprints({ content, acl }, shape)
    const moved = fingerprints({ content: { ...content, window: 8n }, acl }, shape)
    expect(moved.content).not.toEqual(base.content)
    expect(moved.acl).toEqual(base.acl)
    const measurement = new Uint8Array(48).fill(1)
    measurement[47] = 2
    const gated = fingerprints({ content, acl: { mrtds: [measurement] } }, shape)
    expect(gated.acl).not.toEqual(base.acl)
    expect(gated.content).toEqual(base.content)
  })

  it('content and ACL, and two schemas, never share a fingerprint', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (raw) => {
        const canonical = new Uint8Array(raw)
        expect(hexOf(contentFingerprint({ schema: 'a', canonical }))).not.toBe(hexOf(aclFingerprint({ schema: 'a', canonical })))
        expect(hexOf(contentFingerprint({ schema: 'a', canonical }))).not.toBe(hexOf(contentFingerprint({ schema: 'b', canonical })))
      }),
    )
  })

  it('a schema id with a | is refused: it could run on into the parameters', () => {
    expect(() => contentFingerprint({ schema: 'a|b', canonical: new Uint8Array() })).toThrow(NameError)
    expect(() => schema('a|b', u32)).toThrow(NameError)
  })

  it('values without their schema, parameters of another schema and nothing at all are refused', () => {
    const folded = fingerprints({ content, acl }, shape)
    expect(() => fingerprints({ content, acl })).toThrow(FoldError)
    expect(() => fingerprints({ ...folded, content: { schema: 'feed content@2', canonical: new Uint8Array() } }, shape)).toThrow(
      /feed content@2.*feed content@1/,
    )
    expect(() => fingerprints({ ...folded, acl: undefined as unknown as object })).toThrow(/acl is missing/)
    expect(() => fingerprints({ ...folded, content: new Uint8Array(31) as ContentFingerprint })).toThrow(/32 bytes/)
    expect(() => fingerprints({ content: { cadence: -1, window: 0n }, acl }, shape)).toThrow(
      expect.objectContaining({ name: 'Codec.EncodeError' }),
    )
  })

  it('CFG-17 CFG-18 reads a fingerprint, published parameters, and values where the schema can', () => {
    const reading: Shape = {
      ...shape,
      content: schema('feed content@1', contentCodec, (json) => ({ cadence: 400, window: BigInt(JSON.stringify(json.value).length) })),
    }
    const json = (value: unknown) => ({ value, path: '$' })
    const hex = 'AB'.repeat(32)
    expect(hexOf(parseFolded(json({ content: hex, acl: `0x${hex}` })).content as Uint8Array)).toBe('ab'.repeat(32))
    const read = parseFolded(json({ content: { schema: 's@1', canonical: '00ff', note: 'kept out' }, acl: hex }))
    expect(fingerprints(read).content).toEqual(contentFingerprint({ schema: 's@1', canonical: bytes('00ff') }))
    expect(parseFolded(json({ content: {}, acl: hex }), reading).content).toEqual({ cadence: 400, window: 2n })
    const refused: readonly (readonly [unknown, string])[] = [
      [{ acl: hex }, '$.content'],
      [{ content: hex }, '$.acl'],
      [{ content: hex.slice(2), acl: hex }, '$.content'],
      [{ content: `${hex.slice(1)}g`, acl: hex }, '$.content'],
      [{ content: {}, acl: hex }, '$.content'],
      [{ content: 5, acl: hex }, '$.content'],
      [{ content: { canonical: '00' }, acl: hex }, '$.content.schema'],
      [{ content: { schema: 'a|b', canonical: '00' }, acl: hex }, '$.content.schema'],
      [{ content: { schema: 'a', canonical: '0' }, acl: hex }, '$.content.canonical'],
    ]
    for (const [value, path] of refused)
      expect(() => parseFolded(json(value)), JSON.stringify(value)).toThrow(expect.objectContaining({ name: 'Config.ParseError', path }))
  })
})
