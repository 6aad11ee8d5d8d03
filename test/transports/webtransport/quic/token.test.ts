import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRetryTokens } from '../../../../node/transports/webtransport/quic/token.ts'

const remote = { host: '192.0.2.1', port: 4_001 }
const odcid = new Uint8Array(8).fill(1)
const scid = new Uint8Array(20).fill(2)
const setUp = () => {
  const clock = { now: 1_000_000 }
  return { clock, tokens: createRetryTokens(() => clock.now) }
}

test('RFC 9000 section 8.1.2: a token gives the first id back to the address and id that it was made for, and nobody else', () => {
  const { tokens } = setUp()
  const token = tokens.make(remote, odcid, scid)
  expect(tokens.open(token, remote, scid)).toEqual(odcid)
  expect(tokens.open(token, { ...remote, port: 4_002 }, scid)).toBeNull()
  expect(tokens.open(token, { ...remote, host: '192.0.2.2' }, scid)).toBeNull()
  expect(tokens.open(token, remote, new Uint8Array(20).fill(3))).toBeNull()
  expect(setUp().tokens.open(token, remote, scid)).toBeNull()
})

test('it ends after 15 seconds, across a change of the secret too, and none of it may differ', () => {
  const { tokens, clock } = setUp()
  clock.now += 55_000
  const token = tokens.make(remote, odcid, scid)
  clock.now += 14_999
  // This one is made with another secret.
  tokens.make(remote, odcid, scid)
  expect(tokens.open(token, remote, scid)).toEqual(odcid)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: token.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const other = token.slice()
      other[at] = (other[at] as number) ^ by
      expect(tokens.open(other, remote, scid)).toBeNull()
    }),
  )
  clock.now += 2
  expect(tokens.open(token, remote, scid)).toBeNull()
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => tokens.open(new Uint8Array(bytes), remote, scid) === null))
})

test('a secret is used for two minutes at most', () => {
  const { tokens, clock } = setUp()
  const token = tokens.make(remote, odcid, scid)
  clock.now += 60_000
  tokens.make(remote, odcid, scid)
  clock.now += 60_000
  tokens.make(remote, odcid, scid)
  clock.now -= 119_000
  expect(tokens.open(token, remote, scid)).toBeNull()
})
