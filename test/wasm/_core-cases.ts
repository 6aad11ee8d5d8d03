import { expect, it } from 'vitest'
import { concat, toHex } from '../../client/primitives/bytes.ts'
import type * as Core from '../../wasm/core.ts'
import type { Bytes } from '../../wasm/hashing.ts'
import official from '../vectors/blake3.json' with { type: 'json' }
import { expected } from './_hasher-cases.ts'
import { counted, seeded } from './_implementations.ts'

type Module = typeof Core

const [LEAF, NODE] = [Uint8Array.of(0), Uint8Array.of(1)]

/** What wasm/core.ts gives, whatever it stands on. */
export const coreCases = (load: () => Promise<Module>): void => {
  const { below, bytes } = seeded(41)

  it('hash, keyedHash and deriveKey are those of the official vectors, of parts as of the whole', async () => {
    const { hash, keyedHash, deriveKey } = await load()
    const key = Uint8Array.from(official.key, (letter) => letter.charCodeAt(0))
    for (const { input_len, ...digests } of official.cases) {
      const input = counted(input_len)
      const parts = [input.subarray(0, input_len >> 2), input.subarray(input_len >> 2)]
      expect(toHex(hash(...parts))).toBe(digests.hash.slice(0, 64))
      expect(toHex(keyedHash(key, ...parts))).toBe(digests.keyed_hash.slice(0, 64))
      expect(toHex(deriveKey(official.context_string, ...parts))).toBe(digests.derive_key.slice(0, 64))
    }
  })

  it('hashInto writes 32 bytes, and nothing where they do not fit', async () => {
    const { hashInto } = await load()
    for (const length of [5, 70_000]) {
      const out = new Uint8Array(50).fill(9)
      hashInto(out, 18, counted(length))
      expect(toHex(out)).toBe('09'.repeat(18) + expected(counted(length)))
      for (const at of [19, 50, -1, 0.5])
        expect(() => hashInto(out, at, counted(length))).toThrow(new RangeError(`32 bytes at ${at} do not fit 50`))
      expect(toHex(out.subarray(0, 18))).toBe('09'.repeat(18))
    }
  })

  it('a batch is hashed into memory of its own, or into what it is given', async () => {
    const { hashMany, hashEach, hashPairs } = await load()
    const messages = [counted(3), counted(0), counted(1_025), counted(66_000)]
    const packed = bytes(6 * 64)
    const cut = (length: number) => Array.from({ length: packed.length / length }, (_, i) => packed.subarray(i * length, (i + 1) * length))
    const calls: readonly (readonly [(out?: Bytes) => Bytes, string])[] = [
      [(out) => hashMany(messages, out), messages.map((message) => expected(message)).join('')],
      [
        (out) => hashEach(packed, 48, out),
        cut(48)
          .map((message) => expected(message))
          .join(''),
      ],
      [
        (out) => hashPairs(packed, out),
        cut(64)
          .map((pair) => expected(concat(NODE, pair)))
          .join(''),
      ],
    ]
    for (const [call, hex] of calls) {
      const own = call()
      expect(toHex(own)).toBe(hex)
      expect(own.buffer.byteLength).toBe(own.length)
      const given = new Uint8Array(own.length + 40).fill(0x5a)
      expect(call(given)).toBe(given)
      expect(toHex(given)).toBe(hex + '5a'.repeat(40))
      const short = new Uint8Array(own.length - 1)
      expect(() => call(short)).toThrow(new RangeError(`${own.length} bytes at 0 do not fit ${own.length - 1}`))
      expect(short.every((byte) => byte === 0)).toBe(true)
    }
  })

  it('leaves, nodes, rows and paths are what RFC 6962 makes of hash', async () => {
    const { hashLeaf, hashLeaves, hashNode, hashNodes, hashPath } = await load()
    const items = Array.from({ length: 21 }, () => bytes(below(1_500)))
    const leaves = items.map((item) => expected(concat(LEAF, item)))
    expect(items.map((item) => toHex(hashLeaf(item)))).toEqual(leaves)
    const row = hashLeaves(items)
    expect(row.map((leaf) => toHex(leaf))).toEqual(leaves)
    expect(row.every((leaf) => leaf.buffer.byteLength === 32)).toBe(true)
    for (let n = 0; n <= row.length; n++) {
      const pairs = Array.from({ length: n >> 1 }, (_, i) => row.slice(2 * i, 2 * i + 2))
      const nodes = pairs.map((pair) => expected(concat(NODE, ...pair)))
      expect(hashNodes(row.slice(0, n)).map((node) => toHex(node))).toEqual(nodes)
      expect(pairs.map(([left = LEAF, right = LEAF]) => toHex(hashNode(left, right)))).toEqual(nodes)
    }
    const sides = row.map((_, i) => i % 3 === 0)
    const root = row.reduce((below, sibling, i) => (sides[i] ? hashNode(sibling, below) : hashNode(below, sibling)), bytes(32).fill(4))
    expect(toHex(hashPath(new Uint8Array(32).fill(4), row, sides))).toBe(toHex(root))
  })

  it.each([
    ['of a key that is too short', (core: Module) => core.createHasher({ key: counted(31) }), 'a key has 32 bytes, this one 31'],
    ['of a key that is too long', (core: Module) => core.keyedHash(counted(33), counted(1)), 'a key has 32 bytes, this one 33'],
    [
      'of key and context',
      (core: Module) => core.createHasher({ key: counted(32), context: '' }),
      'a hasher has a key or a context, not both',
    ],
    ['of messages of no byte', (core: Module) => core.hashEach(counted(0), 0), 'messages of 1 to 1,024 bytes are packed, not of 0'],
    [
      'of messages that are too long',
      (core: Module) => core.hashEach(counted(1_025), 1_025),
      'messages of 1 to 1,024 bytes are packed, not of 1025',
    ],
    ['of messages of 1.5 bytes', (core: Module) => core.hashEach(counted(3), 1.5), 'messages of 1 to 1,024 bytes are packed, not of 1.5'],
    ['of messages of NaN', (core: Module) => core.hashEach(counted(9), Number.NaN), 'messages of 1 to 1,024 bytes are packed, not of NaN'],
    ['of a message that is cut off', (core: Module) => core.hashEach(counted(39), 20), '39 bytes are no whole number of messages of 20'],
    ['of a pair that is cut off', (core: Module) => core.hashPairs(counted(96)), '96 bytes are no whole number of messages of 64'],
    ['of a chain from 31 bytes', (core: Module) => core.hashPath(counted(31), [], []), 'a chain begins with 32 bytes, not with 31'],
    [
      'of a chain of long steps',
      (core: Module) => core.hashChain({ prefix: counted(1), start: counted(32), items: [counted(224)] }),
      'a step of 257 bytes, at most 256',
    ],
    [
      'of a chain of uneven items',
      (core: Module) => core.hashChain({ prefix: counted(1), start: counted(32), items: [counted(3), counted(3), counted(4)] }),
      'items of 3 bytes and of others in one chain',
    ],
  ])('refuses what is no hash: %s', async (_, call, message) => {
    const core = await load()
    expect(() => call(core)).toThrow(new RangeError(message))
  })

  it('a context with a lone surrogate derives no key', async () => {
    const { createHasher, deriveKey } = await load()
    expect(() => deriveKey('a\ud800', counted(1))).toThrow(TypeError)
    expect(() => createHasher({ context: '\udc00b' })).toThrow(TypeError)
    expect(toHex(deriveKey('ünï\u{1f9ff}', counted(9)))).toBe(expected(counted(9), { context: 'ünï\u{1f9ff}' }))
  })
}
