import type { Bytes } from '../primitives/bytes.ts'
import { DecodeError, encode } from '../primitives/codec.ts'
import { leavesUnder, prove } from '../proofs/map.ts'
import { MAX_SUBTREE } from '../proofs/map-proof.ts'
import { type NodeSource, proveItem, proveRange } from '../proofs/tree-source.ts'
import { type Archive, ArchiveError, type Held } from './archive.ts'
import { commandCodec } from './block.ts'
import { DamageError } from './checked-store.ts'
import { keptEvidence } from './evidence.ts'
import type { Identity } from './execution.ts'
import type { History } from './history.ts'
import { archiveKey } from './keys.ts'
import type { Source, View } from './source.ts'
import { readEntry } from './surface-state.ts'

// A member's archive as the light protocol reads it. Everything is answered from disk or from the held heads; nothing is computed anew
// but the few node hashes on a path.

const present = (value: Bytes | null, what: string): Bytes => {
  if (value === null) throw new ArchiveError(`${what} is missing`)
  return value
}

/** Nodes of the log. Level 0 is computed: a leaf is the hash of the block's own commit hash, stored like any node. */
const logNodes =
  <S, C>(archive: Archive<S, C>): NodeSource =>
  async (level, index) =>
    present(await archive.store.get(archiveKey.logNode(level, index)), `log node ${level}/${index}`)

const surfaceNodes =
  <S, C>(archive: Archive<S, C>, surface: number): NodeSource =>
  async (level, index) =>
    present(await archive.store.get(archiveKey.node(surface, level, index)), `node ${level}/${index} of surface ${surface}`)

async function* itemsBetween<S, C>(archive: Archive<S, C>, surface: number, from: bigint, to: bigint): AsyncIterable<Bytes> {
  let next = from
  const span = { from: archiveKey.item(surface, from), to: archiveKey.item(surface, to) }
  for await (const [, item] of archive.store.entries(span)) {
    yield item
    next += 1n
  }
  if (next !== to) throw new ArchiveError(`item ${next} of surface ${surface} is missing`)
}

const viewOf = <S, C>(archive: Archive<S, C>, held: Held): View => {
  const { header, surfaces } = held
  const sizeOf = (surface: number): bigint => header.surfaces[surface]?.size ?? 0n
  const indexOf = (surface: number, by: number) => {
    const map = surfaces[surface]?.by[by]
    if (map === undefined) throw new ArchiveError(`surface ${surface} has no index ${by}`)
    return map
  }
  return {
    header,
    item: async (surface, position) => ({
      item: present(await archive.store.get(archiveKey.item(surface, position)), `item ${position} of surface ${surface}`),
      proof: await proveItem(surfaceNodes(archive, surface), sizeOf(surface), position),
    }),
    range: (surface, from, to) => proveRange(surfaceNodes(archive, surface), sizeOf(surface), from, to),
    items: (surface, from, to) => itemsBetween(archive, surface, from, to),
    bucket: (surface, by, bits, path) => {
      const map = indexOf(surface, by)
      const keys = leavesUnder(map, bits, path, MAX_SUBTREE).map((entry) => ({ ...entry.data, path: entry.path }))
      return { proof: prove(map, bits, path), keys }
    },
    entry: async (surface, by, path, k) =>
      readEntry(present(await archive.store.get(archiveKey.entry(surface, by, path, k)), `entry ${k} of index ${by}`)),
    ancestor: async (index) => {
      const ancestor = await archive.header(index)
      if (ancestor === null) throw new ArchiveError(`block ${index} is missing`)
      return { header: ancestor, proof: await proveItem(logNodes(archive), header.index, index) }
    },
  }
}

/** A group's history as a Source. Genesis has no certificate: until block 1 is final there is no head to serve. */
export const archiveSource = <S, C>(
  history: History<S, C>,
  identity: Identity,
  { onCommit, onDamage }: { readonly onCommit: Source['onCommit']; readonly onDamage: (error: unknown) => void },
): Source => {
  const { archive } = history
  return guarded(
    {
      group: identity.group,
      served: () => ({ oldest: 0n, newest: history.newest, held: archive.oldestHeld }),
      head: (strength) => history.certificate(strength),
      // One epoch so far: no Reconfigure command is admitted, so no epoch has been closed.
      steps: () => [],
      roster: () => identity.roster,
      logProof: async (head, index) => (index >= head.index ? null : proveItem(logNodes(archive), head.index, index)),
      at: (index) => {
        const held = archive.held(index)
        return held === null ? null : viewOf(archive, held)
      },
      header: async (index) => archive.header(index),
      seal: (index) => archive.seal(index),
      commands: async (index) => (await archive.block(index))?.commands.map((command) => encode(commandCodec, command)) ?? null,
      appended: async (index) => appendedBy(archive, index),
      blob: (hash) => archive.store.get(archiveKey.blob(hash)),
      evidence: () => keptEvidence(archive),
      onCommit,
    },
    onDamage,
  )
}

/** What a store gave is not what was written: whoever asks gets the error, and the member is told to mend it. */
const guarded = (source: Source, onDamage: (error: unknown) => void): Source => {
  const told =
    <A extends readonly unknown[], R>(ask: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      try {
        return await ask(...args)
      } catch (error) {
        if (isDamage(error)) onDamage(error)
        throw error
      }
    }
  const { logProof, at, header, seal, commands, appended, blob } = source
  return {
    ...source,
    logProof: told(logProof),
    at: (index) => {
      const view = at(index)
      return (
        view && {
          ...view,
          item: told(view.item),
          range: told(view.range),
          entry: told(view.entry),
          ancestor: told(view.ancestor),
          items: itemsTold(view.items, onDamage),
        }
      )
    },
    header: told(header),
    seal: told(seal),
    commands: told(commands),
    appended: told(appended),
    blob: told(blob),
  }
}

const itemsTold = (items: View['items'], onDamage: (error: unknown) => void): View['items'] =>
  async function* (...args) {
    try {
      yield* items(...args)
    } catch (error) {
      if (isDamage(error)) onDamage(error)
      throw error
    }
  }

/** Whether an error says that an archive holds something else than what was written, or nothing where something was. */
export const isDamage = (error: unknown): boolean =>
  error instanceof DamageError || error instanceof ArchiveError || error instanceof DecodeError

/** A block appended what lies between its parent's sizes and its own. */
const appendedBy = async <S, C>(archive: Archive<S, C>, index: bigint): Promise<readonly (readonly Bytes[])[] | null> => {
  const [parent, header] = await Promise.all([archive.header(index - 1n), archive.header(index)])
  if (parent === null || header === null) return null
  return Promise.all(
    header.surfaces.map(async ({ size }, surface) => {
      const from = parent.surfaces[surface]?.size ?? 0n
      // Most blocks append to few surfaces, and a walk costs the store an iterator with a snapshot.
      if (from === size) return []
      const items: Bytes[] = []
      for await (const item of itemsBetween(archive, surface, from, size)) items.push(item)
      return items
    }),
  )
}
