// The committed vectors are what this directory makes, every entry of them says the truth about itself, and the few known answers that
// exist outside (RFC 8032, the Certificate Transparency reference tree, the project's identity vectors) agree.

import { createPrivateKey, createPublicKey, sign as nodeSign } from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, test } from 'vitest'
import { decode, type Json, Refused } from './bcs.ts'
import { quorum, strength } from './committee.ts'
import { keyOf, sign } from './ed25519.ts'
import { claimsOf, layOut, makeVectors, readVectors } from './generate.ts'
import { type Bytes, bytesOf, hex, join, unhex, utf8 } from './hash.ts'
import { latticeId, organismIds, UNIVERSE } from './ids.ts'
import { failure, rows, string, TYPES } from './replay.ts'
import { foldTree, leafOf, proveItem, treeRoot } from './tree.ts'

const committed = await readVectors()
const vectors = JSON.parse(committed) as Json

describe('vectors', () => {
  test('are what this directory makes', { timeout: 120_000 }, () => {
    // Compared as a whole first: a diff of a megabyte helps nobody.
    const made = makeVectors()
    const drifted = Object.entries(made)
      .filter(([name, part]) => JSON.stringify(part) !== JSON.stringify((vectors as { [key: string]: Json })[name]))
      .map(([name]) => name)
    expect(drifted, 'run `npm run vectors` and look at what changed').toEqual([])
    expect(committed === `${layOut(made)}\n`, 'the same values, laid out otherwise').toBe(true)
  })

  test('stay small enough to be looked at', () => {
    expect(utf8(committed).length).toBeLessThan(1_650_000)
  })

  test('hold what they claim: accepted is accepted, refused is refused under its rule', { timeout: 120_000 }, () => {
    const claims = claimsOf(vectors)
    expect(claims.length).toBeGreaterThan(1_000)
    expect(claims.filter((claim) => claim.rule !== null).length).toBeGreaterThan(350)
    expect(claims.map(failure).filter((each) => each !== null)).toEqual([])
  })
})

describe('decoders', () => {
  /** Bytes of every kind that the vectors hold in full. */
  const samples: [type: string, hex: string][] = [
    ...rows(vectors, 'light', 'requests').map((row): [string, string] => ['Request', string(row, 'hex')]),
    ...rows(vectors, 'light', 'responses').map((row): [string, string] => ['Response', string(row, 'hex')]),
    ...rows(vectors, 'tally', 'facts', 'commands').map((row): [string, string] => ['MachineCommand', string(row, 'hex')]),
    ...rows(vectors, 'commands', 'accepted').map((row): [string, string] => ['Command', string(row, 'hex')]),
    ...rows(vectors, 'discovery', 'requests').map((row): [string, string] => ['CatalogRequest', string(row, 'hex')]),
    ...rows(vectors, 'discovery', 'responses').map((row): [string, string] => ['CatalogResponse', string(row, 'hex')]),
    ...rows(vectors, 'discovery', 'rumours').map((row): [string, string] => ['Rumour', string(row, 'hex')]),
  ]
  const typeOf = (name: string) => {
    const type = TYPES[name]
    if (type === undefined) throw new Error(name)
    return type
  }

  test('refuse every proper prefix', () => {
    for (const [name, text] of samples) {
      const bytes = unhex(text)
      // All prefixes of the short ones, the first and the last 100 of the long ones.
      for (let n = 0; n < bytes.length; n = n === 100 && bytes.length > 300 ? bytes.length - 100 : n + 1) {
        expect(() => decode(typeOf(name), bytes.slice(0, n))).toThrow(Refused)
      }
    }
  })

  test('accept no other bytes for a value: a changed byte is refused or gives another value', () => {
    for (const [name, text] of samples) {
      const bytes = unhex(text)
      const type = typeOf(name)
      for (let i = 0; i < bytes.length; i += 1 + Math.floor(bytes.length / 50)) {
        const changed = bytes.map((byte, j) => (i === j ? byte ^ 0x80 : byte))
        try {
          expect(hex(type.write(decode(type, changed), ''))).toBe(hex(changed))
        } catch (error) {
          expect(error).toBeInstanceOf(Refused)
        }
      }
    }
  })
})

describe('known answers', () => {
  test('the table of section 2', () => {
    const table: [n: number, quorum: number, c: number, more: number][] = [
      [1, 1, 1, 2],
      [2, 2, 2, 2],
      [3, 2, 2, 3],
      [4, 3, 3, 4],
      [5, 4, 4, 4],
      [7, 5, 5, 6],
      [10, 7, 7, 8],
    ]
    for (const [n, q, c, more] of table) {
      expect([quorum(n), strength(n, null), strength(n, Math.floor((n - 1) / 3) + 1)]).toEqual([q, c, more])
    }
  })

  test('signing agrees with RFC 8032 and with Node', () => {
    const key = keyOf(unhex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'))
    expect(hex(key.public)).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
    for (const message of [utf8(''), bytesOf('message', 1), bytesOf('message', 300)]) {
      const der = join(unhex('302e020100300506032b657004220420'), key.seed)
      const secret = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
      const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' })
      expect(hex(new Uint8Array(spki.subarray(-32)))).toBe(hex(key.public))
      expect(hex(new Uint8Array(nodeSign(null, message, secret)))).toBe(hex(sign(key, message)))
    }
  })

  test('the tree has the shape of RFC 9162: the reference tree of Certificate Transparency, over SHA-256', () => {
    const hash = (...parts: (Bytes | string)[]): Bytes => sha256(join(...parts))
    const items = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(unhex)
    const roots = [
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]
    expect(roots.map((_, n) => hex(treeRoot(items.slice(0, n), hash)))).toEqual(roots)
    for (const [i, item] of items.entries()) expect(hex(foldTree(leafOf(item), proveItem(items, i)))).toBe(hex(treeRoot(items)))
  })

  test('ids are those of the identity vectors', () => {
    expect(hex(UNIVERSE)).toBe('b82b6f3b4a1e53d2d56523f5a7b1974e3842ac37a068cc302286065a8853cf43')
    const lattice = latticeId('ethereum.mainnet', 1n)
    expect(hex(lattice)).toBe('8713654883e1be960a6c564f904f70a2778356624d996a0c6dddfbf41358c036')
    const content = unhex('3fba5250be9ac259c56e7250c526bc83bacb4be825f2799d3d59e5b4878dd74e')
    const acl = unhex('17d944ed79646dc11d00cabdbdbde08ba1093ec6680a181b69973fc5f0584d58')
    const { root, committee } = organismIds(lattice, 'tally', content, acl)
    expect(hex(root)).toBe('7e88db68eacbdba3fa7b0d71e6cbee1fb31f8b13c13f554fa943ef142de2f7bf')
    expect(hex(committee)).toBe('4fb9c72ec3de8d1a25be2a9bc0931e397aa527d99650c49916788e756ce6f21a')
  })
})
