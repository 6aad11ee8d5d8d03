import { createLine, type Line } from './line.ts'
import { type Locks, lineName, readWord, tabLock, type Word } from './meeting.ts'
import { attached, type Port } from './wire.ts'

/** What one Worker serves. */
export const TABS = {
  /** Beside its own; the next one starts a Worker of its own. */
  most: 32,
  /** Ports of one tab: a network each, and their handles. */
  ports: 1_024,
} as const

export interface LeaderOptions {
  readonly meeting: string
  /** A name that nobody else has. */
  readonly leader: string
  readonly channel: (name: string) => Port
  readonly locks: Locks
  /** Answers on a port of a tab, as on one of the page that started the Worker. */
  readonly serve: (port: Port) => void
}

/** Serves the other tabs of the origin, for as long as the Worker lives. A tab that is gone, or that sends nonsense, loses its own ports. */
export const leadTabs = ({ meeting, leader, channel, locks, serve }: LeaderOptions): void => {
  const tabs = new Map<string, Line>()
  const place = channel(meeting)
  const say = (word: Word): void => place.postMessage(word)
  const welcome = (tab: string): void => {
    const gone = new AbortController()
    const own = channel(lineName(meeting, leader, tab))
    const isFull = tabs.size >= TABS.most
    const line = createLine(own, {
      streams: TABS.ports,
      take: (message) => {
        const port = attached(message)
        if (port) serve(port)
        else if (message === 'ping') line.postMessage('pong')
        else line.close()
      },
      closed: () => {
        tabs.delete(tab)
        gone.abort()
      },
    })
    line.postMessage(isFull ? 'full' : 'pong')
    if (isFull) line.close()
    else {
      tabs.set(tab, line)
      // Whoever holds it is alive. A name that somebody made up has no holder, and is gone at once.
      locks.request(tabLock(meeting, tab), { signal: gone.signal }, () => line.close()).catch(() => {})
    }
  }
  place.onmessage = ({ data }: { readonly data: unknown }) => {
    const word = readWord(data)
    if (word?.kind === 'who') say({ kind: 'here', leader })
    else if (word?.kind === 'join' && word.leader === leader && word.tab && !tabs.has(word.tab)) welcome(word.tab)
  }
  say({ kind: 'here', leader })
}
