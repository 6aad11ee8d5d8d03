import { describe, expect, it } from 'vitest'
import type { ChainState } from '../../../client/lattice/tally/chain.ts'
import { toJson } from '../../../node/json-lines.ts'
import { readReport, reportOf } from '../../../node/metrics/report.ts'
import { headAgeMs, healthOf, type MemberStatus } from '../../../node/metrics/status.ts'
import { NOW, statusOf } from './status.ts'

const chain = (state: ChainState['state']): ChainState => ({ state, detail: 'what is seen', block: 5n })
const peers = (...up: readonly boolean[]): MemberStatus['peers'] => up.map((isUp, i) => ({ member: i + 1, isUp, index: 120n }))

const tickets = (member: number, problem: string | null): NonNullable<MemberStatus['tickets']>[number] => ({
  member,
  isAttested: problem === null,
  expires: problem === null ? 1_800_000_000 : null,
  problem,
})

describe('healthOf', () => {
  it.each<readonly [string, Partial<MemberStatus>, readonly RegExp[]]>([
    ['a member that votes, with a quorum and a new block', {}, []],
    ['a committee of one', { n: 1, quorum: 1, peers: [] }, []],
    ['a chain that was not looked at yet', { chain: null }, []],
    ['a chain that is waited for', { chain: chain('waiting') }, []],
    ['a clock that is behind', { timeMs: BigInt(NOW + 60_000) }, []],
    ['a head of six heartbeats', { timeMs: BigInt(NOW - 6_000) }, []],
    ['an older head', { timeMs: BigInt(NOW - 6_001) }, [/block, 120, is 6001 ms old.*quorum of the members runs/]],
    [
      'an older head where another has a newer one',
      { timeMs: 0n, peers: peers(true, true, false).map((peer) => ({ ...peer, index: 121n })) },
      [/member 1 has block 121/],
    ],
    ['no block yet', { index: 0n, timeMs: 0n }, [/it has no block yet/]],
    ['a member that asks', { voting: 'asking' }, [/does not vote yet.*2 of them have to answer/]],
    ['a member that stopped', { voting: 'stopped', problem: 'the disk is full' }, [/votes no more: the disk is full/]],
    ['no quorum', { peers: peers(true, false, false) }, [/reaches 2 of the 3 members.*not member 2, 3.*--peer/]],
    ['a chain that is down', { chain: chain('down') }, [/chain is down: what is seen.*--rpc/]],
    ['a chain that lies', { chain: chain('inconsistent') }, [/chain is inconsistent: what is seen.*--rpc/]],
    ['a chain that took a block back', { chain: chain('reorganised') }, [/chain is reorganised: what is seen.*another node/]],
    ['a ticket of its own that counts, and one of another that does not', { tickets: [tickets(1, null), tickets(2, 'why')] }, []],
    ['a ticket of its own that does not count', { tickets: [tickets(1, 'it is old')] }, [/ticket does not count.*it is old.*--ticket/]],
    [
      'all at once',
      { voting: 'stopped', peers: peers(false, false, false), timeMs: 0n, chain: chain('down') },
      [/votes no more/, /reaches 1 of the 3/, /ms old/, /is down/],
    ],
  ])('%s', (_, changed, expected) => {
    const { ok, reasons } = healthOf(statusOf(changed), NOW)
    expect(ok).toBe(expected.length === 0)
    expect(reasons).toHaveLength(expected.length)
    expected.forEach((pattern, i) => {
      expect(reasons[i]).toMatch(pattern)
    })
  })

  it('counts the age from the start of the process while there is no block', () => {
    expect(headAgeMs(statusOf({ index: 0n, timeMs: 0n }), NOW)).toBe(60_000)
    expect(headAgeMs(statusOf(), NOW)).toBe(2_000)
  })
})

describe('a report as JSON', () => {
  const json = (changed: Partial<MemberStatus> = {}): Record<string, unknown> =>
    JSON.parse(toJson(reportOf(statusOf(changed), NOW))) as Record<string, unknown>

  it('comes back as it was', () => {
    const tickets = [
      { member: 0, isAttested: true, expires: 1_800_000_000, problem: null },
      { member: 1, isAttested: false, expires: null, problem: 'no ticket was shown' },
    ]
    for (const status of [
      statusOf(),
      statusOf({ tickets }),
      statusOf({ chain: null, peers: [], voting: 'stopped', problem: 'why', index: (1n << 64n) - 1n }),
    ])
      expect(readReport(JSON.parse(toJson(reportOf(status, NOW))))).toEqual(reportOf(status, NOW))
  })

  it('makes health anew: whoever answers cannot call a stopped member well', () => {
    const lie = { ...json({ voting: 'stopped', problem: 'why' }), health: { ok: true, reasons: [] } }
    expect(readReport(lie).health.ok).toBe(false)
  })

  it.each<readonly [string, unknown, string]>([
    ['not an object', [], '$'],
    ['null', null, '$'],
    ['a field missing', { ...json(), leader: undefined }, '$.leader'],
    ['a negative index', { ...json(), index: -1 }, '$.index'],
    ['an index of 65 bits', { ...json(), index: '18446744073709551616' }, '$.index'],
    ['a count that is rounded', { ...json(), waiting: '9007199254740993' }, '$.waiting'],
    ['a state of our own time', { ...json(), voting: 'dreaming' }, '$.voting'],
    ['a chain without a state', { ...json(), chain: { detail: 'x' } }, '$.chain.state'],
    ['a peer that is up by text', { ...json(), peers: [{ member: 0, isUp: 'yes', index: '1' }] }, '$.peers[0].isUp'],
    ['more peers than a committee has', { ...json(), peers: Array.from({ length: 65 }, () => ({})) }, '$.peers'],
    ['a ticket that counts by text', { ...json(), tickets: [{ member: 0, isAttested: 1 }] }, '$.tickets[0].isAttested'],
    ['a text without end', { ...json(), operator: 'x'.repeat(4_097) }, '$.operator'],
  ])('refuses %s and says where', (_, value, path) => {
    expect(() => readReport(value)).toThrow(expect.objectContaining({ name: 'Config.ParseError', path }))
  })
})
