import { readAddress } from '../../../client/network/address.ts'

/** A member as attackers see it: its ports, and its addresses with its peer id by transport. */
export interface Target {
  readonly tcp: number
  readonly ws: number
  /** webtransport and webrtc-direct, over udp. */
  readonly wt: number
  readonly rtc: number
  readonly addresses: Readonly<Record<Way, string>>
}

export const WAYS = ['tcp', 'ws', 'webtransport', 'webrtc-direct'] as const
export type Way = (typeof WAYS)[number]

/** @throws Error for a member that does not listen on all of them */
export const targetOf = (addresses: readonly string[]): Target => {
  const found = Object.fromEntries(addresses.map((address) => [readAddress(address).transport, address])) as Partial<Record<Way, string>>
  const of = (way: Way): string => {
    const address = found[way]
    if (address === undefined) throw new Error(`no ${way} among ${addresses.join(', ')}`)
    return address
  }
  const port = (way: Way): number => readAddress(of(way)).port
  const all = { tcp: of('tcp'), ws: of('ws'), webtransport: of('webtransport'), 'webrtc-direct': of('webrtc-direct') }
  return { tcp: port('tcp'), ws: port('ws'), wt: port('webtransport'), rtc: port('webrtc-direct'), addresses: all }
}

/** One way to be a bad peer. */
export interface Kind {
  readonly name: string
  /** Sends one frame more to a member. Rejects where the member does not let it. */
  readonly act: (target: Target) => Promise<void>
  /** What it keeps open at members, or null for a kind that keeps nothing. */
  readonly held: Held | null
}

/** What came of a kind so far. */
export interface Count {
  readonly sent: number
  /** Frames that could not be sent: the member, or the machine, did not take the connection or the stream. */
  readonly refused: number
  /** What was kept open, and the member has ended. */
  readonly closed: number
}

export type Counts = Readonly<Record<string, Count>>

/** Counts of several runs, put together. */
export const addCounts = (all: readonly Counts[]): Counts => {
  const sums: Record<string, Count> = {}
  for (const counts of all)
    for (const [name, { sent, refused, closed }] of Object.entries(counts)) {
      const known = sums[name] ?? { sent: 0, refused: 0, closed: 0 }
      sums[name] = { sent: known.sent + sent, refused: known.refused + refused, closed: known.closed + closed }
    }
  return sums
}

/** What a kind keeps open: the oldest is let go when it is too many, so that what the attack holds is bounded, and what a member holds is not. */
export class Held implements Disposable {
  readonly #most: number
  readonly #open = new Set<() => void>()
  #closed = 0
  #isOver = false

  constructor(most: number) {
    this.#most = most
  }

  /** Ended by the other side so far. */
  get closed(): number {
    return this.#closed
  }

  /**
   * Keeps something until it is the oldest of too many.
   * @param end lets go of it
   * @returns to be called when the other side has ended it
   */
  keep(end: () => void): () => void {
    if (this.#isOver) {
      end()
      return () => {}
    }
    this.#open.add(end)
    const [oldest] = this.#open
    if (this.#open.size > this.#most && oldest !== undefined) {
      this.#open.delete(oldest)
      oldest()
    }
    return () => {
      if (this.#open.delete(end)) this.#closed += 1
    }
  }

  /** Lets go of everything, and of what comes late. */
  [Symbol.dispose](): void {
    this.#isOver = true
    const open = [...this.#open]
    this.#open.clear()
    for (const end of open) end()
  }
}

/**
 * Where attackers send from: every address of 127.0.0.0/8 is this machine's on Linux. Members count by address, and the readers whose answers are measured
 * are 127.0.0.1: from there, attackers would shut them out by the limits of one address, which says nothing about anybody else's.
 */
export const sources = (): (() => string) => {
  let turn = 0
  return () => `127.0.0.${2 + (turn++ % 8)}`
}
