import { type Certificate, commitHash } from '../../groups/block.ts'
import { type Roster, seatOf } from '../../groups/roster.ts'
import { type Bytes, compare, equal } from '../../primitives/bytes.ts'
import type { GroupId, UniqueId } from '../../primitives/id.ts'
import { asAddress } from '../address.ts'
import type { Host } from '../host.ts'
import { type Scope, scope, sleep } from '../scope.ts'
import { Catalog, FULL_LIMITS } from './catalog.ts'
import type { OpenLinks } from './discovery.ts'
import { ENTRY_LIMITS, GONE, type PeerEntry, signEntry, stampOf } from './entry.ts'
import { Heads } from './heads.ts'
import { type Ruling, Rumours, rumour } from './rumours.ts'
import { Syncing } from './syncing.ts'

/**
 * Milliseconds: a node says that it is still there, well before its entry would be stale · tries again where nobody heard it · looks whether its
 * addresses are others · asks others for what it missed · the turn of one member to tell its group's head.
 */
const EVERY = { renewal: 240_000, retry: 2_000, look: 10_000, sync: 300_000, head: 30_000 } as const
/** Milliseconds that the last word may take. */
const GOODBYE_MS = 1_000

/** How a host carries gossip: one topic. */
export interface GossipPort {
  /** Every message goes through `judge` before it goes further. */
  readonly join: (judge: (data: Bytes, source: Bytes) => Promise<Ruling>) => void
  /** @returns how many neighbours it went to */
  readonly publish: (data: Bytes) => Promise<number>
}

/** A committee that this node is a member of. */
export interface OwnCommittee {
  readonly group: GroupId
  readonly roster: () => Roster
  readonly rosterId: () => Bytes
  /** The newest certificate; null before the first block. */
  readonly head: () => Certificate | null
}

export interface PresenceOptions {
  readonly host: Pick<Host, 'now' | 'after' | 'random' | 'verify' | 'log'>
  readonly network: UniqueId
  /** Own link key. */
  readonly peer: Bytes
  /** Signs with the link key. */
  readonly sign: (message: Bytes) => Bytes | Promise<Bytes>
  readonly gossip: GossipPort
  readonly links: OpenLinks
  /** Own multiaddrs as of now, each with the peer id. */
  readonly addresses: () => readonly string[]
  readonly committees: readonly OwnCommittee[]
  readonly tags?: readonly string[]
}

/** A full node's place in its network: it says who it is and where, hears it of others, and answers who asks. */
export class Presence implements AsyncDisposable {
  readonly #o: PresenceOptions
  readonly #own: Scope = scope()
  readonly #syncing: Syncing
  readonly #leave: () => void
  readonly #running: Promise<unknown>
  #startMs: bigint
  #said: readonly string[] = []
  readonly catalog: Catalog
  readonly heads: Heads

  constructor(options: PresenceOptions) {
    const { host, network, gossip, links, committees } = options
    this.#o = options
    this.#startMs = stampOf(host.now())
    this.catalog = new Catalog({ network, host, worth: (entry) => this.#worth(entry), limits: FULL_LIMITS })
    this.heads = new Heads(host)
    const rumours = new Rumours({ host, catalog: this.catalog, heads: this.heads, committees })
    gossip.join((data, source) => rumours.judge(data, source))
    this.#syncing = new Syncing({
      host,
      network,
      catalog: this.catalog,
      links: () => links.open,
      groups: () => [],
      everyMs: EVERY.sync,
      onSynced: (hints, source) => {
        for (const hint of hints) this.heads.add(hint, source)
      },
    })
    this.#syncing.wake()
    this.#leave = links.onChange(() => this.#syncing.wake())
    this.#running = Promise.all([this.#renew(), this.#tellHeads()].map((loop) => loop.catch((error: unknown) => this.#ended(error))))
  }

  /** Says once more who this is. Resolves with the number of neighbours that it went to. */
  async announce(): Promise<number> {
    this.#said = this.#addresses()
    // Nobody could reach it: it only listens to others.
    if (this.#said.length === 0) return 0
    return this.#say({ addresses: this.#said, tags: [...(this.#o.tags ?? [])].sort() })
  }

  /** Its last word, as far as there is somebody to hear it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave()
    this.#own.abort(new Error('the node leaves'))
    await this.#running
    await this.#syncing[Symbol.asyncDispose]()
    if (this.#said.length === 0) return
    const late = scope()
    const cancel = this.#o.host.after(GOODBYE_MS, () => late.abort(new Error('nobody listens')))
    await Promise.race([
      this.#say({ addresses: [], tags: [GONE] }).catch(() => {}),
      new Promise<void>((resolve) => late.signal.addEventListener('abort', () => resolve())),
    ])
    cancel()
  }

  async #say({ addresses, tags }: Pick<PeerEntry, 'addresses' | 'tags'>): Promise<number> {
    const { host, network, peer, sign, committees, gossip } = this.#o
    const version = this.#version()
    const groups = committees.map(({ group }) => group).toSorted(compare)
    const signed = await signEntry({ peer, network, version, addresses, tags, streams: [], groups, tickets: [] }, sign)
    const merged = await this.catalog.offer(signed, null)
    if (merged.kind !== 'taken') host.log('warn', 'the own entry was not taken', { ...merged })
    return gossip.publish(rumour({ kind: 'entry', value: signed }))
  }

  /** Newer than every other of this peer, those of an earlier run whose clock was ahead included. */
  #version(): PeerEntry['version'] {
    const known = this.catalog.get(this.#o.peer)?.entry.version
    if (known !== undefined && known.start_ms > this.#startMs) this.#startMs = known.start_ms + 1n
    const now = stampOf(this.#o.host.now())
    const after = known !== undefined && known.start_ms === this.#startMs ? known.update_ms + 1n : this.#startMs
    return { start_ms: this.#startMs, update_ms: now > after ? now : after }
  }

  #addresses(): readonly string[] {
    const read = this.#o.addresses().flatMap((text) => asAddress(text) ?? [])
    const own = read.filter(({ peer }) => equal(peer, this.#o.peer))
    // Where others can reach it from outside, what is inside is nobody's business.
    const outside = own.filter(({ reach }) => reach === 'public' || reach === 'name')
    return (outside.length > 0 ? outside : own).slice(0, ENTRY_LIMITS.addresses).map(({ text }) => text)
  }

  async #renew(): Promise<void> {
    const { host } = this.#o
    for (;;) {
      const heard = await this.#tried(() => this.announce())
      const renewalMs = host.now() + EVERY.renewal
      if (heard === 0) await sleep(host, EVERY.retry, this.#own.signal)
      else while (host.now() < renewalMs && !this.#isMoved()) await sleep(host, EVERY.look, this.#own.signal)
    }
  }

  #isMoved(): boolean {
    const now = this.#addresses()
    return now.length !== this.#said.length || now.some((address, i) => address !== this.#said[i])
  }

  /** The members of a group tell its head in turn: one message for all of them. */
  async #tellHeads(): Promise<void> {
    const { host, peer, committees, gossip } = this.#o
    for (;;) {
      await sleep(host, EVERY.head, this.#own.signal)
      const turn = Math.floor(host.now() / EVERY.head)
      for (const { group, roster, head } of committees) {
        const certificate = head()
        const { members } = roster()
        if (certificate === null || turn % members.length !== seatOf(roster(), peer)) continue
        const { header } = certificate
        const hint = { group, index: header.index, commit: commitHash(header), certificate }
        this.heads.add(hint, null)
        await this.#tried(() => gossip.publish(rumour({ kind: 'head', value: hint })))
      }
    }
  }

  #ended(error: unknown): void {
    if (!this.#own.signal.aborted) this.#o.host.log('error', 'this node tells others of itself no more', { problem: String(error) })
  }

  async #tried(step: () => Promise<number>): Promise<number> {
    try {
      return await step()
    } catch (error) {
      this.#own.signal.throwIfAborted()
      this.#o.host.log('warn', 'gossip could not be sent', { problem: error instanceof Error ? error.message : String(error) })
      return 0
    }
  }

  #worth(entry: PeerEntry): 0 | 1 | 2 {
    const { committees, peer } = this.#o
    if (equal(entry.peer, peer) || committees.some(({ roster }) => seatOf(roster(), entry.peer) >= 0)) return 2
    return committees.some(({ group }) => entry.groups.some((each) => equal(each, group))) ? 1 : 0
  }
}
