import type { Roster } from '../../groups/roster.ts'
import { toHex } from '../../primitives/bytes.ts'
import type { GroupId } from '../../primitives/id.ts'
import type { PeerReport } from '../handle.ts'
import type { Host, Link } from '../host.ts'
import { Gate, scope, sleep } from '../scope.ts'
import type { Links } from './links.ts'
import { hello, isDue, newPeer, type Peer, reportOf, seat } from './peer.ts'

/** Milliseconds: first and longest wait before an address is tried again, and how long a peer that failed a check is left alone. */
const RETRY = { first: 500, longest: 30_000, fault: 30_000 } as const
/** Milliseconds between two `hello` of one link: a heartbeat, within these bounds. */
const BEAT = { shortest: 1_000, longest: 10_000 } as const

export interface PeersOptions {
  readonly host: Host
  readonly links: Links
  readonly group: GroupId
  readonly addresses: readonly string[]
  readonly heartbeatMs: number
  /** The newest roster that is known; peers that stand in it go first. */
  readonly roster: () => Roster
  /** Links to hold: b+1 confirm a head, and one more lets a link break without losing that. */
  readonly wanted: number
  readonly signal: AbortSignal
  readonly onChange: () => void
}

/** Who can be asked: keeps links up, asks each for its newest head and its time, and remembers who failed. */
export class Peers {
  readonly #o: PeersOptions
  readonly #gate = new Gate()
  readonly all: readonly Peer[]

  constructor(options: PeersOptions) {
    this.#o = options
    // An address that stands there twice is one peer: it would otherwise be dialled, and blamed, twice.
    this.all = [...new Set(options.addresses)].map(newPeer)
  }

  /** As many loops as links are wanted; each attends to the best address that no other has. They end with the signal. */
  start(): void {
    const loops = Math.min(this.all.length, this.#o.wanted)
    for (let i = 0; i < loops; i++) void this.#loop().catch(() => {})
  }

  /** Whom to ask now, best first: members before mirrors, then who showed the newest head. */
  ready(): readonly Peer[] {
    const now = this.#o.host.now()
    const newest = (peer: Peer): bigint => peer.shown?.index ?? 0n
    return this.all
      .filter(
        ({ link, serving, faulty, readyAt }) => link !== null && !link.closed.aborted && serving !== false && !faulty && readyAt <= now,
      )
      .sort((a, b) => this.#rank(a) - this.#rank(b) || (newest(a) > newest(b) ? -1 : newest(a) < newest(b) ? 1 : 0))
  }

  /** Whether anybody but those who failed a check may yet answer. */
  get hopeful(): boolean {
    return this.all.some(({ faulty, link, failures }) => !faulty && (link !== null || failures === 0))
  }

  saw(peer: Peer, index: bigint): void {
    peer.shown = { index, atMs: this.#o.host.now() }
  }

  /** A failed check: the link is closed, and the peer is left alone for a while. */
  fault(peer: Peer, problem: string): void {
    const { host } = this.#o
    Object.assign(peer, { faulty: true, problem, failures: peer.failures + 1, readyAt: host.now() + RETRY.fault })
    host.log('warn', 'a peer failed a check', { peer: peer.key === null ? '' : toHex(peer.key), address: peer.address, problem })
    void peer.link?.close().catch(() => {})
    this.#changed()
  }

  /** Nothing is wrong with it, but not now. */
  defer(peer: Peer, ms: number, problem: string): void {
    const { host, signal } = this.#o
    Object.assign(peer, { problem, readyAt: host.now() + ms })
    this.#changed()
    // Time alone makes it ready again, and whoever waits for a peer has to be told.
    void sleep(host, ms, signal).then(
      () => this.#changed(),
      () => {},
    )
  }

  /** It answered as it should. */
  praise(peer: Peer): void {
    Object.assign(peer, { problem: null, failures: 0, serving: true })
  }

  reports(): readonly PeerReport[] {
    return this.all.map((peer) => reportOf(this.#o.roster(), peer))
  }

  #rank(peer: Peer): number {
    return seat(this.#o.roster(), peer) < 0 ? 1 : 0
  }

  #changed(): void {
    this.#gate.open()
    this.#o.onChange()
  }

  async #loop(): Promise<void> {
    const { host, signal } = this.#o
    for (;;) {
      const [peer] = this.all
        .filter(({ busy }) => !busy)
        // One that failed a check is last by its pause alone: were it last for ever, dead addresses would keep it out when it is mended.
        .sort((a, b) => a.readyAt - b.readyAt || this.#rank(a) - this.#rank(b))
      if (peer === undefined) {
        await this.#gate.wait(signal)
        continue
      }
      peer.busy = true
      try {
        const wait = peer.readyAt - host.now()
        if (wait > 0) await sleep(host, wait, signal)
        await this.#attend(peer)
      } finally {
        peer.busy = false
      }
    }
  }

  /** From dialling to the end of the link. Throws at the end of the reader only. */
  async #attend(peer: Peer): Promise<void> {
    const { links, signal } = this.#o
    peer.faulty = false
    try {
      const link = await links.get(peer.address, signal)
      Object.assign(peer, { key: link.peer, link })
      // At once: who has just been reached may be opened while it still says hello, which saves a round trip.
      this.#changed()
      await this.#listen(peer, link)
    } catch (error) {
      if (signal.aborted) throw error
      if (!peer.faulty) this.#retry(peer, error instanceof Error ? error.message : String(error))
    } finally {
      peer.link = null
      this.#changed()
    }
  }

  #retry(peer: Peer, problem: string): void {
    const { host } = this.#o
    const wait = Math.min(RETRY.longest, RETRY.first * 2 ** Math.min(peer.failures, 16))
    // Half of it by chance: readers that lost one server together do not come back to it together.
    const jitter = 0.5 + (host.random(1)[0] as number) / 512
    Object.assign(peer, { problem, failures: peer.failures + 1, readyAt: host.now() + wait * jitter })
  }

  async #listen(peer: Peer, link: Link): Promise<void> {
    const { host, group, heartbeatMs, signal } = this.#o
    const beat = Math.min(BEAT.longest, Math.max(BEAT.shortest, heartbeatMs))
    const own = scope(signal, link.closed)
    try {
      for (;;) {
        if (isDue(peer, host.now(), beat)) {
          await hello(peer, group, { host, link, signal: own.signal })
          this.#changed()
        }
        await sleep(host, beat, own.signal)
      }
    } finally {
      own.end()
    }
  }
}
