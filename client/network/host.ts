import type { Log } from '../log.ts'
import type { Bytes } from '../primitives/bytes.ts'
import type { Verify } from '../primitives/ed25519.ts'
import type { VerifyEcdsa } from '../verify/attestation.ts'
import type { TransportName } from './address.ts'
import type { Storage } from './keep/storage.ts'

/**
 * Everything that domain code takes from where it runs: clock, entropy, timers, signature checks, links, log.
 * A page Worker, Node and the simulation each provide one (ARCHITECTURE.md section 1); the same domain code runs in all three.
 */
export interface Host {
  /** Milliseconds since the epoch, by the device's clock. */
  readonly now: () => number
  /** n bytes of the platform's entropy. */
  readonly random: (n: number) => Bytes
  /** Calls `run` once after `ms`; the returned function cancels. */
  readonly after: (ms: number, run: () => void) => () => void
  /**
   * Calls `listener` when the host was away (a device that slept, a tab that was frozen or that nobody looked at) or has its network back:
   * what is waited for is to be tried at once, and no link is known to live. The returned function stops it.
   */
  readonly onWake: (listener: () => void) => () => void
  /** Whether data is to be saved: then no more links are opened than a verdict needs. */
  readonly isSaving: () => boolean
  /** Whether nobody has looked for a while. Who looks again is told of by `onWake`. */
  readonly isUnseen: () => boolean
  readonly verify: Verify
  /** ECDSA on P-256, for quotes of a TDX-gated group. */
  readonly ecdsa: VerifyEcdsa
  readonly log: Log
  /** Where readers keep what they verified; null where nothing is to be kept. */
  readonly storage: Storage | null
  /** What this host can dial, best first. */
  readonly transports: readonly TransportName[]
  /** Resolves when what every dial needs is made, for a host that makes it late: no way to a peer is to be thought slow for it. */
  readonly ready?: () => Promise<unknown>
  /**
   * Opens a link of its own over exactly this address. Rejects with the transport's failure, or when `signal` aborts, and then nothing is left
   * open. Who is dialled, by which address and how long, is decided above (dialer.ts).
   * @param address multiaddr that ends in /p2p/PEER
   */
  readonly dial: (address: string, options: { readonly signal: AbortSignal }) => Promise<Link>
}

/** A secured connection to one peer, whose long-lived Ed25519 key the transport has proven. */
export interface Link {
  /** The peer's link key, 32 bytes: compared with the roster. */
  readonly peer: Bytes
  readonly address: string
  /** Bytes of its streams so far, in each direction, without what the transport adds. */
  readonly bytes: LinkBytes
  /** Opens a stream for one exchange of `protocol`. */
  readonly stream: (protocol: string, options: { readonly signal: AbortSignal }) => Promise<ByteStream>
  readonly closed: AbortSignal
  readonly close: () => Promise<void>
}

/** Counted as streams are read and written; goes on counting. */
export interface LinkBytes {
  readonly received: number
  readonly sent: number
}

/** One duplex stream of bytes. Chunk borders carry no meaning. */
export interface ByteStream {
  /** Resolves when the transport has room again: back-pressure reaches the writer. */
  readonly write: (chunk: Bytes) => Promise<void>
  /** Chunks as they come; ends when the peer closed its side. */
  readonly chunks: AsyncIterable<Bytes>
  /** Closes our writing side. */
  readonly finish: () => Promise<void>
  /** Ends both sides at once; the peer sees a reset. */
  readonly abort: (reason: Error) => void
}
