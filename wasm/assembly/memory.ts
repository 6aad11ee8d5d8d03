// The core's memory: 512 kB, laid out by hand, never grown and never allocated from. Constants (asc's own data) lie below SCRATCH.
// `wasm/layout.ts` has the same numbers for those who write into it from outside; a test holds the two together.

// Bytes that rotate the 32-bit lanes of a vector right by 16 and by 8, for relaxed_swizzle.
export const ROTATE_16: usize = memory.data<u8>([2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13], 16)
export const ROTATE_8: usize = memory.data<u8>([1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12], 16)
// SHA-256's initial words, which BLAKE3 has for its key where it has none.
export const IV: usize = memory.data<u32>([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19], 16)
/** The key of what is hashed now, 8 words; IV between calls. It is data, so that a new core has it without a start function: that would cost a fifth of its first hash. */
export const KEY: usize = memory.data<u32>([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19], 16)

export const SCRATCH: usize = 0x1000

// What compress4 reads beside the blocks, and where it leaves its chaining values: one vector for each word, a message in each lane.
export const LANES: usize = SCRATCH // 8 vectors
export const COUNTER_LOW: usize = 0x1080
export const COUNTER_HIGH: usize = 0x1090
export const LENGTHS: usize = 0x10a0 // of blocks before the last; of the last
export const FLAGS: usize = 0x10c0 // of the first block, of those between, of the last

export const OUT: usize = 0x1140 // a digest, or a block of output
export const ROOT: usize = 0x1180 // the last node: chaining value (32), then its block (64)
export const LANE: usize = 0x1200 // what each lane of a mixed batch is at: address, bytes left, where its digest goes, flags of its next block
export const BLOCKS: usize = 0x1240 // four times two blocks, padded
export const CVS: usize = 0x1800 // chaining values of a window's chunks, 64 and room for idle lanes
export const HASHER: usize = 0x3000 // the resident hasher: see hasher.ts

export const RESULT: usize = 0x4000 // what a reader found, as u32: 2,048 of them
export const SIDES: usize = 0x6000 // of a fold, a byte for each step: 8,192
export const OFFSETS: usize = 0x8000 // where a batch's messages begin and the last one ends, as u32: 4,097
export const DIGESTS: usize = 0x10000 // of a batch, 4,096; or a reader's list

/** Input. It is the last thing in memory, so that a reader that looked past its end would look past the memory's. */
export const INPUT: usize = 0x30000
export const END: usize = 0x80000
/** Bytes behind a hashed message that are written over with zeros. */
export const SLACK: usize = 64
