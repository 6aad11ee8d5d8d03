import { CoalitionError, type Facts, isError } from '../../error.ts'
import { toHex } from '../../primitives/bytes.ts'
import type { Identified } from '../binding.ts'
import type { PeerReport, State, StateReport } from '../handle.ts'
import type { Host } from '../host.ts'
import type { Freshness } from './freshness.ts'
import type { Peer } from './peer.ts'
import type { Trusted } from './trust.ts'

/** What a reader's state is made of. */
export interface Situation {
  /** Null before the first head was verified. */
  readonly trusted: Trusted | null
  readonly freshness: Freshness | null
  readonly following: boolean
  /** The head was kept, and no member has shown it, or a newer one, since. */
  readonly isKept: boolean
  /** What ended the reader for good. */
  readonly end: Error | null
  /** What the newest server failed, as long as nobody else has answered. */
  readonly lie: Error | null
  readonly heartbeatMs: number
  readonly peers: readonly PeerReport[]
}

const WEDGED: ReadonlySet<string> = new Set(['Network.EquivocationError', 'Network.ConvictedError'])

export const stateOf = (situation: Situation): StateReport => {
  const { trusted, peers } = situation
  const { state, detail } = wordsFor(situation)
  const head = trusted && { index: trusted.header.index.toString(), commit: toHex(trusted.commit), timeMs: Number(trusted.header.time_ms) }
  return { state, detail, head, peers }
}

// Old comes before out of reach: whoever looks at a number wants to know first that it may no longer be the newest.
const wordsFor = ({
  trusted,
  freshness,
  following,
  isKept,
  end,
  lie,
  heartbeatMs,
  peers,
}: Situation): { readonly state: State; readonly detail: string | null } => {
  if (end !== null) return { state: WEDGED.has(end.name) ? 'wedged' : 'stale', detail: end.message }
  const connected = peers.some((peer) => peer.connected)
  const kept = isKept ? 'what is shown was kept on this device' : null
  const why = lie?.message ?? peers.find(({ problem }) => problem !== null)?.problem ?? null
  if (freshness?.stale) {
    const age = `the newest commit is ${Math.round(freshness.ageMs / 1_000)} s old, one is due every ${heartbeatMs / 1_000} s`
    return { state: 'stale', detail: joined(age, kept, why) }
  }
  if (!connected) return { state: 'connecting', detail: joined(kept, why ?? 'no member reached yet') }
  if (trusted === null || !following) return { state: 'syncing', detail: joined(kept, why ?? 'the head is not verified yet') }
  return { state: 'live', detail: null }
}

const joined = (...parts: readonly (string | null)[]): string => parts.filter((part) => part !== null).join('; ')

/** What changes all the time, and is told with whatever else does. */
const PASSING: ReadonlySet<string> = new Set<keyof PeerReport>(['bytes', 'rttMs'])

/**
 * Least milliseconds between two reports that differ in heads only, ours or a peer's: a busy group makes several blocks a second, each of
 * them comes from every peer, and a page draws what it is told. Any other change is told at once, and so is who shows a head for the first time.
 */
const HEADS_MS = 1_000

/** Tells listeners of a state that differs from the one they were told last. One that throws is logged: a page's mistake must not stop the reader. */
export class Reports {
  readonly #host: Pick<Host, 'after' | 'log' | 'now'>
  readonly #listeners = new Set<(report: StateReport) => void>()
  /** What was told last, without the heads, and the heads. */
  #last = ''
  #heads = ''
  #toldAt = 0
  #stop: (() => void) | null = null

  constructor(host: Pick<Host, 'after' | 'log' | 'now'>) {
    this.#host = host
  }

  listen(listener: (report: StateReport) => void): () => void {
    // Each its own entry, even of one function that listens twice.
    const own = (report: StateReport): void => listener(report)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  tell(report: () => StateReport): void {
    if (this.#listeners.size === 0) return
    const now = report()
    const isOther = textOf(now) !== this.#last
    if (!isOther && headsOf(now) === this.#heads) return
    const since = this.#host.now() - this.#toldAt
    // A time in the future is long ago: the clock was set back meanwhile.
    if (isOther || since < 0 || since >= HEADS_MS) this.#say(now)
    else this.#stop ??= this.#host.after(HEADS_MS - since, () => this.#say(report()))
  }

  #say(now: StateReport): void {
    this.#wait()
    this.#last = textOf(now)
    this.#heads = headsOf(now)
    this.#toldAt = this.#host.now()
    for (const listener of this.#listeners) {
      try {
        listener(now)
      } catch (error) {
        this.#host.log('warn', 'a state listener threw', { problem: error instanceof Error ? error.message : String(error) })
      }
    }
  }

  #wait(): void {
    this.#stop?.()
    this.#stop = null
  }

  clear(): void {
    this.#wait()
    this.#listeners.clear()
  }
}

const headsOf = ({ head, peers }: StateReport): string => JSON.stringify([head, peers.map((peer) => peer.head)])

const textOf = (report: StateReport): string =>
  JSON.stringify(report, (key, value: unknown) => {
    if (key === 'head') return value !== null
    return PASSING.has(key) ? null : value
  })

/** How long a peer is left alone after an error that is no lie, in milliseconds. */
export const pauseFor = (error: unknown, heartbeatMs: number): number => {
  if (!isError(error, 'Light.ServerError')) return Math.max(SHORT_PAUSE, Math.min(heartbeatMs, 1_000))
  const { reason, retryMs } = error.facts
  if (reason === 'badRequest' || reason === 'version') return LONG_PAUSE
  return Math.min(LONG_PAUSE, Math.max(500, typeof retryMs === 'number' ? retryMs : 0))
}

// A heartbeat comes from a config, which may say 0.
const SHORT_PAUSE = 100
const LONG_PAUSE = 30_000

/** The server that was followed fell silent, or behind. */
export class StallError extends CoalitionError {
  constructor(problem: string) {
    super('Network.StallError', problem, { problem })
  }
}

/**
 * No verified head, or no verified answer, in time. Which of the reasons it is cannot be known from here: nobody may run the component, it may not be up yet, a
 * link may be broken, or one of `inputs` may differ from what the members have. Two sides compare ids and inputs (ERR-03, ERR-07).
 */
export class ConnectTimeoutError extends CoalitionError {
  declare readonly component: string
  /** What was derived, in hex. */
  declare readonly ids: { readonly network: string; readonly group: string }
  /** What it was derived from, by name: the config's own values and the hashes on the way. */
  declare readonly inputs: Facts
  declare readonly deadlineMs: number
  declare readonly peersSeen: number
  declare readonly peersServing: number
  /** One line for each peer. */
  declare readonly problems: readonly string[]

  constructor(
    what: 'head' | 'answer',
    component: string,
    { network, group, inputs }: Identified,
    deadlineMs: number,
    peers: readonly Peer[],
  ) {
    const seen = peers.filter(({ link, clock }) => link !== null || clock !== null)
    const serving = peers.filter(({ serving }) => serving === true)
    const message = `${component}: no verified ${what} of group ${toHex(group)} within ${deadlineMs} ms; ${seen.length} of ${peers.length} peers reached, ${serving.length} of them serve it`
    super('Network.ConnectTimeoutError', message, {
      component,
      ids: { network: toHex(network), group: toHex(group) },
      inputs,
      deadlineMs,
      peersSeen: seen.length,
      peersServing: serving.length,
      problems: peers.map(({ way, addresses, problem }) => `${way?.text ?? addresses[0]}: ${problem ?? 'no answer yet'}`),
    })
  }
}

/** The handle, or its network, was closed. */
export class ShutdownError extends CoalitionError {
  constructor() {
    super('Network.ShutdownError', 'the reader was closed')
  }
}
