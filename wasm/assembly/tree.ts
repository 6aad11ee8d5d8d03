import { compress1, compress2, compress4 } from './kernels.generated'
import { COUNTER_HIGH, COUNTER_LOW, CVS, FLAGS, IV, KEY, LANES, LENGTHS } from './memory'

// BLAKE3's tree (paper, section 2.1): chunks of 1,024 bytes, and parents of two chaining values each.

export const CHUNK_START = 1
export const CHUNK_END = 2
export const PARENT = 4
export const ROOT_NODE = 8
export const CHUNK: i32 = 1024

/** 0 for hash, 16 for keyed_hash, 32 and 64 for the two halves of derive_key: a flag of every node (paper, table 3). */
export let mode: i32 = 0

/** Sets what KEY is for. */
export function setMode(to: i32): void {
  mode = to
}

/** Back to plain hashing: no key of somebody's is left for the next message. */
export function clearKey(): void {
  mode = 0
  v128.store(KEY, v128.load(IV))
  v128.store(KEY, v128.load(IV, 16), 16)
}

/** The key in all four lanes. */
export function keyToLanes(): void {
  v128.store(LANES, v128.load32_splat(KEY, 0), 0)
  v128.store(LANES, v128.load32_splat(KEY, 4), 16)
  v128.store(LANES, v128.load32_splat(KEY, 8), 32)
  v128.store(LANES, v128.load32_splat(KEY, 12), 48)
  v128.store(LANES, v128.load32_splat(KEY, 16), 64)
  v128.store(LANES, v128.load32_splat(KEY, 20), 80)
  v128.store(LANES, v128.load32_splat(KEY, 24), 96)
  v128.store(LANES, v128.load32_splat(KEY, 28), 112)
}

/** Half of each lane's chaining value, the words from `LANES + at` on, to the four addresses. */
// @ts-ignore: decorator
@inline function halvesFromLanes(at: usize, out0: usize, out1: usize, out2: usize, out3: usize): void {
  const a = v128.load(at), b = v128.load(at, 16), c = v128.load(at, 32), d = v128.load(at, 48)
  const low01 = v128.shuffle<u32>(a, b, 0, 4, 1, 5), low23 = v128.shuffle<u32>(a, b, 2, 6, 3, 7)
  const high01 = v128.shuffle<u32>(c, d, 0, 4, 1, 5), high23 = v128.shuffle<u32>(c, d, 2, 6, 3, 7)
  v128.store(out0, v128.shuffle<u64>(low01, high01, 0, 2))
  v128.store(out1, v128.shuffle<u64>(low01, high01, 1, 3))
  v128.store(out2, v128.shuffle<u64>(low23, high23, 0, 2))
  v128.store(out3, v128.shuffle<u64>(low23, high23, 1, 3))
}

/** The lanes' four chaining values, 32 bytes each, one behind the other. */
export function fromLanes(out: usize): void {
  halvesFromLanes(LANES, out, out + 32, out + 64, out + 96)
  halvesFromLanes(LANES + 64, out + 16, out + 48, out + 80, out + 112)
}

/** What the blocks of a run of lanes have in common; the last block's flags and length are the caller's to change. */
export function setLanes(first: i32, middle: i32, last: i32, lastLength: i32): void {
  v128.store(LENGTHS, i32x4.splat(64))
  v128.store(LENGTHS, i32x4.splat(lastLength), 16)
  v128.store(FLAGS, i32x4.splat(first))
  v128.store(FLAGS, i32x4.splat(middle), 16)
  v128.store(FLAGS, i32x4.splat(last), 32)
}

export function setCounters(counter: u64, step: i32): void {
  // Callers begin at a multiple of 4 when they step: the low words of a group do not carry.
  v128.store(COUNTER_LOW, i32x4.add(i32x4.splat(<i32>counter), i32x4(0, step, 2 * step, 3 * step)))
  v128.store(COUNTER_HIGH, i32x4.splat(<i32>(counter >> 32)))
}

// @ts-ignore: decorator
@inline export function blocksOf(length: i32): i32 {
  return length > 64 ? (length + 63) >> 6 : 1
}

// @ts-ignore: decorator
@inline export function lastBlockOf(length: i32): i32 {
  return length > 0 ? ((length - 1) & 63) + 1 : 0
}

/** One chunk of `length` ≤ 1,024 bytes with zeros behind it up to a whole block. */
// @ts-ignore: decorator
@inline export function chunk(at: usize, length: i32, counter: u64, lastFlags: i32, out: usize): void {
  compress1(KEY, at, blocksOf(length), lastBlockOf(length), mode, CHUNK_START, CHUNK_END | lastFlags, <i32>counter, <i32>(counter >> 32), out)
}

/** The parent of two chaining values that lie behind each other. */
// @ts-ignore: decorator
@inline export function parent(pair: usize, lastFlags: i32, out: usize): void {
  compress1(KEY, pair, 1, 64, mode | PARENT, 0, lastFlags, 0, 0, out)
}

/** Whole chunks, up to four of them; a lane without one does the first one's work again, and its result is written over or left. */
function chunks4(at: usize, lanes: i32, counter: u64, out: usize): void {
  keyToLanes()
  setCounters(counter, 1)
  setLanes(mode | CHUNK_START, mode, mode | CHUNK_END, 64)
  compress4(at, at + 1024, at + 2048, lanes == 4 ? at + 3072 : at, 16)
  fromLanes(out)
}

/** Chaining values of all chunks of a message of more than one chunk, to CVS; how many. Zeros follow it up to a whole block. */
export function chunks(at: usize, length: i32, counter: u64): i32 {
  const whole = length >>> 10, part = length & 1023
  let i = 0
  for (; i + 4 <= whole; i += 4) chunks4(at + (<usize>i << 10), 4, counter + i, CVS + (<usize>i << 5))
  const rest = whole - i, from = at + (<usize>i << 10), out = CVS + (<usize>i << 5), at0 = counter + i
  if (rest == 3) chunks4(from, 3, at0, out)
  else if (rest == 2)
    compress2(KEY, from, from + 1024, 16, 64, mode, CHUNK_START, CHUNK_END, <i32>at0, <i32>(at0 >> 32), 1, out, out + 32)
  else if (rest == 1) chunk(from, CHUNK, at0, 0, out)
  if (part == 0) return whole
  chunk(at + (<usize>whole << 10), part, counter + whole, 0, CVS + (<usize>whole << 5))
  return whole + 1
}

/** Merges the `n` chaining values at CVS, pair by pair and level by level, until `stop` (1 or 2) are left. */
export function merge(n: i32, stop: i32): void {
  if (n <= stop) return
  setCounters(0, 0)
  setLanes(mode | PARENT, mode | PARENT, mode | PARENT, 64)
  while (n > stop) {
    const pairs = n >> 1
    const odd0 = v128.load(CVS + (<usize>(n - 1) << 5)), odd1 = v128.load(CVS + (<usize>(n - 1) << 5), 16)
    let i = 0
    // A group's results end below the pairs that the next one reads. Three pairs take a group as four do.
    for (; i + 3 <= pairs; i += 4) parents4(CVS + (<usize>i << 6), CVS + (<usize>i << 5))
    const from = CVS + (<usize>i << 6), out = CVS + (<usize>i << 5)
    if (pairs - i == 2) compress2(KEY, from, from + 64, 1, 64, mode | PARENT, 0, 0, 0, 0, 0, out, out + 32)
    else if (pairs - i == 1) parent(from, 0, out)
    if (n & 1) {
      v128.store(CVS + (<usize>pairs << 5), odd0)
      v128.store(CVS + (<usize>pairs << 5), odd1, 16)
    }
    n = pairs + (n & 1)
  }
}

function parents4(pairs: usize, out: usize): void {
  keyToLanes()
  compress4(pairs, pairs + 64, pairs + 128, pairs + 192, 1)
  fromLanes(out)
}

/** The root chaining value of a message, 32 bytes. Zeros follow it up to a whole block. */
export function root(at: usize, length: i32, out: usize): void {
  if (length <= CHUNK) {
    chunk(at, length, 0, ROOT_NODE, out)
    return
  }
  merge(chunks(at, length, 0), 2)
  parent(CVS, ROOT_NODE, out)
}

/** The same, where other bytes follow: they are put back. */
export function rootAmong(at: usize, length: i32, out: usize): void {
  const end = at + <usize>length
  const a = v128.load(end), b = v128.load(end, 16), c = v128.load(end, 32), d = v128.load(end, 48)
  clearBlock(end)
  root(at, length, out)
  v128.store(end, a)
  v128.store(end, b, 16)
  v128.store(end, c, 32)
  v128.store(end, d, 48)
}

// @ts-ignore: decorator
@inline export function clearBlock(at: usize): void {
  const zero = i32x4.splat(0)
  v128.store(at, zero)
  v128.store(at, zero, 16)
  v128.store(at, zero, 32)
  v128.store(at, zero, 48)
}
