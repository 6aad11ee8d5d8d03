import { beforeEach, expect, test } from 'vitest'
import { commitHash, type Header, type Seal } from '../../client/groups/block.ts'
import { signersOf, verifySeal } from '../../client/groups/certificate.ts'
import { strength } from '../../client/groups/roster.ts'
import { type Bytes, equal } from '../../client/primitives/bytes.ts'
import { type Verify, verifyWithNoble } from '../../client/primitives/ed25519.ts'
import { Chain, seats } from '../network/chain.ts'

let calls = 0
let verify: Verify
beforeEach(() => {
  calls = 0
  // A function of its own for each test: seals are remembered by verifier.
  verify = (...given) => {
    calls += 1
    return verifyWithNoble(...given)
  }
})

const committee = (n: number, signers?: readonly number[]) => {
  const chain = new Chain(seats(n))
  const { roster, id } = chain.epoch
  const header = chain.commit([], signers === undefined ? {} : { signers })
  const seal = chain.seals[1] as Seal
  const ask = (
    change: { readonly header?: Header; readonly seal?: Partial<Seal>; readonly rosterId?: Bytes; readonly needed?: number } = {},
  ) =>
    verifySeal({
      header: change.header ?? header,
      seal: { ...seal, ...change.seal },
      roster,
      rosterId: change.rosterId ?? id,
      needed: change.needed ?? strength(n),
      verify,
    })
  return { chain, header, seal, ask }
}

test.each([1, 2, 3, 4, 5, 7, 10, 64])('PROTOCOL 1 Certificate: a quorum of %i seals a header; one signature less does not', async (n) => {
  const { header, seal, ask } = committee(n)
  const { commit, signers } = await ask()
  expect(equal(commit, commitHash(header))).toBe(true)
  expect(signers).toEqual(Array.from({ length: strength(n) }, (_, i) => i))
  const fewer = seal.signers.map((byte, i, all) =>
    i === all.findLastIndex((other) => other !== 0) ? byte & ~(1 << (31 - Math.clz32(byte))) : byte,
  )
  if (n > 1)
    await expect(ask({ seal: { signers: fewer, signatures: seal.signatures.slice(0, -1) } })).rejects.toMatchObject({
      name: 'Verify.CertificateError',
      part: 'strength',
    })
})

test('PROTOCOL 1 Certificate: signers stand for members by their bit, whichever they are', async () => {
  const { ask } = committee(7, [1, 2, 4, 5, 6])
  expect((await ask()).signers).toEqual([1, 2, 4, 5, 6])
})

test.each([
  ['signers', 'a bitmap too long', { signers: Uint8Array.of(7, 0) }],
  ['signers', 'an empty bitmap', { signers: new Uint8Array(0) }],
  ['signers', 'a bit past the roster', { signers: Uint8Array.of(0b10111) }],
  ['signatures', 'more bits than signatures', { signers: Uint8Array.of(0b1111) }],
  ['signatures', 'fewer bits than signatures', { signers: Uint8Array.of(0b0011) }],
  ['signatures', 'the bit of another member', { signers: Uint8Array.of(0b1011) }],
  ['view', 'a view before the block’s', { view: 0n }],
  ['signatures', 'a view that nobody voted in', { view: 9n }],
] as const)('PROTOCOL 1 Certificate: refused for %s: %s', async (part, _, change) => {
  await expect(committee(4).ask({ seal: change })).rejects.toMatchObject({
    name: 'Verify.CertificateError',
    part,
    facts: { expected: expect.any(String), found: expect.any(String) },
  })
})

test('PROTOCOL 1 Certificate: refused for another roster, another header, one bad signature among enough good ones', async () => {
  const { header, seal, ask } = committee(4, [0, 1, 2, 3])
  await expect(ask({ rosterId: new Uint8Array(32) })).rejects.toMatchObject({ part: 'roster' })
  await expect(ask({ header: { ...header, time_ms: 7n } })).rejects.toMatchObject({ part: 'signatures' })
  const signatures = seal.signatures.map((signature, i) => (i === 3 ? (seal.signatures[0] as Bytes) : signature))
  await expect(ask({ seal: { signatures } })).rejects.toMatchObject({ part: 'signatures', expected: 'a finalize vote of member 3' })
  await expect(ask({ needed: 4 })).resolves.toMatchObject({ signers: [0, 1, 2, 3] })
})

test('PROTOCOL 1: late finalize: the same header sealed in a later view', async () => {
  const { chain, header, ask } = committee(4)
  await expect(ask({ seal: chain.seal(header, [1, 2, 3], header.view + 3n) })).resolves.toMatchObject({ signers: [1, 2, 3] })
})

test('a seal is verified once, a refused one each time, and what is needed is asked anew', async () => {
  const { ask, seal } = committee(4)
  await ask()
  await ask()
  expect(calls).toBe(3)
  await expect(ask({ needed: 4 })).rejects.toMatchObject({ part: 'strength' })
  const bad = { signatures: [...seal.signatures.slice(0, 2), seal.signatures[0] as Bytes] }
  await expect(ask({ seal: bad })).rejects.toThrow()
  await expect(ask({ seal: bad })).rejects.toThrow()
  expect(calls).toBe(9)
})

test('docs/wire.md 3 Certificate: the bitmap’s order', () => {
  expect(signersOf({ view: 0n, signers: Uint8Array.of(0b10000001, 0b10), signatures: [1, 2, 3] as never }, 10)).toEqual([0, 7, 9])
})
