import type { Network } from '../client/network/network.ts'
import type { NodeConnectOptions } from './connect.ts'

// The package's main entry under Node: the same face as the page's. A server that only renders imports it too, so nothing is loaded, and no
// global is filled in, before `connect` is called.

export { type CoalitionError, type Facts, isError } from '../client/error.ts'
export * as Tally from '../client/lattice/tally/index.ts'
export type { TransportName } from '../client/network/address.ts'
export type { AskOptions, Handle, PeerReport, Ref, State, StateReport, StreamOptions, Subject, Verified } from '../client/network/handle.ts'
export type { ConnectOptions, Network, OpenOptions, Progress, SurfaceName } from '../client/network/network.ts'
export type { ConnectTimeoutError } from '../client/network/reader/state.ts'
export type { Evidence } from '../client/verify/evidence/format.ts'
export {
  type At,
  type Check,
  type CheckName,
  type CheckState,
  type EvidenceError,
  explain,
  type Light,
  type LightName,
  type Verdict,
} from '../client/verify/verdict.ts'
export type { NodeConnectOptions } from './connect.ts'

/**
 * Connects to a network: one universe, one set of connections. Resolves when handles can be opened, not when anything is synced.
 * @throws AddressError for a bad address, TransportsError where none of the transports can be used
 */
export const connect = async (options: NodeConnectOptions): Promise<Network> => {
  const { openNetwork } = await import('./connect.ts')
  return openNetwork(options)
}
