import { fields } from './wire.ts'

// How the tabs of one origin find the Worker of one of them. All of them hear what is said at the meeting place, a BroadcastChannel; what a
// tab and the Worker say to each other goes over a channel of the two alone. Any script of the origin can speak at both, so nothing is
// believed: a name of nobody leads nowhere, and a tab is gone when the Web Lock of its name is free.

/** `navigator.locks`, as far as it is used. */
export interface Locks {
  /** Runs `run` once the lock is ours, and holds it until `run` has ended. Rejects with AbortError when it is stolen or given up. */
  request(name: string, options: { readonly signal?: AbortSignal; readonly steal?: boolean }, run: () => unknown): Promise<unknown>
}

export interface Word {
  /**
   * who (a tab): is a Worker there? · booting (a page): ours is being loaded · here (a Worker) · join (a tab that holds the lock of its name and
   * listens on the channel of the two).
   */
  readonly kind: 'who' | 'booting' | 'here' | 'join'
  /** Name of a Worker, with `here` and `join`. */
  readonly leader?: string
  /** Name of a tab, with `join`. */
  readonly tab?: string
}

const isName = (value: unknown): boolean => typeof value === 'string' && /^[\w-]{1,64}$/.test(value)

/** The word, or null for what is none: at a meeting place nobody is to blame for it. */
export const readWord = (data: unknown): Word | null => {
  const { kind, leader, tab } = fields(data)
  const isWhole = kind === 'who' || kind === 'booting' || (isName(leader) && (kind === 'here' || (kind === 'join' && isName(tab))))
  return isWhole ? (data as Word) : null
}

/** The lock that a tab holds for as long as it is there. */
export const tabLock = (meeting: string, tab: string): string => `${meeting} ${tab}`

/** The channel of a tab and a Worker. */
export const lineName = (meeting: string, leader: string, tab: string): string => `${meeting} ${leader} ${tab}`

/** How a page asks its Worker to serve the other tabs too. */
export const lead = (meeting: string) => ({ coalition: 'lead/1', meeting })

/** The meeting place of such a message, or null for any other. */
export const ledAt = (data: unknown): string | null => {
  const { coalition, meeting } = fields(data)
  return coalition === 'lead/1' && typeof meeting === 'string' ? meeting : null
}
