import type { GroupStatus } from '../../client/groups/group.ts'
import type { ChainState } from '../../client/lattice/tally/chain.ts'
import { HEAD_AGE } from '../../client/verify/checks.ts'
import type { AttestedSeat } from '../members/attest.ts'

/** What a running member says of itself to its operator. Nothing in it is secret, and nothing in it is proven. */
export interface MemberStatus extends GroupStatus {
  /** The group's id, as hex. */
  readonly group: string
  /** Own place in the roster, and who the roster says runs it. */
  readonly seat: number
  readonly operator: string
  /** Votes that make a block final, of how many members. */
  readonly quorum: number
  readonly n: number
  readonly heartbeatMs: number
  /** Null until the driver has looked at the chain for the first time. */
  readonly chain: ChainState | null
  /** Whose TDX tickets count, as far as this member was shown them; null where the config asks for none. */
  readonly tickets: readonly AttestedSeat[] | null
  /** Connections that are open, of members and of readers. */
  readonly connections: number
  /** Exchanges of readers that are open: one for each that follows the log, and what is answered right now. */
  readonly lightStreams: number
  /** Multiaddrs that it listens on. */
  readonly addresses: readonly string[]
  /** Start of the process, in milliseconds since the epoch. */
  readonly startedAt: number
}

export interface Health {
  readonly ok: boolean
  /** Why it is not well, a sentence each, with what to do about it. */
  readonly reasons: readonly string[]
}

/** Whether a member does its part at `now`, in milliseconds since the epoch. */
export const healthOf = (status: MemberStatus, now: number): Health => {
  const reasons = [
    votingProblem(status),
    quorumProblem(status),
    headProblem(status, now),
    chainProblem(status),
    ticketProblem(status),
  ].filter((reason) => reason !== null)
  return { ok: reasons.length === 0, reasons }
}

/** Members that can vote as far as this one sees: itself, and those that it is connected with. */
export const reachable = ({ peers }: MemberStatus): number => 1 + peers.filter(({ isUp }) => isUp).length

/** Age of the newest final block; since the start of the process while there is none. */
export const headAgeMs = ({ index, timeMs, startedAt }: MemberStatus, now: number): number =>
  // A clock that is behind is no reason for a negative age.
  Math.max(0, now - (index === 0n ? startedAt : Number(timeMs)))

const votingProblem = ({ voting, problem, n, quorum }: MemberStatus): string | null => {
  if (voting === 'voting') return null
  if (voting === 'stopped')
    return `it votes no more: ${problem ?? 'no reason was given'}. Unless that says otherwise, put the cause right and start the member again`
  return `it does not vote yet: after a start it asks which of its votes the others know, and ${n - quorum + 1} of them have to answer. Start the others, and see that their addresses are given with --peer`
}

const quorumProblem = (status: MemberStatus): string | null => {
  const there = reachable(status)
  if (there >= status.quorum) return null
  const down = status.peers.filter(({ isUp }) => !isUp).map(({ member }) => member)
  return `it reaches ${there} of the ${status.quorum} members that a block needs, itself among them, and not member ${down.join(', ')}. See that they run, and that the addresses given with --peer are theirs and open`
}

const headProblem = (status: MemberStatus, now: number): string | null => {
  const { index, heartbeatMs, peers } = status
  const age = headAgeMs(status, now)
  if (age <= HEAD_AGE.stale * heartbeatMs && index > 0n) return null
  const ahead = peers.find((peer) => peer.index > index)
  const head =
    index === 0n ? 'it has no block yet' : `its newest block, ${index}, is ${age} ms old, and a new one is due every ${heartbeatMs} ms`
  if (ahead !== undefined)
    return `${head}: member ${ahead.member} has block ${ahead.index}, and this one fetches what it lacks. If its index stays where it is, read its log`
  return `${head}: nothing becomes final as far as it sees. See that a quorum of the members runs, and that the clocks of all machines are right`
}

const chainProblem = ({ chain }: MemberStatus): string | null => {
  if (chain === null || chain.state === 'following' || chain.state === 'waiting') return null
  return `its chain is ${chain.state}: ${chain.detail}. ${CURES[chain.state]}`
}

/** It votes all the same: only readers look at tickets. */
const ticketProblem = ({ tickets, seat }: MemberStatus): string | null => {
  const own = tickets?.find(({ member }) => member === seat)
  if (own === undefined || own.isAttested) return null
  return `its TDX ticket does not count, so readers do not count its votes: ${own.problem ?? 'no reason was given'}. See that --ticket and --collateral name files that the quoting service keeps new`
}

const CURES: Readonly<Record<'down' | 'inconsistent' | 'reorganised', string>> = {
  down: 'See that the nodes given with --rpc run, or give another one',
  inconsistent: 'It signs nothing on such answers: give the --rpc of a node that you trust, and see that it is of the right chain',
  reorganised: 'Compare the block with another node: if yours is on a branch of its own give another --rpc, if not the group takes it back',
}
