import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, fromHex, toHex, u32le, utf8 } from '../../client/primitives/bytes.ts'
import { EMPTY_TRIE, keccak, verifyMpt } from '../../client/proofs/mpt.ts'
import { encodeBytes, encodeInteger, encodeList } from '../../client/proofs/rlp.ts'
import { buildTrie } from '../../client/proofs/trie.ts'
import { flips, nth, refuses } from './reference.ts'
import { keccak as keccakReference, referenceTrie } from './trie-reference.ts'

const refused = (root: Bytes, key: Bytes, nodes: readonly Bytes[], facts: Readonly<Record<string, unknown>> = {}) =>
  refuses(['Proof.MptError'], () => verifyMpt(root, key, nodes), facts)
const rlp = (bytes: string) => encodeBytes(fromHex(bytes))
const NONE = encodeBytes(new Uint8Array(0))
const HASH = encodeBytes(new Uint8Array(32).fill(7))
const branchOf = (slots: Readonly<Record<number, Bytes>>) => encodeList(Array.from({ length: 17 }, (_, i) => slots[i] ?? NONE))
// Of sizes on both sides of what is inlined.
const values = (count: number, size: number) => Array.from({ length: count }, (_, i) => concat(u32le(i + 1), new Uint8Array(size)))

describe('the empty trie', () => {
  it('has its known root and holds nothing, shown as geth or as anvil does', () => {
    expect(toHex(EMPTY_TRIE)).toBe('56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421')
    expect(buildTrie([]).root).toEqual(EMPTY_TRIE)
    expect(buildTrie([]).prove(0)).toEqual([])
    expect(verifyMpt(EMPTY_TRIE, fromHex('80'), [])).toBe(null)
    expect(verifyMpt(EMPTY_TRIE, fromHex('80'), [fromHex('80')])).toBe(null)
    refused(EMPTY_TRIE, fromHex('80'), [fromHex('80'), fromHex('80')])
    refused(EMPTY_TRIE, fromHex('80'), [fromHex('c0')])
  })
})

describe('the trie of a block', () => {
  it('inlines nodes of up to 31 bytes and no longer ones', () => {
    for (let size = 0; size <= 40; size++) {
      const all = values(18, size)
      const reference = referenceTrie(all.map((value, i) => ({ key: encodeInteger(i), value })))
      expect(toHex(buildTrie(all).root)).toBe(toHex(reference.root))
      for (const index of all.keys())
        expect(verifyMpt(reference.root, encodeInteger(index), buildTrie(all).prove(index))).toEqual(all[index])
    }
  })

  it('X-26 has the root of its definition, and proves each index and the absence of every other', () => {
    for (const [count, size] of [
      [1, 0],
      [2, 0],
      [3, 30],
      [16, 1],
      [17, 100],
      [127, 0],
      [129, 3],
      [140, 60],
      [300, 10],
    ] as const) {
      const all = values(count, size)
      const trie = buildTrie(all)
      const reference = referenceTrie(all.map((value, i) => ({ key: encodeInteger(i), value })))
      expect(toHex(trie.root)).toBe(toHex(reference.root))
      for (const index of [...all.keys(), count, count + 1, 127, 128, 255, 256, 70_000]) {
        const key = encodeInteger(index)
        expect(trie.prove(index)).toEqual(reference.prove(key))
        expect(verifyMpt(trie.root, key, trie.prove(index))).toEqual(all[index] ?? null)
      }
    }
  })

  it('holds no empty value', () => {
    refuses(['Proof.MptError'], () => buildTrie([fromHex('01'), new Uint8Array(0)]))
  })
})

describe('a Merkle-Patricia proof', () => {
  it('has the root of ethereum/tests trieanyorder.json, and keys that begin other keys', () => {
    const items = [
      ['doe', 'reindeer'],
      ['dog', 'puppy'],
      ['dogglesworth', 'cat'],
    ].map(([key = '', value = '']) => ({ key: utf8(key), value: utf8(value) }))
    const { root, prove } = referenceTrie(items)
    expect(toHex(root)).toBe('8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3')
    for (const { key, value } of items) expect(verifyMpt(root, key, prove(key))).toEqual(value)
    for (const key of ['', 'd', 'do', 'dogg', 'dogglesworthy', 'cat'].map(utf8)) expect(verifyMpt(root, key, prove(key))).toBe(null)
  })

  it('shows what is there and what is not, for any keys', () => {
    const key = fc.array(fc.constantFrom(0, 1, 16, 17, 255), { maxLength: 5 }).map((bytes) => new Uint8Array(bytes))
    const value = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => new Uint8Array(bytes))
    const items = fc.uniqueArray(fc.record({ key, value }), { maxLength: 20, selector: (item) => toHex(item.key) })
    fc.assert(
      fc.property(items, fc.array(key, { maxLength: 5 }), (all, others) => {
        const { root, prove } = referenceTrie(all)
        for (const asked of [...all.map((item) => item.key), ...others]) {
          const found = all.find((item) => toHex(item.key) === toHex(asked))
          expect(verifyMpt(root, asked, prove(asked))).toEqual(found?.value ?? null)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('X-26 is refused with any byte of any node changed, a node more, a node less, or nodes in another order', () => {
    const { root, prove } = buildTrie(values(140, 40))
    for (const index of [0, 5, 128, 139, 140, 9_999]) {
      const [key, nodes] = [encodeInteger(index), prove(index)]
      verifyMpt(root, key, nodes)
      for (const [i, node] of nodes.entries()) {
        for (const changed of flips(node)) refused(root, key, nodes.with(i, changed), { node: i })
        refused(root, key, nodes.toSpliced(i, 1))
        refused(root, key, nodes.toSpliced(i, 0, node))
      }
      refused(root, key, [...nodes, nth(nodes, 0)], { node: nodes.length })
      refused(root, key, [])
      if (nodes.length > 1) refused(root, key, nodes.toReversed(), { node: 0 })
      refused(keccak(root), key, nodes, { node: 0 })
    }
  })

  it('gives a copy, not a view of the node', () => {
    const { root, prove } = buildTrie(values(1, 4))
    const nodes = prove(0)
    const value = verifyMpt(root, encodeInteger(0), nodes)
    nth(nodes, 0).fill(0)
    expect(value).toEqual(nth(values(1, 4), 0))
  })

  it('is refused in any form that a trie does not have', () => {
    const key = fromHex('1234')
    const alone = (node: Bytes, facts: Readonly<Record<string, unknown>>) => refused(keccakReference(node), key, [node], facts)
    const leaf = (prefix: string, value = '05') => encodeList([rlp(prefix), rlp(value)])
    expect(verifyMpt(keccakReference(leaf('201234')), key, [leaf('201234')])).toEqual(fromHex('05'))
    alone(leaf('401234'), { expected: 'a hex prefix' })
    alone(leaf('211234'), { expected: 'a hex prefix' })
    alone(leaf('011234'), { expected: 'a hex prefix' })
    alone(encodeList([NONE, rlp('05')]), { expected: 'a path' })
    alone(encodeList([encodeList([]), rlp('05')]), { expected: 'a path' })
    alone(leaf('201234', ''), { expected: 'a value', found: 'an empty one' })
    alone(encodeList([rlp('201234'), encodeList([])]), { expected: 'a value', found: 'a list' })
    alone(encodeList([rlp('00'), HASH]), { expected: 'an extension of one nibble or more' })
    alone(encodeList([rlp('11'), rlp('0707')]), { expected: 'a hash or an inline node' })
    alone(encodeList([rlp('11'), leaf('3234')]), { expected: 'a branch below an extension' })
    const twice = encodeList([rlp('12'), HASH])
    const first = encodeList([rlp('11'), encodeBytes(keccakReference(twice))])
    refused(keccakReference(first), key, [first, twice], { expected: 'a branch below an extension' })
    alone(encodeList([rlp('201234'), rlp('05'), rlp('05')]), { expected: '2 or 17 items' })
    alone(branchOf({ 1: HASH }), { expected: 'two ways or more' })
    alone(branchOf({ 1: rlp('0707'), 2: HASH }), { expected: 'a hash or an inline node' })
    const long = encodeList([rlp('2234'), encodeBytes(new Uint8Array(32))])
    alone(branchOf({ 1: long, 2: HASH }), { expected: 'an inline node of less than 32 bytes' })
    const short = leaf('3234')
    const above = branchOf({ 1: encodeBytes(keccakReference(short)), 2: HASH })
    refused(keccakReference(above), key, [above, short], { expected: 'a node of 32 bytes or more' })
    const wide = encodeList(Array.from({ length: 18 }, () => NONE))
    refuses(['Proof.RlpError'], () => verifyMpt(keccakReference(wide), key, [wide]))
    refused(keccakReference(above), new Uint8Array(65), [above], { expected: 'a key of at most 64 bytes' })
  })

  it('holds through an inline node, which is not listed again', () => {
    const inline = encodeList([rlp('3234'), rlp('05')])
    const top = branchOf({ 1: inline, 2: HASH })
    expect(verifyMpt(keccakReference(top), fromHex('1234'), [top])).toEqual(fromHex('05'))
    refused(keccakReference(top), fromHex('1234'), [top, inline], { node: 1 })
  })
})
