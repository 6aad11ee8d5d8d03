import { hash, hashChain, hashLeaves } from '../../wasm/core.ts'
import { CoalitionError } from '../error.ts'
import { type Bytes, concat, equal, toHex, u64le, utf8 } from '../primitives/bytes.ts'
import { type Codec, encode, fixed, struct, u64 } from '../primitives/codec.ts'
import { type MapLeaf, type MapProof, pathOf, valueHash, verifyMap } from './map-proof.ts'

/** What an index says of a key: how many items carry it, and the hash chain over all of them (wire.md section 4, "Index"). */
export interface Tip {
  readonly count: bigint
  readonly link: Bytes
}

export const Tip: Codec<Tip> = /* @__PURE__ */ struct('Tip', { count: u64, link: /* @__PURE__ */ fixed(32) })

/** An item of the answer with its place in the surface (wire.md section 5). */
export interface Placed {
  readonly position: bigint
  readonly item: Bytes
}

/** The entries start … end−1 of one key, and the link before them (wire.md section 5). */
export interface Run extends Tip {
  readonly key: Bytes
  readonly start: bigint
  readonly before: Bytes
  readonly positions: readonly bigint[]
}

/** A run that was verified: what the index holds of `key` between `start` and `end`, nothing left out. */
export interface VerifiedRun extends Run {
  readonly path: Bytes
  readonly end: bigint
}

/** By the path of a key in hex: how far a reader got, as a verified answer gave it. */
export type Tips = ReadonlyMap<string, Tip>

export interface TailQuestion {
  /** Root of the index and size of the surface it is over, both from one verified header. */
  readonly root: Bytes
  readonly surfaceSize: bigint
  /** The bucket asked for: see `verifyMap`. */
  readonly bits: number
  readonly path: Bytes
  readonly answer: { readonly proof: MapProof; readonly items: readonly Placed[]; readonly runs: readonly Run[] }
  /** The canonical keys of an encoded item, as the machine's index gives them. May throw: then the answer is refused with that error. */
  readonly keysOf: (item: Bytes) => readonly Bytes[]
  /** Runs that this answer continues downwards: { start, before } of the run above. */
  readonly upto?: Tips
  /** What the reader holds from the bottom up: the server goes no lower, and what begins there must link to it. */
  readonly have?: Tips
  /** Most positions a run may have. */
  readonly max?: number
}

/** Rule of wire.md section 5 that an answer broke. */
export type RunRule =
  | 'items ascend'
  | 'item below size'
  | 'item in a run'
  | 'run for each leaf'
  | 'path of key'
  | 'value of tip'
  | 'end'
  | 'have'
  | 'max'
  | 'length'
  | 'before of start'
  | 'positions ascend'
  | 'position below size'
  | 'item of position'
  | 'key of item'
  | 'link'

// No tag begins another (PROTOCOL.md section 1, "Tags"), so what hashes as a link can be read as nothing else.
const TAG = /* @__PURE__ */ utf8('coalition link v1|')
const ZEROS: Bytes = /* @__PURE__ */ new Uint8Array(32)

/** The link after one more item: it binds position and content, so neither can be swapped later without moving every later link. */
export const linkNext = (link: Bytes, position: bigint, leaf: Bytes): Bytes => hash(TAG, link, u64le(position), leaf)

/** The link after `entries`, in the order of their positions; the link before the first entry of a key is 32 zeros. */
export const foldRun = (before: Bytes, entries: Iterable<{ readonly position: bigint; readonly leaf: Bytes }>): Bytes => {
  const items = Array.from(entries, ({ position, leaf }) => concat(u64le(position), leaf))
  return hashChain({ prefix: TAG, start: before, items })
}

/**
 * Every key of a bucket with its newest entries. What comes back is complete: a key without a run, an entry left out between start and
 * end, or an item that does not belong is refused, against any server (PROTOCOL.md section 2, "Complete answers").
 *
 * @throws MapError when the bucket is not under `root`, RunError naming the broken rule, and whatever `keysOf` throws
 */
export const verifyTail = (
  question: TailQuestion,
): { readonly runs: readonly VerifiedRun[]; readonly items: ReadonlyMap<bigint, Bytes> } => {
  const { root, bits, path, answer } = question
  const leaves = verifyMap(root, bits, path, answer.proof)
  const places = placesOf(question)
  if (answer.runs.length !== leaves.length) {
    throw new RunError('run for each leaf', null, `${leaves.length} runs`, `${answer.runs.length} runs`)
  }
  const runs = answer.runs.map((run, i) => verifyRun(question, run, leaves[i] as MapLeaf, places))
  // An item that no run names hangs on nothing: it would reach the reader unproven, among proven ones.
  for (const [position, { used }] of places)
    if (!used) throw new RunError('item in a run', null, 'a run that names it', `position ${position}`)
  return { runs, items: new Map(answer.items.map(({ position, item }) => [position, item])) }
}

interface Entry {
  readonly position: bigint
  readonly leaf: Bytes
  readonly keys: ReadonlySet<string>
  used: boolean
}

const placesOf = ({ answer: { items }, keysOf, surfaceSize }: TailQuestion): ReadonlyMap<bigint, Entry> => {
  let last = -1n
  for (const { position } of items) {
    if (position <= last) throw new RunError('items ascend', null, `above ${last}`, `${position}`)
    if (position >= surfaceSize) throw new RunError('item below size', null, `below ${surfaceSize}`, `${position}`)
    last = position
  }
  // Once for each item, however many runs name it, and in one batch.
  const leaves = hashLeaves(items.map(({ item }) => item))
  const entry = ({ position, item }: Placed, i: number): [bigint, Entry] => [
    position,
    { position, leaf: leaves[i] as Bytes, keys: new Set(keysOf(item).map(toHex)), used: false },
  ]
  return new Map(items.map(entry))
}

const verifyRun = (question: TailQuestion, run: Run, leaf: MapLeaf, places: ReadonlyMap<bigint, Entry>): VerifiedRun => {
  const { key, count, link } = run
  const path = pathOf(key)
  // Runs ascend by path as the leaves do, so a run out of order, twice or of another key meets the wrong leaf here.
  if (!equal(path, leaf.path)) throw new RunError('path of key', key, toHex(leaf.path), toHex(path))
  // The bucket proves the tip, and the tip the whole chain of its key: all that follows hangs on this one comparison.
  const value = valueHash(encode(Tip, { count, link }))
  if (!equal(value, leaf.value)) throw new RunError('value of tip', key, toHex(leaf.value), toHex(value))
  const upto = question.upto?.get(toHex(path))
  const end = upto?.count ?? count
  if (end > count) throw new RunError('end', key, `at most ${count}`, `${end}`)
  expectBounds(question, run, path, end)
  // A count alone would let an entry be swapped for another. The chain says which items, where, and in what order.
  const folded = foldRun(run.before, expectEntries(question, run, places))
  if (upto !== undefined && !equal(folded, upto.link)) throw new RunError('link', key, toHex(upto.link), toHex(folded))
  if (end === count && !equal(folded, link)) throw new RunError('link', key, toHex(link), toHex(folded))
  return { ...run, path, end }
}

const expectBounds = (question: TailQuestion, run: Run, path: Bytes, end: bigint): void => {
  const { key, start, before, positions, count } = run
  // `start` and `before` are the server's word until the fold below closes: a run may begin late, but not pretend to begin early.
  if (BigInt(positions.length) !== end - start) throw new RunError('length', key, `${end - start} positions`, `${positions.length}`)
  // An answer that did not come through the codec may hold a link of any length, and none of another folds into one of ours.
  if (before.length !== ZEROS.length) throw new RunError('before of start', key, `${ZEROS.length} bytes`, `${before.length} bytes`)
  const max = question.max ?? positions.length
  if (positions.length > max) throw new RunError('max', key, `at most ${max} positions`, `${positions.length}`)
  if (start === 0n && !equal(before, ZEROS)) throw new RunError('before of start', key, toHex(ZEROS), toHex(before))
  const have = question.have?.get(toHex(path))
  if (have === undefined) return
  // An index only grows: a reader who holds more than this head counts was shown two histories, or asks at an older head than it knows.
  if (have.count > count) throw new RunError('have', key, `${have.count} entries or more`, `${count}`)
  if (start < have.count && start < end) throw new RunError('have', key, `from ${have.count} up`, `${start}`)
  if (start === have.count && !equal(before, have.link)) throw new RunError('have', key, toHex(have.link), toHex(before))
}

const expectEntries = ({ surfaceSize }: TailQuestion, { key, positions }: Run, places: ReadonlyMap<bigint, Entry>): readonly Entry[] => {
  const name = toHex(key)
  let last = -1n
  return positions.map((position) => {
    if (position <= last) throw new RunError('positions ascend', key, `above ${last}`, `${position}`)
    if (position >= surfaceSize) throw new RunError('position below size', key, `below ${surfaceSize}`, `${position}`)
    const place = places.get(position)
    if (place === undefined) throw new RunError('item of position', key, `the item at ${position}`, 'none')
    if (!place.keys.has(name)) throw new RunError('key of item', key, `an item at ${position} that carries it`, 'one that does not')
    last = position
    place.used = true
    return place
  })
}

/** A tail answer that breaks a rule. `key` is the run's key in hex, empty where the rule is about the whole answer. */
export class RunError extends CoalitionError {
  declare readonly rule: RunRule
  declare readonly key: string
  declare readonly expected: string
  declare readonly found: string

  constructor(rule: RunRule, key: Bytes | null, expected: string, found: string) {
    const name = key === null ? '' : toHex(key)
    super('Proof.RunError', `tail answer: ${rule}: expected ${expected}, found ${found}`, { rule, key: name, expected, found })
  }
}
