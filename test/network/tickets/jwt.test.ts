import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { peerIdOf } from '../../../client/network/address.ts'
import { readJwt } from '../../../client/network/tickets/jws.ts'
import { jwt } from '../../../client/network/tickets/jwt.ts'
import { toHex } from '../../../client/primitives/bytes.ts'
import { id } from '../../../client/primitives/id.ts'
import { checks, peerKey, type Signer, signer, ticket, token } from './_issuer.ts'

// PROTOCOL.md section 4, "Tickets"; MSK-04, TIX-09, TIX-10.

const AT = 1_700_000_000
const peer = peerKey(1)
const component = id('a component')
const bearer = { peer, component, surface: 'refunds', verb: 'watch', at: AT }
const claims = {
  iss: 'operator one',
  sub: peerIdOf(peer),
  aud: toHex(component),
  exp: AT + 3_600,
  surface: 'refunds',
  verb: 'watch',
}
const ed = signer('EdDSA')
const header = { alg: 'EdDSA', typ: 'JWT' }
const validator = jwt({ issuer: 'operator one', keys: [ed] }, checks)
const check = (data: ReturnType<typeof token>) => validator.check([ticket(data)], bearer)
const problem = async (data: ReturnType<typeof token>): Promise<string> => {
  const entry = await check(data)
  return entry.isAdmitted ? 'admitted' : entry.problem
}

describe('a JWT as a ticket', () => {
  it.each(['EdDSA', 'ES256', 'ES256K'] as const)('%s admits, until it expires', async (algorithm) => {
    const by = signer(algorithm)
    const own = jwt({ issuer: 'operator one', keys: [by] }, checks)
    expect(await own.check([ticket(token({ alg: algorithm }, claims, by))], bearer)).toEqual({ isAdmitted: true, expires: claims.exp })
  })

  it.each([
    ['another issuer', { iss: 'operator two' }, /^iss is operator two/],
    ['another peer', { sub: peerIdOf(peerKey(2)) }, /^sub is /],
    ['another component', { aud: toHex(id('another')) }, /^aud is /],
    ['another surface', { surface: 'pool' }, /^surface is pool/],
    ['no surface', { surface: undefined }, /^surface is missing/],
    ['another verb', { verb: 'publish' }, /^verb is publish/],
    ['no verb', { verb: null }, /^verb is missing/],
    ['its end', { exp: AT }, /^it expired 0 s ago/],
    ['more than a day', { exp: AT + 86_461 }, /^exp is 86461 s away/],
    ['a later beginning', { nbf: AT + 61 }, /^nbf is 61 s away/],
    ['a making in the future', { iat: AT + 61 }, /^iat is 61 s away/],
    ['a fraction', { exp: AT + 0.5 }, /^\$claims\.exp: is no time in whole seconds/],
    ['a list of audiences', { aud: [toHex(component)] }, /^\$claims\.aud: expected text/],
    ['a long text', { iss: 'x'.repeat(257) }, /^\$claims\.iss: 257 characters/],
  ])('TIX-09 refuses %s', async (_, change, expected) => {
    expect(await problem(token(header, { ...claims, ...change }, ed))).toMatch(expected)
  })

  it.each([
    ['HS256', { alg: 'HS256' }],
    ['none', { alg: 'none' }],
    ['another case', { alg: 'eddsa' }],
    ['a key that it brings', { ...header, jwk: {} }],
    ['an address of keys', { ...header, jku: 'https://example.org' }],
    ['certificates', { ...header, x5c: [] }],
    ['extensions that must be understood', { ...header, crit: ['exp'], exp: 1 }],
    ['another type', { ...header, typ: 'JWE' }],
  ])('never takes %s', async (_, bad) => {
    expect(await problem(token(bad, claims, ed))).toMatch(/^\$header/)
  })

  it('a key is of one algorithm, and another key signs nothing', async () => {
    const other = signer('ES256')
    expect(await problem(token(header, claims, signer('EdDSA')))).toBe('no EdDSA key of operator one signed the ticket')
    expect(await problem(token({ alg: 'ES256' }, claims, other))).toBe('no ES256 key of operator one signed the ticket')
    const unsupported = jwt(
      { issuer: 'operator one', keys: [{ ...other, algorithm: 'ES256K' }] },
      { verify: checks.verify, ecdsa: checks.ecdsa },
    )
    expect(await unsupported.check([ticket(token({ alg: 'ES256K' }, claims, other))], bearer)).toMatchObject({ isAdmitted: false })
  })

  it('every flipped bit is refused, and so are other spellings of the same bytes', async () => {
    const good = token(header, claims, ed)
    expect(await check(good)).toMatchObject({ isAdmitted: true })
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
        const bad = good.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte))
        expect(await check(bad)).toMatchObject({ isAdmitted: false })
      }),
      { numRuns: 200 },
    )
    const text = Buffer.from(good).toString()
    for (const other of [`${text}=`, ` ${text}`, `${text}\n`, text.replaceAll('-', '+'), `${text}.`, text.slice(0, -1)])
      if (other !== text) expect(await check(new Uint8Array(Buffer.from(other)))).toMatchObject({ isAdmitted: false })
  })

  it('a claim that stands twice is refused, whoever signed it', async () => {
    const twice = `${JSON.stringify(claims).slice(0, -1)},"aud":"${claims.aud}"}`
    expect(await problem(token(header, twice, ed))).toMatch(/twice/)
  })

  it('reads any bytes without another error than its own', () => {
    const refuses = (data: Uint8Array<ArrayBuffer>): void => {
      try {
        readJwt(data)
      } catch (error) {
        expect((error as Error).name).toBe('Ticket.JwtError')
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (data) => refuses(new Uint8Array(data))))
    fc.assert(fc.property(fc.json(), fc.json(), (a, b) => refuses(token(a, b, ed))))
    expect(() => readJwt(new Uint8Array(4_097))).toThrow('4097 bytes, at most 4096')
  })

  it('the signature of the validator moves with issuer, keys, their order and algorithm', () => {
    const of = (issuer: string, ...keys: readonly Signer[]) => toHex(jwt({ issuer, keys }, checks).signature)
    const [a, b] = [signer('ES256'), signer('ES256')]
    const all = [of('x', a), of('y', a), of('x', b), of('x', a, b), of('x', b, a), of('x', { ...a, algorithm: 'ES256K' })]
    expect(new Set(all).size).toBe(all.length)
    expect(() => of('x', a, a)).toThrow(expect.objectContaining({ name: 'Ticket.ValidatorError' }))
    expect(() => of('x')).toThrow(expect.objectContaining({ name: 'Codec.EncodeError' }))
  })
})
