import type { Link, Remembered, Signatures, Vote } from '../../client/groups/simplex/index.ts'
import { nameOf, ROOT } from './world.ts'

/** A block, and its leader's propose vote where it came with one. */
export interface Proposed {
  readonly link: Link
  readonly vote: Vote | null
}

/** A final block, and the votes that made it so where they were on itself. */
export interface Final {
  readonly link: Link
  readonly votes: Signatures | null
}

/** What one sync puts on disk, all of it or nothing. */
export interface Batch {
  readonly views: readonly Remembered[]
  readonly blocks: readonly Proposed[]
}

/** Promises of views this far below the archived head are let go of, as the vote record does. */
const KEPT_VIEWS = 1_024n

/** One member's two stores: the vote record, whose every batch is synced before anything is sent, and the archive, synced now and then. */
export class Disk {
  readonly views = new Map<bigint, Remembered>()
  readonly blocks = new Map<string, Proposed>()
  archive: readonly Final[] = [{ link: ROOT, votes: null }]
  /** Batches on their way, oldest first: more than one only where somebody does not wait for the disk. */
  readonly #writing: Batch[] = []

  /** A batch is on its way: until `synced` a crash may keep it or drop it. */
  write(batch: Batch): void {
    this.#writing.push(batch)
  }

  /** The oldest batch on its way has arrived. */
  synced(): void {
    const { views, blocks } = this.#writing.shift() ?? { views: [], blocks: [] }
    for (const remembered of views) this.views.set(remembered.view, remembered)
    for (const proposed of blocks) this.blocks.set(nameOf(proposed.link.hash), proposed)
  }

  /** The archive reached the disk up to here; the vote record lets go of what that makes superfluous. */
  archived(log: readonly Final[]): void {
    // An earlier write that took longer has nothing to add.
    if (log.length <= this.archive.length) return
    this.archive = log
    const newest = log.at(-1)?.link.view ?? 0n
    for (const [name, { link }] of this.blocks) if (link.view <= newest) this.blocks.delete(name)
    for (const view of this.views.keys()) if (view < newest - KEPT_VIEWS) this.views.delete(view)
  }

  /** The power goes. @param isKept whether the disk had finished the first batch on its way, and only could not say so any more */
  crash(isKept: boolean): void {
    if (isKept) this.synced()
    this.#writing.length = 0
  }
}
