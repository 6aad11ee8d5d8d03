import { CoalitionError } from '../error.ts'
import { type Bytes, equal, toHex } from '../primitives/bytes.ts'
import { bytes, decode, encode, fixed, struct, u64, vector } from '../primitives/codec.ts'
import type { Verify } from '../primitives/ed25519.ts'
import { Tip } from '../proofs/by.ts'
import { type Frontier, rootOf as treeRoot } from '../proofs/frontier.ts'
import { fromEntries, leavesUnder, rootOf as mapRoot, size as mapSize } from '../proofs/map.ts'
import { pathOf, valueHash } from '../proofs/map-proof.ts'
import type { Admission } from './admission.ts'
import { type Block, blockCodec, commitHash, type Header, headerCodec, type Seal, sealCodec } from './block.ts'
import { verifySeal } from './certificate.ts'
import { type Branch, genesisBranch, type Identity } from './execution.ts'
import { archiveKey } from './keys.ts'
import type { Machine } from './machine.ts'
import { replay } from './replay.ts'
import { thresholds } from './roster.ts'
import type { Change, Span, Store } from './storage.ts'
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
  /** Seals that have gained signatures since they were written. */
  readonly #stronger = new Map<bigint, Seal>()
  #unsynced = 0

  private constructor(machine: Machine<S, C>, identity: Identity, store: Store) {
    this.#machine = machine
    this.#identity = identity
    this.#store = store
  }

  /**
   * Opens the store and loads the newest branch.
   * @throws ArchiveOwnerError when it holds another group; ArchiveError, DamageError when it does not hang together: see `rebuild`
   */
  static async open<S, C>(machine: Machine<S, C>, identity: Identity, store: Store): Promise<{ archive: Archive<S, C>; head: Branch<S> }> {
    const archive = new Archive(machine, identity, store)
    const stored = await store.get(archiveKey.head)
    const head = stored === null ? genesisBranch(machine, identity) : await archive.#load(stored)
    if (stored === null) await archive.#write(head, null, true)
    archive.#hold(head)
    return { archive, head }
  }

  /**
   * Makes everything anew from those of its blocks that are whole, up to the last with a certificate. What comes after is fetched.
   * `raw` is the store below the checksums: what cannot be read has to go as well.
   * @throws whatever the store throws when it cannot be written
   */
  static async rebuild<S, C>(
    machine: Machine<S, C>,
    identity: Identity,
    store: Store,
    { admission, verify, raw }: { readonly admission: Admission<S, C>; readonly verify: Verify; readonly raw: Store },
  ): Promise<{ archive: Archive<S, C>; head: Branch<S> }> {
    const archive = new Archive(machine, identity, store)
    for (const [surface, { by }] of machine.surfaces.entries())
      for (const index of by.keys()) await clear(raw, archiveKey.tips(surface, index))
    const last = await archive.#lastCertified(verify)
    await archive.#write(genesisBranch(machine, identity), null, false)
    const head = await replay({
      machine,
      identity,
      admission,
      read: async (index) => (index > last ? null : archive.block(index)),
      write: (branch, block) =>
        archive.#write(
          branch,
          [{ key: archiveKey.block(branch.header.index), value: encode(blockCodec, block) }],
          branch.header.index === last,
        ),
    })
    return { archive, head }
  }

  /** The newest block whose certificate holds and up to which every block can be read. A certificate that cannot be read is let go of. */
  async #lastCertified(verify: Verify): Promise<bigint> {
    const { roster, rosterId } = this.#identity
    const needed = thresholds(roster.members.length).quorum
    let last = 0n
    for (let index = 1n; ; index++) {
      const block = await this.block(index).catch(() => null)
      if (block === null) return last
      try {
        const seal = await this.seal(index)
        if (seal === null) continue
        await verifySeal({ header: block.header, seal, roster, rosterId, needed, verify })
        last = index
      } catch {
        await this.#store.write([{ key: archiveKey.seal(index), value: null }], { sync: false })
      }
    }
  }

  /** Writes again all that is kept of a final block, but for the tips of its indexes: those are of the newest head. */
  async mend({ header, changes }: Branch<S>, block: Block, seal: Seal | null): Promise<void> {
    const kept = changes.filter(({ key }) => key[0] !== TIP)
    const own = [
      { key: archiveKey.block(header.index), value: encode(blockCodec, block) },
      // One that cannot be read goes: a later block's certificate stands for this one too.
      { key: archiveKey.seal(header.index), value: seal === null ? null : encode(sealCodec, seal) },
    ]
    await this.#store.write([...kept, ...own], { sync: false })
  }

  /** Writes the tips of all indexes again, as the newest head has them. */
  async mendTips(surfaces: readonly SurfaceState[]): Promise<void> {
    const changes: Change[] = []
    for (const [surface, { by }] of surfaces.entries())
      for (const [index, map] of by.entries())
        for (const { path, data } of leavesUnder(map, 0, new Uint8Array(32), mapSize(map)))
          changes.push({ key: archiveKey.tip(surface, index, path), value: encode(tipRecordCodec, data) })
    await this.#store.write(changes, { sync: true })
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

  /**
   * Adds the block that follows the newest. With `sync` all blocks up to this one survive a power cut.
   * @param seal null where a later block's votes made this one final
   */
  async commit(branch: Branch<S>, block: Block, seal: Seal | null, sync: boolean): Promise<void> {
    const { index } = branch.header
    const changes: Change[] = [{ key: archiveKey.block(index), value: encode(blockCodec, block) }]
    if (seal !== null) changes.push({ key: archiveKey.seal(index), value: encode(sealCodec, seal) })
    const stronger = [...this.#stronger]
    for (const [older, better] of stronger) changes.push({ key: archiveKey.seal(older), value: encode(sealCodec, better) })
    await this.#write(branch, changes, sync)
    for (const [older, better] of stronger) if (this.#stronger.get(older) === better) this.#stronger.delete(older)
  }

  /** A seal of more signatures, or one for a block that had none of its own. Written with the next block: what is lost with it is only more of the same. */
  strengthen(index: bigint, seal: Seal): void {
    this.#stronger.set(index, seal)
  }

  async block(index: bigint): Promise<Block | null> {
    const stored = await this.#store.get(archiveKey.block(index))
    if (stored === null) return null
    return index === 0n ? { header: decode(headerCodec, stored), commands: [] } : decode(blockCodec, stored)
  }

  /** A final block's header: that of a held head without a look at the disk. */
  async header(index: bigint): Promise<Header | null> {
    return this.#held.get(index)?.header ?? (await this.block(index))?.header ?? null
  }

  async seal(index: bigint): Promise<Seal | null> {
    const stronger = this.#stronger.get(index)
    if (stronger !== undefined) return stronger
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
      throw new ArchiveOwnerError(
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

/** An archive that lacks what it says it has, and that nobody else can fill. */
export class ArchiveError extends CoalitionError {
  constructor(problem: string) {
    super('Storage.ArchiveError', `archive refused: ${problem}`, { problem })
  }
}

/** An archive that was moved: nothing of it is of use here. */
export class ArchiveOwnerError extends CoalitionError {
  constructor(problem: string) {
    super('Storage.ArchiveOwnerError', `archive refused: ${problem}`, { problem })
  }
}

/** First byte of every index tip's key. */
const TIP = archiveKey.tips(0, 0).from[0]

const clear = async (store: Store, span: Span): Promise<void> => {
  const changes: Change[] = []
  for await (const [key] of store.entries(span)) changes.push({ key, value: null })
  await store.write(changes, { sync: false })
}
