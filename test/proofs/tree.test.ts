import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Bytes } from '../../client/primitives/bytes.ts'
import { decode, encode } from '../../client/primitives/codec.ts'
import { append, emptyFrontier, grow, rootOf } from '../../client/proofs/frontier.ts'
import { cover, TreeError, TreeProof, verifyItem, verifyRange } from '../../client/proofs/tree.ts'
import { proveItem } from '../../client/proofs/tree-source.ts'
import { flips, nth, treeRoot } from './reference.ts'
import { headOf, LEAVES, refused, storeOf } from './tree-store.ts'

describe('the right edge', () => {
  it('MSK-03 gives the root of RFC 9162 for 0 to 200 leaves, appended one by one or all at once', () => {
    let step = emptyFrontier
    for (let size = 0; size <= 200; size++) {
      const { root } = headOf(size)
      expect(rootOf(step)).toEqual(root)
      expect(rootOf(append(emptyFrontier, LEAVES.slice(0, size)))).toEqual(root)
      expect(step.size).toBe(BigInt(size))
      expect(step.edge).toHaveLength(cover(0n, step.size).length)
      step = append(step, [nth(LEAVES, size)])
    }
  })

  it('does not depend on how the leaves were cut into batches, and leaves the old edge as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 12 }), (cuts) => {
        let frontier = emptyFrontier
        let size = 0
        for (const cut of cuts) {
          const before = { size: frontier.size, edge: [...frontier.edge] }
          const next = append(frontier, LEAVES.slice(size, size + cut))
          expect(frontier).toEqual(before)
          frontier = next
          size = Math.min(size + cut, LEAVES.length)
        }
        expect(frontier).toEqual(append(emptyFrontier, LEAVES.slice(0, size)))
      }),
    )
  })

  it('tells of every complete node once, whatever the batches', () => {
    for (const size of [0, 1, 2, 7, 8, 33, 64, 100]) {
      const { nodes } = storeOf(LEAVES.slice(0, size), 3)
      const expected = new Map<string, Bytes>()
      for (let level = 0; 2 ** level <= size; level++) {
        for (let index = 0; (index + 1) * 2 ** level <= size; index++) {
          expected.set(`${level}/${index}`, treeRoot(LEAVES.slice(index * 2 ** level, (index + 1) * 2 ** level)))
        }
      }
      expect(new Map([...nodes].sort())).toEqual(new Map([...expected].sort()))
    }
  })

  it('takes whole nodes in place of their leaves', () => {
    const eight = append(emptyFrontier, LEAVES.slice(0, 8))
    expect(grow(eight, 2, [treeRoot(LEAVES.slice(8, 12)), treeRoot(LEAVES.slice(12, 16))])).toEqual(append(eight, LEAVES.slice(8, 16)))
  })
})

describe('cover', () => {
  it('tiles the range with the largest aligned nodes, also beyond what a double counts', () => {
    const sizes = fc.oneof(fc.bigInt({ min: 0n, max: 70n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
    fc.assert(
      fc.property(sizes, sizes, (a, b) => {
        const [from, end] = a < b ? [a, b] : [b, a]
        let at = from
        for (const { level, index } of cover(from, end)) {
          const width = 1n << BigInt(level)
          expect(index * width).toBe(at)
          // The next larger node would not stand here or would not fit.
          expect(at % (2n * width) !== 0n || at + 2n * width > end).toBe(true)
          at += width
        }
        expect(at).toBe(end)
        expect(cover(0n, end).length).toBeLessThanOrEqual(64)
      }),
    )
  })
})

describe('an item’s proof', () => {
  it('GAP-18 holds for every position of every size up to 33, and for no other leaf, position or size', async () => {
    const { source } = storeOf(LEAVES.slice(0, 40))
    for (let size = 1; size <= 33; size++) {
      const head = headOf(size)
      for (let position = 0; position < size; position++) {
        const proof = await proveItem(source, BigInt(size), BigInt(position))
        verifyItem(head, proof, nth(LEAVES, position))
        refused(() => verifyItem(head, proof, nth(LEAVES, position + 1)), 'root')
        refused(() => verifyItem(headOf(size + 1), proof, nth(LEAVES, position)), 'size')
        for (let other = 0; other <= size; other++) {
          if (other !== position) refused(() => verifyItem(head, { ...proof, position: BigInt(other) }, nth(LEAVES, position)))
        }
        refused(() => verifyItem(head, { ...proof, path: [...proof.path, nth(LEAVES, 0)] }, nth(LEAVES, position)), 'path')
        if (size > 1) refused(() => verifyItem(head, { ...proof, path: proof.path.slice(1) }, nth(LEAVES, position)), 'path')
        if (size > 1) refused(() => verifyItem(head, { ...proof, path: proof.path.slice(0, -1) }, nth(LEAVES, position)), 'path')
      }
    }
  })

  it('is refused with any one byte changed', async () => {
    const { source } = storeOf(LEAVES.slice(0, 40))
    for (const [size, position] of [
      [1, 0],
      [5, 4],
      [13, 6],
      [32, 31],
    ] as const) {
      const encoded = encode(TreeProof, await proveItem(source, BigInt(size), BigInt(position)))
      for (const changed of flips(encoded)) refused(() => verifyItem(headOf(size), decode(TreeProof, changed), nth(LEAVES, position)))
      for (const changed of flips(nth(LEAVES, position))) {
        refused(() => verifyItem(headOf(size), decode(TreeProof, encoded), changed), 'root')
      }
    }
  })

  it('cannot move a leaf by claiming another size: the path of 4 in 5 folds like that of 1 in 2', async () => {
    const { source } = storeOf(LEAVES.slice(0, 5))
    const proof = { ...(await proveItem(source, 5n, 4n)), size: 2n, position: 1n }
    verifyItem({ size: 2n, root: headOf(5).root }, proof, nth(LEAVES, 4))
    refused(() => verifyItem(headOf(5), proof, nth(LEAVES, 4)), 'size')
  })

  it('is refused when a node is not 32 bytes, though the joined bytes hash alike', async () => {
    const { source } = storeOf(LEAVES.slice(0, 2))
    const proof = await proveItem(source, 2n, 0n)
    const [leaf, sibling] = [nth(LEAVES, 0), nth(proof.path, 0)]
    const shifted = { ...proof, path: [sibling.slice(1)] }
    refused(() => verifyItem(headOf(2), shifted, new Uint8Array([...leaf, ...sibling.slice(0, 1)])), 'leaf[0]')
    refused(() => verifyItem(headOf(2), shifted, leaf), 'path[0]')
  })

  it('is not made past the end', async () => {
    const { source } = storeOf(LEAVES.slice(0, 4))
    await expect(proveItem(source, 3n, 3n)).rejects.toThrow(TreeError)
    await expect(proveItem(source, 0n, 0n)).rejects.toThrow(TreeError)
  })

  it('folds at sizes that no store holds: the last leaf of 2^63 + 1', () => {
    const [left, right] = [nth(LEAVES, 0), nth(LEAVES, 1)]
    const size = 2n ** 63n + 1n
    const head = { size, root: treeRoot([left, right]) }
    verifyItem(head, { size, position: 2n ** 63n, path: [left] }, right)
    verifyRange(head, { size, from: 2n ** 63n, to: size, left: [left], right: [] }, [right])
    refused(() => verifyItem(head, { size, position: 0n, path: [left] }, right), 'path')
  })
})
