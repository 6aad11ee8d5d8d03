import { base58 } from '@scure/base'
import { type Bytes, concat, fromHex } from '../../client/primitives/bytes.ts'

// Who a connection leads to, and who it comes from, for limits by address.

// libp2p specs, peer-ids: the identity multihash (00 24) of the key's protobuf { type = 1: Ed25519, data = 2 }.
const PEER_PREFIX = fromHex('002408011220')

/** The libp2p peer id of an Ed25519 key of 32 bytes, as it stands in a multiaddr after /p2p/. */
export const peerIdOf = (key: Bytes): string => base58.encode(concat(PEER_PREFIX, key))

/**
 * What one host can be expected to hold: an IPv4 address, or the /64 of an IPv6 address, since whoever has one address there has 2^64.
 * @param address IP address as text, with or without a zone
 */
export const originOf = (address: string): string => {
  if (!address.includes(':')) return address
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)
  return mapped?.[1] ?? prefixOf(address.toLowerCase().replace(/%.*$/, ''))
}

/** The first 64 bits of an IPv6 address, as four groups (RFC 4291 section 2.2). */
const prefixOf = (text: string): string => {
  const [head = '', tail] = text.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  // An embedded IPv4 address stands for two groups.
  const given = left.length + right.length + (right.at(-1)?.includes('.') ? 1 : 0)
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - given)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4)
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}

/** Counts what each origin holds. `take` gives the function that lets go of it, or null at the limit. */
export const createQuota = (limit: number) => {
  const held = new Map<string, number>()
  return {
    take: (origin: string): (() => void) | null => {
      const count = held.get(origin) ?? 0
      if (count >= limit) return null
      held.set(origin, count + 1)
      let released = false
      return () => {
        if (released) return
        released = true
        const left = (held.get(origin) ?? 1) - 1
        if (left > 0) held.set(origin, left)
        else held.delete(origin)
      }
    },
  }
}
