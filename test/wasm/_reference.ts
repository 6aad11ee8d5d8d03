import type { Bytes } from '../../wasm/hashing.ts'

// BLAKE3 as its paper puts it, one block after another: for counters that no message or library in a test's reach gets to.

const IV = Uint32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19)
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
const [CHUNK_START, CHUNK_END, PARENT, ROOT] = [1, 2, 4, 8]
const CHUNK = 1_024

/** What goes into one compression: a node of the tree, or a block of a chunk. */
interface Node {
  readonly value: Uint32Array
  readonly block: Bytes
  readonly length: number
  readonly counter: bigint
  readonly flags: number
}

const rotate = (x: number, bits: number): number => (x >>> bits) | (x << (32 - bits))

const mix = (v: Uint32Array, [a, b, c, d]: readonly [number, number, number, number], x: number, y: number): void => {
  const word = (i: number): number => v[i] as number
  v[a] = word(a) + word(b) + x
  v[d] = rotate(word(d) ^ word(a), 16)
  v[c] = word(c) + word(d)
  v[b] = rotate(word(b) ^ word(c), 12)
  v[a] = word(a) + word(b) + y
  v[d] = rotate(word(d) ^ word(a), 8)
  v[c] = word(c) + word(d)
  v[b] = rotate(word(b) ^ word(c), 7)
}

/** Section 2.2: sixteen words, of which the first eight are the chaining value. */
const compress = ({ value, block, length, counter, flags }: Node): Uint32Array<ArrayBuffer> => {
  const v = Uint32Array.of(...value, ...IV.subarray(0, 4), Number(counter & 0xffffffffn), Number(counter >> 32n), length, flags)
  let m = [...new Uint32Array(block.slice().buffer)]
  for (let round = 0; round < 7; round++) {
    const at = (i: number): number => m[i] as number
    for (let i = 0; i < 4; i++) mix(v, [i, i + 4, i + 8, i + 12], at(2 * i), at(2 * i + 1))
    for (let i = 0; i < 4; i++) mix(v, [i, ((i + 1) & 3) + 4, ((i + 2) & 3) + 8, ((i + 3) & 3) + 12], at(8 + 2 * i), at(9 + 2 * i))
    m = PERMUTATION.map(at)
  }
  return v.map((word, i) => (i < 8 ? word ^ (v[i + 8] as number) : word ^ (value[i - 8] as number)))
}

const chaining = (node: Node): Uint32Array<ArrayBuffer> => compress(node).subarray(0, 8)

/** The last block of a chunk, the ones before it compressed. */
const chunkNode = (chunk: Bytes, counter: bigint): Node => {
  const blocks = Math.max(1, Math.ceil(chunk.length / 64))
  let value = IV
  for (let i = 0; ; i++) {
    const part = chunk.subarray(i * 64, (i + 1) * 64)
    const block = new Uint8Array(64)
    block.set(part)
    const flags = (i === 0 ? CHUNK_START : 0) | (i === blocks - 1 ? CHUNK_END : 0)
    const node = { value, block, length: part.length, counter, flags }
    if (i === blocks - 1) return node
    value = chaining(node)
  }
}

const parentNode = (left: Uint32Array, right: Uint32Array): Node => {
  const block = new Uint8Array(Uint32Array.of(...left, ...right).buffer)
  return { value: IV, block, length: 64, counter: 0n, flags: PARENT }
}

/** What came before a message's last piece: how many chunks, and the values of the whole subtrees over them, the largest first. */
export interface Before {
  readonly chunks: bigint
  readonly values: readonly Uint32Array[]
}

/** Block `number` of the output over `piece`, which is not empty where something came before it. */
export const outputBlock = (piece: Bytes, number = 0n, { chunks, values }: Before = { chunks: 0n, values: [] }): Bytes => {
  const stack = [...values]
  let at = 0
  let done = chunks
  for (; piece.length - at > CHUNK; at += CHUNK) {
    let value = chaining(chunkNode(piece.subarray(at, at + CHUNK), done++))
    for (let left = done; (left & 1n) === 0n; left >>= 1n) value = chaining(parentNode(stack.pop() as Uint32Array, value))
    stack.push(value)
  }
  let node = chunkNode(piece.subarray(at), done)
  while (stack.length > 0) node = parentNode(stack.pop() as Uint32Array, chaining(node))
  return new Uint8Array(compress({ ...node, counter: number, flags: node.flags | ROOT }).slice().buffer)
}
