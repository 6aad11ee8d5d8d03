import { utf8ToBytes } from '@noble/hashes/utils.js'
import { createBlake3 } from './blake3.ts'
import { fallback } from './fallback.ts'
import { type Blake3, type Bytes, type Chain, DIGEST, expectRoom, type Hasher, type HasherOptions } from './hashing.ts'
import { shared } from './instance.ts'

export type { Chain, Hasher, HasherOptions } from './hashing.ts'

// RFC 6962 section 2.1 gives leaves and nodes a first byte of their own. Without it the two child hashes of a node, taken as an item,
// would have that node's hash, and a proof could end one level too high.
const LEAF = /* @__PURE__ */ Uint8Array.of(0x00)
const NODE = /* @__PURE__ */ Uint8Array.of(0x01)

// With the u flag a surrogate matches only when it stands alone; a proper pair is one code point and does not.
const LONE_SURROGATE = /\p{Surrogate}/u

let chosen: Blake3 | undefined

const core = (): Blake3 => {
  if (chosen === undefined) {
    const instance = shared()
    chosen = instance === null ? fallback : createBlake3(instance)
  }
  return chosen
}

/** What hashes here: the wasm core, or the library where there is none to be had. */
export const implementation = (): 'wasm' | 'fallback' => (shared() === null ? 'fallback' : 'wasm')

/**
 * BLAKE3-256, unkeyed, of the concatenation of `parts`, which is never built in memory.
 *
 * @returns 32 bytes of their own buffer.
 * @see IDENTITY.md, the opening lines; the BLAKE3 paper, section 2
 */
export const hash = (...parts: Bytes[]): Bytes => core().hash(parts)

/**
 * The same into `out` at `at`: nothing is allocated but the argument list.
 *
 * @throws RangeError when 32 bytes do not fit there
 */
export const hashInto = (out: Bytes, at: number, ...parts: Bytes[]): void => {
  expectRoom(out, at, DIGEST)
  core().hashInto(out, at, parts)
}

/**
 * The keyed hash: a MAC. The key passes through memory that the next call writes over at some time or never: give it no secret of value
 * (docs/core.md, "What it is not").
 *
 * @param key 32 bytes
 * @throws RangeError for a key of another length
 */
export const keyedHash = (key: Bytes, ...parts: Bytes[]): Bytes => digestOf(createHasher({ key }), parts)

/**
 * A key derived from `parts` for a context: a text that is fixed in the program and used for nothing else.
 *
 * @throws TypeError for a context with a lone surrogate
 */
export const deriveKey = (context: string, ...parts: Bytes[]): Bytes => digestOf(createHasher({ context }), parts)

const digestOf = (hasher: Hasher, parts: readonly Bytes[]): Bytes => {
  for (const part of parts) hasher.update(part)
  return hasher.digest()
}

/**
 * A hasher for a message that comes piece by piece, and for output of any length: `digest(length, from)`. Any number of them can be
 * alive, in any order of calls.
 *
 * @throws RangeError for a key that is not 32 bytes, or for key and context at once; TypeError for a context with a lone surrogate
 */
export const createHasher = (options: HasherOptions = {}): Hasher => {
  const { key, context } = options
  if (key !== undefined && context !== undefined) throw new RangeError('a hasher has a key or a context, not both')
  if (key !== undefined && key.length !== DIGEST) throw new RangeError(`a key has ${DIGEST} bytes, this one ${key.length}`)
  if (context !== undefined) expectText(context)
  return core().createHasher(options)
}

/**
 * The hash of a text's UTF-8 bytes, with no terminator and no length.
 *
 * @throws TypeError for a lone surrogate: an encoder would put U+FFFD in its place, and two different names would share one id.
 * @see IDENTITY.md, the opening lines
 */
export const hashText = (text: string): Bytes => {
  expectText(text)
  return core().hash([utf8ToBytes(text)])
}

/**
 * The digests of many messages, 32 bytes each, one behind the other. One call for the whole batch: four short messages are hashed at
 * once, and crossing into wasm for each of them costs more than its hash.
 *
 * @param out where they go, from its first byte on; of its own when it is left out
 * @throws RangeError when `out` is too short
 */
export const hashMany = (messages: readonly Bytes[], out: Bytes = new Uint8Array(messages.length * DIGEST)): Bytes => {
  core().hashManyInto(messages, room(out, messages.length * DIGEST))
  return out
}

/**
 * The digests of messages of one length that lie behind each other in `packed`.
 *
 * @param length of each, 1 to 1,024 bytes
 * @throws RangeError when `packed` holds no whole number of them, or `out` is too short
 */
export const hashEach = (packed: Bytes, length: number, out?: Bytes): Bytes => {
  if (!(Number.isInteger(length) && length >= 1 && length <= 1_024))
    throw new RangeError(`messages of 1 to 1,024 bytes are packed, not of ${length}`)
  const digests = out ?? new Uint8Array(count(packed, length) * DIGEST)
  core().hashEachInto(packed, length, room(digests, count(packed, length) * DIGEST))
  return digests
}

/**
 * A tree leaf: `H(0x00 ‖ item)`.
 *
 * @see PROTOCOL.md section 2, "Tree"
 */
export const hashLeaf = (item: Bytes): Bytes => core().hash([LEAF, item])

/**
 * The leaves of many items, in their order, each of its own buffer.
 *
 * @see SPEED.md, "BLAKE3 batch of small messages"
 */
export const hashLeaves = (items: readonly Bytes[]): Bytes[] => {
  const digests = new Uint8Array(items.length * DIGEST)
  core().hashManyInto(items, digests, LEAF)
  return split(digests)
}

/**
 * A tree node: `H(0x01 ‖ left ‖ right)`, both 32 bytes.
 *
 * @see PROTOCOL.md section 2, "Tree"
 */
export const hashNode = (left: Bytes, right: Bytes): Bytes => core().hash([NODE, left, right])

/**
 * The nodes over a row of hashes, two and two; a last one without a pair has none.
 *
 * @see PROTOCOL.md section 2, "Tree"
 */
export const hashNodes = (row: readonly Bytes[]): Bytes[] => {
  const n = row.length >> 1
  if (n === 1) return [hashNode(row[0] as Bytes, row[1] as Bytes)]
  const pairs = new Uint8Array(n * 2 * DIGEST)
  for (let i = 0; i < 2 * n; i++) pairs.set(row[i] as Bytes, i * DIGEST)
  return split(hashPairs(pairs))
}

/**
 * The root over a leaf or node and its siblings from there up.
 *
 * @param isLeft for each sibling whether it is the left one
 * @see PROTOCOL.md section 2, "Tree"
 */
export const hashPath = (start: Bytes, siblings: readonly Bytes[], isLeft: readonly boolean[]): Bytes =>
  hashChain({ prefix: NODE, start, items: siblings, isLeft })

/**
 * A level of a tree from the one below: `H(0x01 ‖ left ‖ right)` of each pair of hashes in `pairs`, which lie behind each other.
 *
 * @throws RangeError when `pairs` is no multiple of 64 bytes, or `out` is too short
 */
export const hashPairs = (pairs: Bytes, out?: Bytes): Bytes => {
  const digests = out ?? new Uint8Array(count(pairs, 2 * DIGEST) * DIGEST)
  core().hashPairsInto(pairs, room(digests, count(pairs, 2 * DIGEST) * DIGEST))
  return digests
}

/**
 * A chain of hashes, each step over the one before and an item: what an audit path and an index's links are. The steps stay in the core.
 *
 * @throws RangeError when items differ in length, or prefix, hash and item are more than 256 bytes together
 */
export const hashChain = (chain: Chain): Bytes => {
  const { prefix, start, items } = chain
  const length = items[0]?.length ?? 0
  if (start.length !== DIGEST) throw new RangeError(`a chain begins with ${DIGEST} bytes, not with ${start.length}`)
  if (prefix.length + DIGEST + length > 256) throw new RangeError(`a step of ${prefix.length + DIGEST + length} bytes, at most 256`)
  if (items.some((item) => item.length !== length)) throw new RangeError(`items of ${length} bytes and of others in one chain`)
  return core().hashChain(chain)
}

const split = (digests: Bytes): Bytes[] => {
  const all: Bytes[] = []
  for (let at = 0; at < digests.length; at += DIGEST) all.push(digests.slice(at, at + DIGEST))
  return all
}

const expectText = (text: string): void => {
  if (LONE_SURROGATE.test(text)) throw new TypeError('text with a lone surrogate has no UTF-8 form and no hash')
}

const count = (packed: Bytes, length: number): number => {
  if (packed.length % length !== 0) throw new RangeError(`${packed.length} bytes are no whole number of messages of ${length}`)
  return packed.length / length
}

const room = (out: Bytes, size: number): Bytes => {
  expectRoom(out, 0, size)
  return out.length === size ? out : out.subarray(0, size)
}
