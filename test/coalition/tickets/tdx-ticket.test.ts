import { describe, expect, it } from 'vitest'
import {
  decodeTdxTicket,
  encodeTdxTicket,
  reportData,
  type TdxTicket,
  TICKET_BYTES,
  voteBinding,
} from '../../../client/coalition/tickets/tdx-ticket.ts'
import { reportBinding } from '../../../client/network/tickets/tdx.ts'
import { type Bytes, concat, u32le, u64le, utf8 } from '../../../client/primitives/bytes.ts'
import { hash } from '../../../wasm/core.ts'
import { random } from '../../random.ts'
import { bytes, extra, filled, hexOf, idOf, members } from '../../vectors/identity.ts'

const TICKET: TdxTicket = {
  peer: new Uint8Array(32).fill(0x11),
  network: filled<'UniqueId'>(0x22),
  startedAt: 1_700_000_000n,
  quotedAt: 1_700_000_060n,
  expiresAt: 1_700_086_460n,
  quote: new Uint8Array(5000).fill(0x33),
}
const VOTE = { group: filled<'GroupId'>(0x44), epoch: 7, voteKey: new Uint8Array(32).fill(0x55) }

describe('ticket of a TDX member', () => {
  it('is 32 ‖ 32 ‖ u64 ‖ u64 ‖ option u64 ‖ length ‖ quote, and reads back', () => {
    const { peer, network, quote } = TICKET
    const expected = concat(
      peer,
      network,
      u64le(1_700_000_000n),
      u64le(1_700_000_060n),
      Uint8Array.of(1),
      u64le(1_700_086_460n),
      Uint8Array.of(0x88, 0x27),
      quote,
    )
    expect(encodeTdxTicket(TICKET)).toEqual(expected)
    expect(decodeTdxTicket(expected)).toEqual(TICKET)
    const forever = { ...TICKET, expiresAt: null }
    expect(decodeTdxTicket(encodeTdxTicket(forever))).toEqual(forever)
  })

  it('has at most 16,000 bytes, whatever its quote', () => {
    const longest = { ...TICKET, quote: new Uint8Array(TICKET_BYTES - 91) }
    expect(encodeTdxTicket(longest)).toHaveLength(16_000)
    expect(decodeTdxTicket(encodeTdxTicket(longest))).toEqual(longest)
    expect(() => encodeTdxTicket({ ...TICKET, quote: new Uint8Array(TICKET_BYTES - 90) })).toThrow(
      expect.objectContaining({ name: 'Codec.EncodeError', path: 'TdxTicket.quote' }),
    )
    const size = { name: 'Coalition.TicketSizeError', size: 16_001, limit: 16_000 }
    expect(() => decodeTdxTicket(new Uint8Array(16_001))).toThrow(expect.objectContaining(size))
  })

  it('refuses an expiry of 0, which is never, and times outside of 64 bits', () => {
    const written = encodeTdxTicket(TICKET)
    written.set(new Uint8Array(8), 81)
    const at = { name: 'Codec.DecodeError', path: 'TdxTicket.expiration', offset: 80 }
    expect(() => decodeTdxTicket(written)).toThrow(expect.objectContaining(at))
    for (const wrong of [{ expiresAt: 0n }, { expiresAt: -1n }, { quotedAt: 1n << 64n }, { peer: new Uint8Array(31) }])
      expect(() => encodeTdxTicket({ ...TICKET, ...wrong })).toThrow(expect.objectContaining({ name: 'Codec.EncodeError' }))
  })

  it('refuses every cut and bytes after the last field, naming path and offset', () => {
    const written = encodeTdxTicket({ ...TICKET, quote: utf8('quote') })
    for (const changed of [...Array.from(written, (_, length) => written.slice(0, length)), concat(written, Uint8Array.of(0))])
      expect(() => decodeTdxTicket(changed)).toThrow(
        expect.objectContaining({ name: 'Codec.DecodeError', path: expect.stringMatching(/^TdxTicket/), offset: expect.any(Number) }),
      )
  })

  it('what is decoded encodes to the same bytes: 2,000 changed tickets, seed 6', () => {
    const draw = random(6)
    const written = encodeTdxTicket({ ...TICKET, quote: utf8('a quote') })
    let read = 0
    for (let i = 0; i < 2000; i++) {
      const changed = written.slice()
      for (let changes = 1 + Math.floor(draw() * 3); changes > 0; changes--)
        changed[Math.floor(draw() * changed.length)] = Math.floor(draw() * 256)
      let ticket: TdxTicket
      try {
        ticket = decodeTdxTicket(changed)
      } catch (error) {
        expect((error as Error).name).toBe('Codec.DecodeError')
        continue
      }
      expect(hexOf(encodeTdxTicket(ticket))).toBe(hexOf(changed))
      read++
    }
    expect(read).toBeGreaterThan(500)
  })
})

describe('report data', () => {
  it('TIX-05 first half: mosaik’s, every vector; second half: the vote key in TDX.md’s formula', () => {
    for (const vector of members(extra, 'reports')) {
      const binding = {
        peer: bytes(vector.peer),
        network: idOf<'UniqueId'>(vector.network),
        startedAt: BigInt(String(vector.startedAt)),
        quotedAt: BigInt(String(vector.quotedAt)),
        expiresAt: vector.expiresAt === null ? null : BigInt(String(vector.expiresAt)),
      }
      const data = reportData(binding, VOTE)
      expect(data).toHaveLength(64)
      expect(hexOf(data.subarray(0, 32))).toBe(vector.reportData)
      expect(data.subarray(32)).toEqual(hash(concat(utf8('coalition tdx v1|'), binding.network, VOTE.group, u32le(7), VOTE.voteKey)))
    }
  })

  it('network, group, epoch and vote key each move the second half; peer and times do not', () => {
    const { network } = TICKET
    const other = new Uint8Array(32).fill(0x66)
    const all = [
      voteBinding(network, VOTE),
      voteBinding(filled<'UniqueId'>(0x23), VOTE),
      voteBinding(network, { ...VOTE, group: filled<'GroupId'>(0x45) }),
      voteBinding(network, { ...VOTE, epoch: 8 }),
      voteBinding(network, { ...VOTE, voteKey: other }),
    ]
    expect(new Set(all.map(hexOf)).size).toBe(all.length)
    const moved = reportData({ ...TICKET, peer: other, startedAt: 1n }, VOTE)
    const half = (data: Bytes, from: number): Bytes => data.slice(from, from + 32)
    expect(half(moved, 32)).toEqual(all[0])
    expect(half(moved, 0)).not.toEqual(reportBinding(TICKET))
  })
})
