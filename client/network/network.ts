import type { Evidence } from '../verify/evidence/format.ts'
import type { Handle } from './handle.ts'

// Types alone: shared by the page, the Worker and Node.

/** A surface as a page may name it: nothing but words and types crosses to the Worker. */
export interface SurfaceName<T, Config> {
  /** Registry name in the host's list, `organism.surface`. */
  readonly name: string
  /** Never set: carries the types. */
  readonly types?: { readonly item: T; readonly config: Config }
}

export interface OpenOptions {
  readonly signal?: AbortSignal
  /** Milliseconds until ConnectTimeoutError, default 15,000. */
  readonly timeout?: number
  /** Liars to withstand, instead of the network's setting or the roster's b. */
  readonly withstand?: number
}

export interface ConnectOptions {
  /** Members' multiaddrs, each with its /p2p/ peer id. */
  readonly bootstrap: readonly string[]
  /** Another universe than the shared one: 64 hex digits. Isolated federations only (MSK-11). */
  readonly network?: string
  readonly withstand?: number
  readonly signal?: AbortSignal
}

/** One universe, one set of connections, any number of handles (MSK-12). */
export interface Network extends AsyncDisposable {
  /** @throws ConnectTimeoutError, RosterError, WithstandError, ConfigError */
  readonly open: <T, Config>(surface: SurfaceName<T, Config>, config: Config, options?: OpenOptions) => Promise<Handle<T>>
  /** Proofs against committees that were seen to sign two histories, kept until the network is closed. */
  readonly evidence: () => Promise<readonly Evidence[]>
}
