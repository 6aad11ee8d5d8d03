import { describe, expect, it } from 'vitest'
import type { VoteKind } from '../../client/groups/block.ts'
import { ZEROS } from '../../client/groups/roster.ts'
import { type Effect, type Link, Simplex } from '../../client/groups/simplex/index.ts'
import { type Bytes, u32le, utf8 } from '../../client/primitives/bytes.ts'
import { hash } from '../../wasm/core.ts'

// Member 0 of four, quorum 3, fed by hand. Leaders: view 1 member 1, view 2 member 2, view 3 member 3.

const ROOT: Link = { hash: hash(utf8('root')), view: 0n, parent: ZEROS, parentView: -1n }
const block = (name: string, view: bigint, parent: Link): Link => ({
  hash: hash(utf8(name)),
  view,
  parent: parent.hash,
  parentView: parent.view,
})
const member = (): Simplex => {
  const core = new Simplex({
    n: 4,
    quorum: 3,
    member: 0,
    root: ROOT,
    patience: { viewMs: 400, shortMs: 100 },
    sign: (view, kind, commit) => hash(u32le(Number(view)), utf8(kind), commit),
  })
  core.start()
  core.take()
  return core
}
const votes = (core: Simplex, kind: VoteKind, view: bigint, commit: Bytes, members: readonly number[] = [1, 2, 3]): void => {
  for (const from of members) core.vote({ view, kind, hash: commit, member: from, signature: hash(u32le(from)) })
}
const cast = (core: Simplex): string[] =>
  core.take().flatMap((effect: Effect) => (effect.kind === 'vote' ? [`${effect.vote.kind} ${effect.vote.view}`] : []))

describe('finality, one member fed by hand', () => {
  it('notarizes the leader’s block, finalizes it when a quorum notarized, and calls it final when a quorum finalized', () => {
    const core = member()
    const first = block('b1', 1n, ROOT)
    expect(core.offer(first)).toBe(true)
    expect(cast(core)).toEqual(['notarize 1'])
    votes(core, 'notarize', 1n, first.hash, [1, 2])
    expect(cast(core)).toEqual(['finalize 1'])
    expect(core.view).toBe(2n)
    votes(core, 'finalize', 1n, first.hash, [1, 2])
    const final = core.take().find((effect) => effect.kind === 'final')
    expect(final).toMatchObject({ link: first, view: 1n })
  })

  it('records every promise before the vote that makes it', () => {
    const core = member()
    core.offer(block('b1', 1n, ROOT))
    const kinds = core.take().map(({ kind }) => kind)
    expect(kinds.indexOf('record')).toBeLessThan(kinds.indexOf('vote'))
  })

  it('notarizes once a view, and never after it nullified', () => {
    const core = member()
    core.offer(block('b1', 1n, ROOT))
    expect(core.offer(block('other', 1n, ROOT))).toBe(false)
    const late = member()
    late.timeout(1n)
    expect(cast(late)).toEqual(['nullify 1'])
    expect(late.offer(block('b1', 1n, ROOT))).toBe(false)
  })

  it('never nullifies a view that it promised to finalize', () => {
    const core = member()
    const first = block('b1', 1n, ROOT)
    core.offer(first)
    // The notarization and the time come together: the promise was made first.
    votes(core, 'notarize', 1n, first.hash, [1, 2])
    core.take()
    core.timeout(1n)
    expect(cast(core)).toEqual([])
  })

  it('THR-03 the lock: refuses a block whose ancestor in a finalized view is another block, however well notarized', () => {
    const core = member()
    const [first, rival] = [block('b1', 1n, ROOT), block('rival', 1n, ROOT)]
    core.offer(first)
    votes(core, 'notarize', 1n, first.hash, [1, 2])
    expect(cast(core)).toContain('finalize 1')
    // Liars carry a chain over the rival: members 1 to 3 notarize its child.
    const child = block('child of rival', 2n, rival)
    core.hold(rival)
    core.hold(child)
    votes(core, 'notarize', 2n, child.hash)
    // Nor does it finalize it: that would make the rival final with it.
    expect(cast(core)).toEqual([])
    expect(core.view).toBe(3n)
    expect(core.offer(block('grandchild', 3n, child))).toBe(false)
  })

  it('lets a block skip a view that was nullified, and no other', () => {
    const core = member()
    votes(core, 'nullify', 1n, ZEROS)
    expect(core.view).toBe(2n)
    expect(core.offer(block('b2', 2n, ROOT))).toBe(true)
    const gap = member()
    const first = block('b1', 1n, ROOT)
    gap.offer(first)
    votes(gap, 'notarize', 1n, first.hash, [1, 2])
    expect(gap.offer(block('b2', 2n, ROOT))).toBe(false)
  })

  it('counts one vote a member', () => {
    const core = member()
    const first = block('b1', 1n, ROOT)
    core.offer(first)
    core.take()
    for (let i = 0; i < 5; i++) votes(core, 'notarize', 1n, first.hash, [1])
    expect(core.view).toBe(1n)
  })
})
