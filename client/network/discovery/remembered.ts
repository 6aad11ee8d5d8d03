import { type Bytes, toHex } from '../../primitives/bytes.ts'
import { decode, encode, refine, struct, u8, vector } from '../../primitives/codec.ts'
import type { GroupId, UniqueId } from '../../primitives/id.ts'
import type { Host } from '../host.ts'
import { type Storage, StorageError } from '../keep/storage.ts'
import type { Catalog } from './catalog.ts'
import { isGone, type SignedEntry, signedEntryCodec } from './entry.ts'

/** Entries of one group that are remembered: 64 of the largest are half of what a value may be. */
const MOST = 64
const VERSION = 1

const version = refine(u8, 'version', (found) => (found === VERSION ? null : `version ${found}, not ${VERSION}`))
const recordCodec = struct('KeptPeers', { version, entries: vector(signedEntryCodec, MOST) })

export interface RememberedOptions {
  readonly host: Pick<Host, 'log'>
  readonly storage: Storage
  readonly network: UniqueId
  readonly catalog: Catalog
  /** How much an entry is worth to the readers of a group; null for nothing. */
  readonly worth: (group: GroupId, signed: SignedEntry) => number | null
}

/**
 * Peers of the groups that were read the last time, so that a start knows more of them than the bootstrap list names. What comes out goes the
 * way of what a peer sends: each entry is held to its signature and to its age, and one that says nothing any more is passed over. Nothing
 * here throws: a place that is full, gone or full of garbage costs the next start these addresses.
 */
export class Remembered {
  readonly #o: RememberedOptions
  /** Groups whose record was read. What could not be read is not written over. */
  readonly #loaded = new Set<string>()

  constructor(options: RememberedOptions) {
    this.#o = options
  }

  /** Offers what is remembered of a group to the catalog. Whether anything of it was taken. */
  async load(group: GroupId): Promise<boolean> {
    const { storage, host } = this.#o
    const name = this.#nameOf(group)
    try {
      const record = await storage.get(name)
      const taken = record !== null && (await this.#offer(record))
      this.#loaded.add(name)
      return taken
    } catch (error) {
      host.log('debug', 'no peers are remembered', { problem: wordsOf(error) })
      if (error instanceof StorageError && !error.isDamage) return false
      this.#loaded.add(name)
      await storage.delete(name).catch(() => {})
      return false
    }
  }

  /** Writes what the catalog knows of a group that was loaded. */
  async store(group: GroupId): Promise<void> {
    const { storage, host } = this.#o
    const name = this.#nameOf(group)
    const entries = this.#loaded.has(name) ? this.#best(group) : []
    // A reader that was told of nobody keeps what an earlier one was told.
    if (entries.length === 0) return
    try {
      await storage.put(name, () => encode(recordCodec, { version: VERSION, entries }))
    } catch (error) {
      host.log('debug', 'peers are not remembered', { problem: wordsOf(error) })
    }
  }

  async #offer(record: Bytes): Promise<boolean> {
    const { catalog } = this.#o
    let taken = false
    for (const signed of decode(recordCodec, record).entries) {
      const merged = await catalog.offer(signed, null)
      // Who wrote that did not have it from its peer: the rest is not worth the checks.
      if (merged.kind === 'refused' && merged.by === 'source') throw new StorageError(merged.problem, { isDamage: true })
      taken ||= merged.kind === 'taken'
    }
    return taken
  }

  /** Members first, then who was heard of last. */
  #best(group: GroupId): readonly SignedEntry[] {
    const { catalog, worth } = this.#o
    return catalog
      .all()
      .flatMap((signed) => {
        const value = isGone(signed.entry) ? null : worth(group, signed)
        return value === null ? [] : [{ signed, value }]
      })
      .sort((a, b) => b.value - a.value || Number(b.signed.entry.version.update_ms - a.signed.entry.version.update_ms))
      .slice(0, MOST)
      .map(({ signed }) => signed)
  }

  #nameOf(group: GroupId): string {
    return `peers ${toHex(this.#o.network)} ${toHex(group)}`
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
