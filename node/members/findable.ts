import type { Identity } from '../../client/groups/execution.ts'
import { thresholds } from '../../client/groups/roster.ts'
import type { Source } from '../../client/groups/source.ts'
import { mayDial, readAddress } from '../../client/network/address.ts'
import { addressesIn, isGone } from '../../client/network/discovery/entry.ts'
import { type Joined, join } from '../discovery/join.ts'
import type { NodeHost } from '../host.ts'

/** The tag of a peer that is a member of the groups that it names, by its own word; readers look into the roster. */
const MEMBER = 'member'

export interface FindableOptions {
  readonly identity: Identity
  /** Of the other members, as the operator gave them. */
  readonly addresses: readonly string[]
  /** Of nodes of other groups. */
  readonly bootstrap: readonly string[]
  /** Where this member says that it is, as of now. */
  readonly own: () => readonly string[]
}

/** A member's part in discovery: it is found, and finds the others where they are now. */
export interface Findable {
  /** Where a member says that it is, by its place in the roster. */
  readonly learned: (member: number) => readonly string[]
  /** From the time on that there is something to serve. */
  readonly start: (source: Source) => Promise<void>
  /** Says goodbye. */
  readonly end: () => Promise<void>
}

export const findable = (host: NodeHost, { identity, addresses, bootstrap, own: where }: FindableOptions): Findable => {
  const { network, group, roster, rosterId } = identity
  const may = mayDial(addresses.map(readAddress))
  let joined: Joined | null = null
  return {
    learned: (member) => {
      const seat = roster.members[member]
      const entry = seat && joined?.presence.catalog.get(seat.peer)?.entry
      if (!entry || isGone(entry)) return []
      return addressesIn(entry, (address) => may(address) && host.transports.includes(address.transport))
    },
    start: async (source) => {
      const { quorum } = thresholds(roster.members.length)
      const own = { group, roster: source.roster, rosterId: () => rosterId, head: () => source.head(quorum) }
      joined = await join(host, { network, addresses: where, bootstrap: [...addresses, ...bootstrap], committees: [own], tags: [MEMBER] })
    },
    end: async () => joined?.[Symbol.asyncDispose](),
  }
}
