import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { issuerFingerprint } from '../../../client/coalition/tickets/issuer.ts'
import { recogniseIssuer } from '../../../client/coalition/tickets/recognise.ts'
import { peerIdOf } from '../../../client/network/address.ts'
import { jwt } from '../../../client/network/tickets/jwt.ts'
import { all, any, type Entry, type TicketValidator } from '../../../client/network/tickets/validator.ts'
import { toHex } from '../../../client/primitives/bytes.ts'
import { asId, id } from '../../../client/primitives/id.ts'
import { checks, peerKey, signer, ticket, token } from './_issuer.ts'

// PROTOCOL.md section 4: `all` ends with the earliest expiry, `any` with the latest of the branches that hold. MSK-04, TIX-02, TIX-03, TIX-06, THR-11.

const AT = 1_700_000_000
const bearer = { peer: peerKey(1), component: id('a component'), surface: 'refunds', verb: 'watch', at: AT }

const branch = (name: string, entry: Entry): TicketValidator => ({ signature: asId(id(name)), check: async () => entry })
const until = (expires: number | null): Entry => ({ isAdmitted: true, expires })
const refused = (problem: string): Entry => ({ isAdmitted: false, problem })

describe('compositions', () => {
  it('all: every branch, until the first of them ends', async () => {
    const [a, b, c] = [branch('a', until(30)), branch('b', until(20)), branch('c', until(null))]
    expect(await all(a, b, c).check([], bearer)).toEqual(until(20))
    expect(await all(c).check([], bearer)).toEqual(until(null))
    expect(await all(a, branch('d', refused('no'))).check([], bearer)).toEqual(refused('no'))
  })

  it('any: one branch, until the last of those that hold ends', async () => {
    const [a, b, no] = [branch('a', until(30)), branch('b', until(20)), branch('c', refused('no'))]
    expect(await any(a, b, no).check([], bearer)).toEqual(until(30))
    expect(await any(a, branch('d', until(null))).check([], bearer)).toEqual(until(null))
    expect(await any(no, branch('d', refused('never'))).check([], bearer)).toEqual(refused('no; never'))
  })

  it('the signature depends on the branches and not on their order', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 16 })
    fc.assert(
      fc.property(names, (list) => {
        const [branches, turned] = [list, list.toReversed()].map((some) => some.map((name) => branch(name, until(null))))
        expect(all(...(branches ?? [])).signature).toEqual(all(...(turned ?? [])).signature)
        expect(any(...(branches ?? [])).signature).not.toEqual(all(...(branches ?? [])).signature)
      }),
    )
    const [a, b, c] = ['a', 'b', 'c'].map((name) => branch(name, until(null))) as [TicketValidator, TicketValidator, TicketValidator]
    const trees = [all(a, b, c), all(all(a, b), c), all(a, all(b, c)), all(any(a, b), c), all(a, b), all(a)]
    expect(new Set(trees.map(({ signature }) => toHex(signature))).size).toBe(trees.length)
  })

  it('refuses none, too many, and the same branch twice', () => {
    const some = Array.from({ length: 17 }, (_, i) => branch(`${i}`, until(null)))
    for (const compose of [all, any]) {
      expect(() => compose()).toThrow('has no branch')
      expect(() => compose(...some)).toThrow('has 17 branches, at most 16')
      expect(() => compose(some[0] as TicketValidator, some[0] as TicketValidator)).toThrow('has the same branch twice')
    }
  })
})

describe('a coalition’s issuer', () => {
  const key = signer('EdDSA')
  const issuer = { name: 'superchain-tickets', keys: [key.key], acl: asId<'AclFingerprint'>(new Uint8Array(32).fill(7)) }
  const claims = {
    iss: toHex(issuerFingerprint(issuer)),
    sub: peerIdOf(bearer.peer),
    aud: toHex(bearer.component),
    exp: AT + 60,
    surface: 'refunds',
    verb: 'watch',
  }
  const issued = ticket(token({ alg: 'EdDSA' }, claims, key))
  const own = signer('ES256')

  it('TIX-03 TIX-06 a component that recognises it accepts its tickets', async () => {
    expect(await recogniseIssuer(issuer, checks).check([issued], bearer)).toEqual(until(AT + 60))
    expect(await any(jwt({ issuer: 'me', keys: [own] }, checks), recogniseIssuer(issuer, checks)).check([issued], bearer)).toEqual(
      until(AT + 60),
    )
  })

  it('TIX-02 THR-11 one that does not is not touched by it', async () => {
    expect(await jwt({ issuer: 'me', keys: [own] }, checks).check([issued], bearer)).toMatchObject({ isAdmitted: false })
  })

  it('TIX-11 another key list is another issuer: its tickets are asked for anew', async () => {
    const rotated = { ...issuer, keys: [signer('EdDSA').key, key.key] }
    expect(await recogniseIssuer(rotated, checks).check([issued], bearer)).toMatchObject({ isAdmitted: false })
    expect(recogniseIssuer(rotated, checks).signature).not.toEqual(recogniseIssuer(issuer, checks).signature)
    // Both recognised while it rotates.
    expect(await any(recogniseIssuer(rotated, checks), recogniseIssuer(issuer, checks)).check([issued], bearer)).toEqual(until(AT + 60))
  })

  it('the first ticket that holds admits, and one that cannot be read hides none behind it', async () => {
    const junk = ticket(new Uint8Array(10))
    expect(await recogniseIssuer(issuer, checks).check([junk, issued], bearer)).toEqual(until(AT + 60))
    const many = Array.from({ length: 16 }, () => junk)
    expect(await recogniseIssuer(issuer, checks).check([...many, issued], bearer)).toMatchObject({ isAdmitted: false })
  })
})
