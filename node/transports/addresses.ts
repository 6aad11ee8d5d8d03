import { readIp6 } from '../../client/network/ip.ts'

// Who a connection comes from, for limits by address.

/**
 * What one host can be expected to hold: an IPv4 address, or the /64 of an IPv6 address, since whoever has one address there has 2^64.
 * @param address IP address as text, with or without a zone
 */
export const originOf = (address: string): string => {
  if (!address.includes(':')) return address
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)
  return mapped?.[1] ?? prefixOf(address.replace(/%.*$/, ''))
}

/** The first 64 bits of an IPv6 address, as four groups; what is no address stands for itself. */
const prefixOf = (text: string): string => {
  const ip = readIp6(text)
  if (ip === null) return text
  const groups = [0, 2, 4, 6].map((at) => (((ip[at] as number) << 8) | (ip[at + 1] as number)).toString(16))
  return `${groups.join(':')}::/64`
}

/**
 * Counts what each origin holds. `take` gives the function that lets go of it, or null at the limit.
 * @param free IP addresses whose origins may hold any number
 */
export const createQuota = (limit: number, free: readonly string[] = []) => {
  const held = new Map<string, number>()
  const uncounted = new Set(free.map(originOf))
  return {
    take: (origin: string): (() => void) | null => {
      if (uncounted.has(origin)) return () => {}
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
