// The package's main entry in a browser. It carries no libp2p, no codec and no curve (budget 8 kB gzip), and importing it does nothing.

export { type CoalitionError, type Facts, isError } from '../error.ts'
export * as Tally from '../lattice/tally/index.ts'
export type { TransportName } from '../network/address.ts'
export type { AskOptions, Handle, PeerReport, Ref, State, StateReport, StreamOptions, Subject, Verified } from '../network/handle.ts'
export type { ConnectOptions, Network, OpenOptions, Progress, SurfaceName } from '../network/network.ts'
export type { ConnectTimeoutError } from '../network/reader/state.ts'
export type { Evidence } from '../verify/evidence/format.ts'
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
} from '../verify/verdict.ts'
export { connect, type PageConnectOptions } from './connect.ts'
