import type { Log } from '../log.ts'
import type { Bytes } from '../primitives/bytes.ts'
import type { Verify } from '../primitives/ed25519.ts'
import type { VerifyEcdsa } from '../verify/attestation.ts'

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
  readonly verify: Verify
  /** ECDSA on P-256, for quotes of a TDX-gated group. */
  readonly ecdsa: VerifyEcdsa
  readonly log: Log
  /**
   * Opens a link to a peer: dials it if there is no connection. Rejects with the transport's failure or when `signal` aborts.
   * @param address multiaddr that ends in /p2p/PEER
   */
  readonly dial: (address: string, options: { readonly signal: AbortSignal }) => Promise<Link>
}

/** A secured connection to one peer, whose long-lived Ed25519 key the transport has proven. */
export interface Link {
  /** The peer's link key, 32 bytes: compared with the roster. */
  readonly peer: Bytes
  readonly address: string
  /** Opens a stream for one exchange of `protocol`. */
  readonly stream: (protocol: string, options: { readonly signal: AbortSignal }) => Promise<ByteStream>
  readonly closed: AbortSignal
  readonly close: () => Promise<void>
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
