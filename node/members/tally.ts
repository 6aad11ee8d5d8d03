import { CoalitionError, isError } from '../../client/error.ts'
import { joinCommittee } from '../../client/groups/commit/links.ts'
import type { Identity } from '../../client/groups/execution.ts'
import { Group } from '../../client/groups/group.ts'
import { type Member as RosterMember, thresholds } from '../../client/groups/roster.ts'
import type { ChainReader, ChainState } from '../../client/lattice/tally/chain.ts'
import { identify } from '../../client/lattice/tally/config.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import { createMachine, type TallyCommand } from '../../client/lattice/tally/machine.ts'
import { drive } from '../../client/lattice/tally/member.ts'
import type { TallyState } from '../../client/lattice/tally/state.ts'
import type { Log } from '../../client/log.ts'
import { topicOf } from '../../client/network/discovery/rumours.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { type Bytes, equal, toHex } from '../../client/primitives/bytes.ts'
import { UNIVERSE, type UniqueId } from '../../client/primitives/id.ts'
import { createNodeHost, type NodeHost } from '../host.ts'
import type { MemberStatus } from '../metrics/status.ts'
import { transportsOf } from '../transports/listeners.ts'
import { listenable } from '../transports/native.ts'
import { announced } from './announce.ts'
import { Attest } from './attest.ts'
import { findable } from './findable.ts'
import { type Folder, openFolder } from './folder.ts'
import type { TicketFiles } from './own-ticket.ts'
import { peersOf } from './peers.ts'

export interface MemberOptions {
  /** The member's folder, made by `initFolder`. */
  readonly folder: string
  readonly config: TallyConfig
  readonly network?: UniqueId
  readonly chain: ChainReader
  readonly listen: readonly string[]
  /** Multiaddrs of the other members, each with its peer id. */
  readonly peers?: readonly string[]
  /** Multiaddrs of nodes of other groups, each with its peer id: by them this one is found by everybody else. */
  readonly bootstrap?: readonly string[]
  /** Where others reach it, when that is not where it listens: behind a NAT or a proxy. */
  readonly announce?: readonly string[]
  /** IP addresses of proxies before it: what comes from there is not counted by its address, for the proxy counts. */
  readonly proxies?: readonly string[]
  /** The member's TDX ticket, for a config that asks for them. */
  readonly attest?: TicketFiles | null
  readonly log: Log
  readonly onChain: (state: ChainState) => void
}

/** A running tally member. */
export interface Member extends AsyncDisposable {
  /** Multiaddrs with the peer id: what other members dial, and what a reader's `bootstrap` holds. */
  readonly addresses: readonly string[]
  readonly group: string
  readonly seat: number
  readonly newest: () => bigint
  readonly status: () => MemberStatus
  /** Settles when the member can sign nothing more; rejects with the reason. A member that only follows runs until it is closed. */
  readonly done: Promise<void>
}

/**
 * Runs one member of a tally: its votes, its look at the chain, and the light protocol for readers.
 * @throws ConfigError, FolderError, StoreError, SeatlessError, PeerError, ListenError, AnnounceError, VoteRecordOwnerError, ArchiveError,
 *   UngatedError for a ticket that the config does not ask for
 */
export const startTally = async (options: MemberOptions): Promise<Member> => {
  const { folder: path, config, network = UNIVERSE, listen, peers = [], bootstrap = [], attest: own = null, log } = options
  const { group: id, roster, genesis, gate } = identify(network, config)
  if (gate === undefined && own !== null) throw new UngatedError(own.ticket)
  const folder = await openFolder(path, log)
  const closing: (() => Promise<void>)[] = [() => folder.close()]
  const close = async (): Promise<void> => {
    for (const each of closing.splice(0).reverse()) await each()
  }
  try {
    const seat = seatOf(roster.members, folder, path)
    const { addresses, unnamed } = peersOf(peers, roster.members, seat)
    if (unnamed.length > 0)
      log('warn', 'no address was given of these members: this one sends them nothing until it hears where they are', { members: unnamed })
    const { linkSeed: seed, certificates } = folder
    const host = await createNodeHost({
      seed,
      listen: await listenable(listen, log),
      log,
      limits: { proxies: options.proxies ?? [] },
      gossip: topicOf(network),
      certificates,
      transports: transportsOf,
    })
    closing.push(() => host.close())
    const identity: Identity = { network, group: id, roster, rosterId: genesis.roster }
    const where = announced({ peer: host.peer, given: options.announce ?? [], listened: host.addresses })
    const place = findable(host, { identity, addresses, bootstrap, own: where })
    const { view_ms: viewMs, short_ms: shortMs, skew_ms: skewMs, heartbeat_ms: heartbeatMs } = config.content.timers
    const group = await Group.open({
      machine: createMachine(config),
      identity,
      timers: { viewMs, shortMs, skewMs, heartbeatMs },
      committee: await joinCommittee(host, { identity, member: seat, addresses, learned: place.learned }),
      member: seat,
      sign: folder.sign,
      votes: folder.votes,
      archive: folder.archive,
      host,
    })
    closing.push(() => group[Symbol.asyncDispose]())
    const attest =
      gate === undefined
        ? null
        : await Attest.open({
            expected: { network, group: id, gate, roster },
            rosterId: genesis.roster,
            seat,
            own,
            folder: path,
            addresses,
            host,
          })
    closing.push(async () => attest?.[Symbol.asyncDispose]())
    const source = attest?.serve(group.source) ?? group.source
    await host.handle(
      LIGHT_PROTOCOL,
      serveLight(() => [source], host),
    )
    await place.start(source)
    closing.push(place.end)
    const driver = follow(options, { group, seat, identity, host, sign: folder.sign })
    closing.push(driver.end)
    const running: Running = { group, seat, identity, host, heartbeatMs, chain: driver.state, attest, where, startedAt: Date.now() }
    return {
      addresses: where(),
      group: toHex(id),
      seat,
      newest: () => group.newest,
      status: () => statusOf(running),
      done: driver.done,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

interface Seated {
  readonly group: Group<TallyState, TallyCommand>
  readonly seat: number
  readonly identity: Identity
  readonly host: NodeHost
}

interface Running extends Seated {
  readonly heartbeatMs: number
  readonly chain: () => ChainState | null
  /** Null where the config asks for no tickets. */
  readonly attest: Attest | null
  /** Where it says that it is, as of now. */
  readonly where: () => readonly string[]
  readonly startedAt: number
}

const statusOf = ({ group, seat, identity, host, heartbeatMs, chain, attest, where, startedAt }: Running): MemberStatus => {
  const { members } = identity.roster
  const { n, quorum } = thresholds(members.length)
  const { connections, streams: lightStreams } = host.load(LIGHT_PROTOCOL)
  return {
    ...group.status(),
    problem: group.broken && spoken(group.broken),
    group: toHex(identity.group),
    seat,
    operator: members[seat]?.operator ?? '',
    n,
    quorum,
    heartbeatMs,
    chain: chain(),
    tickets: attest?.status() ?? null,
    connections,
    lightStreams,
    addresses: where(),
    startedAt,
  }
}

interface Following extends Seated {
  readonly sign: (message: Bytes) => Bytes
}

/** The driver, as long as the member votes: one that must not sign has nothing to say of the chain either. */
const follow = ({ config, chain, log, onChain }: MemberOptions, { group, seat, identity, host, sign }: Following) => {
  const stop = new AbortController()
  let newest: ChainState | null = null
  const onState = (state: ChainState): void => {
    newest = state
    onChain(state)
  }
  const state = (): ChainState | null => newest
  if (group.broken !== null) {
    log('warn', 'this member does not follow the chain: it must not sign', { problem: spoken(group.broken) })
    return { state, done: new Promise<void>(() => {}), end: async () => {} }
  }
  const port = {
    rosterId: identity.rosterId,
    member: seat,
    state: () => group.state,
    submit: (command: Bytes) => group.execute(command),
    onCommit: (listener: () => void) => group.onCommit(listener),
  }
  const done = drive({
    config,
    chain,
    group: port,
    sign,
    remember: (question, value) => group.answer(question, value),
    recall: (question) => group.answered(question),
    host,
    onState,
    signal: stop.signal,
  }).catch((error: unknown) => {
    // Its votes ended while it ran: it goes on following, and the log has said why.
    if (!isError(error, 'Group.StoppedError')) throw error
    log('error', 'this member follows the chain no longer', { problem: error.message })
    return new Promise<void>(() => {})
  })
  const end = async (): Promise<void> => {
    stop.abort()
    await Promise.race([done.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 1_000))])
  }
  return { state, done, end }
}

/** An error with its code, which is what the guide lists. */
const spoken = ({ name, message }: Error): string => `${name}: ${message}`

/** The seat of a folder's keys. A vote key that cannot be read is not compared: the link key is in one seat only. */
const seatOf = (members: readonly RosterMember[], { peer, vote }: Pick<Folder, 'peer' | 'vote'>, path: string): number => {
  const seat = members.findIndex((member) => equal(member.peer, peer))
  const isOurs = seat >= 0 && (vote === null || equal((members[seat] as RosterMember).vote, vote))
  if (!isOurs) throw new SeatlessError(path, toHex(vote ?? peer))
  return seat
}

/** A folder whose keys stand in no seat of the config’s roster. */
export class SeatlessError extends CoalitionError {
  constructor(folder: string, key: string) {
    super('Member.SeatlessError', `the keys of ${folder} have no seat in the roster: its key is ${key}`, { folder, key })
  }
}

/** A ticket for a config whose committee is one of keys alone: a wrong config, or a wrong member. */
export class UngatedError extends CoalitionError {
  constructor(ticket: string) {
    super('Member.UngatedError', `there is a ticket, ${ticket}, and the config asks for none: see that it is the config of this member`, {
      ticket,
    })
  }
}
