import { CoalitionError } from '../../client/error.ts'
import type { Member } from '../../client/groups/roster.ts'
import { peerIdOf } from '../../client/network/address.ts'

/** Whom a member dials, and whom it was told no address of. */
export interface Peers {
  readonly addresses: readonly string[]
  /** Places in the roster. */
  readonly unnamed: readonly number[]
}

/**
 * The given addresses, less the member's own, so that one list serves the whole committee. A wrong one would be dialled for ever in
 * silence: it is refused here.
 * @throws PeerError
 */
export const peersOf = (addresses: readonly string[], members: readonly Pick<Member, 'peer'>[], own: number): Peers => {
  const ids = members.map(({ peer }) => peerIdOf(peer))
  const seats = addresses.map((address) => {
    const [, id] = /^\/.+\/p2p\/([^/]+)$/.exec(address) ?? []
    if (id === undefined) throw new PeerError(address, 'is no multiaddr that ends in /p2p/ and a peer id')
    const seat = ids.indexOf(id)
    if (seat < 0) throw new PeerError(address, 'has the peer id of nobody in the roster')
    return seat
  })
  return {
    addresses: addresses.filter((_, i) => seats[i] !== own),
    unnamed: [...ids.keys()].filter((seat) => seat !== own && !seats.includes(seat)),
  }
}

/** An address given for a member that is nobody’s in the roster, or no address. */
export class PeerError extends CoalitionError {
  declare readonly address: string
  declare readonly problem: string

  constructor(address: string, problem: string) {
    super('Member.PeerError', `the address of a member, ${address}, ${problem}`, { address, problem })
  }
}
