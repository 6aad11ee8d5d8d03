import { type Roster, seatOf } from '../../groups/roster.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import type { GroupId, UniqueId } from '../../primitives/id.ts'
import type { Candidates } from '../candidates.ts'
import type { Host, Link } from '../host.ts'
import type { Storage } from '../keep/storage.ts'
import { Catalog, LIGHT_LIMITS } from './catalog.ts'
import type { PeerEntry, SignedEntry } from './entry.ts'
import type { HeadHint } from './heads.ts'
import { learned } from './learned.ts'
import { CATALOG_LIMITS } from './messages.ts'
import { Remembered } from './remembered.ts'
import { Syncing } from './syncing.ts'

/** Milliseconds from one look at the catalogs of others to the next. */
const EVERY_MS = 60_000
const SALT_BYTES = 16

/** The links of a network, as far as discovery uses them. */
export interface OpenLinks {
  readonly open: readonly Link[]
  /** Calls `listener` after a link came or went; the returned function stops it. */
  readonly onChange: (listener: () => void) => () => void
}

export interface DiscoveryOptions {
  readonly host: Host
  readonly network: UniqueId
  readonly bootstrap: Candidates
  readonly links: OpenLinks
  /** Where peers are remembered for the next start; null for nowhere. */
  readonly storage: Storage | null
}

/** One group that is read. */
interface Reading {
  readonly group: GroupId
  readonly roster: () => Roster
  readonly onHead: (hint: HeadHint) => void
}

/** How a reader finds peers: it asks those that it is linked with for entries of the groups that it reads, and keeps no others (MSK-09). */
export class Discovery implements AsyncDisposable {
  readonly #o: DiscoveryOptions
  readonly #salt: Bytes
  readonly #readings = new Set<Reading>()
  readonly #listeners = new Set<() => void>()
  readonly #syncing: Syncing
  readonly #remembered: Remembered | null
  readonly #leave: () => void
  #isChanged = false
  #turn = 0
  readonly catalog: Catalog

  constructor(options: DiscoveryOptions) {
    const { host, network, links, storage } = options
    this.#o = options
    this.#salt = host.random(SALT_BYTES)
    this.catalog = new Catalog({ network, host, worth: (entry) => this.#worth(entry), limits: LIGHT_LIMITS })
    this.catalog.onChange(() => {
      this.#isChanged = true
    })
    const worth = (group: GroupId, { entry }: SignedEntry): number | null => this.#worth(entry, group)
    this.#remembered = storage && new Remembered({ host, storage, network, catalog: this.catalog, worth })
    this.#syncing = new Syncing({
      host,
      network,
      catalog: this.catalog,
      links: () => links.open,
      groups: () => this.#groups(),
      everyMs: EVERY_MS,
      onSynced: (heads) => this.#synced(heads),
    })
    this.#leave = links.onChange(() => this.#syncing.wake())
  }

  /** Bytes that were received for it so far. */
  get bytes(): number {
    return this.#syncing.bytes
  }

  /** Who may be dialled for a group, from now on. `end` says that it is read no longer. */
  read(reading: Reading): { readonly candidates: Candidates; readonly end: () => void } {
    const { group, roster } = reading
    this.#readings.add(reading)
    this.#syncing.wake()
    void this.#remembered?.load(group).then((taken) => taken && this.#tell())
    const onChange = (listener: () => void): (() => void) => {
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    }
    const { bootstrap } = this.#o
    const candidates = learned({ bootstrap, catalog: this.catalog, group, roster, salt: this.#salt, onChange })
    const end = (): void => {
      this.#readings.delete(reading)
      this.catalog.sweep()
      // Nothing to ask for is nothing to wait for.
      this.#syncing.wake()
    }
    return { candidates, end }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave()
    this.#readings.clear()
    this.#listeners.clear()
    await this.#syncing[Symbol.asyncDispose]()
  }

  #groups(): readonly Bytes[] | null {
    const groups: Bytes[] = []
    for (const { group } of this.#readings) if (!groups.some((each) => equal(each, group))) groups.push(group)
    if (groups.length <= CATALOG_LIMITS.groups) return groups.length === 0 ? null : groups
    // More than one request may name: the next round goes on where this one ends.
    const first = this.#turn++ * CATALOG_LIMITS.groups
    return Array.from({ length: CATALOG_LIMITS.groups }, (_, i) => groups[(first + i) % groups.length] as Bytes)
  }

  /** @param of a group that is read; all of them by default */
  #worth(entry: PeerEntry, of: GroupId | null = null): 1 | 2 | null {
    let worth: 1 | 2 | null = null
    for (const { group, roster } of this.#readings) {
      if (of !== null && !equal(of, group)) continue
      if (seatOf(roster(), entry.peer) >= 0) return 2
      if (entry.groups.some((each) => equal(each, group))) worth = 1
    }
    return worth
  }

  // Once for all entries of an answer: every reader looks at the whole list.
  #tell(): void {
    this.#isChanged = false
    for (const listener of [...this.#listeners]) listener()
  }

  #synced(heads: readonly HeadHint[]): void {
    if (this.#isChanged) {
      this.#tell()
      const groups = new Map([...this.#readings].map(({ group }) => [toHex(group), group]))
      for (const group of groups.values()) void this.#remembered?.store(group)
    }
    for (const hint of heads) for (const { group, onHead } of [...this.#readings]) if (equal(group, hint.group)) onHead(hint)
  }
}
