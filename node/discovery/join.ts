import { CATALOG_PROTOCOL } from '../../client/network/discovery/messages.ts'
import { type OwnCommittee, Presence } from '../../client/network/discovery/presence.ts'
import { serveCatalog } from '../../client/network/discovery/server.ts'
import type { UniqueId } from '../../client/primitives/id.ts'
import type { NodeHost } from '../host.ts'
import { Neighbours } from './neighbours.ts'

export interface JoinOptions {
  readonly network: UniqueId
  /** Multiaddrs of nodes to begin with, each with its peer id. */
  readonly bootstrap: readonly string[]
  /** Own multiaddrs as of now, each with the peer id; those that the host listens on by default. */
  readonly addresses?: () => readonly string[]
  /** Committees that this node is a member of. */
  readonly committees: readonly OwnCommittee[]
  readonly tags?: readonly string[]
}

/** A node that others can find. */
export interface Joined extends AsyncDisposable {
  readonly presence: Presence
  readonly neighbours: Neighbours
}

/**
 * Joins a network as a full node: links to others, gossip, and the catalog for whoever asks. Disposing of it says goodbye to them.
 *
 * @param host made with the network's topic as `gossip`
 * @throws AddressError
 */
export const join = async (host: NodeHost, options: JoinOptions): Promise<Joined> => {
  const { network, bootstrap, addresses = host.addresses, committees, tags = [] } = options
  const { gossip, peer, sign } = host
  if (gossip === null) throw new TypeError('the host has no gossip')
  const neighbours = new Neighbours({ host, gossip, peer, bootstrap, entries: () => presence.catalog.list() })
  const presence: Presence = new Presence({ host, network, peer, sign, gossip, links: neighbours, addresses, committees, tags })
  const { catalog, heads } = presence
  neighbours.start()
  await host.handle(CATALOG_PROTOCOL, serveCatalog({ network, catalog, heads, host }))
  return {
    presence,
    neighbours,
    [Symbol.asyncDispose]: async () => {
      await presence[Symbol.asyncDispose]()
      await neighbours[Symbol.asyncDispose]()
    },
  }
}
