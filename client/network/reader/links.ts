import { base58 } from '@scure/base'
import { CoalitionError } from '../../error.ts'
import { type Bytes, equal } from '../../primitives/bytes.ts'
import type { Host, Link } from '../host.ts'
import { race, type Scope, scope } from '../scope.ts'

/** How long one attempt to reach an address may take. */
const DIAL_MS = 10_000

// A peer id is a multihash in base58btc: identity (0x00), 36 bytes, then a protobuf with key type 1 (Ed25519) and 32 bytes of key
// (libp2p specs, peer-ids). Only this form stands in a roster, so only this form is read.
const ED25519_ID = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20]

/** The link key that a multiaddr ends in, or null when it ends in none that can be read. */
export const peerOf = (address: string): Bytes | null => {
  const text = address.split('/p2p/').pop() ?? ''
  if (text === address || text.length > 64) return null
  try {
    const decoded = base58.decode(text)
    return decoded.length === 38 && ED25519_ID.every((byte, i) => decoded[i] === byte) ? new Uint8Array(decoded.slice(6)) : null
  } catch {
    return null
  }
}

/** One link for each address, shared by every reader of a network (MSK-12). */
export class Links {
  readonly #host: Host
  readonly #scope: Scope = scope()
  readonly #links = new Map<string, Promise<Link>>()

  constructor(host: Host) {
    this.#host = host
  }

  /**
   * The link to an address: the open one, or a new one.
   *
   * @throws PeerError when another key answers than the address names, or what the transport throws
   */
  async get(address: string, signal: AbortSignal): Promise<Link> {
    const known = this.#links.get(address) ?? this.#dial(address)
    const link = await race(known, signal)
    if (!link.closed.aborted) return link
    // Another reader may have met the same closed link and dialled already.
    if (this.#links.get(address) === known) this.#links.delete(address)
    return race(this.#links.get(address) ?? this.#dial(address), signal)
  }

  #dial(address: string): Promise<Link> {
    const own = scope(this.#scope.signal)
    const cancel = this.#host.after(DIAL_MS, () => own.abort(new PeerError(address, `no connection within ${DIAL_MS} ms`)))
    const opening = this.#host.dial(address, { signal: own.signal })
    // A link that comes after its time is up is closed here, or nobody would.
    opening.then(
      (link) => (own.signal.aborted ? void link.close().catch(() => {}) : undefined),
      () => {},
    )
    const dialing = race(opening, own.signal)
      .then(async (link) => {
        const named = peerOf(address)
        if (named === null || equal(named, link.peer)) return link
        await link.close()
        throw new PeerError(address, 'the peer has another key than the address names')
      })
      .catch((error: unknown) => {
        this.#links.delete(address)
        throw error
      })
      .finally(() => {
        cancel()
        own.end()
      })
    this.#links.set(address, dialing)
    return dialing
  }

  async close(): Promise<void> {
    this.#scope.abort(new PeerError('', 'the network was closed'))
    const links = await Promise.allSettled([...this.#links.values()])
    this.#links.clear()
    await Promise.allSettled(links.map((link) => (link.status === 'fulfilled' ? link.value.close() : undefined)))
  }
}

/** A peer that cannot be reached, or is not who its address says. */
export class PeerError extends CoalitionError {
  declare readonly address: string
  declare readonly problem: string

  constructor(address: string, problem: string) {
    super('Network.PeerError', address === '' ? problem : `${address}: ${problem}`, { address, problem })
  }
}
