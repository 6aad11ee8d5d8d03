import { expect, test } from 'vitest'
import { newPeer } from '../../client/network/reader/peer.ts'
import { restAfterEnd, restAfterFault, restOf, rouse } from '../../client/network/reader/rest.ts'

const NOW = 1_700_000_000_000
const hostAt = (now: number) => ({ now: () => now, random: () => Uint8Array.of(255) })
const peer = () => newPeer({ peer: new Uint8Array(32), addresses: [] })

test('each end in a row lets a peer rest for longer, five seconds at most', () => {
  const one = peer()
  const rests = Array.from({ length: 7 }, () => {
    restAfterEnd(one, 'gone', hostAt(NOW))
    return Math.ceil(restOf(one, NOW) / 100)
  })
  expect(rests).toEqual([5, 10, 20, 40, 50, 50, 50])
})

test('what it rested for may be over, but not a fault', () => {
  const [gone, liar] = [peer(), peer()]
  restAfterEnd(gone, 'gone', hostAt(NOW))
  restAfterFault(liar, 'a lie', hostAt(NOW))
  for (const one of [gone, liar]) rouse(one)
  expect([gone, liar].map((one) => restOf(one, NOW))).toEqual([0, 30_000])
})

test('a clock that is set back does not let a peer rest until it is that late again', () => {
  const one = peer()
  restAfterFault(one, 'a lie', hostAt(NOW))
  expect([restOf(one, NOW + 29_999), restOf(one, NOW + 30_000)]).toEqual([1, 0])
  expect(restOf(one, NOW - 3_600_000)).toBe(0)
})
