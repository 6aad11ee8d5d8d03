import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../../node/metrics/metrics.ts'
import { NOW, statusOf } from './status.ts'

interface Family {
  readonly type: string
  readonly help: string
  /** Value by the text of its labels. */
  readonly samples: Map<string, number>
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.e+-]+|[Nn]a[Nn]|[+-]?Inf)$/

/** Prometheus' text format, version 0.0.4: every line is a help, a type or a sample of the family announced before it. */
const parse = (text: string): ReadonlyMap<string, Family> => {
  const families = new Map<string, { type: string; help: string; samples: Map<string, number> }>()
  let current = ''
  for (const line of text.split('\n')) {
    const [, key, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (key === 'HELP') {
      expect(families.has(name)).toBe(false)
      families.set(name, { type: '', help: rest, samples: new Map() })
      current = name
      continue
    }
    const family = families.get(current)
    if (key === 'TYPE' && family) family.type = rest
    if (key !== undefined || line === '') continue
    expect(line).toMatch(SAMPLE)
    const [, sample = '', labels = '', value] = SAMPLE.exec(line) ?? []
    expect(family?.type === 'histogram' ? sample.replace(/_(bucket|sum|count)$/, '') : sample, line).toBe(current)
    family?.samples.set(labels, Number(value))
  }
  return families
}

let status = statusOf()
const text = createMetrics({ status: () => status, now: () => NOW })
const scrape = async () => {
  const families = parse(await text())
  return (name: string, labels = ''): number | undefined => families.get(name)?.samples.get(labels)
}

describe('metrics (OPR-07)', () => {
  it('names every number with its type and a help', async () => {
    status = statusOf({ tickets: [{ member: 0, isAttested: true, expires: 1_800_000_000, problem: null }] })
    const families = parse(await text())
    const own = [...families].filter(([name]) => name.startsWith('coalition_'))
    expect(own.map(([name, { type }]) => `${name} ${type}`).sort()).toEqual([
      'coalition_certificate_signers gauge',
      'coalition_chain_state gauge',
      'coalition_commit_index gauge',
      'coalition_connections gauge',
      'coalition_evidence_total counter',
      'coalition_fetched_blocks_total counter',
      'coalition_head_age_seconds gauge',
      'coalition_light_streams gauge',
      'coalition_member_info gauge',
      'coalition_members gauge',
      'coalition_nullified_total counter',
      'coalition_peer_index gauge',
      'coalition_peers_up gauge',
      'coalition_pool_commands gauge',
      'coalition_proposed_total counter',
      'coalition_quorum gauge',
      'coalition_refused_messages_total counter',
      'coalition_ticket_expires_seconds gauge',
      'coalition_view gauge',
      'coalition_views_total counter',
      'coalition_voting gauge',
    ])
    for (const [, { help, samples }] of own) {
      expect(help).toMatch(/\.$/)
      expect(samples.size).toBeGreaterThan(0)
    }
    expect([...families.keys()]).toEqual(expect.arrayContaining(['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds']))
  })

  it('gives what the status says', async () => {
    status = statusOf()
    const value = await scrape()
    const found = {
      index: value('coalition_commit_index'),
      age: value('coalition_head_age_seconds'),
      signers: value('coalition_certificate_signers'),
      up: value('coalition_peers_up'),
      behind: value('coalition_peer_index', '{member="3"}'),
      voting: value('coalition_voting', '{state="voting"}'),
      stopped: value('coalition_voting', '{state="stopped"}'),
      following: value('coalition_chain_state', '{state="following"}'),
      connections: value('coalition_connections'),
      readers: value('coalition_light_streams'),
      views: value('coalition_views_total'),
      fetched: value('coalition_fetched_blocks_total'),
    }
    expect(found).toEqual({
      index: 120,
      age: 2,
      signers: 3,
      up: 2,
      behind: 7,
      voting: 1,
      stopped: 0,
      following: 1,
      connections: 9,
      readers: 6,
      views: 131,
      fetched: 17,
    })
  })

  it('follows it from one scrape to the next, and keeps nothing that is no more', async () => {
    status = statusOf()
    await text()
    status = statusOf({
      voting: 'stopped',
      chain: { state: 'down', detail: '', block: null },
      peers: [{ member: 2, isUp: true, index: 121n }],
      counts: { proposed: 31, views: 132, nullified: 4, fetched: 17, refused: 3, evidence: 1 },
    })
    const value = await scrape()
    expect(value('coalition_voting', '{state="voting"}')).toBe(0)
    expect(value('coalition_voting', '{state="stopped"}')).toBe(1)
    expect(value('coalition_chain_state', '{state="down"}')).toBe(1)
    expect(value('coalition_chain_state', '{state="following"}')).toBe(0)
    expect(value('coalition_peer_index', '{member="3"}')).toBeUndefined()
    expect(value('coalition_views_total')).toBe(132)
  })

  it('says until when the tickets that count do', async () => {
    const ticket = (member: number, expires: number | null) => ({ member, isAttested: expires !== null, expires, problem: null })
    status = statusOf({ tickets: [ticket(0, 1_800_000_000), ticket(1, null)] })
    const value = await scrape()
    expect(value('coalition_ticket_expires_seconds', '{member="0"}')).toBe(1_800_000_000)
    expect(value('coalition_ticket_expires_seconds', '{member="1"}')).toBeUndefined()
  })

  it('stays one line a sample, whatever an operator is called', async () => {
    status = statusOf({ operator: 'a"} 1\ncoalition_members 99\\' })
    const value = await scrape()
    expect(value('coalition_members')).toBe(4)
    expect(value('coalition_member_info', `{group="${status.group}",member="1",operator="a\\"} 1\\ncoalition_members 99\\\\"}`)).toBe(1)
  })

  it('tells two scrapes at once the same', async () => {
    status = statusOf()
    const [one, two] = (await Promise.all([text(), text()])).map(parse)
    expect(one?.get('coalition_views_total')).toEqual(two?.get('coalition_views_total'))
  })
})
