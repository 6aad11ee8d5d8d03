import { decodeRlp, encodeRlp, type RlpStructuredData } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, fromHex, toHex } from '../../client/primitives/bytes.ts'
import {
  bytesOf,
  encodeBytes,
  encodeInteger,
  encodeList,
  integerOf,
  type RlpField,
  type RlpLimits,
  readList,
} from '../../client/proofs/rlp.ts'
import { nth, refuses } from './reference.ts'

const WIDE: RlpLimits = { bytes: 1_000_000, items: 1_000, depth: 40 }
const read = (hex: string, limits = WIDE) => readList('test', fromHex(hex), limits)
const refused = (hex: string, problem: string, limits = WIDE) =>
  refuses(['Proof.RlpError'], () => read(hex, limits), { subject: 'test', problem })

// ethers is the second opinion: it encodes canonically and decodes all that we accept.
type Tree = Bytes | readonly Tree[]
const { list } = fc.letrec<{ readonly list: readonly Tree[]; readonly item: Tree }>((tie) => ({
  list: fc.array(tie('item'), { maxLength: 6 }),
  item: fc.oneof(
    { depthSize: 'small' },
    fc.uint8Array({ maxLength: 70 }).map((bytes) => new Uint8Array(bytes)),
    tie('list'),
  ),
}))
const theirs = (tree: Tree): RlpStructuredData => (tree instanceof Uint8Array ? `0x${toHex(tree)}` : tree.map(theirs))
const encodedByEthers = (tree: Tree): Bytes => fromHex(encodeRlp(theirs(tree)))
const ours = (tree: Tree): Bytes => (tree instanceof Uint8Array ? encodeBytes(tree) : encodeList(tree.map(ours)))
const treeOf = ({ list: isList, payload, raw }: RlpField): Tree => (isList ? readList('inner', raw, WIDE).map(treeOf) : payload)

describe('RLP', () => {
  it('is written and read as ethers does', () => {
    fc.assert(
      fc.property(list, (tree) => {
        const encoded = encodedByEthers(tree)
        expect(toHex(ours(tree))).toBe(toHex(encoded))
        const fields = readList('test', encoded, WIDE)
        expect(fields.map(treeOf)).toEqual(tree)
        expect(concat(...fields.map(({ raw }) => raw))).toEqual(encoded.slice(encoded.length - concat(...tree.map(ours)).length))
      }),
    )
  })

  it('has one encoding: whatever is accepted encodes to the same bytes again', () => {
    let accepted = 0
    const check = (bytes: Bytes) => {
      let fields: readonly RlpField[]
      try {
        fields = readList('test', bytes, WIDE)
      } catch {
        return
      }
      accepted++
      expect(toHex(encodedByEthers(fields.map(treeOf)))).toBe(toHex(bytes))
      expect(decodeRlp(bytes)).toEqual(theirs(fields.map(treeOf)))
    }
    fc.assert(
      fc.property(list, fc.nat(), fc.nat(255), fc.uint8Array({ maxLength: 5 }), (tree, at, byte, noise) => {
        const encoded = ours(tree)
        check(encoded.with(at % encoded.length, byte))
        check(new Uint8Array(noise))
        check(new Uint8Array([0xc0 + noise.length, ...noise]))
      }),
      { numRuns: 500 },
    )
    expect(accepted).toBeGreaterThan(100)
  })

  it('is refused in any longer form', () => {
    refused('c28100', 'a prefix before a byte that needs none')
    refused('c2817f', 'a prefix before a byte that needs none')
    expect(read('c28180')).toHaveLength(1)
    refused(`f839b837${'00'.repeat(55)}`, 'a length not in its shortest form')
    expect(read(`f83ab838${'00'.repeat(56)}`)).toHaveLength(1)
    refused(`f837${'00'.repeat(55)}`, 'a length not in its shortest form')
    refused(`f90038${'00'.repeat(56)}`, 'a length not in its shortest form')
    expect(read(`f838${'00'.repeat(56)}`)).toHaveLength(56)
  })

  it('ends where it says, on every level', () => {
    refused('', 'ends where an item is due')
    refused('c000', 'bytes after the list')
    refused('c1', '1 bytes where 0 are left')
    refused('c182', '2 bytes where 0 are left')
    refused('c2c280', '2 bytes where 1 are left')
    refused('c1b8', 'ends within a length')
    refused('f9ff', 'ends within a length')
    refused(`ff${'ff'.repeat(8)}`, '18446744073709552000 bytes where 0 are left')
    refused('83646f67', 'not a list')
    refused('00', 'not a list')
  })

  it('stays within the limits given, and costs no time beyond them', () => {
    refused('c3c2c1c0', 'lists too deep', { ...WIDE, depth: 3 })
    expect(read('c3c2c1c0', { ...WIDE, depth: 4 })).toHaveLength(1)
    refused('c3010203', 'more than 2 items', { ...WIDE, items: 2 })
    refused('c3010203', 'longer than 3 bytes', { ...WIDE, bytes: 3 })
    // 37,000 lists in one another, which a reader by recursion alone does not survive.
    const heads: Bytes[] = [Uint8Array.of(0xc0)]
    for (let length = 1; length < 150_000; length += nth(heads, -1).length) {
      const wide = Uint8Array.of(0xfa, length >> 16, (length >> 8) & 255, length & 255)
      heads.push(length < 56 ? Uint8Array.of(0xc0 + length) : length < 256 ? Uint8Array.of(0xf8, length) : wide)
      if (length >= 256 && length < 65_536) heads.splice(-1, 1, Uint8Array.of(0xf9, ...wide.slice(2)))
    }
    const nested = concat(...heads.reverse())
    refuses(['Proof.RlpError'], () => readList('test', nested, { ...WIDE, depth: 8 }), { problem: 'lists too deep' })
  })

  it('gives views to its caller and copies to the caller’s caller', () => {
    const input = fromHex('c483646f67')
    const field = nth(read(toHex(input)), 0)
    const kept = bytesOf('test', field, 3, 4)
    field.payload.fill(0)
    expect(toHex(kept)).toBe('646f67')
    refuses(['Proof.RlpError'], () => bytesOf('test', field, 4))
    refuses(['Proof.RlpError'], () => bytesOf('test', undefined))
    refuses(['Proof.RlpError'], () => bytesOf('test', nth(read('c1c0'), 0)))
  })

  it('has integers without a leading zero', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
        const fields = readList('test', encodeList([encodeInteger(value)]), WIDE)
        expect(integerOf('test', fields[0], 32)).toBe(value)
      }),
    )
    const integer = (hex: string, most: number) => integerOf('test', nth(read(hex), 0), most)
    expect(integer('c180', 8)).toBe(0n)
    refuses(['Proof.RlpError'], () => integer('c100', 8), { problem: 'an integer with a leading zero' })
    refuses(['Proof.RlpError'], () => integer('c3820001', 8), { problem: 'an integer with a leading zero' })
    refuses(['Proof.RlpError'], () => integer('c382ffff', 1), { problem: 'an integer longer than 1 bytes' })
  })
})
