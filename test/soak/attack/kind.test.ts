import { describe, expect, it } from 'vitest'
import { peerIdOf } from '../../../client/network/address.ts'
import { certhashOf } from '../../../node/transports/webtransport/certificate.ts'
import { addCounts, Held, sources, targetOf } from './kind.ts'

const PEER = `/p2p/${peerIdOf(Uint8Array.from({ length: 32 }, (_, i) => i + 1))}`
const HASH = `/certhash/${certhashOf(Uint8Array.from([0x12, 0x20, ...new Uint8Array(32)]))}`
const ADDRESSES = [
  `/ip4/127.0.0.1/tcp/4000${PEER}`,
  `/ip4/127.0.0.1/tcp/4001/ws${PEER}`,
  `/ip4/127.0.0.1/udp/4002/webrtc-direct${HASH}${PEER}`,
  `/ip4/127.0.0.1/udp/4003/quic-v1/webtransport${HASH}${PEER}`,
]

describe('a member that is attacked', () => {
  it('is known by the addresses that it gives out', () => {
    expect(targetOf(ADDRESSES)).toMatchObject({ tcp: 4_000, ws: 4_001, rtc: 4_002, wt: 4_003 })
    expect(targetOf(ADDRESSES).addresses.webtransport).toBe(ADDRESSES[3])
  })

  it('has to listen on every transport', () => {
    expect(() => targetOf(ADDRESSES.slice(0, 3))).toThrow(/^no webtransport among /)
  })
})

describe('what attackers keep open', () => {
  it('is the newest of too many, and what the member ended is counted', () => {
    const ended: number[] = []
    const held = new Held(2)
    const closes = [0, 1, 2].map((i) => held.keep(() => ended.push(i)))
    expect(ended).toEqual([0])
    for (const close of closes) close()
    closes[1]?.()
    expect(held.closed).toBe(2)
    held[Symbol.dispose]()
    expect(ended).toEqual([0])
  })

  it('is all let go of at the end, and so is what comes late', () => {
    const ended: number[] = []
    const held = new Held(2)
    const close = held.keep(() => ended.push(0))
    held[Symbol.dispose]()
    close()
    held.keep(() => ended.push(1))()
    expect(ended).toEqual([0, 1])
    expect(held.closed).toBe(0)
  })
})

it('attackers send from eight addresses, none of them the one of honest readers', () => {
  const from = sources()
  const found = Array.from({ length: 16 }, from)
  expect(new Set(found).size).toBe(8)
  expect(found).not.toContain('127.0.0.1')
})

it('counts of several phases are put together by kind', () => {
  const one = { sent: 1, refused: 2, closed: 3 }
  expect(addCounts([{ a: one }, { a: one, b: one }])).toEqual({ a: { sent: 2, refused: 4, closed: 6 }, b: one })
})
