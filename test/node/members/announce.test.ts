import { describe, expect, it } from 'vitest'
import { isError } from '../../../client/error.ts'
import { peerIdOf } from '../../../client/network/address.ts'
import type { Bytes } from '../../../client/primitives/bytes.ts'
import { announced } from '../../../node/members/announce.ts'
import { certhashOf } from '../../../node/transports/webtransport/certificate.ts'

// docs/wire.md section 10, addresses: what a member behind a NAT or a proxy says of where it is.

const peer: Bytes = new Uint8Array(32).fill(7)
const id = peerIdOf(peer)
const hashOf = (n: number): string => `/certhash/${certhashOf(Uint8Array.of(0x12, 0x20, ...new Uint8Array(32).fill(n)))}`

const WS = `/ip4/10.0.0.5/tcp/4001/ws/p2p/${id}`
const RTC = `/ip4/10.0.0.5/udp/4002/webrtc-direct${hashOf(1)}/p2p/${id}`
const wtWith = (n: number): string => `/ip4/10.0.0.5/udp/4003/quic-v1/webtransport${hashOf(n)}${hashOf(n + 1)}/p2p/${id}`

const of = (given: readonly string[], listened: readonly string[] = [WS, RTC, wtWith(2)]): readonly string[] =>
  announced({ peer, given, listened: () => listened })()

describe('what a member announces', () => {
  it('is where it listens, when nothing was given', () => {
    expect(of([])).toEqual([WS, RTC, wtWith(2)])
  })

  it('is what was given with its peer id, and the listeners whose address is a hash', () => {
    expect(of(['/dns4/member.example/tcp/443/wss'])).toEqual([`/dns4/member.example/tcp/443/wss/p2p/${id}`, RTC, wtWith(2)])
    expect(of([`/ip6/2001:db8::7/tcp/443/tls/ws/p2p/${id}`], [WS])).toEqual([`/ip6/2001:db8::7/tcp/443/tls/ws/p2p/${id}`])
  })

  it('has the hashes of its listeners where these are behind the address that was given, those of now', () => {
    let turn = 2
    const where = announced({ peer, given: ['/ip4/203.0.113.7/udp/443/quic-v1/webtransport'], listened: () => [WS, RTC, wtWith(turn)] })
    expect(where()).toEqual([`/ip4/203.0.113.7/udp/443/quic-v1/webtransport${hashOf(2)}${hashOf(3)}/p2p/${id}`, RTC])
    turn = 3
    expect(where()).toEqual([`/ip4/203.0.113.7/udp/443/quic-v1/webtransport${hashOf(3)}${hashOf(4)}/p2p/${id}`, RTC])
    expect(of(['/dns/m.example/udp/9/webrtc-direct'])[0]).toBe(`/dns/m.example/udp/9/webrtc-direct${hashOf(1)}/p2p/${id}`)
  })

  it.each([
    ['a text without an end', 'x'.repeat(600), /at 0: is no text/],
    ['the peer id of another', `/dns4/m.example/tcp/443/wss/p2p/${peerIdOf(new Uint8Array(32).fill(8))}`, /peer id of somebody else/],
    ['a hash of its own', `/ip4/203.0.113.7/udp/4/quic-v1/webtransport${hashOf(9)}`, /has the hash of a certificate/],
    [
      'a transport that nothing listens on',
      '/ip4/203.0.113.7/udp/4/webrtc-direct',
      /is of webrtc-direct, and nothing listens on that/,
      [WS],
    ],
    ['an address of nobody', '/ip4/0.0.0.0/tcp/4001/ws', /at 5: is the address of no host/],
    ['port 0', '/ip4/203.0.113.7/tcp/0/ws', /at 21: is no port/],
    ['words', 'member.example:443', /at 0: should go on with/],
    ['an address behind another peer', `/ip4/203.0.113.7/tcp/4/p2p/${id}/p2p-circuit`, /peer id of somebody else/],
  ] as const)('is refused: %s', (_, given, problem, listened: readonly string[] = [WS, RTC, wtWith(2)]) => {
    const refused = (() => {
      try {
        return of([given], listened)
      } catch (error) {
        return error
      }
    })()
    expect(isError(refused, 'Member.AnnounceError') && refused.message).toMatch(problem)
  })

  it('is eight addresses at most', () => {
    const given = Array.from({ length: 9 }, (_, i) => `/dns4/m${i}.example/tcp/443/wss`)
    expect(of(given.slice(1), [WS])).toHaveLength(8)
    expect(() => of(given)).toThrow(/m8\.example.* is one too many: at most 8/)
  })
})
