import { describe, expect, it } from 'vitest'
import { type Bytes, compare, copy, toHex, u32le } from '../../client/primitives/bytes.ts'
import { type Run, type RunRule, type TailQuestion, verifyTail } from '../../client/proofs/by.ts'
import { pathOf } from '../../client/proofs/map-proof.ts'
import { ask, entries, itemOf, KEY, PATH, question, run, WORLD } from './by-world.ts'
import { linkOf, nth, refuses } from './reference.ts'

const withRuns = (runs: readonly Run[], from = question): TailQuestion => ({ ...from, answer: { ...from.answer, runs } })
const withRun = (change: Partial<Run>): TailQuestion => withRuns([{ ...run, ...change }])
const withItems = (items: TailQuestion['answer']['items'], from = question): TailQuestion => ({
  ...from,
  answer: { ...from.answer, items },
})
const refused = (asked: TailQuestion, rule: RunRule) => refuses(['Proof.RunError'], () => verifyTail(asked), { rule })

describe('a dishonest tail answer', () => {
  it('TAL-07 cannot drop a run, repeat one, or bring them out of order', () => {
    const bucket = ask(WORLD)
    const { runs } = bucket.answer
    expect(runs.map(({ key }) => pathOf(key))).toEqual(runs.map(({ key }) => pathOf(key)).sort(compare))
    for (const i of runs.keys()) refused(withRuns(runs.toSpliced(i, 1), bucket), 'run for each leaf')
    refused(withRuns([...runs, nth(runs, 0)], bucket), 'run for each leaf')
    refused(withRuns([nth(runs, 0), ...runs.slice(0, -1)], bucket), 'path of key')
    refused(withRuns(runs.toReversed(), bucket), 'path of key')
    refused(withRuns(runs.with(0, { ...nth(runs, 0), key: u32le(99) }), bucket), 'path of key')
    refuses(['Proof.MapError'], () => verifyTail({ ...bucket, root: run.link }))
  })

  it('TAL-07 cannot drop, reorder, repeat or add entries', () => {
    for (const i of run.positions.keys()) {
      const positions = run.positions.toSpliced(i, 1)
      refused(withRun({ positions }), 'length')
      if (i === 0) continue
      // Passed off as a run that begins one entry later: the chain does not close.
      const items = question.answer.items.toSpliced(i, 1)
      refused(withItems(items, withRun({ positions, start: 1n, before: linkOf(entries.slice(0, 1)) })), 'link')
    }
    refused(withRun({ positions: run.positions.toReversed() }), 'positions ascend')
    refused(withRun({ positions: run.positions.with(1, nth(run.positions, 0)) }), 'positions ascend')
    refused(withRun({ positions: [...run.positions, 9n] }), 'length')
  })

  it('cannot show part of a run as the whole', () => {
    const late = ask(WORLD, { bits: 256, path: PATH, max: 2 })
    const part = nth(late.answer.runs, 0)
    verifyTail(late)
    refused(withRuns([{ ...part, start: 0n }], late), 'length')
    refused(withRuns([{ ...part, start: 0n, positions: part.positions, count: 2n }], late), 'value of tip')
    refused(withRuns([{ ...part, before: new Uint8Array(32) }], late), 'link')
    refused(withRun({ before: run.link }), 'before of start')
  })

  it('cannot name another tip than the index has', () => {
    refused(withRun({ count: 7n }), 'value of tip')
    refused(withRun({ link: new Uint8Array(32) }), 'value of tip')
    refused(withRun({ start: 7n, positions: [] }), 'length')
  })

  it('cannot bring items that no run names, twice, or in disorder', () => {
    const { items } = question.answer
    refused(withItems([...items, { position: 9_999n, item: KEY }]), 'item below size')
    const foreign = { position: 1n, item: nth(WORLD.items, 1) }
    refused(withItems([nth(items, 0), foreign, ...items.slice(1)]), 'item in a run')
    refused(withItems([nth(items, 0), ...items]), 'items ascend')
    refused(withItems(items.toReversed()), 'items ascend')
    for (const i of items.keys()) refused(withItems(items.toSpliced(i, 1)), 'item of position')
  })

  it('cannot pass off an item without the key, or change one', () => {
    const { items } = question.answer
    refused(withItems(items.with(0, { position: nth(items, 0).position, item: itemOf(0, [2]) })), 'key of item')
    refused(withItems(items.with(0, { position: nth(items, 0).position, item: itemOf(8, [1]) })), 'link')
    const moved = items.with(1, { position: 3n, item: nth(items, 1).item })
    refused(withItems(moved, withRun({ positions: run.positions.with(1, 3n) })), 'link')
  })

  it('cannot reach past the surface', () => {
    refused({ ...question, surfaceSize: 9n }, 'item below size')
    const { items } = question.answer
    const short = withItems(items.slice(0, -1), { ...question, surfaceSize: 9n })
    refused(short, 'position below size')
  })

  it('cannot break off from the run it continues', () => {
    const upto = new Map([[toHex(PATH), { count: 4n, link: linkOf(entries.slice(0, 4)) }]])
    const below = ask(WORLD, { bits: 256, path: PATH, upto })
    verifyTail(below)
    const other = new Map([[toHex(PATH), { count: 4n, link: linkOf(entries.slice(0, 3)) }]])
    refused({ ...below, upto: other }, 'link')
    refused({ ...question, upto }, 'length')
    refused({ ...question, upto: new Map([[toHex(PATH), { count: 7n, link: run.link }]]) }, 'end')
    refused({ ...question, upto: new Map([[toHex(PATH), { count: 6n, link: linkOf(entries.slice(0, 5)) }]]) }, 'link')
    verifyTail({ ...question, upto: new Map([[toHex(PATH), { count: 6n, link: copy(run.link) }]]) })
  })

  it('cannot send what the reader has, part from it, or fall behind it', () => {
    const have = (count: bigint, link: Bytes) => new Map([[toHex(PATH), { count, link }]])
    refused({ ...question, have: have(3n, linkOf(entries.slice(0, 3))) }, 'have')
    const above = ask(WORLD, { bits: 256, path: PATH, have: have(3n, linkOf(entries.slice(0, 3))) })
    refused({ ...above, have: have(3n, linkOf(entries.slice(1, 4))) }, 'have')
    // A server may be behind: what it says then is nothing new, and not for a reader who knows better.
    refused(ask(WORLD, { bits: 256, path: PATH, have: have(7n, run.link) }), 'have')
  })

  it('cannot begin with a link that is none', () => {
    for (const before of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(34)])
      refused({ ...question, answer: { ...question.answer, runs: [{ ...run, before }] } }, 'before of start')
  })

  it('cannot send more than was asked for', () => {
    refused({ ...question, max: 5 }, 'max')
  })
})
