import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import * as Organism from '../../client/organisms/reference.ts'
import { type ContentHash, citizenId, type StableId, UNIVERSE } from '../../client/primitives/id.ts'
import { exactly, filled, hexOf, idOf, members, vectors } from '../vectors/identity.ts'

const feed: Organism.OrganismConfig = { name: 'eur-price-feed', content: filled<'ContentFingerprint'>(1), acl: filled<'AclFingerprint'>(2) }

describe('standalone organisms', () => {
  it('IDN-25 IDN-14 GAP-07 every vector', () => {
    const keys = [
      'instanceName',
      'networkId',
      'stableId',
      'citizenId',
      'contentFingerprint',
      'aclFingerprint',
      'contentHash',
      'committee',
      'surface_prices',
    ]
    for (const vector of members(vectors, 'organisms')) {
      exactly(vector, keys)
      const organism: Organism.OrganismConfig = {
        name: String(vector.instanceName),
        network: idOf(vector.networkId),
        content: idOf(vector.contentFingerprint),
        acl: idOf(vector.aclFingerprint),
      }
      expect(hexOf(Organism.stableId(organism))).toBe(vector.stableId)
      expect(hexOf(citizenId(Organism.stableId(organism)))).toBe(vector.citizenId)
      expect(hexOf(Organism.contentHash(organism))).toBe(vector.contentHash)
      expect(hexOf(Organism.committee(organism))).toBe(vector.committee)
      expect(hexOf(Organism.surface(organism, 'prices'))).toBe(vector.surface_prices)
    }
  })

  it('VOC-07 without a network it lives in the universe, and another network is another organism', () => {
    expect(Organism.stableId({ name: 'a' })).toEqual(Organism.stableId({ name: 'a', network: UNIVERSE }))
    expect(Organism.stableId({ name: 'a', network: filled<'UniqueId'>(9) })).not.toEqual(Organism.stableId({ name: 'a' }))
  })

  it('IDN-25 IDN-26 GAP-08 rotation moves the content hash, retirement the stable id', () => {
    const print = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,12}$/), print, print, (name, content, acl) => {
        const organism = { ...feed, name }
        const rotated = { ...organism, content: new Uint8Array(content), acl: new Uint8Array(acl) }
        const retired = { ...organism, name: `${name}-v2` }
        expect(Organism.stableId(rotated)).toEqual(Organism.stableId(organism))
        expect(Organism.contentHash(rotated)).not.toEqual(Organism.contentHash(organism))
        expect(Organism.stableId(retired)).not.toEqual(Organism.stableId(organism))
      }),
    )
  })

  it('VOC-08 CFG-07 a reference is role, stable id and perhaps content hash', () => {
    expect(Organism.reference(feed, 'oracle')).toEqual({ role: 'oracle', stableId: Organism.stableId(feed) })
    expect(Organism.reference(feed, 'oracle', { pin: true }).contentHash).toEqual(Organism.contentHash(feed))
    expectTypeOf<Organism.OrganismRef>().toHaveProperty('role').toEqualTypeOf<string>()
    expectTypeOf<Organism.OrganismRef>().toHaveProperty('stableId').toEqualTypeOf<StableId>()
    expectTypeOf<Organism.OrganismRef['contentHash']>().toEqualTypeOf<ContentHash | undefined>()
    // @ts-expect-error the two ids do not change places
    const wrong: Organism.OrganismRef = { role: 'oracle', stableId: Organism.contentHash(feed) }
    expect(wrong.role).toBe('oracle')
  })

  it('GAP-11 binding checks that the config is the one referred to', () => {
    const loose = Organism.reference(feed, 'oracle')
    const pinned = Organism.reference(feed, 'oracle', { pin: true })
    const rotated = { ...feed, acl: filled<'AclFingerprint'>(3) }
    expect(Organism.bind(loose, feed)).toBe(feed)
    expect(Organism.bind(loose, rotated)).toBe(rotated)
    expect(Organism.bind(pinned, feed)).toBe(feed)
    expect(() => Organism.bind(pinned, rotated)).toThrow(expect.objectContaining({ name: 'Organism.BindError', field: 'contentHash' }))
    expect(() => Organism.bind(loose, { ...feed, name: 'usd-price-feed' })).toThrow(expect.objectContaining({ field: 'stableId' }))
  })

  it('CFG-17 CFG-18 reads published organisms and references, and names what it refuses', () => {
    const hex = 'ab'.repeat(32)
    const organism = Organism.parseConfig({ name: 'feed', content: hex, acl: hex, operator: 'kept' })
    expect(organism).toMatchObject({ operator: 'kept' })
    expect(Organism.contentHash(organism)).toEqual(Organism.contentHash({ name: 'feed', content: idOf(hex), acl: idOf(hex) }))
    expect(Organism.stableId(Organism.parseConfig({ name: 'feed', network: hex, content: hex, acl: hex }))).toEqual(
      Organism.stableId({ name: 'feed', network: idOf(hex) }),
    )
    const read = (value: unknown) => Organism.parseReference({ value, path: '$' })
    expect(read({ role: 'oracle', stableId: hex, contentHash: null })).toEqual({
      role: 'oracle',
      stableId: idOf(hex),
      contentHash: undefined,
    })
    expect(read({ role: 'oracle', stableId: hex, contentHash: hex }).contentHash).toEqual(idOf(hex))
    const refused: readonly (readonly [() => unknown, string])[] = [
      [() => read({ stableId: hex }), '$.role'],
      [() => read({ role: 'a', stableId: 'ab' }), '$.stableId'],
      [() => read({ role: 'a', stableId: hex, contentHash: 1 }), '$.contentHash'],
      [() => Organism.parseConfig({ name: 'feed', network: 'here', content: hex, acl: hex }), '$.network'],
      [() => Organism.parseConfig({ content: hex, acl: hex }), '$.name'],
    ]
    for (const [run, path] of refused) expect(run, path).toThrow(expect.objectContaining({ name: 'Config.ParseError', path }))
  })
})
