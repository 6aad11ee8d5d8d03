import { blake3 } from '@noble/hashes/blake3.js'
import { isError } from '../../client/error.ts'
import { type Bytes, concat, equal } from '../../client/primitives/bytes.ts'

// The definitions of docs/wire.md section 4 written as they read there: recursive, slow, and with nothing of client/proofs in them.

const h = (...parts: readonly Uint8Array[]): Bytes => new Uint8Array(blake3(concat(...parts)))
const tag = (byte: number): Bytes => Uint8Array.of(byte)
const ZEROS = new Uint8Array(32)

export const leafOf = (item: Bytes): Bytes => h(tag(0), item)

export const treeRoot = (leaves: readonly Bytes[]): Bytes => {
  const [only] = leaves
  if (only === undefined) return h()
  if (leaves.length === 1) return only
  let split = 1
  while (2 * split < leaves.length) split *= 2
  return h(tag(1), treeRoot(leaves.slice(0, split)), treeRoot(leaves.slice(split)))
}

export interface Pair {
  readonly path: Bytes
  readonly value: Bytes
}

const bit = (path: Bytes, depth: number): number => ((path[Math.floor(depth / 8)] ?? 0) >> (7 - (depth % 8))) & 1

export const mapRoot = (entries: readonly Pair[], depth = 0): Bytes => {
  const [only] = entries
  if (only === undefined) return ZEROS
  if (entries.length === 1) return h(tag(2), only.path, only.value)
  const side = (wanted: number) => entries.filter(({ path }) => bit(path, depth) === wanted)
  return h(tag(3), mapRoot(side(0), depth + 1), mapRoot(side(1), depth + 1))
}

export const under = (entries: readonly Pair[], bits: number, path: Bytes): readonly Pair[] =>
  entries
    .filter((entry) => Array.from({ length: bits }, (_, depth) => depth).every((depth) => bit(entry.path, depth) === bit(path, depth)))
    .sort((a, b) => Buffer.compare(a.path, b.path))

export const linkOf = (entries: readonly { readonly position: bigint; readonly leaf: Bytes }[], before: Bytes = ZEROS): Bytes => {
  const position = (n: bigint): Bytes => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(n)
    return new Uint8Array(bytes)
  }
  return entries.reduce((link, entry) => h(Buffer.from('coalition link v1|'), link, position(entry.position), entry.leaf), before)
}

/** The element, which is there: a test that is wrong about that fails here and not in what it tests. */
export const nth = <T>(list: readonly T[], i: number): T => {
  const found = list.at(i)
  if (found === undefined) throw new Error(`no element ${i} of ${list.length}`)
  return found
}

/** Fails unless `run` throws an error of one of these names, with these facts. Not by `expect`: tests here ask it a hundred thousand times. */
export const refuses = (names: readonly string[], run: () => unknown, facts: Readonly<Record<string, unknown>> = {}): void => {
  let error: unknown
  try {
    run()
  } catch (thrown) {
    error = thrown
  }
  const named = names.some((name) => isError(error, name))
  const wrong = Object.entries(facts).filter(([name, value]) => (error as Readonly<Record<string, unknown>> | undefined)?.[name] !== value)
  if (!named || wrong.length > 0) {
    throw new Error(`expected ${names.join(' or ')} ${JSON.stringify(facts)}, found ${error ?? 'nothing thrown'}`, { cause: error })
  }
}

/** The value with one byte changed, for every byte and several changes of it. */
export function* flips(bytes: Bytes): Generator<Bytes> {
  for (const i of bytes.keys()) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const changed = bytes.slice()
      changed[i] = (changed[i] ?? 0) ^ mask
      if (!equal(changed, bytes)) yield changed
    }
  }
}
