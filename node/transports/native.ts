import type { Log } from '../../client/log.ts'

// Two transports stand on native libraries that not every platform has. A member that lacks one serves over the others.

/** What has to be there for an address to be listened on; null where nothing has. */
const needed = (address: string): (() => Promise<unknown>) | null => {
  if (address.includes('/webrtc-direct')) return () => import('node-datachannel')
  if (address.includes('/webtransport')) return async () => (await import('./webtransport/quic/native.ts')).loadQuiche()
  return null
}

/**
 * The addresses that this platform can listen on, of those that are asked for. Of each other one the log says why, in a line.
 *
 * @returns all of them when none is left: to listen on nothing is nobody's wish, and the transport throws with the reason
 */
export const listenable = async (addresses: readonly string[], log: Log): Promise<readonly string[]> => {
  const problems = await Promise.all(addresses.map((address) => needed(address)?.().then(() => null, words) ?? null))
  const left = addresses.filter((_, i) => problems[i] === null)
  if (left.length === 0) return addresses
  for (const [i, problem] of problems.entries())
    if (problem !== null)
      log('warn', `not listening on ${addresses[i]}: its library is missing here; the other addresses are served`, { problem })
  return left
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''
