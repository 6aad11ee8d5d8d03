import { type Roster, seatOf } from '../../groups/roster.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import type { GroupId } from '../../primitives/id.ts'
import type { Address } from '../address.ts'
import type { Candidate } from '../candidates.ts'
import type { PeerReport, TicketReport } from '../handle.ts'
import type { Link } from '../host.ts'
import { exchange } from '../light/client.ts'
import { LIGHT_VERSION } from '../light/messages.ts'
import type { Session } from './sync.ts'

/** One peer and what is known of it. */
export interface Peer {
  /** Link key. */
  readonly key: Bytes
  /** All that are known now. */
  addresses: readonly string[]
  link: Link | null
  /** The way by which the link was had. */
  way: Address | null
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

export const newPeer = ({ peer, addresses }: Candidate): Peer => ({
  key: peer,
  addresses,
  link: null,
  way: null,
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
export const seat = (roster: Roster, { key }: Peer): number => seatOf(roster, key)

export interface ReportOptions {
  readonly roster: Roster
  /** What is known of the ticket of a seat. */
  readonly ticket: (seat: number) => TicketReport | null
  readonly followed: boolean
}

export const reportOf = (peer: Peer, { roster, ticket, followed }: ReportOptions): PeerReport => {
  const member = seat(roster, peer)
  return {
    peer: toHex(peer.key),
    address: peer.way?.text ?? peer.addresses[0] ?? '',
    addresses: peer.addresses,
    transport: peer.way?.transport ?? null,
    rttMs: peer.clock && Math.round(peer.clock.tripMs),
    bytes: { received: peer.link?.bytes.received ?? 0, sent: peer.link?.bytes.sent ?? 0 },
    member: member < 0 ? null : member,
    operator: roster.members[member]?.operator ?? null,
    connected: peer.link !== null,
    followed,
    head: (peer.shown?.index ?? peer.said)?.toString() ?? null,
    problem: peer.problem,
    ticket: member < 0 ? null : ticket(member),
  }
}

/** A peer that says nothing for so long is gone, whatever its transport says: over UDP nobody tells that a process has died. */
export const HELLO_MS = 10_000

/** Asks a peer what it has and what time it is. Nothing of it is proven: it dates a head, and says whom to ask first. */
export const hello = async (peer: Peer, group: GroupId, { host, link, signal }: Session, timeoutMs = HELLO_MS): Promise<void> => {
  let asked = 0
  const onSend = (): void => {
    asked = host.now()
  }
  const question = { versions: [LIGHT_VERSION], groups: [group] }
  const { served, timeMs } = await exchange(link, 'hello', question, { host, signal, timeoutMs, onSend })
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

/** Beats without a head after which a peer is asked whether it is there at all, and what it has. */
const SILENT = 3

/** Whether what it showed is old enough to look again. A time in the future is old: our own clock was set back meanwhile. */
export const isQuiet = ({ shown }: Peer, now: number, beatMs: number): boolean => !isWithin(shown, now, beatMs)

/** Whether it is time for another `hello`: as long as it shows nothing, and now and then for its clock. */
export const isDue = (peer: Peer, now: number, beatMs: number): boolean =>
  isQuiet(peer, now, SILENT * beatMs) || !isWithin(peer.clock, now, CLOCK_MS)

const isWithin = (then: { readonly atMs: number } | null, now: number, ms: number): boolean =>
  then !== null && then.atMs <= now && now - then.atMs < ms
