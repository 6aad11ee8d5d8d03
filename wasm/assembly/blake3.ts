import { compress1 } from './kernels.generated'
import { CVS, DIGESTS, HASHER, INPUT, KEY, OUT, ROOT } from './memory'
import { blocksOf, CHUNK, CHUNK_END, CHUNK_START, chunk, chunks, clearBlock, clearKey, lastBlockOf, merge, mode, PARENT, parent, ROOT_NODE, root, setMode } from './tree'

// Hashing of one message: at once, or piece by piece in the resident hasher, which the caller takes out and puts back.

/** The digest, to OUT, of `length` ≤ 65,536 bytes at INPUT. */
export function hash(length: i32): void {
  clearBlock(INPUT + <usize>length)
  root(INPUT, length, OUT)
}

// The resident hasher.
const MODE: usize = HASHER
const DEPTH: usize = HASHER + 4
const CHUNKS: usize = HASHER + 8 // u64: those that are in the stack
const WAITING: usize = HASHER + 16 // bytes of the chunk that is not: it may be the last
const OWN_KEY: usize = HASHER + 32
const STACK: usize = HASHER + 64 // 54 chaining values of whole subtrees, the largest first: 2^54 chunks are all there can be
const PENDING: usize = HASHER + 1792 // a chunk, and a block behind it

function enter(): void {
  setMode(load<i32>(MODE))
  v128.store(KEY, v128.load(OWN_KEY))
  v128.store(KEY, v128.load(OWN_KEY, 16), 16)
}

/** Merges what has become whole: as many subtrees are left as the number of chunks has bits set. */
function settle(): void {
  const left = <i32>popcnt<u64>(load<u64>(CHUNKS))
  let depth = load<i32>(DEPTH)
  for (; depth > left; depth--) {
    const pair = STACK + (<usize>(depth - 2) << 5)
    parent(pair, 0, pair)
  }
  store<i32>(DEPTH, depth)
}

function push(cv: usize, chunksUnder: i32): void {
  // Only now: what was pushed before may have been the root's child.
  settle()
  const depth = load<i32>(DEPTH), to = STACK + (<usize>depth << 5)
  v128.store(to, v128.load(cv))
  v128.store(to, v128.load(cv, 16), 16)
  store<i32>(DEPTH, depth + 1)
  store<u64>(CHUNKS, load<u64>(CHUNKS) + chunksUnder)
}

/** Takes `length` ≤ 65,536 bytes at INPUT. `more` is 1 when there is more of the same piece: then even its last chunk is not the message's last. */
export function update(length: i32, more: i32): void {
  enter()
  let at: usize = INPUT, rest = length
  const waiting = load<i32>(WAITING)
  if (waiting > 0) {
    const taken = min(CHUNK - waiting, rest)
    memory.copy(PENDING + <usize>waiting, at, <usize>taken)
    at += <usize>taken
    rest -= taken
    store<i32>(WAITING, waiting + taken)
    if (rest > 0) {
      chunk(PENDING, CHUNK, load<u64>(CHUNKS), 0, CVS)
      push(CVS, 1)
      store<i32>(WAITING, 0)
    }
  }
  const kept = more ? 0 : 1
  while (rest >= CHUNK + kept) {
    const done = load<u64>(CHUNKS)
    // As large a subtree as there is input for, where the tree has one of that size.
    let size = 1 << (31 - clz<i32>((rest - kept) >> 10))
    while ((done & <u64>(size - 1)) != 0) size >>= 1
    merge(chunks(at, size << 10, done), 1)
    push(CVS, size)
    at += <usize>size << 10
    rest -= size << 10
  }
  if (rest > 0) {
    memory.copy(PENDING, at, <usize>rest)
    store<i32>(WAITING, rest)
  }
  clearKey()
}

// Of the root node: bytes of its last block, and its flags.
let rootLength: i32 = 0
let rootFlags: i32 = 0

/** Leaves the root node of all that was taken for `output`. The hasher is as it was. */
export function finish(): void {
  enter()
  const waiting = load<i32>(WAITING)
  clearBlock(PENDING + <usize>waiting)
  if (load<u64>(CHUNKS) == 0) rootOfChunk(waiting)
  else {
    settle()
    chunk(PENDING, waiting, load<u64>(CHUNKS), 0, ROOT + 64)
    for (let depth = load<i32>(DEPTH) - 1; depth >= 0; depth--) {
      const left = STACK + (<usize>depth << 5)
      v128.store(ROOT, v128.load(left), 32)
      v128.store(ROOT, v128.load(left, 16), 48)
      if (depth > 0) parent(ROOT + 32, 0, ROOT + 64)
    }
    v128.store(ROOT, v128.load(KEY))
    v128.store(ROOT, v128.load(KEY, 16), 16)
    rootLength = 64
    rootFlags = mode | PARENT
  }
  clearKey()
}

/** A message of one chunk has no parent: its last block is the root. */
function rootOfChunk(length: i32): void {
  const before = blocksOf(length) - 1, last = PENDING + (<usize>before << 6)
  if (before > 0) compress1(KEY, PENDING, before, 64, mode, CHUNK_START, 0, 0, 0, ROOT)
  else {
    v128.store(ROOT, v128.load(KEY))
    v128.store(ROOT, v128.load(KEY, 16), 16)
  }
  for (let i: usize = 0; i < 64; i += 16) v128.store(ROOT + 32 + i, v128.load(last + i))
  rootLength = lastBlockOf(length)
  rootFlags = mode | CHUNK_END | (before > 0 ? 0 : CHUNK_START)
}

/** `blocks` ≤ 2,048 blocks of 64 bytes of output, from block number low + 2^32 · high on, to DIGESTS. */
export function output(low: i32, high: i32, blocks: i32): void {
  let number = <u64>(<u32>low) | (<u64>(<u32>high) << 32)
  for (let to = DIGESTS, end = DIGESTS + (<usize>blocks << 6); to < end; to += 64, number++) {
    compress1(ROOT, ROOT + 32, 1, rootLength, rootFlags, 0, ROOT_NODE, <i32>number, <i32>(number >> 32), OUT)
    for (let i: usize = 0; i < 64; i += 16) v128.store(to + i, v128.load(OUT + i))
  }
}
