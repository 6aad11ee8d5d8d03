import type { Evidence } from '../verify/evidence/format.ts'
import type { TransportName } from './address.ts'
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

/** How far the opening of a surface has got. What comes after it, the handle's own state tells. */
export interface Progress {
  /**
   * booting (of a page): the Worker is started · dialing: no member reached · syncing: reached, the head is not verified yet · live: the
   * head is verified, and the handle comes.
   */
  readonly stage: 'booting' | 'dialing' | 'syncing' | 'live'
  /** Registry name and group in hex; null while booting. */
  readonly surface: string | null
  readonly group: string | null
  /** Peers with a link, of those that `bootstrap` names. */
  readonly reached: number
  readonly peers: number
  /** What stands in the way, in words; null when nothing does. */
  readonly detail: string | null
}

export interface ConnectOptions {
  /** Members' multiaddrs, each with its /p2p/ peer id. */
  readonly bootstrap: readonly string[]
  /** Only these of the transports that are there: all of them by default, the best first. */
  readonly transports?: readonly TransportName[]
  /** Another universe than the shared one: 64 hex digits. Isolated federations only (MSK-11). */
  readonly network?: string
  readonly withstand?: number
  /** False keeps nothing on this device: the next start has to wait for a member. */
  readonly storage?: boolean
  readonly signal?: AbortSignal
  /** Told of every surface that is being opened, from the start of the Worker on: `read` has no handle to ask before it resolves. */
  readonly onProgress?: (progress: Progress) => void
}

/** One universe, one set of connections, any number of handles (MSK-12). */
export interface Network extends AsyncDisposable {
  /** @throws ConnectTimeoutError, RosterError, WithstandError, ConfigError */
  readonly open: <T, Config>(surface: SurfaceName<T, Config>, config: Config, options?: OpenOptions) => Promise<Handle<T>>
  /** Proofs against committees that were seen to sign two histories, kept until the network is closed. */
  readonly evidence: () => Promise<readonly Evidence[]>
}
