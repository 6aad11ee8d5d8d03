import { keccak_256 } from '@noble/hashes/sha3.js'
import { CoalitionError } from '../error.ts'
import { type Bytes, equal, toHex } from '../primitives/bytes.ts'
import { type RlpField, type RlpLimits, readList } from './rlp.ts'

/** Keccak-256, the hash of Ethereum: not SHA3-256, which pads otherwise. */
export const keccak = (bytes: Bytes): Bytes => keccak_256(bytes)

/** Root of the trie of no entries: keccak(rlp(empty string)), yellow paper appendix D. */
export const EMPTY_TRIE: Bytes = /* @__PURE__ */ keccak(/* @__PURE__ */ Uint8Array.of(0x80))

// A branch within an extension within a branch is all that fits in the 31 bytes of an inline node; the values are strings to a node.
const LIMITS: RlpLimits = { bytes: 1_048_576, items: 17, depth: 5 }
const MAX_KEY = 64

/**
 * The value under `key` in the trie of `root`, copied; null when the nodes prove that there is none.
 *
 * `nodes` are the hashed nodes on the key's way, from the root down, each of them used; inline nodes are in their parents. The empty trie is
 * proven by no node (geth) or by the one byte 0x80 (anvil, hardhat). Form: yellow paper appendix D; EIP-1186 has the same lists.
 *
 * @throws MptError, RlpError
 */
export const verifyMpt = (root: Bytes, key: Bytes, nodes: readonly Bytes[]): Bytes | null => {
  if (key.length > MAX_KEY) throw new MptError(0, `a key of at most ${MAX_KEY} bytes`, `${key.length} bytes`)
  if (equal(root, EMPTY_TRIE)) return expectNone(nodes)
  const path = nibblesOf(key)
  let used = 0
  let node = hashed(nodes, used++, root)
  for (let step = walk(node, path, 0, used, false); ; step = walk(node, path, step.at, used, step.within)) {
    if (step.next === null) {
      if (used !== nodes.length) throw new MptError(used, `${used} nodes`, `${nodes.length} nodes`)
      return step.value
    }
    // A node of less than 32 bytes stands in its parent; a longer one there, or a shorter one behind a hash, is another trie's form.
    const { list, raw, payload } = step.next
    if (list && raw.length >= 32) throw new MptError(used - 1, 'an inline node of less than 32 bytes', `${raw.length} bytes`)
    node = list ? raw : hashed(nodes, used++, payload)
    if (!list && node.length < 32) throw new MptError(used - 1, 'a node of 32 bytes or more', `${node.length} bytes`)
  }
}

/** Four bits at a time, high ones first: the steps of a key's way through the trie. */
export const nibblesOf = (key: Bytes): Bytes => {
  const nibbles = new Uint8Array(2 * key.length)
  for (const [i, byte] of key.entries()) {
    nibbles[2 * i] = byte >> 4
    nibbles[2 * i + 1] = byte & 15
  }
  return nibbles
}

/** One node passed: either the way ends here with `value`, or it goes on in `next` from nibble `at`. */
type Step =
  | { readonly next: null; readonly value: Bytes | null; readonly at: number; readonly within: boolean }
  | { readonly next: RlpField; readonly at: number; readonly within: boolean }

const NOTHING: Step = { next: null, value: null, at: 0, within: false }

// Every form that a built trie cannot have is refused, though its hash fits: a root from a lying source would else prove two things.
const walk = (node: Bytes, path: Bytes, at: number, used: number, within: boolean): Step => {
  const fields = readList(`trie node ${used - 1}`, node, LIMITS)
  if (fields.length === 17) return branch(fields, path, at, used - 1)
  if (fields.length !== 2) throw new MptError(used - 1, '2 or 17 items', `${fields.length}`)
  const [prefix, rest] = fields as [RlpField, RlpField]
  const { isLeaf, nibbles } = readPrefix(prefix, used - 1)
  // Extensions are merged when a trie is built: one that leads to a leaf or to another extension has a second form.
  if (within) throw new MptError(used - 1, 'a branch below an extension', isLeaf ? 'a leaf' : 'an extension')
  if (!isLeaf && nibbles.length === 0) throw new MptError(used - 1, 'an extension of one nibble or more', 'none')
  const value = isLeaf ? storedIn(rest, used - 1) : null
  if (isLeaf && value === null) throw new MptError(used - 1, 'a value', 'an empty one')
  // A leaf must end exactly where the key does; an extension spends its nibbles and leads on.
  const meets = equal(nibbles, path.subarray(at, isLeaf ? undefined : at + nibbles.length))
  if (!meets) return NOTHING
  return isLeaf ? { ...NOTHING, value } : { next: reference(rest, used - 1), at: at + nibbles.length, within: true }
}

// A branch with one way is an extension, one with none an empty trie: both are written otherwise.
const branch = (fields: readonly RlpField[], path: Bytes, at: number, place: number): Step => {
  if (fields.filter(({ payload }) => payload.length > 0).length < 2) throw new MptError(place, 'two ways or more', 'fewer')
  const nibble = path[at]
  if (nibble === undefined) return { ...NOTHING, value: storedIn(fields[16] as RlpField, place) }
  const slot = fields[nibble] as RlpField
  if (!slot.list && slot.payload.length === 0) return NOTHING
  return { next: reference(slot, place), at: at + 1, within: false }
}

// Yellow paper appendix C, hex prefix: flag 2 marks a leaf, flag 1 an odd count whose first nibble shares the byte; else that half is zero.
const readPrefix = ({ list, payload }: RlpField, place: number) => {
  const first = payload[0]
  if (list || first === undefined) throw new MptError(place, 'a path', list ? 'a list' : 'an empty string')
  const flag = first >> 4
  const isOdd = (flag & 1) === 1
  if (flag > 3 || (!isOdd && (first & 15) !== 0)) throw new MptError(place, 'a hex prefix', toHex(payload))
  return { isLeaf: flag >= 2, nibbles: nibblesOf(payload).subarray(isOdd ? 1 : 2) }
}

const reference = (field: RlpField, place: number): RlpField => {
  if (!field.list && field.payload.length !== 32) throw new MptError(place, 'a hash or an inline node', `${field.payload.length} bytes`)
  return field
}

const storedIn = ({ list, payload }: RlpField, place: number): Bytes | null => {
  if (list) throw new MptError(place, 'a value', 'a list')
  return payload.length === 0 ? null : new Uint8Array(payload)
}

// The hash comes from the node above, first of all from the root, so a node can only be the one that was meant.
const hashed = (nodes: readonly Bytes[], place: number, hash: Bytes): Bytes => {
  const node = nodes[place]
  if (node === undefined) throw new MptError(place, toHex(hash), 'no node')
  const found = keccak(node)
  if (!equal(found, hash)) throw new MptError(place, toHex(hash), toHex(found))
  return node
}

const expectNone = (nodes: readonly Bytes[]): null => {
  const [only] = nodes
  if (only === undefined || (nodes.length === 1 && equal(only, Uint8Array.of(0x80)))) return null
  throw new MptError(0, 'no node: the trie is empty', `${nodes.length} nodes`)
}

/** Nodes that do not prove what they should; `node` is the place in the list. */
export class MptError extends CoalitionError {
  declare readonly node: number
  declare readonly expected: string
  declare readonly found: string

  constructor(node: number, expected: string, found: string) {
    super('Proof.MptError', `trie node ${node}: expected ${expected}, found ${found}`, { node, expected, found })
  }
}
