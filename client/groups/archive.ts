import { CoalitionError } from '../error.ts'
import { type Bytes, equal, toHex } from '../primitives/bytes.ts'
import { bytes, decode, encode, fixed, struct, u64, vector } from '../primitives/codec.ts'
import { Tip } from '../proofs/by.ts'
import { type Frontier, rootOf as treeRoot } from '../proofs/frontier.ts'
import { fromEntries, rootOf as mapRoot } from '../proofs/map.ts'
import { pathOf, valueHash } from '../proofs/map-proof.ts'
import { type Block, blockCodec, commitHash, type Header, headerCodec, type Seal, sealCodec } from './block.ts'
import { type Branch, genesisBranch, type Identity } from './execution.ts'
import { archiveKey } from './keys.ts'
import type { Machine } from './machine.ts'
import type { Change, Store } from './storage.ts'
import { type SurfaceState, type TipData, tipRecordCodec } from './surface-state.ts'

const EMPTY: Bytes = new Uint8Array(0)
const frontierCodec = struct('Frontier', { size: u64, edge: vector(fixed(32), 64) })
/** What a restart needs beside the blocks themselves: right edges and the machine's state, of the newest block. */
const headCodec = struct('Head', {
  group: fixed(32),
  index: u64,
  log: frontierCodec,
  surfaces: vector(frontierCodec, 4),
  state: bytes(16_777_216),
})

/** How many heads the light protocol can prove against (PROTOCOL.md section 3, request 2). */
export const HELD_HEADS = 1_024n

/** What is kept of a final head in memory, for proofs: its maps share all nodes with the heads beside it. */
export interface Held {
  readonly header: Header
  readonly surfaces: readonly SurfaceState[]
}

/** The final blocks of a group on disk, with every node and index entry that a proof needs. */
export class Archive<S, C> {
  readonly #machine: Machine<S, C>
  readonly #identity: Identity
  readonly #store: Store
  readonly #held = new Map<bigint, Held>()
  #unsynced = 0

  private constructor(machine: Machine<S, C>, identity: Identity, store: Store) {
    this.#machine = machine
    this.#identity = identity
    this.#store = store
  }

  /** Opens the store and rebuilds the newest branch. @throws ArchiveError when it holds another group or does not hang together */
  static async open<S, C>(
    machine: Machine<S, C>,
    identity: Identity,
    store: Store,
  ): Promise<{ archive: Archive<S, C>; head: Branch<S>; seal: Seal | null }> {
    const archive = new Archive(machine, identity, store)
    const stored = await store.get(archiveKey.head)
    if (stored === null) {
      const head = genesisBranch(machine, identity)
      await archive.#write(head, null, true)
      return { archive, head, seal: null }
    }
    const head = await archive.#load(stored)
    archive.#hold(head)
    return { archive, head, seal: await archive.seal(head.header.index) }
  }

  get store(): Store {
    return this.#store
  }

  held(index: bigint): Held | null {
    return this.#held.get(index) ?? null
  }

  get oldestHeld(): bigint {
    return this.#held.keys().next().value ?? 0n
  }

  /** Adds the block that follows the newest. With `sync` all blocks up to this one survive a power cut. */
  async commit(branch: Branch<S>, block: Block, seal: Seal, sync: boolean): Promise<void> {
    const changes: Change[] = [
      { key: archiveKey.block(branch.header.index), value: encode(blockCodec, block) },
      { key: archiveKey.seal(branch.header.index), value: encode(sealCodec, seal) },
    ]
    await this.#write(branch, changes, sync)
  }

  async block(index: bigint): Promise<Block | null> {
    const stored = await this.#store.get(archiveKey.block(index))
    if (stored === null) return null
    return index === 0n ? { header: decode(headerCodec, stored), commands: [] } : decode(blockCodec, stored)
  }

  async seal(index: bigint): Promise<Seal | null> {
    const stored = await this.#store.get(archiveKey.seal(index))
    return stored === null ? null : decode(sealCodec, stored)
  }

  /** Hex ids of the commands that took effect in a block. */
  async taken(index: bigint): Promise<readonly string[]> {
    const stored = await this.#store.get(archiveKey.taken(index))
    return stored === null ? [] : (toHex(stored).match(/.{32}/g) ?? [])
  }

  /** Blocks since the last synced write. */
  get unsynced(): number {
    return this.#unsynced
  }

  async #write(branch: Branch<S>, block: readonly Change[] | null, sync: boolean): Promise<void> {
    const head = encode(headCodec, {
      group: this.#identity.group,
      index: branch.header.index,
      log: branch.log,
      surfaces: branch.surfaces.map(({ frontier }) => frontier),
      state: encode(this.#machine.state, branch.state),
    })
    await this.#store.write([...branch.changes, ...(block ?? []), { key: archiveKey.head, value: head }], { sync })
    this.#unsynced = sync ? 0 : this.#unsynced + 1
    this.#hold(branch)
  }

  #hold(branch: Branch<S>): void {
    const { index } = branch.header
    this.#held.set(index, { header: branch.header, surfaces: branch.surfaces })
    this.#held.delete(index - HELD_HEADS)
  }

  async #load(stored: Bytes): Promise<Branch<S>> {
    const head = decode(headCodec, stored)
    if (toHex(head.group) !== toHex(this.#identity.group))
      throw new ArchiveError(
        `it belongs to group ${toHex(head.group)}, not ${toHex(this.#identity.group)}: give each group a store of its own`,
      )
    const block = await this.block(head.index)
    if (block === null) throw new ArchiveError(`block ${head.index} is missing`)
    const genesis = genesisBranch(this.#machine, this.#identity)
    const surfaces = await Promise.all(head.surfaces.map((frontier, i) => this.#surface(frontier, i, genesis.surfaces[i]?.by.length ?? 0)))
    this.#compare(block.header, head.log, surfaces)
    const parentView = head.index === 0n ? -1n : ((await this.block(head.index - 1n))?.header.view ?? -1n)
    return {
      header: block.header,
      link: { hash: commitHash(block.header), view: block.header.view, parent: block.header.prev, parentView },
      state: decode(this.#machine.state, head.state),
      surfaces,
      log: head.log,
      ids: new Set(),
      changes: [],
    }
  }

  /** What lies beside the block must give the roots that the block was certified with. */
  #compare(header: Header, log: Frontier, surfaces: readonly SurfaceState[]): void {
    if (log.size !== header.index + 1n) throw new ArchiveError(`its log has ${log.size} leaves at block ${header.index}`)
    surfaces.forEach((surface, i) => {
      const certified = header.surfaces[i]
      if (certified === undefined || !equal(treeRoot(surface.frontier), certified.root))
        throw new ArchiveError(`surface ${i} does not have its certified root`)
      surface.by.forEach((map, j) => {
        if (!equal(mapRoot(map), certified.by[j]?.root ?? EMPTY))
          throw new ArchiveError(`index ${j} of ${certified.name} does not have its certified root`)
      })
    })
  }

  async #surface(frontier: Frontier, surface: number, indexes: number): Promise<SurfaceState> {
    const by = []
    for (let i = 0; i < indexes; i++) {
      const entries: { path: Bytes; value: Bytes; data: TipData }[] = []
      for await (const [, value] of this.#store.entries(archiveKey.tips(surface, i))) {
        const data = decode(tipRecordCodec, value)
        entries.push({ path: pathOf(data.key), value: valueHash(encode(Tip, { count: data.count, link: data.link })), data })
      }
      by.push(fromEntries(entries))
    }
    return { frontier, by }
  }
}

export class ArchiveError extends CoalitionError {
  constructor(problem: string) {
    super('Storage.ArchiveError', `archive refused: ${problem}`, { problem })
  }
}
