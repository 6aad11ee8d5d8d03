import { describe, expect, expectTypeOf, it } from 'vitest'
import type { CoalitionRoot, TicketsId } from '../../../client/coalition/root.ts'
import { parseIssuer, type TicketIssuerConfig } from '../../../client/coalition/tickets/config.ts'
import { type IssuerFingerprint, issuerCodec, issuerFingerprint } from '../../../client/coalition/tickets/issuer.ts'
import { decode, encode, fixed, vector as list, struct } from '../../../client/primitives/codec.ts'
import { fingerprints, schema } from '../../../client/primitives/fingerprint.ts'
import { bytes, exactly, extra, filled, hexOf, idOf, members } from '../../vectors/identity.ts'

const key = (byte: number) => new Uint8Array(32).fill(byte)
const issuer: TicketIssuerConfig = { name: 'superchain-tickets', keys: [key(1), key(2)], acl: filled(0xac) }

describe('ticket issuer', () => {
  it('CFG-15 TIX-01 every vector: canonical bytes and fingerprint', () => {
    for (const vector of members(extra, 'issuers')) {
      exactly(vector, ['name', 'keys', 'acl', 'canonical', 'issuerFingerprint'])
      const config = {
        name: String(vector.name),
        keys: (vector.keys as string[]).map(bytes),
        acl: idOf<'AclFingerprint'>(vector.acl),
      }
      expect(hexOf(encode(issuerCodec, config))).toBe(vector.canonical)
      expect(decode(issuerCodec, bytes(vector.canonical))).toEqual(config)
      expect(hexOf(issuerFingerprint(config))).toBe(vector.issuerFingerprint)
      expect(hexOf(issuerFingerprint(parseIssuer({ value: vector, path: '$' })))).toBe(vector.issuerFingerprint)
    }
  })

  it('CFG-15 name, each key, their order and the ACL move the fingerprint; unknown fields do not', () => {
    const all = [
      issuer,
      { ...issuer, name: 'x' },
      { ...issuer, keys: [key(2), key(1)] },
      { ...issuer, keys: [key(1)] },
      { ...issuer, acl: filled<'AclFingerprint'>(1) },
    ]
    expect(new Set(all.map((each) => hexOf(issuerFingerprint(each)))).size).toBe(all.length)
    expect(issuerFingerprint({ ...issuer, contact: 'x' } as TicketIssuerConfig)).toEqual(issuerFingerprint(issuer))
  })

  it('refuses no key, seventeen, one twice, one of another length, and a bad name', () => {
    const refusal = (name: string) => expect.objectContaining({ name })
    expect(() => issuerFingerprint({ ...issuer, keys: [] })).toThrow(refusal('Codec.EncodeError'))
    expect(() => issuerFingerprint({ ...issuer, keys: Array.from({ length: 17 }, (_, i) => key(i)) })).toThrow(refusal('Codec.EncodeError'))
    expect(() => issuerFingerprint({ ...issuer, keys: [new Uint8Array(33)] })).toThrow(refusal('Codec.EncodeError'))
    expect(() => issuerFingerprint({ ...issuer, keys: [key(1), key(2), key(1)] })).toThrow(refusal('Coalition.IssuerError'))
    expect(() => issuerFingerprint({ ...issuer, name: 'a|b' })).toThrow(refusal('Identity.NameError'))
  })

  it('TIX-04 a component that recognises the issuer folds its fingerprint, so recognition moves the ACL', () => {
    const acl = schema('component acl@1', struct('Acl', { issuers: list(fixed<IssuerFingerprint>(32), 4) }))
    const shape = { content: acl, acl }
    const content = filled<'ContentFingerprint'>(1)
    const without = fingerprints({ content, acl: { issuers: [] } }, shape)
    const recognising = fingerprints({ content, acl: { issuers: [issuerFingerprint(issuer)] } }, shape)
    expect(recognising.acl).not.toEqual(without.acl)
    expect(recognising.content).toEqual(without.content)
  })

  it('THR-18 neither ROOT nor the live ticket id is an issuer fingerprint', () => {
    expectTypeOf<CoalitionRoot>().not.toExtend<IssuerFingerprint>()
    expectTypeOf<TicketsId>().not.toExtend<IssuerFingerprint>()
  })
})
