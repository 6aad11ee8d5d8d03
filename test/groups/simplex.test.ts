import { describe, expect, it } from 'vitest'
import type { VoteKind } from '../../client/groups/block.ts'
import { ZEROS } from '../../client/groups/roster.ts'
import { type Effect, type Link, noPromises, type Remembered, Simplex, VIEWS } from '../../client/groups/simplex/index.ts'
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
const asleep = (): Simplex =>
  new Simplex({
    n: 4,
    quorum: 3,
    member: 0,
    root: ROOT,
    patience: { viewMs: 400, shortMs: 100 },
    sign: (view, kind, commit) => hash(u32le(Number(view)), utf8(kind), commit),
  })
const member = (): Simplex => {
  const core = asleep()
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

describe('finality after it was reached, and for those who come late', () => {
  it('adds its own finalize vote to a block that became final without it, and says when a certificate gets stronger', () => {
    const core = member()
    const first = block('b1', 1n, ROOT)
    core.hold(first)
    votes(core, 'finalize', 1n, first.hash)
    // A certificate is no reason to sign; an empty record that allows it is.
    const effects = core.take()
    expect(effects.find(({ kind }) => kind === 'final')).toMatchObject({ link: first })
    expect(effects.find(({ kind }) => kind === 'stronger')).toMatchObject({ link: first, view: 1n })
    expect(core.root).toBe(first)
  })

  it('THR-03 does not finalize late what it nullified', () => {
    const core = member()
    const first = block('b1', 1n, ROOT)
    core.timeout(1n)
    core.hold(first)
    votes(core, 'finalize', 1n, first.hash)
    expect(cast(core)).toEqual(['nullify 1'])
    expect(core.root).toBe(first)
  })

  it('asks for a block that others notarized or finalized and that it does not hold, and goes on once it has it', () => {
    const core = member()
    const [first, second] = [block('b1', 1n, ROOT), block('b2', 2n, block('b1', 1n, ROOT))]
    votes(core, 'notarize', 1n, first.hash)
    votes(core, 'finalize', 2n, second.hash)
    expect(core.missing()).toEqual([
      { view: 1n, hash: first.hash },
      { view: 2n, hash: second.hash },
    ])
    core.hold(first)
    core.hold(second)
    expect(core.missing()).toEqual([])
    expect(core.root).toBe(second)
  })

  it('adopts final blocks that came with a certificate, and enters the view after them', () => {
    const core = member()
    const first = block('b1', 1n, ROOT)
    const fifth = block('b5', 5n, first)
    core.adopt([first, fifth])
    expect([core.root, core.view]).toEqual([fifth, 6n])
    core.adopt([first])
    expect(core.root).toBe(fifth)
  })

  it('THR-03 stops for good when the final chain contradicts its promise: it would help a second history on', () => {
    const core = member()
    const [first, rival] = [block('b1', 1n, ROOT), block('rival', 1n, ROOT)]
    core.offer(first)
    votes(core, 'notarize', 1n, first.hash, [1, 2])
    core.take()
    core.adopt([rival])
    expect(core.take()).toContainEqual({ kind: 'contradicted', view: 1n })
    expect(core.offer(block('b2', 2n, rival))).toBe(false)
    core.timeout(2n)
    expect(cast(core)).toEqual([])
  })

  it('tells whoever is behind every vote it knows of a view and those after it', () => {
    const core = member()
    const first = block('b1', 1n, ROOT)
    core.offer(first)
    votes(core, 'notarize', 1n, first.hash, [1])
    votes(core, 'nullify', 2n, ZEROS, [3])
    const told = (view: bigint): string[] => core.votesFrom(view).map((vote) => `${vote.member} ${vote.kind} ${vote.view}`)
    expect(told(1n)).toEqual(['0 notarize 1', '1 notarize 1', '3 nullify 2'])
    expect(told(2n)).toEqual(['3 nullify 2'])
  })

  it('counts no vote that is known, or of a view too far from its own', () => {
    const core = member()
    const vote = (view: bigint) => ({ view, kind: 'nullify', hash: ZEROS, member: 1, signature: hash(u32le(1)) }) as const
    expect([core.isIdle(vote(1n)), core.isIdle(vote(VIEWS.ahead)), core.isIdle(vote(1n + VIEWS.ahead))]).toEqual([false, false, true])
    core.vote(vote(1n))
    expect(core.isIdle(vote(1n))).toBe(true)
  })

  it('reports two votes of which an honest member casts one, and nothing of what is lawful', () => {
    const core = member()
    const [first, rival] = [block('b1', 1n, ROOT), block('rival', 1n, ROOT)]
    votes(core, 'notarize', 1n, first.hash, [1])
    votes(core, 'nullify', 1n, ZEROS, [1])
    expect(core.take().filter(({ kind }) => kind === 'evidence')).toEqual([])
    votes(core, 'notarize', 1n, rival.hash, [1])
    const [evidence] = core.take().filter(({ kind }) => kind === 'evidence')
    expect(evidence).toMatchObject({ contradiction: { first: { member: 1, hash: first.hash }, second: { member: 1, hash: rival.hash } } })
  })
})

describe('a member after a restart', () => {
  const remembered = (view: bigint, mine: Partial<Remembered['mine']>): Remembered => ({
    view,
    mine: { ...noPromises(), ...mine },
    notarized: null,
    notarizers: new Map(),
    nullified: false,
    nullifiers: new Map(),
  })

  it('follows and casts nothing before it is started, and nothing after it was stopped', () => {
    const core = asleep()
    expect(core.offer(block('b1', 1n, ROOT))).toBe(false)
    core.timeout(1n)
    votes(core, 'nullify', 1n, ZEROS)
    expect([core.view, cast(core)]).toEqual([2n, []])
    core.start()
    core.stop()
    core.timeout(2n)
    expect(cast(core)).toEqual([])
  })

  it('says again what it promised, the same bytes, and keeps to it', () => {
    const before = member()
    const first = block('b1', 1n, ROOT)
    before.offer(first)
    const effects = before.take()
    const records = effects.flatMap((effect) => (effect.kind === 'record' ? [effect.remembered] : []))
    const core = asleep()
    core.restore([first], records.slice(-1))
    core.start()
    const said = core.take().flatMap((effect) => (effect.kind === 'vote' ? [effect.vote] : []))
    expect(said).toEqual(effects.flatMap((effect) => (effect.kind === 'vote' ? [effect.vote] : [])))
    expect(core.offer(block('rival', 1n, ROOT))).toBe(false)
  })

  it('THR-03 keeps the lock over a restart: no child of a rival of what it finalized', () => {
    const [first, rival] = [block('b1', 1n, ROOT), block('rival', 1n, ROOT)]
    const core = asleep()
    core.restore([first, rival], [remembered(1n, { notarize: first.hash, finalize: first.hash })])
    core.start()
    votes(core, 'notarize', 1n, rival.hash)
    expect(core.view).toBe(2n)
    expect(core.offer(block('child of rival', 2n, rival))).toBe(false)
  })

  it('enters the view after those that its record closes', () => {
    const core = asleep()
    core.restore([], [{ ...remembered(1n, { nullify: true }), nullified: true, nullifiers: new Map([[1, hash(u32le(1))]]) }])
    expect(core.view).toBe(2n)
    expect(core.promised(1n)?.nullify).toBe(true)
    expect(core.promised(2n)).toBeNull()
  })
})
