import { type Roster, seatOf } from '../../groups/roster.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import type { GroupId } from '../../primitives/id.ts'
import type { PeerReport, TicketReport } from '../handle.ts'
import type { Link } from '../host.ts'
import { exchange } from '../light/client.ts'
import { LIGHT_VERSION } from '../light/messages.ts'
import { peerOf } from './links.ts'
import type { Session } from './sync.ts'

/** One address and what is known of who answers there. */
export interface Peer {
  readonly address: string
  /** Link key: the one that the address names, or that answered; null as long as neither is known. */
  key: Bytes | null
  link: Link | null
  /** Whether it serves the group; null until it said. */
  serving: boolean | null
  /** Newest block that it says it has: a hint whom to open first. */
  said: bigint | null
  /** Newest head that it showed under a certificate of the reader's strength, in one history with ours, and when, by our clock. */
  shown: { readonly index: bigint; readonly atMs: number } | null
  clock: Clock | null
  /** It failed a check since it was last dialled. */
  faulty: boolean
  problem: string | null
  /** By our clock: not to be asked before. */
  readyAt: number
  failures: number
  /** A loop attends to it. */
  busy: boolean
}

/** A peer's clock minus ours, and when that was measured, by ours. Milliseconds; right to half of the trip. */
export interface Clock {
  readonly offsetMs: number
  readonly tripMs: number
  readonly atMs: number
}

export const newPeer = (address: string): Peer => ({
  address,
  key: peerOf(address),
  link: null,
  serving: null,
  said: null,
  shown: null,
  clock: null,
  faulty: false,
  problem: null,
  readyAt: 0,
  failures: 0,
  busy: false,
})

/** Place in the roster, or -1. */
export const seat = (roster: Roster, { key }: Peer): number => (key === null ? -1 : seatOf(roster, key))

export const reportOf = (roster: Roster, peer: Peer, ticket: (seat: number) => TicketReport | null): PeerReport => {
  const member = seat(roster, peer)
  return {
    peer: peer.key === null ? '' : toHex(peer.key),
    address: peer.address,
    member: member < 0 ? null : member,
    operator: roster.members[member]?.operator ?? null,
    connected: peer.link !== null,
    head: (peer.shown?.index ?? peer.said)?.toString() ?? null,
    problem: peer.problem,
    ticket: member < 0 ? null : ticket(member),
  }
}

/** Asks a peer what it has and what time it is. Nothing of it is proven: it dates a head, and says whom to ask first. */
export const hello = async (peer: Peer, group: GroupId, { host, link, signal }: Session): Promise<void> => {
  const asked = host.now()
  const { served, timeMs } = await exchange(link, 'hello', { versions: [LIGHT_VERSION], groups: [group] }, { host, signal })
  const answered = host.now()
  // Both ends of the exchange bound when the server looked at its clock: the middle is off by half of the trip at most.
  peer.clock = { offsetMs: Number(timeMs) - (asked + answered) / 2, tripMs: answered - asked, atMs: answered }
  const own = served.find((entry) => equal(entry.group, group))
  peer.serving = own !== undefined
  if (own === undefined) peer.problem = 'connected, but it does not serve this group'
  else peer.said = own.newest
}

/** Milliseconds after which a peer's clock is looked at again: a device's clock may be set while it runs. */
const CLOCK_MS = 60_000

/** Whether what it showed is old enough to look again. A time in the future is old: our own clock was set back meanwhile. */
export const isQuiet = ({ shown }: Peer, now: number, beatMs: number): boolean => !isWithin(shown, now, beatMs)

/** Whether it is time for another `hello`: as long as it has shown nothing, and now and then for its clock. */
export const isDue = (peer: Peer, now: number, beatMs: number): boolean =>
  isQuiet(peer, now, beatMs) || !isWithin(peer.clock, now, CLOCK_MS)

const isWithin = (then: { readonly atMs: number } | null, now: number, ms: number): boolean =>
  then !== null && then.atMs <= now && now - then.atMs < ms
