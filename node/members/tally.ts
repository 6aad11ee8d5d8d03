import { CoalitionError } from '../../client/error.ts'
import { joinCommittee } from '../../client/groups/commit/links.ts'
import type { Identity } from '../../client/groups/execution.ts'
import { Group } from '../../client/groups/group.ts'
import type { ChainReader, ChainState } from '../../client/lattice/tally/chain.ts'
import { identify } from '../../client/lattice/tally/config.ts'
import type { TallyConfig } from '../../client/lattice/tally/index.ts'
import { createMachine } from '../../client/lattice/tally/machine.ts'
import { drive } from '../../client/lattice/tally/member.ts'
import type { Log } from '../../client/log.ts'
import { LIGHT_PROTOCOL } from '../../client/network/light/messages.ts'
import { serveLight } from '../../client/network/light/server.ts'
import { equal, toHex } from '../../client/primitives/bytes.ts'
import { UNIVERSE, type UniqueId } from '../../client/primitives/id.ts'
import { createNodeHost } from '../host.ts'
import { openFolder } from './folder.ts'

export interface MemberOptions {
  /** The member's folder, made by `initFolder`. */
  readonly folder: string
  readonly config: TallyConfig
  readonly network?: UniqueId
  readonly chain: ChainReader
  readonly listen: readonly string[]
  /** Multiaddrs of the other members, each with its peer id. */
  readonly peers?: readonly string[]
  readonly log: Log
  readonly onChain: (state: ChainState) => void
}

/** A running tally member. */
export interface Member extends AsyncDisposable {
  /** Multiaddrs with the peer id: what a reader's `bootstrap` holds. */
  readonly addresses: readonly string[]
  readonly group: string
  readonly seat: number
  readonly newest: () => bigint
  /** Settles when the member can sign nothing more; rejects with the reason. */
  readonly done: Promise<void>
}

/**
 * Runs one member of a tally: its log, its look at the chain, and the light protocol for readers.
 * @throws ConfigError, FolderError, StoreError, SeatlessError, VoteRecordError, ArchiveError
 */
export const startTally = async ({
  folder: path,
  config,
  network = UNIVERSE,
  chain,
  listen,
  peers = [],
  log,
  onChain,
}: MemberOptions): Promise<Member> => {
  const { group: id, roster, genesis } = identify(network, config)
  const folder = await openFolder(path)
  const stop = new AbortController()
  try {
    const seat = roster.members.findIndex(({ vote }) => equal(vote, folder.vote))
    if (seat < 0 || !equal(roster.members[seat]?.peer ?? folder.vote, folder.peer)) throw new SeatlessError(path, toHex(folder.vote))
    const host = await createNodeHost({ seed: folder.linkSeed, listen, log })
    const identity: Identity = { network, group: id, roster, rosterId: genesis.roster }
    const { view_ms: viewMs, short_ms: shortMs, skew_ms: skewMs, heartbeat_ms: heartbeatMs } = config.content.timers
    const group = await Group.open({
      machine: createMachine(config),
      identity,
      timers: { viewMs, shortMs, skewMs, heartbeatMs },
      committee: await joinCommittee(host, { identity, member: seat, addresses: peers }),
      member: seat,
      sign: folder.sign,
      votes: folder.votes,
      archive: folder.archive,
      host,
    })
    const { source } = group
    await host.handle(
      LIGHT_PROTOCOL,
      serveLight(() => [source], host),
    )
    const port = {
      rosterId: identity.rosterId,
      member: seat,
      state: () => group.state,
      submit: (command: Parameters<typeof group.execute>[0]) => group.execute(command),
      onCommit: (listener: () => void) => group.onCommit(listener),
    }
    const remember: Parameters<typeof drive>[0]['remember'] = (question, value) => group.answer(question, value)
    const done = drive({
      config,
      chain,
      group: port,
      sign: folder.sign,
      remember,
      recall: (question) => group.answered(question),
      host,
      onState: onChain,
      signal: stop.signal,
    })
    return {
      addresses: host.addresses(),
      group: toHex(id),
      seat,
      newest: () => group.newest,
      done,
      [Symbol.asyncDispose]: async () => {
        stop.abort()
        await host.close()
        await group[Symbol.asyncDispose]()
        await done.catch(() => {})
        await folder.close()
      },
    }
  } catch (error) {
    stop.abort()
    await folder.close()
    throw error
  }
}

export class SeatlessError extends CoalitionError {
  constructor(folder: string, vote: string) {
    super('Member.SeatlessError', `the keys of ${folder} have no seat in the roster: its vote key is ${vote}`, { folder, vote })
  }
}
