import { type Header, headerCodec, type Seal } from '../../groups/block.ts'
import type { Source } from '../../groups/source.ts'
import { type Bytes, equal, toHex } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import type { Gate } from '../scope.ts'
import { frame } from './frame.ts'
import { LIGHT_LIMITS, MAX_HEADERS, type RequestOf, responseCodec } from './messages.ts'
import { neededBy } from './opening.ts'
import { Refusal } from './refusal.ts'

/** How far behind the tip a watcher may begin, or fall: beyond it `open` and `range` are cheaper for both sides. */
export const WATCH_BEHIND = 1_024n

/** Encoded frames of the newest block, by what is watched: the same bytes for every watcher. A promise, so that they are made once. */
export type TipFrames = Map<string, Promise<Batch | null>>

/** Frames kept: one or two shapes of watch for the newest block of a few groups, and at most 8 MiB. */
const KEPT_FRAMES = 8

/** Consecutive blocks as one frame. */
export interface Batch {
  readonly bytes: Bytes
  readonly last: bigint
}

/** What the watcher's side of the stream told, kept by whoever reads it. */
export interface Watcher {
  credit: number
  readonly gate: Gate
  readonly signal: AbortSignal
  readonly write: (bytes: Bytes) => Promise<void>
}

/**
 * Sends blocks from `from` on, as the watcher takes them. Nothing is queued for it: the next blocks are read from the source once the last
 * frame is written and a credit is there, so a slow watcher costs one frame. Returns after a gap; otherwise runs until the signal.
 *
 * @throws Refusal
 */
export const feed = async (source: Source, request: RequestOf<'watch'>, watcher: Watcher, frames: TipFrames): Promise<void> => {
  const { surfaces, withstand } = request
  if (request.from === 0n) throw new Refusal('badRequest', 'genesis is computed, not sent')
  const stop = source.onCommit(() => watcher.gate.open())
  try {
    for (let next = request.from; ; ) {
      // Anew each round: a new epoch may have another number of members.
      const needed = neededBy(source, withstand)
      const tip = source.head(needed)?.header
      if (tip === undefined || tip.index < next || watcher.credit === 0) {
        await watcher.gate.wait(watcher.signal)
        continue
      }
      if (surfaces.some((surface) => surface >= tip.surfaces.length))
        throw new Refusal('badRequest', `surfaces ${surfaces.join(', ')} of ${tip.surfaces.length}`)
      const tooOld = next < source.served().oldest || tip.index - next >= WATCH_BEHIND
      const batch = tooOld ? null : await batchFrom(source, surfaces, needed, next, tip.index, frames)
      if (batch === null) return await watcher.write(gap(source, tip.index))
      watcher.credit -= 1
      await watcher.write(batch.bytes)
      next = batch.last + 1n
    }
  } finally {
    stop()
  }
}

const gap = (source: Source, tip: bigint): Bytes => {
  const { oldest } = source.served()
  const reach = tip < WATCH_BEHIND ? 1n : tip - WATCH_BEHIND + 1n
  return frame(encode(responseCodec, { kind: 'gap', value: { next: oldest > reach ? oldest : reach } }))
}

const batchFrom = (
  source: Source,
  surfaces: readonly number[],
  needed: number,
  from: bigint,
  tip: bigint,
  frames: TipFrames,
): Promise<Batch | null> => {
  const make = (): Promise<Batch | null> => makeBatch(source, surfaces, needed, from, tip)
  if (from !== tip) return make()
  const key = `${toHex(source.group)} ${tip} ${needed} ${surfaces.join()}`
  const known = frames.get(key)
  if (known !== undefined) return known
  for (const oldest of frames.keys()) {
    if (frames.size < KEPT_FRAMES) break
    frames.delete(oldest)
  }
  const making = make().then(
    (batch) => {
      // Nothing to send now is no reason to send nothing later: the archive may be a moment behind the head.
      if (batch === null) frames.delete(key)
      return batch
    },
    (error: unknown) => {
      frames.delete(key)
      throw error
    },
  )
  frames.set(key, making)
  return making
}

interface Piece {
  readonly header: Header
  readonly items: readonly (readonly Bytes[])[]
}

/** As many blocks as fit a frame and end at one with enough signatures of its own; null when there are none. */
const makeBatch = async (source: Source, surfaces: readonly number[], needed: number, from: bigint, tip: bigint): Promise<Batch | null> => {
  const pieces = await collect(source, surfaces, from, tip)
  for (; pieces.length > 0; pieces.pop()) {
    const last = from + BigInt(pieces.length) - 1n
    const seal = await sealAt(source, needed, last)
    if (seal === null || seal.signatures.length < needed) continue
    const headers = pieces.map(({ header }) => header)
    const appended = pieces.map(({ items }) => items)
    return { bytes: frame(encode(responseCodec, { kind: 'commits', value: { headers, seal, appended } })), last }
  }
  return null
}

// The head may have gained signatures since its block was archived (PROTOCOL.md section 1, "Late finalize").
const sealAt = async (source: Source, needed: number, index: bigint): Promise<Seal | null> => {
  const head = source.head(needed)
  return head?.header.index === index ? head.seal : source.seal(index)
}

const collect = async (source: Source, surfaces: readonly number[], from: bigint, tip: bigint): Promise<Piece[]> => {
  const pieces: Piece[] = []
  let left = LIGHT_LIMITS.frame - SEAL
  for (let index = from; index <= tip && pieces.length < MAX_HEADERS; index++) {
    const [header, appended] = await Promise.all([source.header(index), source.appended(index)])
    if (header === null || appended === null) break
    const items = surfaces.map((surface) => appended[surface] ?? [])
    left -= encode(headerCodec, header).length + 1 + items.reduce((sum, list) => sum + listSize(list), 0)
    if (left < 0) break
    pieces.push({ header, items })
    // The blocks after it are certified by a committee that the watcher learns of by `open`: it does that once this block is verified.
    if (!equal(header.next, header.roster)) break
  }
  return pieces
}

/** Bytes of the longest seal with the counts around the lists. */
const SEAL = 8 + 9 + 2 + 64 * 64 + 16

const listSize = (items: readonly Bytes[]): number =>
  items.reduce((sum, { length }) => sum + length + (length < 128 ? 1 : length < 16_384 ? 2 : 3), 3)
