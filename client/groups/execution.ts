import { hash, hashLeaf } from '../../wasm/core.ts'
import { CoalitionError } from '../error.ts'
import { type Bytes, fromHex, toHex } from '../primitives/bytes.ts'
import { encode } from '../primitives/codec.ts'
import type { GroupId, UniqueId } from '../primitives/id.ts'
import { append, emptyFrontier, type Frontier, rootOf as treeRoot } from '../proofs/frontier.ts'
import { emptyMap, type MapTree, rootOf as mapRoot, size as mapSize } from '../proofs/map.ts'
import { BLOCK_LIMITS, COMMAND_WINDOW, type Command, commandCodec, commitHash, type Header, headerCodec } from './block.ts'
import { genesisOf } from './genesis.ts'
import { archiveKey } from './keys.ts'
import type { Machine } from './machine.ts'
import type { Roster } from './roster.ts'
import type { Link } from './simplex/index.ts'
import type { Change } from './storage.ts'
import { appendItems, type SurfaceState, type TipData } from './surface-state.ts'

/** Who a group is: everything that its members know before the first block. */
export interface Identity {
  readonly network: UniqueId
  readonly group: GroupId
  readonly roster: Roster
  readonly rosterId: Bytes
}

/** One executed block: its header, the state after it, and what the archive takes when it becomes final. Immutable. */
export interface Branch<S> {
  readonly header: Header
  readonly link: Link
  readonly state: S
  readonly surfaces: readonly SurfaceState[]
  /** Commit hashes 0 … index, this block's included: the log that the next header names. */
  readonly log: Frontier
  /** Hex ids of the commands that took effect here. */
  readonly ids: ReadonlySet<string>
  readonly changes: readonly Change[]
}

export interface Draft {
  readonly view: bigint
  readonly timeMs: bigint
  readonly commands: readonly Command[]
}

/** The branch of block 0. */
export const genesisBranch = <S, C>(machine: Machine<S, C>, { rosterId }: Identity): Branch<S> => {
  const header = genesisOf(machine.surfaces, rosterId)
  const commit = commitHash(header)
  const changes: Change[] = [{ key: archiveKey.block(0n), value: encode(headerCodec, header) }]
  const log = append(emptyFrontier, [hashLeaf(commit)], (level, index, value) =>
    changes.push({ key: archiveKey.logNode(level, index), value }),
  )
  const surfaces = machine.surfaces.map((spec) => ({ frontier: emptyFrontier, by: spec.by.map((): MapTree<TipData> => emptyMap) }))
  const link = { hash: commit, view: 0n, parent: header.prev, parentView: -1n }
  return { header, link, state: machine.genesis, surfaces, log, ids: new Set(), changes }
}

/** Most bytes of a block, beside its commands: a header of four surfaces with two indexes each, all names at their limit. */
const HEADER_ROOM = 2_048

/**
 * Executes a block on its parent: the same on every member, from nothing but the arguments (MSK-07).
 * `seen` says whether a command id took effect in the last 1,024 blocks of this branch; such a command is a no-op.
 * @throws BlockLimitError when the block is larger than anybody may notarize
 */
export const executeBlock = <S, C>(
  machine: Machine<S, C>,
  identity: Identity,
  parent: Branch<S>,
  draft: Draft,
  seen: (id: string) => boolean,
  commandOf: (command: Command) => C,
): Branch<S> => {
  const index = parent.header.index + 1n
  const applied = applyCommands(machine, identity, parent, draft, seen, commandOf)
  const changes: Change[] = applied.blobs.map((blob) => ({ key: archiveKey.blob(hash(blob)), value: blob }))
  const surfaces = parent.surfaces.map((surface, i) =>
    appendItems(surface, machine.surfaces[i] as never, i, applied.items[i] ?? [], changes),
  )
  const encoded = draft.commands.map((command) => encode(commandCodec, command))
  const header: Header = {
    version: 1,
    roster: identity.rosterId,
    next: identity.rosterId,
    view: draft.view,
    index,
    prev: parent.link.hash,
    commands: treeRoot(
      append(
        emptyFrontier,
        encoded.map((bytes) => hashLeaf(bytes)),
      ),
    ),
    log: treeRoot(parent.log),
    surfaces: machine.surfaces.map((spec, i) =>
      describe(
        surfaces[i] as SurfaceState,
        spec.name,
        spec.by.map((by) => by.name),
      ),
    ),
    time_ms: draft.timeMs,
  }
  if (applied.ids.size > 0) changes.push({ key: archiveKey.taken(index), value: fromHex([...applied.ids].join('')) })
  const commit = commitHash(header)
  const log = append(parent.log, [hashLeaf(commit)], (level, at, value) => changes.push({ key: archiveKey.logNode(level, at), value }))
  const link = { hash: commit, view: draft.view, parent: parent.link.hash, parentView: parent.link.view }
  return { header, link, state: applied.state, surfaces, log, ids: applied.ids, changes }
}

const describe = ({ frontier, by }: SurfaceState, name: string, indexes: readonly string[]): Header['surfaces'][number] => ({
  name,
  kind: 0,
  size: frontier.size,
  root: treeRoot(frontier),
  by: by.map((map, i) => ({ name: indexes[i] as string, keys: BigInt(mapSize(map)), root: mapRoot(map) })),
})

interface Applied<S> {
  readonly state: S
  readonly ids: ReadonlySet<string>
  readonly items: readonly Bytes[][]
  readonly blobs: readonly Bytes[]
}

const applyCommands = <S, C>(
  machine: Machine<S, C>,
  identity: Identity,
  parent: Branch<S>,
  draft: Draft,
  seen: (id: string) => boolean,
  commandOf: (command: Command) => C,
): Applied<S> => {
  const index = parent.header.index + 1n
  const items: Bytes[][] = machine.surfaces.map(() => [])
  const ids = new Set<string>()
  const blobs: Bytes[] = []
  let state = parent.state
  let appended = 0
  let count = 0
  draft.commands.forEach((command, position) => {
    const id = toHex(command.id)
    const late = command.until < index || command.until > index + COMMAND_WINDOW
    if (late || ids.has(id) || seen(id)) return
    const context = { ...identity, index, position, timeMs: draft.timeMs }
    const effects = machine.apply(state, commandOf(command), context)
    const size = effects.append.reduce((sum, { item }) => sum + item.length, 0)
    appended += size
    count += effects.append.length
    if (count > BLOCK_LIMITS.items) throw new BlockLimitError('items appended', BLOCK_LIMITS.items, count, position)
    if (appended > BLOCK_LIMITS.appended) throw new BlockLimitError('bytes appended', BLOCK_LIMITS.appended, appended, position)
    ids.add(id)
    state = effects.state
    blobs.push(...effects.blobs)
    for (const { surface, item } of effects.append) items[surface]?.push(item)
  })
  return { state, ids, items, blobs }
}

/** How many of the waiting commands fit in one block, by count and encoded size. */
export const fitting = (commands: readonly Command[]): number => {
  let bytes = HEADER_ROOM
  let count = 0
  for (const command of commands) {
    bytes += encode(commandCodec, command).length
    if (bytes > BLOCK_LIMITS.bytes || count >= BLOCK_LIMITS.commands) break
    count += 1
  }
  return count
}

/** Commands that no block has room for. */
export class BlockLimitError extends CoalitionError {
  declare readonly limit: number
  declare readonly found: number
  /** Place of the first command that no longer fits. */
  declare readonly position: number

  constructor(what: string, limit: number, found: number, position: number) {
    super('Group.BlockLimitError', `block refused: ${found} ${what}, at most ${limit}; commands[${position}] is the first too many`, {
      what,
      limit,
      found,
      position,
    })
  }
}
