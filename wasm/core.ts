import { blake3 } from '@noble/hashes/blake3.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'

// The same shape as `client/primitives/bytes.ts`. It is repeated, not imported, because wasm/ stands below client/ and knows nothing of it.
type Bytes = Uint8Array<ArrayBuffer>

// RFC 6962 section 2.1 gives leaves and nodes a first byte of their own. Without it the two child hashes of a node, taken as an item,
// would have that node's hash, and a proof could end one level too high.
const LEAF = /* @__PURE__ */ Uint8Array.of(0x00)
const NODE = /* @__PURE__ */ Uint8Array.of(0x01)

// With the u flag a surrogate matches only when it stands alone; a proper pair is one code point and does not.
const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * BLAKE3-256, unkeyed, of the concatenation of `parts`, which is never built in memory.
 *
 * @returns 32 bytes of their own buffer.
 * @see IDENTITY.md, the opening lines; the BLAKE3 paper, section 2
 */
export const hash = (...parts: Bytes[]): Bytes => {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return blake3(only)
  const hasher = blake3.create()
  for (const part of parts) hasher.update(part)
  return hasher.digest()
}

/**
 * The hash of a text's UTF-8 bytes, with no terminator and no length.
 *
 * @throws TypeError for a lone surrogate: an encoder would put U+FFFD in its place, and two different names would share one id.
 * @see IDENTITY.md, the opening lines
 */
export const hashText = (text: string): Bytes => {
  if (LONE_SURROGATE.test(text)) throw new TypeError('text with a lone surrogate has no UTF-8 form and no hash')
  return hash(utf8ToBytes(text))
}

/**
 * A tree leaf: `H(0x00 ‖ item)`.
 *
 * @see PROTOCOL.md section 2, "Tree"
 */
export const hashLeaf = (item: Bytes): Bytes => hash(LEAF, item)

/**
 * A tree node: `H(0x01 ‖ left ‖ right)`, both 32 bytes.
 *
 * @see PROTOCOL.md section 2, "Tree"
 */
export const hashNode = (left: Bytes, right: Bytes): Bytes => hash(NODE, left, right)

/**
 * The leaves of many items, in their order. One call for the whole batch: crossing into wasm for each small item costs more than its hash.
 *
 * @see SPEED.md, "BLAKE3 batch of small messages"
 */
export const hashLeaves = (items: readonly Bytes[]): Bytes[] => items.map(hashLeaf)
