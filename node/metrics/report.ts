import type { ChainState } from '../../client/lattice/tally/chain.ts'
import * as read from '../../client/primitives/json.ts'
import type { AttestedSeat } from '../members/attest.ts'
import { type Health, healthOf, type MemberStatus } from './status.ts'

/** What `/status` answers: a member's status, when it was read by the member's clock, and what follows from both. */
export interface StatusReport extends MemberStatus {
  readonly now: number
  readonly health: Health
}

export const reportOf = (status: MemberStatus, now: number): StatusReport => ({ now, health: healthOf(status, now), ...status })

// A committee has 64 members at most; a sentence of ours carries the message of a store or of a node.
const MOST = { items: 64, text: 4_096 } as const

/**
 * A report from JSON. Whoever answers at a port may be anybody: health is made anew from the status, so that the two cannot contradict
 * each other.
 * @throws ParseError
 */
export const readReport = (value: unknown): StatusReport => {
  const json: read.Json = { value, path: '$' }
  const field = <T>(name: string, reader: (found: read.Json) => T): T => reader(read.member(json, name))
  const status: MemberStatus = {
    index: field('index', read.u64),
    timeMs: field('timeMs', read.u64),
    view: field('view', read.u64),
    leader: field('leader', count),
    signers: field('signers', list(count)),
    waiting: field('waiting', count),
    voting: field('voting', among('voting', 'asking', 'stopped')),
    problem: nullable(read.optional(json, 'problem'), text),
    peers: field('peers', list(peer)),
    counts: field('counts', counts),
    group: field('group', text),
    seat: field('seat', count),
    operator: field('operator', text),
    quorum: field('quorum', count),
    n: field('n', count),
    heartbeatMs: field('heartbeatMs', count),
    chain: nullable(read.optional(json, 'chain'), chain),
    tickets: nullable(read.optional(json, 'tickets'), list(ticket)),
    connections: field('connections', count),
    lightStreams: field('lightStreams', count),
    addresses: field('addresses', list(text)),
    startedAt: field('startedAt', count),
  }
  return reportOf(status, field('now', count))
}

type Reader<T> = (json: read.Json) => T

const count: Reader<number> = (json) => {
  const found = Number(read.u64(json))
  if (!Number.isSafeInteger(found)) throw new read.ParseError(json.path, `${found} is more than can be counted`)
  return found
}

const text: Reader<string> = (json) => {
  const found = read.text(json)
  if (found.length > MOST.text) throw new read.ParseError(json.path, `is longer than ${MOST.text} characters`)
  return found
}

const truth: Reader<boolean> = ({ value, path }) => {
  if (typeof value !== 'boolean') throw new read.ParseError(path, 'is neither true nor false')
  return value
}

const among =
  <const T extends string>(...known: readonly T[]): Reader<T> =>
  (json) => {
    const found = known.find((each) => each === json.value)
    if (found === undefined) throw new read.ParseError(json.path, `is none of ${known.join(', ')}`)
    return found
  }

const list =
  <T>(one: Reader<T>): Reader<readonly T[]> =>
  (json) => {
    if (Array.isArray(json.value) && json.value.length > MOST.items) throw new read.ParseError(json.path, `more than ${MOST.items} items`)
    return read.items(json, one)
  }

const nullable = <T>(json: read.Json | undefined, reader: Reader<T>): T | null => (json === undefined ? null : reader(json))

const peer: Reader<MemberStatus['peers'][number]> = (json) => ({
  member: count(read.member(json, 'member')),
  isUp: truth(read.member(json, 'isUp')),
  index: read.u64(read.member(json, 'index')),
})

const ticket: Reader<AttestedSeat> = (json) => ({
  member: count(read.member(json, 'member')),
  isAttested: truth(read.member(json, 'isAttested')),
  expires: nullable(read.optional(json, 'expires'), count),
  problem: nullable(read.optional(json, 'problem'), text),
})

const counts: Reader<MemberStatus['counts']> = (json) => ({
  proposed: count(read.member(json, 'proposed')),
  views: count(read.member(json, 'views')),
  nullified: count(read.member(json, 'nullified')),
  fetched: count(read.member(json, 'fetched')),
  refused: count(read.member(json, 'refused')),
  evidence: count(read.member(json, 'evidence')),
})

const chain: Reader<ChainState> = (json) => ({
  state: among('following', 'waiting', 'down', 'inconsistent', 'reorganised')(read.member(json, 'state')),
  detail: text(read.member(json, 'detail')),
  block: nullable(read.optional(json, 'block'), read.u64),
})
