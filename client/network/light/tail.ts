import { isError } from '../../error.ts'
import { ZEROS } from '../../groups/roster.ts'
import type { RunEntries, View } from '../../groups/source.ts'
import { type Bytes, compare, toHex } from '../../primitives/bytes.ts'
import type { Placed, Run } from '../../proofs/index.ts'
import { type AnswerOf, MAX_LIST, type Mark, type QueryOf } from './queries.ts'
import { Refusal } from './refusal.ts'

// The server's half of the tail query (docs/wire.md section 5, "Run"). What the reader makes of it: `verifyTail` in proofs/by.ts.

/** A run on its way down from `end`. */
interface Open {
  readonly entries: RunEntries
  readonly end: bigint
  /** Not below this: what the reader holds, or the most positions it asked for. */
  readonly floor: bigint
  start: bigint
  before: Bytes
  readonly positions: bigint[]
}

/**
 * A bucket of an index with the newest entries of each key, as many as `budget` bytes hold. All runs go down together, an entry each a
 * round: when something must give it is the oldest of every key, and not all of the last ones.
 */
export const answerTail = async (view: View, query: QueryOf<'tail'>, budget: number): Promise<AnswerOf<'tail'>> => {
  const { proof, keys } = bucketOf(view, query)
  const upto = byPath(query.upto)
  const have = byPath(query.have)
  const runs = await Promise.all(keys.map((entries) => openRun(view, query, entries, upto, have)))
  const items = new Map<bigint, Bytes>()
  const room = { left: budget - proofSize(proof.siblings.length, keys) }
  for (let moved = true; moved; ) {
    moved = false
    for (const run of runs) moved = (await extend(view, query, run, items, room)) || moved
  }
  const placed: Placed[] = [...items].map(([position, item]) => ({ position, item })).sort((a, b) => (a.position < b.position ? -1 : 1))
  return { proof, items: placed, runs: runs.map(closeRun) }
}

const bucketOf = (view: View, { surface, by, bits, path }: QueryOf<'tail'>): ReturnType<View['bucket']> => {
  try {
    return view.bucket(surface, by, bits, path)
  } catch (error) {
    if (isError(error, 'Proof.MapError')) throw new Refusal('tooLarge', 'the bucket has more than 1024 keys: ask for more bits')
    throw error
  }
}

const byPath = (marks: readonly Mark[]): ReadonlyMap<string, bigint> => {
  const found = new Map<string, bigint>()
  let before: Bytes | null = null
  for (const { path, count } of marks) {
    if (before !== null && compare(before, path) >= 0) throw new Refusal('badRequest', 'marks that do not ascend by path')
    before = path
    found.set(toHex(path), count)
  }
  return found
}

const openRun = async (
  view: View,
  { surface, by, max }: QueryOf<'tail'>,
  entries: RunEntries,
  upto: ReadonlyMap<string, bigint>,
  have: ReadonlyMap<string, bigint>,
): Promise<Open> => {
  const { path, count, link } = entries
  const name = toHex(path)
  const end = upto.get(name) ?? count
  if (end > count) throw new Refusal('badRequest', `upto ${end} of ${count} entries`)
  const most = BigInt(Math.min(max, MAX_LIST))
  const held = have.get(name) ?? 0n
  const floor = held > end - most ? held : end > most ? end - most : 0n
  const before = end === count ? link : end === 0n ? ZEROS : (await view.entry(surface, by, path, end)).before
  return { entries, end, floor, start: end, before, positions: [] }
}

/** Adds the entry below a run's start, unless its floor or the room is reached. An item that another run has brought costs its number only. */
const extend = async (
  view: View,
  { surface, by }: QueryOf<'tail'>,
  run: Open,
  items: Map<bigint, Bytes>,
  room: { left: number },
): Promise<boolean> => {
  if (run.start <= run.floor || room.left < POSITION) return false
  const { position, before } = await view.entry(surface, by, run.entries.path, run.start - 1n)
  if (!items.has(position)) {
    const item = await itemAt(view, surface, position)
    const cost = item.length + PLACED
    if (cost > room.left - POSITION || items.size === MAX_LIST) return false
    room.left -= cost
    items.set(position, item)
  }
  room.left -= POSITION
  run.start -= 1n
  run.before = before
  run.positions.push(position)
  return true
}

const itemAt = async (view: View, surface: number, position: bigint): Promise<Bytes> => {
  for await (const item of view.items(surface, position, position + 1n)) return item
  throw new Refusal('pruned', `item ${position} is not held`)
}

const closeRun = ({ entries: { key, count, link }, start, before, positions }: Open): Run => ({
  key,
  count,
  link,
  start,
  before,
  positions: positions.reverse(),
})

/** Bytes of a position, of an item beside its own, and of a run beside its positions and key; of a leaf and a sibling in the proof. */
const POSITION = 8
const PLACED = 8 + 3
const RUN = 2 + 8 + 32 + 8 + 32 + 3
const LEAF = 64

const proofSize = (siblings: number, keys: readonly RunEntries[]): number =>
  64 + siblings * 32 + keys.reduce((sum, { key }) => sum + LEAF + RUN + key.length, 0)
