import type { Bytes } from '../primitives/bytes.ts'
import { compare } from '../primitives/bytes.ts'
import { EMPTY_TRIE, keccak, MptError, nibblesOf } from './mpt.ts'
import { encodeBytes, encodeInteger, encodeList } from './rlp.ts'

/** A trie of a block's transactions or receipts. `prove` gives the nodes of an index, from the root down: what `verifyMpt` takes. */
export interface Trie {
  readonly root: Bytes
  readonly prove: (index: number) => Bytes[]
}

/**
 * The trie that a block header's transactionsRoot and receiptsRoot are of: `values` by their index, keyed by `rlp(index)` (yellow paper
 * section 4.4). Values are raw transactions or receipts, a typed one with its type byte first (EIP-2718).
 *
 * @throws MptError for an empty value, which a trie does not hold
 */
export const buildTrie = (values: readonly Bytes[]): Trie => {
  const empty = values.findIndex((value) => value.length === 0)
  if (empty >= 0) throw new MptError(0, 'a value', `none at index ${empty}`)
  const entries = values.map((value, i) => ({ path: nibblesOf(encodeInteger(i)), value }))
  entries.sort((a, b) => compare(a.path, b.path))
  const top = entries.length === 0 ? null : build(entries, 0)
  return {
    root: top === null ? EMPTY_TRIE : keccak(top.raw),
    prove: (index) => (top === null ? [] : trace(top, nibblesOf(encodeInteger(index)))),
  }
}

interface Entry {
  readonly path: Bytes
  readonly value: Bytes
}

/** `path` are the nibbles that a leaf or an extension spends; a leaf has no children, an extension one, a branch sixteen. */
interface TrieNode {
  readonly raw: Bytes
  readonly path: Bytes
  readonly children: readonly (TrieNode | null)[]
}

const NO_STEPS: Bytes = /* @__PURE__ */ new Uint8Array(0)

// Entries ascend and agree on the nibbles before `depth`. No rlp(index) begins another one, so no entry ends within a branch.
const build = (entries: readonly Entry[], depth: number): TrieNode => {
  const [first, last] = [entries[0] as Entry, entries.at(-1) as Entry]
  if (entries.length === 1) {
    const path = first.path.subarray(depth)
    return { raw: encodeList([prefix(path, true), encodeBytes(first.value)]), path, children: [] }
  }
  let parts = depth
  while (first.path[parts] === last.path[parts]) parts++
  const branch = branchOf(entries, parts)
  if (parts === depth) return branch
  const path = first.path.subarray(depth, parts)
  return { raw: encodeList([prefix(path, false), reference(branch)]), path, children: [branch] }
}

// Sixteen slots, one for each next nibble, and a seventeenth for a value that ends here: never used, as said above.
const branchOf = (entries: readonly Entry[], depth: number): TrieNode => {
  const children: (TrieNode | null)[] = []
  for (let from = 0, nibble = 0; nibble < 16; nibble++) {
    let to = from
    while (entries[to]?.path[depth] === nibble) to++
    children.push(to === from ? null : build(entries.slice(from, to), depth + 1))
    from = to
  }
  const slots = children.map((child) => (child === null ? encodeBytes(NO_STEPS) : reference(child)))
  return { raw: encodeList([...slots, encodeBytes(NO_STEPS)]), path: NO_STEPS, children }
}

// A node of less than 32 bytes stands in its parent as it is, a longer one by its hash (yellow paper appendix D).
const reference = ({ raw }: TrieNode): Bytes => (raw.length < 32 ? raw : encodeBytes(keccak(raw)))

// Hex prefix (yellow paper appendix C): flag 2 for a leaf, 1 for an odd count, and a zero nibble where the count is even.
const prefix = (path: Bytes, isLeaf: boolean): Bytes => {
  const isOdd = path.length % 2
  const flag = (isLeaf ? 2 : 0) + isOdd
  const padded = isOdd === 1 ? [flag, ...path] : [flag, 0, ...path]
  const packed = new Uint8Array(padded.length / 2)
  for (const i of packed.keys()) packed[i] = ((padded[2 * i] as number) << 4) | (padded[2 * i + 1] as number)
  return encodeBytes(packed)
}

// Down the key as far as the trie goes: where it parts from the key, the nodes passed so far prove the absence.
const trace = (top: TrieNode, path: Bytes): Bytes[] => {
  const nodes: Bytes[] = []
  let at = 0
  for (let node: TrieNode | null = top; node !== null; ) {
    if (node === top || node.raw.length >= 32) nodes.push(node.raw)
    const { children, path: own }: TrieNode = node
    const meets = compare(own, path.subarray(at, at + own.length)) === 0
    at += own.length + (children.length === 16 ? 1 : 0)
    if (!meets) break
    node = (children.length === 16 ? children[path[at - 1] ?? 16] : children[0]) ?? null
  }
  return nodes
}
