import { type Bytes, toHex } from '../primitives/bytes.ts'
import { readAddress } from './address.ts'

/** A peer and the ways to it. */
export interface Candidate {
  /** Link key, 32 bytes. */
  readonly peer: Bytes
  /** Multiaddrs that end in its peer id, in no order. */
  readonly addresses: readonly string[]
}

/** Who may be dialled: a list that can change while it is used. */
export interface Candidates {
  /** One entry a link key. */
  readonly list: () => readonly Candidate[]
  /** Calls `listener` after each change; the returned function stops it. */
  readonly onChange: (listener: () => void) => () => void
}

/**
 * Those of a list of addresses, which does not change: a peer's addresses are put together, and one that stands there twice counts once.
 *
 * @throws AddressError
 */
export const fixed = (addresses: readonly string[]): Candidates => {
  const byPeer = new Map<string, { readonly peer: Bytes; readonly addresses: string[] }>()
  for (const { text, peer } of [...new Set(addresses)].map(readAddress)) {
    const key = toHex(peer)
    const known = byPeer.get(key) ?? { peer, addresses: [] }
    known.addresses.push(text)
    byPeer.set(key, known)
  }
  const list = [...byPeer.values()]
  return { list: () => list, onChange: () => () => {} }
}
