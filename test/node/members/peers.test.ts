import { describe, expect, it } from 'vitest'
import { peerIdOf } from '../../../client/network/address.ts'
import { peersOf } from '../../../node/members/peers.ts'

const members = [0, 1, 2, 3].map((seat) => ({ peer: new Uint8Array(32).fill(seat + 1) }))
const addressOf = (seat: number, port = 4_000): string => `/ip4/127.0.0.1/tcp/${port}/p2p/${peerIdOf(new Uint8Array(32).fill(seat + 1))}`

describe('peersOf', () => {
  it('takes one list for the whole committee: the own address is passed over', () => {
    const all = members.map((_, seat) => addressOf(seat))
    expect(peersOf(all, members, 2)).toEqual({ addresses: [addressOf(0), addressOf(1), addressOf(3)], unnamed: [] })
  })

  it('keeps two addresses of one member, and says whose are missing', () => {
    const two = [addressOf(1), addressOf(1, 4_001)]
    expect(peersOf(two, members, 0)).toEqual({ addresses: two, unnamed: [2, 3] })
    expect(peersOf([], members.slice(0, 1), 0)).toEqual({ addresses: [], unnamed: [] })
  })

  it.each([
    ['nonsense', /is no multiaddr/],
    ['/ip4/127.0.0.1/tcp/4000', /ends in \/p2p\//],
    [`${addressOf(1)}/`, /ends in \/p2p\//],
    [addressOf(9), /nobody in the roster/],
  ])('refuses %s, which would be dialled for ever', (address, problem) => {
    expect(() => peersOf([addressOf(1), address], members, 0)).toThrow(
      expect.objectContaining({ name: 'Member.PeerError', address, message: expect.stringMatching(problem) }),
    )
  })
})
