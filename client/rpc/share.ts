import type { ConnectOptions, Network, Progress } from '../network/network.ts'
import { race } from '../network/scope.ts'
import { BusyError } from './answerer.ts'
import { networkKey } from './key.ts'
import { ShutdownError } from './wire.ts'

/** Networks of different options in one Worker. */
const MOST = 16

type OpenNetwork = (options: ConnectOptions) => Promise<Network>

interface Shared {
  readonly network: Promise<Network>
  readonly users: Set<User>
}

/** One port's use of a network. */
interface User {
  readonly onProgress: ((progress: Progress) => void) | undefined
  /** Surfaces that are being opened through it. */
  opening: number
}

/**
 * One network for all ports whose options are the same, so that the tabs of an origin have one set of connections (MSK-12, PROTOCOL.md
 * section 5). It ends with its last user.
 */
export const shareNetworks = (openNetwork: OpenNetwork): OpenNetwork => {
  const all = new Map<string, Shared>()
  const start = (key: string, { onProgress: _, signal: __, ...options }: ConnectOptions): Shared => {
    if (all.size >= MOST) throw new BusyError('networks', MOST)
    const users: Shared['users'] = new Set()
    // What another tab opens is no news to one that waits for nothing.
    const onProgress = (progress: Progress): void => {
      for (const user of users) if (user.opening > 0) user.onProgress?.(progress)
    }
    const shared = { network: openNetwork({ ...options, onProgress }), users }
    all.set(key, shared)
    return shared
  }
  return async (options) => {
    const key = networkKey(options)
    const shared = all.get(key) ?? start(key, options)
    const user: User = { onProgress: options.onProgress, opening: 0 }
    shared.users.add(user)
    const leave = async (): Promise<void> => {
      if (!shared.users.delete(user) || shared.users.size > 0) return
      if (all.get(key) === shared) all.delete(key)
      await (await shared.network)[Symbol.asyncDispose]()
    }
    try {
      const network = await (options.signal ? race(shared.network, options.signal) : shared.network)
      return use(network, user, leave)
    } catch (error) {
      void leave().catch(() => {})
      throw error
    }
  }
}

const use = (network: Network, user: User, leave: () => Promise<void>): Network => {
  let isOver = false
  return {
    open: async (...args) => {
      if (isOver) throw new ShutdownError()
      user.opening++
      try {
        return await network.open(...args)
      } finally {
        user.opening--
      }
    },
    evidence: () => network.evidence(),
    [Symbol.asyncDispose]: async () => {
      isOver = true
      await leave()
    },
  }
}
