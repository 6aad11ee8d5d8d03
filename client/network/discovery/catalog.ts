import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import type { UniqueId } from '../../primitives/id.ts'
import type { Host } from '../host.ts'
import { Allowance } from './allowance.ts'
import { compareVersions, isAhead, isGone, isSigned, isStale, type PeerEntry, type SignedEntry, signedEntryCodec } from './entry.ts'

/** What a catalog may grow to, and what one source may cost it in a minute. */
export interface CatalogLimits {
  readonly entries: number
  /** Of all entries, as they travel. */
  readonly bytes: number
  /** Entries that one source may offer in a minute, and how many of them may be wrong before nothing of it is looked at. */
  readonly offers: number
  readonly faults: number
}

/** A full node: some fifty lattices of committees. */
export const FULL_LIMITS: CatalogLimits = { entries: 4_096, bytes: 8_388_608, offers: 4_096, faults: 16 }
/** A reader, which keeps entries of what it reads only. */
export const LIGHT_LIMITS: CatalogLimits = { entries: 1_024, bytes: 2_097_152, offers: 2_048, faults: 8 }

/**
 * How much an entry is worth: 2 a roster member of a group that is read, 1 another peer of such a group, 0 anything else, null not kept at
 * all. An entry gives way to one that is worth more, and a member never.
 */
export type Worth = (entry: PeerEntry) => 0 | 1 | 2 | null

export interface CatalogOptions {
  readonly network: UniqueId
  readonly host: Pick<Host, 'now' | 'verify'>
  readonly worth: Worth
  readonly limits: CatalogLimits
}

/**
 * What became of an offered entry. Ignored is what an honest peer may offer too: it is old, or late, or there is no room. Refused is what it
 * may not; `by` says who did that, for an entry travels through many hands and one of them may only have carried it.
 */
export type Merged =
  | { readonly kind: 'taken' | 'known' }
  | { readonly kind: 'ignored'; readonly problem: string }
  | { readonly kind: 'refused'; readonly problem: string; readonly by: 'source' | 'peer' }

interface Kept {
  readonly signed: SignedEntry
  readonly bytes: number
}

/**
 * The newest entry of each peer, by the rules of docs/wire.md section 10. It asks nobody and tells nobody: gossip, the catalog protocol and the
 * peer itself bring entries, all by the same way in.
 */
export class Catalog {
  readonly #o: CatalogOptions
  readonly #entries = new Map<string, Kept>()
  readonly #sources: Allowance
  readonly #listeners = new Set<(peer: Bytes) => void>()
  #bytes = 0

  constructor(options: CatalogOptions) {
    this.#o = options
    this.#sources = new Allowance(options.host, options.limits)
  }

  get size(): number {
    return this.#entries.size
  }

  /** Bytes of all entries, as they travel. */
  get bytes(): number {
    return this.#bytes
  }

  /** The newest that is known of a peer; one that left is known by its last word for a while. */
  get(peer: Bytes): SignedEntry | null {
    return this.#entries.get(toHex(peer))?.signed ?? null
  }

  /** Every entry that counts, departures too, ascending by peer. */
  all(): readonly SignedEntry[] {
    const now = this.#o.host.now()
    const names = [...this.#entries.keys()].sort()
    return names.map((name) => (this.#entries.get(name) as Kept).signed).filter(({ entry }) => !isStale(entry, now))
  }

  /** Peers that are there; with `group`, those that say they serve it. Nothing vouches for that but their own word. */
  list(group?: Bytes): readonly PeerEntry[] {
    return this.all()
      .map(({ entry }) => entry)
      .filter((entry) => !isGone(entry) && (group === undefined || entry.groups.some((each) => equal(each, group))))
  }

  /** Calls `listener` with the peer whose entry came, changed or went; the returned function stops it. */
  onChange(listener: (peer: Bytes) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Takes an entry if it is its peer's own and newer than what is known.
   * @param source link key of who sent it; null for what this device made or kept itself
   */
  async offer(signed: SignedEntry, source: Bytes | null): Promise<Merged> {
    if (source !== null && !this.#sources.take(source)) return { kind: 'ignored', problem: 'its source offers too much' }
    const merged = this.#screen(signed) ?? ((await this.#isSigned(signed)) ? this.#merge(signed) : UNSIGNED)
    if (merged.kind === 'refused') this.#blame(merged.by === 'peer' ? signed.entry.peer : source)
    return merged
  }

  /** Whether a source was caught too often lately: nothing of it is looked at. */
  isCutOff(source: Bytes): boolean {
    return this.#sources.isCutOff(source)
  }

  /** Lets go of what is stale, and of what is not worth keeping any more. */
  sweep(): void {
    const now = this.#o.host.now()
    for (const [name, { signed }] of this.#entries) if (isStale(signed.entry, now) || this.#o.worth(signed.entry) === null) this.#drop(name)
  }

  /** What needs no signature to be decided: most of what gossip brings is known or older. Null when the signature decides. */
  #screen({ entry, signature }: SignedEntry): Merged | null {
    if (!equal(entry.network, this.#o.network)) return { kind: 'refused', problem: 'an entry of another network', by: 'source' }
    if (isStale(entry, this.#o.host.now())) return { kind: 'ignored', problem: 'a stale entry' }
    if (this.#o.worth(entry) === null) return { kind: 'ignored', problem: 'an entry of groups that are not read' }
    const known = this.get(entry.peer)
    if (known === null) return null
    const order = compareVersions(entry.version, known.entry.version)
    if (order < 0) return { kind: 'ignored', problem: 'an older entry' }
    if (order === 0 && equal(encode(signedEntryCodec, { entry, signature }), encode(signedEntryCodec, known))) return { kind: 'known' }
    return null
  }

  async #isSigned(signed: SignedEntry): Promise<boolean> {
    return isSigned(signed, this.#o.host.verify)
  }

  /** All in one go: what was known may have changed while the signature was checked. */
  #merge(signed: SignedEntry): Merged {
    const { entry } = signed
    const again = this.#screen(signed)
    if (again !== null) return again
    // Only now, under its signature: nobody can spoil another peer's name by a stamp.
    if (isAhead(entry, this.#o.host.now())) return { kind: 'refused', problem: 'a stamp in the future', by: 'peer' }
    const name = toHex(entry.peer)
    const known = this.#entries.get(name)
    if (known !== undefined && compareVersions(entry.version, known.signed.entry.version) === 0)
      return { kind: 'refused', problem: 'two entries of one version', by: 'peer' }
    const bytes = encode(signedEntryCodec, signed).length
    if (!this.#makeRoom(signed, bytes)) return { kind: 'ignored', problem: 'there is no room' }
    this.#bytes += bytes - (known?.bytes ?? 0)
    this.#entries.set(name, { signed, bytes })
    this.#tell(entry.peer)
    return { kind: 'taken' }
  }

  // Among equals who is there stays: new names cost nothing, and would push out everybody who was there before.
  #makeRoom({ entry }: SignedEntry, bytes: number): boolean {
    const { entries, bytes: most } = this.#o.limits
    const name = toHex(entry.peer)
    const own = this.#entries.get(name)
    const isFull = (): boolean =>
      this.#entries.size + (own === undefined ? 1 : 0) > entries || this.#bytes + bytes - (own?.bytes ?? 0) > most
    if (isFull()) this.sweep()
    const worth = this.#o.worth(entry) ?? 0
    while (isFull()) {
      const victim = this.#least(worth, name)
      if (victim === null) return false
      this.#drop(victim)
    }
    return true
  }

  /** Of those worth less than `worth` the one worth least, and of these the one that was not heard of for longest. */
  #least(worth: number, except: string): string | null {
    let least: { readonly name: string; readonly worth: number; readonly at: bigint } | null = null
    for (const [name, { signed }] of this.#entries) {
      const candidate = { name, worth: this.#o.worth(signed.entry) ?? -1, at: signed.entry.version.update_ms }
      if (name === except || candidate.worth >= worth) continue
      if (least === null || candidate.worth < least.worth || (candidate.worth === least.worth && candidate.at < least.at)) least = candidate
    }
    return least?.name ?? null
  }

  #drop(name: string): void {
    const kept = this.#entries.get(name)
    if (kept === undefined) return
    this.#entries.delete(name)
    this.#bytes -= kept.bytes
    this.#tell(kept.signed.entry.peer)
  }

  #blame(peer: Bytes | null): void {
    if (peer !== null) this.#sources.blame(peer)
  }

  #tell(peer: Bytes): void {
    for (const listener of [...this.#listeners]) listener(peer)
  }
}

const UNSIGNED: Merged = { kind: 'refused', problem: 'an entry that its peer did not sign', by: 'source' }
