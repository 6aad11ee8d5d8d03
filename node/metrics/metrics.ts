import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { headAgeMs, type MemberStatus, reachable } from './status.ts'

/** Media type of what {@link createMetrics} gives. */
export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

export interface MetricsOptions {
  readonly status: () => MemberStatus
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/**
 * A member's numbers in Prometheus' text format, and its process's own. Read when it is asked for and from one status, so that the numbers
 * of one scrape are of one moment. Once a process: what it starts for the event loop and the garbage collector ends with the process.
 */
export const createMetrics = ({ status, now = Date.now }: MetricsOptions): (() => Promise<string>) => {
  const registry = new Registry()
  // Ten wake-ups a second, not the hundred of the default: a member shares its cores with others.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
  const registers = [registry]
  const gauges = GAUGES.map(({ name, help, labels = [], read }) => ({
    metric: new Gauge({ name, help, labelNames: [...labels], registers }),
    read,
  }))
  const counters = COUNTERS.map(({ name, help, count }) => ({ metric: new Counter({ name, help, registers }), count }))
  return () => {
    const [found, at] = [status(), now()]
    for (const { metric, read } of gauges) {
      // A label that is no more true must not stay from the scrape before.
      metric.reset()
      for (const [labels, value] of read(found, at)) metric.set(labels, value)
    }
    for (const { metric, count } of counters) {
      metric.reset()
      metric.inc(found.counts[count])
    }
    return registry.metrics()
  }
}

type Row = readonly [labels: Readonly<Record<string, string>>, value: number]

interface Measure {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  readonly read: (status: MemberStatus, now: number) => readonly Row[]
}

const one = (value: bigint | number): readonly Row[] => [[{}, Number(value)]]
/** 1 for the state that holds, 0 for each other one: what an alert can compare with. */
const states = (all: readonly string[], current: string | undefined): readonly Row[] =>
  all.map((state) => [{ state }, state === current ? 1 : 0])

const VOTING = ['voting', 'asking', 'stopped'] as const satisfies readonly MemberStatus['voting'][]
const CHAIN = ['following', 'waiting', 'down', 'inconsistent', 'reorganised'] as const satisfies readonly NonNullable<
  MemberStatus['chain']
>['state'][]

const GAUGES: readonly Measure[] = [
  {
    name: 'coalition_member_info',
    help: 'Which member this is: its group as hex, its place in the roster, its operator by the roster. Always 1.',
    labels: ['group', 'member', 'operator'],
    read: ({ group, seat, operator }) => [[{ group, member: String(seat), operator }, 1]],
  },
  { name: 'coalition_commit_index', help: 'Index of the newest final block.', read: ({ index }) => one(index) },
  { name: 'coalition_view', help: 'View that the member is in.', read: ({ view }) => one(view) },
  {
    name: 'coalition_head_age_seconds',
    help: 'Age of the newest final block in seconds; since the start of the process while there is none.',
    read: (status, now) => one(headAgeMs(status, now) / 1_000),
  },
  {
    name: 'coalition_certificate_signers',
    help: 'Members whose signatures are in the newest certificate.',
    read: ({ signers }) => one(signers.length),
  },
  { name: 'coalition_quorum', help: 'Members that have to sign a block for it to be final.', read: ({ quorum }) => one(quorum) },
  { name: 'coalition_members', help: 'Members in the roster.', read: ({ n }) => one(n) },
  { name: 'coalition_peers_up', help: 'Other members that this one is connected with.', read: (status) => one(reachable(status) - 1) },
  {
    name: 'coalition_peer_index',
    help: 'Index of the newest final block that another member spoke of, by its place in the roster.',
    labels: ['member'],
    read: ({ peers }) => peers.map(({ member, index }) => [{ member: String(member) }, Number(index)]),
  },
  { name: 'coalition_pool_commands', help: 'Commands that are not in a final block yet.', read: ({ waiting }) => one(waiting) },
  { name: 'coalition_connections', help: 'Open connections, of members and of readers.', read: ({ connections }) => one(connections) },
  {
    name: 'coalition_light_streams',
    help: 'Open exchanges of readers: one for each that follows the log, and what is answered right now.',
    read: ({ lightStreams }) => one(lightStreams),
  },
  {
    name: 'coalition_voting',
    help: '1 for the state that voting is in, 0 for the others. asking: after a start, until the others said what they know of its votes.',
    labels: ['state'],
    read: ({ voting }) => states(VOTING, voting),
  },
  {
    name: 'coalition_chain_state',
    help: '1 for the state that the followed chain is in, 0 for the others; all 0 before the first look at it.',
    labels: ['state'],
    read: ({ chain }) => states(CHAIN, chain?.state),
  },
  {
    name: 'coalition_ticket_expires_seconds',
    help: 'Unix second until which the TDX ticket of a member counts, by its place in the roster; none for one that does not count.',
    labels: ['member'],
    read: ({ tickets }) =>
      (tickets ?? []).flatMap(({ member, expires }) => (expires === null ? [] : [[{ member: String(member) }, expires]])),
  },
]

interface Count {
  readonly name: string
  readonly help: string
  readonly count: keyof MemberStatus['counts']
}

// All since the start of the process, as Prometheus expects of a counter.
const COUNTERS: readonly Count[] = [
  { name: 'coalition_views_total', help: 'Views that the member entered.', count: 'views' },
  { name: 'coalition_nullified_total', help: 'Views that ended without a block.', count: 'nullified' },
  { name: 'coalition_proposed_total', help: 'Blocks that the member proposed as leader.', count: 'proposed' },
  { name: 'coalition_fetched_blocks_total', help: 'Final blocks that it fetched from other members.', count: 'fetched' },
  { name: 'coalition_refused_messages_total', help: 'Messages of other members that it refused.', count: 'refused' },
  { name: 'coalition_evidence_total', help: 'Proofs that a member signed votes that contradict each other.', count: 'evidence' },
]
