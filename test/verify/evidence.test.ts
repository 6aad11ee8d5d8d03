import fc from 'fast-check'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { CoalitionError } from '../../client/error.ts'
import type { Handle, Subject } from '../../client/network/handle.ts'
import { type EpochStep, stepCodec } from '../../client/network/light/messages.ts'
import { toHex } from '../../client/primitives/bytes.ts'
import { encode } from '../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../client/primitives/ed25519.ts'
import type { AnswerEvidence, EquivocationEvidence, Evidence, ItemEvidence } from '../../client/verify/evidence/format.ts'
import { FORMAT, type VerifyOptions, verifyEvidence } from '../../client/verify/evidence/index.ts'
import type { EvidenceError } from '../../client/verify/verdict.ts'
import { Chain, seats } from '../network/chain.ts'
import { GROUP, HEARTBEAT, type NoteDatum, note, notes } from '../network/notes.ts'
import { errorOf, refusal, type Setup, serve, setup } from '../network/setup.ts'

// "An exported verdict with its evidence, offline" (API.md, CLI): what a reader was shown, checked again from the file and nothing else.

const NOW = 1_700_000_000_000
const options: VerifyOptions = { bindings: [notes], verify: verifyWithNoble }
const verify = (evidence: unknown, more: Partial<VerifyOptions> = {}) => verifyEvidence(evidence, { ...options, ...more })
/** As it comes out of a file. */
const written = <E extends Evidence>(evidence: E): E => JSON.parse(JSON.stringify(evidence)) as E

const fill = (chain: Chain): void => {
  for (let i = 0; i < 20; i++) chain.commit([note(`note ${i}`, i % 3, 100 + i)])
  chain.commit([], { timeMs: NOW })
}

let item: ItemEvidence
let answer: AnswerEvidence
let fork: EquivocationEvidence
/** A handover to a committee of 64. */
let handover = ''
beforeAll(async () => {
  const setting = setup(4, fill)
  const handle = await setting.open()
  const { ref } = await setting.world.run(handle.latest())
  item = written((await setting.world.run(handle.export({ ref: { ...ref, position: '7' } }))) as ItemEvidence)
  answer = written((await setting.world.run(handle.export({ question: 'of', argument: 1 }))) as AnswerEvidence)
  fork = written(await forked())
  const large = new Chain(seats(1))
  large.commit([], { next: seats(64, 1) })
  handover = toHex(encode(stepCodec, large.steps[0] as EpochStep))
})

/** The proof against members 0 and 1, as a reader met it. */
const forked = async (): Promise<EquivocationEvidence> => {
  const { world, open, network, places, chain } = setup(4, (own) => void own.commit([note('ours', 1)], { timeMs: NOW, signers: [0, 1, 2] }))
  const other = new Chain(seats(4), NOW - 100 * HEARTBEAT)
  other.commit([note('theirs', 1)], { timeMs: NOW, signers: [0, 1, 3] })
  for (const member of [1, 2, 3]) Object.assign(places[member] as object, { down: true })
  await open()
  serve(world, other, 'peer 3')
  await world.advance(10 * HEARTBEAT)
  expect(chain.head.index).toBe(1n)
  return (await network.evidence())[0] as EquivocationEvidence
}

const exported = async ({ world }: Setup, handle: Handle<NoteDatum>, subject: Subject): Promise<Evidence> =>
  written(await world.run(handle.export(subject)))

describe('evidence that holds', () => {
  it('API Verdict: an item with its raw evidence: the value, and a verdict that claims no freshness', async () => {
    const finding = await verify(item)
    expect(finding).toMatchObject({ kind: 'item', surface: 'notes.all', value: { words: 'note 7', position: 7n }, asked: null })
    if (finding.kind === 'equivocation') throw new Error('another kind')
    const { integrity, authority, freshness, ok, at } = finding.verdict
    expect([ok, integrity.state, authority.state, freshness.state]).toEqual([true, 'green', 'green', 'amber'])
    expect(at).toMatchObject({ index: '21', group: finding.group })
    expect(integrity.checks.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'commit.header passed',
      'commit.consistency absent',
      'item.inclusion passed',
      'evidence.inclusion passed',
    ])
    // What the reader said is in the file too, and was made by the same checks.
    expect(item.verdict).toMatchObject({ ok: true, at })
  })

  it('PROTOCOL 2 Complete answers: all of a key, with its index run', async () => {
    const finding = await verify(answer)
    expect(finding).toMatchObject({
      kind: 'answer',
      asked: { question: 'of' },
      value: [1, 4, 7, 10, 13, 16, 19].map((i) => ({ words: `note ${i}` })),
      verdict: { ok: true },
    })
  })

  it('PROTOCOL 2: that there is nothing is proven too, of a key and of an index without keys', async () => {
    const setting = setup(1, fill)
    const none = await exported(setting, await setting.open(), { question: 'of', argument: 99 })
    expect(await verify(none)).toMatchObject({ kind: 'answer', value: [], verdict: { ok: true } })
    const empty = setup(1, (chain) => void chain.commit([], { timeMs: NOW }))
    const nothing = (await exported(empty, await empty.open(), { question: 'of', argument: 1 })) as AnswerEvidence
    expect(nothing.answers).toEqual([])
    expect(await verify(nothing)).toMatchObject({ value: [], verdict: { ok: true } })
  })

  it('PROTOCOL 1 Membership: under a head of a later epoch, by the rosters on the way', async () => {
    const setting = setup(4, (chain) => {
      for (let epoch = 1; epoch <= 3; epoch++) chain.commit([note(`epoch ${epoch}`, 1)], { next: seats(4, epoch) })
      chain.commit([], { timeMs: NOW })
    })
    const evidence = (await exported(setting, await setting.open(), { question: 'of', argument: 1 })) as AnswerEvidence
    expect(evidence.steps).toHaveLength(3)
    expect(await verify(evidence)).toMatchObject({ verdict: { ok: true } })
    expect(refusal(await errorOf(verify({ ...evidence, steps: evidence.steps.slice(1) })))).toBe('roster.chain')
    expect(refusal(await errorOf(verify({ ...evidence, steps: [] })))).toBe('roster.chain')
  })

  it('PROTOCOL 1 Certificate: two histories: who signed both, and how many lied at least', async () => {
    expect(await verify(fork)).toMatchObject({
      kind: 'equivocation',
      index: '1',
      signedBoth: [
        { member: 0, operator: 'operator 0' },
        { member: 1, operator: 'operator 1' },
      ],
      liars: 2,
    })
    expect(fork.verdict).toMatchObject({ ok: false, integrity: { state: 'red' } })
  })

  test.each([
    [0, true],
    [1, true],
    [2, false],
  ])('PROTOCOL 1 Strength: whoever checks decides how many liars to withstand: %i', async (withstand, holds) => {
    const outcome = await verify(item, { withstand }).catch(refusal)
    expect(outcome).toEqual(holds ? expect.objectContaining({ kind: 'item' }) : 'commit.signatures')
    expect(refusal(await errorOf(verify(item, { withstand: 3 })))).toBe('Group.WithstandError')
    // What a quorum signed twice is a quorum’s doing, whatever somebody withstands.
    expect(await verify(fork, { withstand })).toMatchObject({ kind: 'equivocation' })
  })

  it('names the group, and is refused where another one is expected', async () => {
    expect(await verify(item, { group: GROUP })).toMatchObject({ kind: 'item' })
    for (const evidence of [item, answer, fork])
      expect(refusal(await errorOf(verify(evidence, { group: new Uint8Array(32) })))).toBe('start.point')
  })
})

/** The same digits with one of them turned. */
const flip = (hex: string, at: number): string => `${hex.slice(0, at)}${hex[at] === '0' ? '1' : '0'}${hex.slice(at + 1)}`

describe('evidence that was changed', () => {
  it('no digit of certificate, answer, blob or key can be another', async () => {
    const fields = [
      [item, 'certificate'],
      [item, 'answer'],
      [item, 'blob'],
      [answer, 'certificate'],
      [answer, 'key'],
    ] as const
    for (const [evidence, field] of fields) {
      const hex = (evidence as unknown as Record<string, string>)[field] as string
      const step = Math.max(1, Math.floor(hex.length / 60))
      for (let at = 0; at < hex.length; at += step) {
        const changed = { ...evidence, [field]: flip(hex, at) }
        const outcome = await verify(changed).then(
          (finding) => finding,
          (error: unknown) => error,
        )
        // Another key is another question: then the answer is to that one, and complete for it, or it is refused.
        if (field === 'key' && !(outcome instanceof Error)) expect(outcome).toMatchObject({ value: [] })
        else expect(outcome).toBeInstanceOf(CoalitionError)
      }
    }
  })

  it('an answer with a page less, more or twice is not complete', async () => {
    const [page] = answer.answers
    expect(refusal(await errorOf(verify({ ...answer, answers: [] })))).toBe('answer.complete')
    expect(refusal(await errorOf(verify({ ...answer, answers: [page, page] })))).toBe('answer.complete')
  })

  it('without its blob, an item is proven and its evidence is not', async () => {
    const finding = await verify({ ...item, blob: null })
    expect(finding).toMatchObject({ verdict: { ok: true, integrity: { state: 'amber' } } })
  })

  it('the verdict in the file is nobody’s proof: another one changes nothing', async () => {
    expect(await verify({ ...item, verdict: { ok: true, integrity: 'believe me' } })).toEqual(await verify(item))
    expect(await verify({ ...item, verdict: null })).toEqual(await verify(item))
  })

  it('one history twice, or at another index, proves nothing', async () => {
    const [ours, theirs] = fork.histories
    expect(refusal(await errorOf(verify({ ...fork, histories: [ours, ours] })))).toBe('commit.consistency')
    expect(refusal(await errorOf(verify({ ...fork, index: '2' })))).toBe('commit.consistency')
    expect(refusal(await errorOf(verify({ ...fork, histories: [ours, { ...theirs, commit: flip(theirs.commit, 3) }] })))).toBe(
      'commit.consistency',
    )
    expect(refusal(await errorOf(verify({ ...fork, histories: [ours, { ...theirs, headers: [] }] })))).toBe('commit.consistency')
    // Two signatures are no history.
    const error = (await errorOf(
      verify({ ...fork, histories: [ours, { ...theirs, certificate: flip(theirs.certificate, 900) }] }),
    )) as EvidenceError
    expect(error).toBeInstanceOf(CoalitionError)
  })
})

describe('a hostile file', () => {
  test.each([
    ['null', null, '$'],
    ['a list', [], '$'],
    ['a later version', { format: 'coalition evidence@2' }, '$.format'],
    ['no kind', { ...{ format: FORMAT, network: '00'.repeat(32), surface: 'notes.all', config: {} } }, '$.kind'],
  ])('%s is refused with its place', async (_, json, path) => {
    expect(await errorOf(verify(json))).toMatchObject({ name: 'Config.ParseError', path: expect.stringContaining(path) })
  })

  test.each([
    ['capital digits', () => ({ ...item, certificate: item.certificate.toUpperCase() }), '$.certificate'],
    ['a prefix', () => ({ ...item, answer: `0x${item.answer}` }), '$.answer'],
    ['a byte too many', () => ({ ...item, answer: `${item.answer}00` }), '$.answer'],
    ['half a byte', () => ({ ...item, blob: '0' }), '$.blob'],
    ['another surface', () => ({ ...item, surface: 'other.all' }), '$.surface'],
    ['a surface of any length', () => ({ ...item, surface: 'x'.repeat(1_000) }), '$.surface'],
    ['a question of the prototype', () => ({ ...answer, question: 'constructor' }), '$.question'],
    ['an answer of another kind', () => ({ ...item, answer: answer.answers[0] }), '$.answer'],
    ['steps without end', () => ({ ...item, steps: Array.from({ length: 5_000 }, () => '') }), '$.steps'],
    ['rosters without end', () => ({ ...item, steps: Array.from({ length: 200 }, () => handover) }), '$.steps'],
    ['pages without end', () => ({ ...answer, answers: Array.from({ length: 5_000 }, () => '') }), '$.answers'],
    ['three histories', () => ({ ...fork, histories: [...fork.histories, fork.histories[0]] }), '$.histories'],
    [
      'a proof and headers',
      () => ({ ...fork, histories: fork.histories.map((each) => ({ ...each, headers: [], proof: '00' })) }),
      '$.histories[0]',
    ],
    ['a config that is none', () => ({ ...item, config: { roster: 'zz' } }), '$.config'],
    ['an index past 64 bits', () => ({ ...fork, index: '18446744073709551616' }), '$.index'],
  ])('%s is refused with its place', async (_, change, path) => {
    expect(await errorOf(verify(change()))).toMatchObject({ name: 'Config.ParseError', path })
  })

  it('any change of any field ends in an error of ours, or in the same finding', async () => {
    const whole = [item, answer, fork] as unknown as readonly Record<string, unknown>[]
    const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('', '00', 'ff'.repeat(40), -1, 2 ** 60, '__proto__'))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 }), fc.nat(20), junk, async (which, place, value) => {
        const evidence = whole[which] as Record<string, unknown>
        const name = Object.keys(evidence)[place % Object.keys(evidence).length] as string
        const outcome = await verify({ ...evidence, [name]: value }).catch((error: unknown) => error)
        // Another key is another question, of which nothing is true; the rest says nothing that the proof does not.
        const same = JSON.stringify(value) === JSON.stringify(evidence[name])
        const free = same || ['verdict', 'key', 'bits'].includes(name) || (name === 'blob' && value === null)
        expect(outcome instanceof CoalitionError || free).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

describe('what can be exported', () => {
  it('is what the handle has: nothing of another group, no position that is none, no other question', async () => {
    const setting = setup(4, fill)
    const { world } = setting
    const handle = await setting.open()
    const { ref } = await world.run(handle.latest())
    for (const subject of [
      { ref: { ...ref, group: '00' } },
      { ref: { ...ref, position: '20' } },
      { ref: { ...ref, position: null } },
      { question: 'constructor', argument: 1 },
      {},
      null,
    ])
      expect(await errorOf(world.run(handle.export(subject as never)))).toMatchObject({ name: 'Network.HandleError' })
  })

  it('at strength four it is what four signed', async () => {
    const setting = setup(4, (chain) => void chain.commit([note('a', 1)], { timeMs: NOW, signers: [0, 1, 2, 3] }), { withstand: 2 })
    const { world, chain } = setting
    const handle = await setting.open()
    chain.commit([note('by three', 1)], { timeMs: world.now })
    const evidence = await exported(setting, handle, { question: 'of', argument: 1 })
    expect(await verify(evidence, { withstand: 2 })).toMatchObject({ value: [{ words: 'a' }] })
  })
})
