import { compress1, compress4 } from './kernels.generated'
import { BLOCKS, DIGESTS, FLAGS, INPUT, KEY, LANE, LANES, LENGTHS, OFFSETS, ROOT, SIDES } from './memory'
import { blocksOf, CHUNK, CHUNK_END, CHUNK_START, clearBlock, fromLanes, keyToLanes, lastBlockOf, ROOT_NODE, rootAmong, setCounters, setLanes } from './tree'

// Many short messages in one call, each in a lane of the vectors; all of them plain hashes.

const LAST = CHUNK_END | ROOT_NODE

const MASK: usize = memory.data<u8>(
  [
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  ],
  16,
)

/** A block of `length` ≤ 64 bytes with zeros behind. What follows the message is read, and not used. */
// @ts-ignore: decorator
@inline function pad(to: usize, from: usize, length: i32): void {
  const mask = MASK + 64 - <usize>length
  v128.store(to, v128.and(v128.load(from), v128.load(mask)))
  v128.store(to, v128.and(v128.load(from, 16), v128.load(mask, 16)), 16)
  v128.store(to, v128.and(v128.load(from, 32), v128.load(mask, 32)), 32)
  v128.store(to, v128.and(v128.load(from, 48), v128.load(mask, 48)), 48)
}

/** `n` messages of `length` ≤ 1,024 bytes each, packed at INPUT; their digests packed at DIGESTS. */
export function hashEach(n: i32, length: i32): void {
  const before = blocksOf(length) - 1, last = lastBlockOf(length), size = <usize>length
  const first = before == 0 ? CHUNK_START : 0
  setCounters(0, 0)
  let at = INPUT, out = DIGESTS
  for (let i = 0; i < n; i += 4) {
    // A lane without a message does the first one's work again.
    const p1 = i + 1 < n ? at + size : at, p2 = i + 2 < n ? at + 2 * size : at, p3 = i + 3 < n ? at + 3 * size : at
    keyToLanes()
    if (last == 64) {
      setLanes(CHUNK_START, 0, LAST | first, 64)
      compress4(at, p1, p2, p3, before + 1)
    } else {
      if (before > 0) {
        setLanes(CHUNK_START, 0, before == 1 ? CHUNK_START : 0, 64)
        compress4(at, p1, p2, p3, before)
      }
      const skip = <usize>before << 6
      pad(BLOCKS, at + skip, last)
      pad(BLOCKS + 64, p1 + skip, last)
      pad(BLOCKS + 128, p2 + skip, last)
      pad(BLOCKS + 192, p3 + skip, last)
      setLanes(0, 0, LAST | first, last)
      compress4(BLOCKS, BLOCKS + 64, BLOCKS + 128, BLOCKS + 192, 1)
    }
    fromLanes(out)
    at += 4 * size
    out += 128
  }
}

/** H(1 ‖ left ‖ right) of `n` pairs of hashes, packed at INPUT; to DIGESTS. */
export function hashPairs(n: i32): void {
  setCounters(0, 0)
  setLanes(CHUNK_START, 0, LAST, 1)
  for (let i = 0; i < n; i += 4) {
    for (let lane = 0; lane < 4; lane++) {
      const pair = INPUT + (<usize>(i + lane < n ? i + lane : i) << 6), block = BLOCKS + (<usize>lane << 7)
      // One byte late, so that there is room for the 1.
      v128.store(block, i8x16.replace_lane(v128.load(pair - 1), 0, 1))
      v128.store(block, v128.load(pair + 15), 16)
      v128.store(block, v128.load(pair + 31), 32)
      v128.store(block, v128.load(pair + 47), 48)
      clearBlock(block + 64)
      store<u8>(block, load<u8>(pair, 63), 64)
    }
    keyToLanes()
    compress4(BLOCKS, BLOCKS + 128, BLOCKS + 256, BLOCKS + 384, 2)
    fromLanes(DIGESTS + (<usize>i << 5))
  }
}

/**
 * A chain of hashes. At INPUT lie a prefix, a hash, and `steps` items of `length` bytes; each step hashes prefix ‖ hash ‖ item where its byte
 * at SIDES is 0, and prefix ‖ item ‖ hash where it is 1. The last hash is left at ROOT. All of a step is at most 256 bytes.
 */
export function fold(steps: i32, prefix: i32, length: i32): void {
  const body = BLOCKS + <usize>prefix, total = prefix + 32 + length, end = BLOCKS + <usize>total
  memory.copy(BLOCKS, INPUT, <usize>prefix)
  let item = INPUT + <usize>prefix + 32
  v128.store(ROOT, v128.load(item - 32))
  v128.store(ROOT, v128.load(item - 16), 16)
  for (let step = 0; step < steps; step++) {
    const isRight = load<u8>(SIDES + <usize>step) != 0
    const hash = isRight ? body + <usize>length : body, to = isRight ? body : body + 32
    // By sixteens, a little too far: the hash or the zeros are written after it.
    for (let i: usize = 0; i < <usize>length; i += 16) v128.store(to + i, v128.load(item + i))
    v128.store(hash, v128.load(ROOT))
    v128.store(hash, v128.load(ROOT, 16), 16)
    clearBlock(end)
    compress1(KEY, BLOCKS, blocksOf(total), lastBlockOf(total), 0, CHUNK_START, LAST, 0, 0, ROOT)
    item += <usize>length
  }
}

// A lane of a batch of mixed lengths: address, bytes left (-1 without a message), where its digest goes, flags of its next block.
// @ts-ignore: decorator
@inline function lane(i: i32): usize {
  return LANE + (<usize>i << 4)
}

// @ts-ignore: decorator
@inline function left(i: i32): i32 {
  return load<i32>(lane(i), 4)
}

// @ts-ignore: decorator
@inline function place(i: i32): usize {
  return left(i) >= 0 ? <usize>load<u32>(lane(i)) : INPUT
}

function begin(i: i32, at: usize, length: i32, out: usize): void {
  store<u32>(lane(i), <u32>at)
  store<i32>(lane(i), length, 4)
  store<u32>(lane(i), <u32>out, 8)
  store<i32>(lane(i), CHUNK_START, 12)
  for (let word: usize = 0; word < 8; word++) store<i32>(LANES + (word << 4) + (<usize>i << 2), load<i32>(KEY + (word << 2)))
}

function save(i: i32, out: usize): void {
  for (let word: usize = 0; word < 8; word++) store<i32>(out + (word << 2), load<i32>(LANES + (word << 4) + (<usize>i << 2)))
}

function advance(i: i32, blocks: i32): void {
  store<u32>(lane(i), load<u32>(lane(i)) + <u32>(blocks << 6))
  store<i32>(lane(i), left(i) - (blocks << 6), 4)
  store<i32>(lane(i), 0, 12)
}

// @ts-ignore: decorator
@inline function offset(i: i32): u32 {
  return load<u32>(OFFSETS + (<usize>i << 2))
}

/** `n` messages: the bytes of message i lie at INPUT + OFFSETS[i] up to OFFSETS[i + 1]. A lane takes the next one as soon as its own ends. */
export function hashMany(n: i32): void {
  for (let i = 0; i < n; i++) {
    const length = <i32>(offset(i + 1) - offset(i))
    if (length > CHUNK) rootAmong(INPUT + offset(i), length, DIGESTS + (<usize>i << 5))
  }
  setCounters(0, 0)
  for (let i = 0; i < 4; i++) store<i32>(lane(i), -1, 4)
  for (let next = 0; ; ) {
    let active = 0
    for (let i = 0; i < 4; i++) {
      for (; left(i) < 0 && next < n; next++) {
        const length = <i32>(offset(next + 1) - offset(next))
        if (length <= CHUNK) begin(i, INPUT + offset(next), length, DIGESTS + (<usize>next << 5))
      }
      if (left(i) >= 0) active++
    }
    if (active == 0) return
    if (active == 1) alone()
    else inStep()
  }
}

/** The last message of a batch: in rows it ends sooner. */
function alone(): void {
  for (let i = 0; i < 4; i++) {
    const length = left(i)
    if (length < 0) continue
    save(i, ROOT)
    const at = place(i), before = blocksOf(length) - 1, skip = <usize>before << 6
    const flags = load<i32>(lane(i), 12)
    if (before > 0) compress1(ROOT, at, before, 64, 0, flags, 0, 0, 0, ROOT)
    pad(BLOCKS, at + skip, lastBlockOf(length))
    compress1(ROOT, BLOCKS, 1, lastBlockOf(length), 0, before > 0 ? 0 : flags, LAST, 0, 0, <usize>load<u32>(lane(i), 8))
    store<i32>(lane(i), -1, 4)
  }
}

/** Runs the lanes to the end of the message that ends first. */
function inStep(): void {
  let whole = 16
  for (let i = 0; i < 4; i++) if (left(i) >= 0) whole = min(whole, blocksOf(left(i)) - 1)
  if (whole > 0) {
    setLanes(0, 0, 0, 64)
    for (let i = 0; i < 4; i++) {
      store<i32>(FLAGS + (<usize>i << 2), load<i32>(lane(i), 12))
      if (whole == 1) store<i32>(FLAGS + (<usize>i << 2), load<i32>(lane(i), 12), 32)
    }
    compress4(place(0), place(1), place(2), place(3), whole)
    for (let i = 0; i < 4; i++) if (left(i) >= 0) advance(i, whole)
  }
  for (let i = 0; i < 4; i++) {
    const length = left(i), word = <usize>i << 2, isLast = length >= 0 && length <= 64
    const padded = BLOCKS + (<usize>i << 6)
    if (isLast) {
      pad(padded, place(i), length)
      store<u32>(lane(i), <u32>padded)
    }
    store<i32>(FLAGS + word, load<i32>(lane(i), 12) | (isLast ? LAST : 0), 32)
    store<i32>(LENGTHS + word, isLast ? length : 64, 16)
  }
  compress4(place(0), place(1), place(2), place(3), 1)
  for (let i = 0; i < 4; i++) {
    if (left(i) < 0) continue
    if (left(i) > 64) advance(i, 1)
    else {
      save(i, <usize>load<u32>(lane(i), 8))
      store<i32>(lane(i), -1, 4)
    }
  }
}
