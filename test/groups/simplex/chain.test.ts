import { describe, expect, it } from 'vitest'
import { ZEROS } from '../../../client/groups/roster.ts'
import { Chain, type Link } from '../../../client/groups/simplex/chain.ts'
import { utf8 } from '../../../client/primitives/bytes.ts'
import { hash } from '../../../wasm/core.ts'

const ROOT: Link = { hash: hash(utf8('root')), view: 0n, parent: ZEROS, parentView: -1n }
const block = (name: string, view: bigint, parent: Link): Link => ({
  hash: hash(utf8(name)),
  view,
  parent: parent.hash,
  parentView: parent.view,
})
const first = block('first', 1n, ROOT)
const third = block('third', 3n, first)
const rival = block('rival', 1n, ROOT)

describe('the blocks that a member holds', () => {
  it('says what stands in each view of a chain: a block, or nothing where it skips the view', () => {
    const chain = new Chain(ROOT)
    chain.add(first)
    const standing = chain.standing(third)
    expect([3n, 2n, 1n, 0n].map((view) => standing(view))).toEqual([third.hash, null, first.hash, ROOT.hash])
  })

  it('does not know what stands below the blocks that it has, but for the parent that the lowest names', () => {
    const standing = new Chain(ROOT).standing(third)
    expect([3n, 2n, 1n, 0n].map((view) => standing(view))).toEqual([third.hash, null, first.hash, undefined])
  })

  it('THR-03 a chain agrees with a promise where it has that block or skips the view, never where it has another or cannot be seen', () => {
    const chain = new Chain(ROOT)
    chain.add(first)
    chain.add(rival)
    expect(chain.agrees(third, 1n, first.hash)).toBe(true)
    expect(chain.agrees(third, 2n, rival.hash)).toBe(true)
    expect(chain.agrees(third, 1n, rival.hash)).toBe(false)
    expect(new Chain(ROOT).agrees(third, 0n, ROOT.hash)).toBe(false)
  })

  it('lets go of blocks below a view, and of no other', () => {
    const chain = new Chain(ROOT)
    for (const link of [first, rival, third]) chain.add(link)
    chain.moveRoot(third)
    chain.forget(3n)
    expect([first, rival, third].map(({ hash: name }) => chain.has(name))).toEqual([false, false, true])
    expect(chain.root).toBe(third)
    expect(chain.get(first.hash)).toBeNull()
  })
})
