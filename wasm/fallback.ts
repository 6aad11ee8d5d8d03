import { blake3 } from '@noble/hashes/blake3.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import {
  type Blake3,
  type Bytes,
  type Chain,
  DIGEST,
  digestOf,
  expectOutput,
  expectRoom,
  type Hasher,
  type HasherOptions,
} from './hashing.ts'

// BLAKE3 where there is no WebAssembly with SIMD, or a page's policy forbids it: 20 to 50 times slower, and the same in every byte.

const NOTHING = /* @__PURE__ */ new Uint8Array(0)
const NODE = /* @__PURE__ */ Uint8Array.of(0x01)

const hash = (parts: readonly Bytes[]): Bytes => {
  const hasher = blake3.create()
  for (const part of parts) hasher.update(part)
  return hasher.digest()
}

/** Cuts `packed` into messages of `length` bytes and writes their digests to `out`, one behind the other. */
const eachInto = (packed: Bytes, length: number, out: Bytes, prefix: readonly Bytes[]): void => {
  for (let i = 0; i < out.length / DIGEST; i++) out.set(hash([...prefix, packed.subarray(i * length, (i + 1) * length)]), i * DIGEST)
}

export const fallback: Blake3 = {
  hash,
  hashInto: (out, at, parts) => out.set(hash(parts), at),
  createHasher: (options) => new NobleHasher(options),
  hashManyInto: (messages, out, prefix = NOTHING) => {
    for (const [i, message] of messages.entries()) out.set(hash([prefix, message]), i * DIGEST)
  },
  hashEachInto: (packed, length, out) => eachInto(packed, length, out, []),
  hashPairsInto: (pairs, out) => eachInto(pairs, 2 * DIGEST, out, [NODE]),
  hashChain: ({ prefix, start, items, isLeft }: Chain) =>
    items.reduce((before, item, i) => hash(isLeft?.[i] === true ? [prefix, item, before] : [prefix, before, item]), start.slice()),
}

class NobleHasher implements Hasher {
  readonly #options: HasherOptions
  #hasher: ReturnType<typeof blake3.create>

  constructor(options: HasherOptions) {
    // A copy: whoever wipes a key after use must not leave a hasher of zeros behind.
    this.#options = options.key === undefined ? options : { key: new Uint8Array(options.key) }
    this.#hasher = create(options)
  }

  update(piece: Bytes): this {
    this.#hasher.update(piece)
    return this
  }

  digest(length: number = DIGEST, from = 0): Bytes {
    return digestOf(this, length, from)
  }

  digestInto(out: Bytes, at = 0, length: number = DIGEST, from = 0): void {
    expectOutput(length, from)
    expectRoom(out, at, length)
    const reader = this.#hasher.clone()
    // It has no seek: what lies before is put out and dropped.
    for (let skip = from; skip > 0; skip -= SKIPPED) reader.xofInto(new Uint8Array(Math.min(skip, SKIPPED)))
    reader.xofInto(out.subarray(at, at + length))
  }

  reset(): this {
    this.#hasher = create(this.#options)
    return this
  }
}

const SKIPPED = 65_536

const create = ({ key, context }: HasherOptions) => {
  if (key !== undefined) return blake3.create({ key })
  return context === undefined ? blake3.create() : blake3.create({ context: utf8ToBytes(context) })
}
