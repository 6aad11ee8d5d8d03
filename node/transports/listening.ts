import { multiaddr } from '@multiformats/multiaddr'
import { CoalitionError } from '../../client/error.ts'

/** Why an address cannot be listened on, and what to do, from the system's error or from words that hold its code. */
export const listenProblem = (cause: Error): string => {
  const { code } = cause as { readonly code?: unknown }
  const found = Object.entries(CURES).find(([name]) => name === code || cause.message.includes(name))
  return found?.[1] ?? cause.message
}

const CURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use: name another, or end the process that has it',
  EACCES: 'this user may not: name a port above 1023',
  EADDRNOTAVAIL: 'this machine has no such address: 127.0.0.1 is its own',
  ENOTFOUND: 'this machine has no such address: 127.0.0.1 is its own',
  UnsupportedListenAddressError: 'only tcp with or without ws, udp with webrtc-direct and udp with quic-v1/webtransport are listened on',
}

/** @throws ListenError for an address that is none */
export const checkListen = (addresses: readonly string[]): void => {
  for (const address of addresses)
    try {
      multiaddr(address)
    } catch (cause) {
      throw new ListenError(address, 'is no multiaddr: /ip4/ADDRESS/tcp/PORT for members, with /ws behind it for readers', cause)
    }
}

/** What libp2p says of addresses that it cannot listen on; anything else that it threw comes back as it is. */
export const listenError = (addresses: readonly string[], cause: unknown): unknown => {
  if (!(cause instanceof Error) || !/^UnsupportedListenAddress(es)?Error$/.test(cause.name)) return cause
  // It names the failed addresses and their errors in its message alone: "ADDRESS: words", a line each.
  const [, address, words] = /^\s*(\/\S+): (.+)$/m.exec(cause.message) ?? []
  return new ListenError(address ?? addresses.join(', '), listenProblem(words === undefined ? cause : new Error(words)), cause)
}

/**
 * Addresses of IPv6 that nothing listens on, though it was asked for: libp2p (transport-manager) takes it that there is no IPv6 here when all
 * of them fail and all of IPv4 succeed, and goes on without a word.
 */
export const passedOver = (listen: readonly string[], listened: readonly string[]): readonly string[] => {
  const isIp6 = (address: string): boolean => address.startsWith('/ip6/')
  return listened.some(isIp6) ? [] : listen.filter(isIp6)
}

/** An address that cannot be listened on; the message says what to do. */
export class ListenError extends CoalitionError {
  declare readonly address: string
  declare readonly problem: string

  constructor(address: string, problem: string, cause: unknown) {
    super('Network.ListenError', `cannot listen on ${address}: ${problem}`, { address, problem }, { cause })
  }
}
