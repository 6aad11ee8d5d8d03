import { keccak_256 } from '@noble/hashes/sha3.js'
import { decodeRlp, encodeRlp, type RlpStructuredData } from 'ethers'
import { type Bytes, fromHex, toHex } from '../../client/primitives/bytes.ts'

// The trie of the yellow paper, appendix D, by its recursive definition over all pairs: for any keys, also where one begins another. Slow,
// and with nothing of client/proofs in it.

export interface Item {
  readonly key: Bytes
  readonly value: Bytes
}

export interface Reference {
  readonly root: Bytes
  /** The hashed nodes on a key's way. */
  readonly prove: (key: Bytes) => Bytes[]
}

const hex = (bytes: Uint8Array): string => `0x${toHex(bytes)}`
const nibbles = (key: Bytes): string => toHex(key)
export const keccak = (bytes: Bytes): Bytes => new Uint8Array(keccak_256(bytes))

const compact = (path: string, flag: number): string => {
  const odd = path.length % 2
  return `0x${(2 * flag + odd).toString(16)}${odd ? '' : '0'}${path}`
}

export const referenceTrie = (items: readonly Item[]): Reference => {
  const stored = new Map<string, Bytes>()
  const pairs = new Map(items.map(({ key, value }) => [nibbles(key), value]))
  // n(J, i) and c(J, i) of the paper: the reference to a node, and the node.
  const reference = (keys: readonly string[], depth: number): RlpStructuredData => {
    if (keys.length === 0) return '0x'
    const node = structure(keys, depth)
    const raw = fromHex(encodeRlp(node))
    if (raw.length < 32) return node
    stored.set(toHex(keccak(raw)), raw)
    return hex(keccak(raw))
  }
  const structure = (keys: readonly string[], depth: number): RlpStructuredData => {
    const [first] = keys
    if (first !== undefined && keys.length === 1) return [compact(first.slice(depth), 1), hex(pairs.get(first) ?? new Uint8Array(0))]
    let shared = depth
    while (keys.every((key) => key.length > shared && key[shared] === first?.[shared])) shared++
    if (shared > depth) return [compact(first?.slice(depth, shared) ?? '', 0), reference(keys, shared)]
    const slots = [...'0123456789abcdef'].map((nibble) =>
      reference(
        keys.filter((key) => key[depth] === nibble),
        depth + 1,
      ),
    )
    const own = keys.find((key) => key.length === depth)
    return [...slots, own === undefined ? '0x' : hex(pairs.get(own) ?? new Uint8Array(0))]
  }
  const top = fromHex(encodeRlp(pairs.size === 0 ? '0x' : structure([...pairs.keys()], 0)))
  const root = keccak(top)
  return { root, prove: (key) => (pairs.size === 0 ? [] : [top, ...way(decodeRlp(top), nibbles(key), stored)]) }
}

const way = (node: RlpStructuredData, path: string, stored: ReadonlyMap<string, Bytes>): Bytes[] => {
  if (!Array.isArray(node)) return []
  const fields = node as readonly RlpStructuredData[]
  const head = String(fields[0]).slice(2)
  const own = head.slice(Number.parseInt(head[0] ?? '0', 16) % 2 === 1 ? 1 : 2)
  const isBranch = fields.length === 17
  if (!isBranch && (Number.parseInt(head[0] ?? '0', 16) >= 2 || !path.startsWith(own))) return []
  if (isBranch && path === '') return []
  const next = isBranch ? fields[Number.parseInt(path[0] ?? '0', 16)] : fields[1]
  const rest = path.slice(isBranch ? 1 : own.length)
  if (Array.isArray(next)) return way(next, rest, stored)
  const raw = stored.get(String(next).slice(2))
  return raw === undefined ? [] : [raw, ...way(decodeRlp(raw), rest, stored)]
}
