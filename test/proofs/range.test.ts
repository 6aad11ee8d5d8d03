import { describe, expect, it } from 'vitest'
import { decode, encode } from '../../client/primitives/codec.ts'
import { append, rootOf } from '../../client/proofs/frontier.ts'
import { cover, frontierOf, RangeProof, TreeError, verifyRange } from '../../client/proofs/tree.ts'
import { proveRange, rootAt } from '../../client/proofs/tree-source.ts'
import { flips, leafOf, nth } from './reference.ts'
import { headOf, LEAVES, refused, storeOf } from './tree-store.ts'

describe('a range’s proof', () => {
  it('GAP-18 holds for every range of every size up to 33, and for no other leaves', async () => {
    const { source } = storeOf(LEAVES.slice(0, 40))
    for (let size = 0; size <= 33; size++) {
      const head = headOf(size)
      for (let from = 0; from <= size; from++) {
        for (let to = from; to <= size; to++) {
          const proof = await proveRange(source, BigInt(size), BigInt(from), BigInt(to))
          const leaves = LEAVES.slice(from, to)
          verifyRange(head, proof, leaves)
          refused(() => verifyRange(head, proof, leaves.concat(nth(LEAVES, to))), 'leaves')
          if (leaves.length > 0) refused(() => verifyRange(head, proof, leaves.slice(1)), 'leaves')
          if (leaves.length > 1) refused(() => verifyRange(head, proof, leaves.toReversed()), 'root')
        }
      }
    }
  })

  it('is refused when a list is longer or shorter than the numbers say, or the numbers are in disorder', async () => {
    const { source } = storeOf(LEAVES.slice(0, 33))
    const [head, leaves] = [headOf(21), LEAVES.slice(5, 9)]
    const proof = await proveRange(source, 21n, 5n, 9n)
    const extra = nth(LEAVES, 0)
    refused(() => verifyRange(head, { ...proof, left: [...proof.left, extra] }, leaves), 'left')
    refused(() => verifyRange(head, { ...proof, left: proof.left.slice(1) }, leaves), 'left')
    refused(() => verifyRange(head, { ...proof, right: [...proof.right, extra] }, leaves), 'right')
    refused(() => verifyRange(head, { ...proof, right: proof.right.slice(1) }, leaves), 'right')
    refused(() => verifyRange(head, { ...proof, from: 10n }, leaves), 'range')
    refused(() => verifyRange(head, { ...proof, from: -1n, left: [] }, LEAVES.slice(0, 10)), 'range')
    refused(() => verifyRange(head, { ...proof, to: 22n }, leaves), 'range')
    refused(() => verifyRange(headOf(22), proof, leaves), 'size')
    await expect(proveRange(source, 21n, 9n, 5n)).rejects.toThrow(TreeError)
    await expect(proveRange(source, 21n, 5n, 22n)).rejects.toThrow(TreeError)
  })

  it('is refused with any one byte changed', async () => {
    const { source } = storeOf(LEAVES.slice(0, 33))
    for (const [size, from, to] of [
      [0, 0, 0],
      [7, 7, 7],
      [13, 3, 6],
      [33, 0, 5],
    ] as const) {
      const encoded = encode(RangeProof, await proveRange(source, BigInt(size), BigInt(from), BigInt(to)))
      for (const changed of flips(encoded)) {
        refused(() => verifyRange(headOf(size), decode(RangeProof, changed), LEAVES.slice(from, to)))
      }
    }
  })

  it('with from = to = size gives the edge to follow the tail from', async () => {
    const { source, frontier } = storeOf(LEAVES.slice(0, 45))
    const proof = await proveRange(source, 45n, 45n, 45n)
    verifyRange(headOf(45), proof, [])
    expect(frontierOf(proof)).toEqual(frontier)
    expect(rootOf(append(frontierOf(proof), LEAVES.slice(45, 60)))).toEqual(headOf(60).root)
    const inner = await proveRange(source, 45n, 40n, 45n)
    refused(() => frontierOf(inner), 'range')
    refused(() => frontierOf({ ...proof, left: proof.left.slice(1) }), 'left')
    refused(() => frontierOf({ ...proof, right: [nth(LEAVES, 0)] }), 'right')
  })
})

describe('the longest range proof', () => {
  it('has 126 hashes right of it: up to the largest node and down again', () => {
    const right = Array.from({ length: 126 }, () => leafOf(new Uint8Array(1)))
    const proof = { size: 2n ** 64n - 1n, from: 1n, to: 1n, left: [nth(right, 0)], right }
    expect(cover(proof.to, proof.size)).toHaveLength(126)
    expect(decode(RangeProof, encode(RangeProof, proof))).toEqual(proof)
    refused(() => verifyRange({ size: proof.size, root: new Uint8Array(32) }, proof, []), 'root')
  })
})

describe('an earlier root', () => {
  it('stays provable after the tree grew', async () => {
    const { source } = storeOf(LEAVES.slice(0, 130))
    for (const size of [0, 1, 2, 77, 128, 130]) expect(await rootAt(source, BigInt(size))).toEqual(headOf(size).root)
  })
})
