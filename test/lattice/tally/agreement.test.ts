import { describe, expect, it } from 'vitest'
import { stateCodec } from '../../../client/lattice/tally/machine.ts'
import { refundsSpec } from '../../../client/lattice/tally/refund.ts'
import { agreedAt, MAX_PENDING, REVERSIBLE, type TallyState } from '../../../client/lattice/tally/state.ts'
import { type Bytes, equal, toHex } from '../../../client/primitives/bytes.ts'
import { decode, encode } from '../../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../../client/primitives/ed25519.ts'
import { attributionIn, bytesOf, chainOf, configOf, type Made, provider, reversalIn, type Spec } from './fixtures.ts'
import { attribute, committee } from './words.ts'

const deep = { inclusion: { kind: 'depth', value: { blocks: 3 } } } as const
const { machine, context, word, signedWord, quorumOn, run } = committee(configOf(deep, 4))

const pay: Spec = { value: 10_000n, providers: [provider(1), provider(2)], bps: [5_000, 1_000] }
const other: Spec = { value: 7_000n, providers: [provider(3)], bps: [5_000] }
const old = chainOf([[pay], [pay, pay], [other], [], [pay]]) as [Made, Made, Made, Made, Made]
const [one, two, three, four, five] = old
/** Another branch from block 2 on. */
const fresh = chainOf([[other], [], [pay], [pay]], one.hash, 2n, 5) as [Made, Made, Made, Made]
const [two2, three2, four2] = fresh

describe('a split round', () => {
  const split = [word(two, 0), word(two, 1), word(two2, 2)]
  const before = run(quorumOn([one])).state

  it('TAL-02 is followed by the next one b + 1 blocks after a quorum had spoken without one value', () => {
    const { state } = run(split, before, 10n)
    expect(state).toMatchObject({ number: 1n, round: 0, met: 12n })
    expect(run([word(two2, 0, 1)], state, 13n).state).toEqual(state)
    const next = run([word(two2, 0, 1)], state, 14n).state
    expect(next).toMatchObject({ number: 1n, round: 1, met: null, claims: [{ member: 0 }] })
    // The word of one member in two rounds counts once in each, and a word of the round before no more.
    expect(run([word(two2, 0, 1), word(two2, 3)], next, 15n).state).toEqual(next)
    expect(run([word(two2, 1, 1), word(two2, 3, 1)], next, 15n).state).toMatchObject({ number: 2n, hash: two2.hash, round: 0 })
  })

  it('TAL-02 may still end by a late word, before the next one opens', () => {
    const { state } = run(split, before, 10n)
    expect(run([word(two, 3)], state, 100n).state).toMatchObject({ number: 2n, hash: two.hash })
  })

  it('TAL-02 is not left before a quorum has spoken, nor by more than one round', () => {
    const early = run([word(two, 0), word(two2, 1)], before, 10n).state
    expect(early.met).toBeNull()
    expect(run([word(two2, 0, 1)], early, 50n).state).toEqual(early)
    const { state } = run(split, before, 10n)
    expect(run([word(two2, 0, 2)], state, 50n).state).toEqual(state)
  })

  it('TAL-02 has no next one where blocks are final', async () => {
    const final = committee(configOf({}, 4))
    const { state } = final.run([
      ...final.quorumOn([one]),
      final.word(two, 0),
      final.word(two, 1),
      final.word(two2, 2),
      final.word(two2, 3),
    ])
    expect(final.run([final.word(two2, 0, 1)], state, 90n).state).toEqual(state)
    const admit = (command: Parameters<typeof machine.admit>[0]) =>
      final.machine.admit(command, { ...final.context, verify: verifyWithNoble })
    await expect(admit(final.signedWord(two, 0, 1))).rejects.toThrow(/no question of this group/)
    await expect(admit(final.signedWord(two, 0, 0))).resolves.toBeUndefined()
    await expect(machine.admit(signedWord(two, 0, 1), { ...context, verify: verifyWithNoble })).resolves.toBeUndefined()
  })
})

describe('an agreed block', () => {
  const agreed = run([...quorumOn(old), attribute(one), attribute(two)]).state

  it('TAL-05 stays as it is while at most b members say that it is another one', () => {
    const { state, items } = run([word(two2, 3, 1), word(two2, 3, 1), attribute(three)], agreed, 50n)
    expect([state.contested, state.number, items.length]).toEqual([null, 5n, 1])
    expect(agreedAt(state, 2n)?.claims).toMatchObject([{ member: 3 }])
    // Neither the same block, nor another round, nor a block on another parent is a reason to ask again.
    const deaf = [word(two, 0, 1), word(two2, 0), word(two2, 0, 2), word(three2, 0, 1), word(three2, 1, 1)]
    expect(run(deaf, state, 60n).state).toEqual(state)
  })

  it('TAL-05 is asked about again once b + 1 say so; until a quorum has answered nothing from it on is attributed', () => {
    const asked = run([word(three, 0, 1), word(two2, 3, 1), word(two2, 1, 1)], agreed, 50n).state
    expect(asked).toMatchObject({ number: 5n, contested: 2n, round: 1, claims: [{ member: 3 }, { member: 1 }] })
    expect(run([attribute(three), word(four, 0, 1)], asked, 60n)).toEqual({ state: asked, items: [] })
    const split = run([word(two, 0, 1), word(two, 2, 1)], asked, 60n).state
    expect(split).toMatchObject({ contested: 2n, met: 60n })
    // One of the two sees it now: in the next round three agree that nothing has changed.
    const { state, items } = run([word(two, 1, 2), word(two, 0, 2), word(two, 2, 2), attribute(three)], split, 63n)
    expect([state.contested, state.number, state.hash, items.length]).toEqual([null, 5n, five.hash, 1])
    expect(agreedAt(state, 2n)).toMatchObject({ round: 2, claims: [] })
  })

  it('TAL-04 gives way to another one: what it and those above it gave is taken back, once, and given anew by revision 1', () => {
    const more = run([attribute(three)], agreed, 40n).state
    const { state, items } = run(
      [0, 1, 3].map((member) => word(two2, member, 1)),
      more,
      50n,
    )
    expect(items.map(reversalIn)).toEqual(
      [two, three].map((block, i) => ({
        of: { slot: block.number, revision: 0 },
        chainId: 31_337n,
        blockHash: block.hash,
        reason: { kind: 'reorganised', value: { number: 2n, hash: two2.hash } },
        addresses: (i === 0 ? [provider(1), provider(2)] : [provider(3)]).sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1)),
        committedAt: 1_700_000_000_052n,
      })),
    )
    // Block 5 was agreed on and never attributed: nothing is taken back of it, and its proofs are not waited for any more.
    expect(state).toMatchObject({ number: 2n, hash: two2.hash, contested: null, round: 2, pending: [{ number: 2n, revision: 1 }] })
    // Heights go on in rounds that nobody has signed in: words of the old ones are passed over.
    expect(run(quorumOn([three2]), state, 60n).state).toEqual(state)
    const again = run([attribute(two2), ...quorumOn([three2, four2], [0, 1, 2], 2), attribute(four2), attribute(two2)], state, 60n)
    expect(again.items.map(attributionIn)).toMatchObject([
      { slot: 2n, revision: 1, blockHash: two2.hash, pool: 7_000n },
      { slot: 4n, revision: 0, blockHash: four2.hash },
    ])
    expect(run(quorumOn([fresh[3]], [1, 2, 3], 2), again.state, 90n).state).toMatchObject({
      number: 5n,
      round: 2,
      reopened: [{ round: 2, revision: 0 }],
    })
  })

  it('TAL-04 goes back and forth: each slot and revision once', () => {
    const there = run([...quorumOn([two2], [0, 1, 3], 1), attribute(two2)], agreed, 50n)
    const back = run([...quorumOn([two], [0, 1, 3], 2), attribute(two)], there.state, 60n)
    const [reversal, third] = back.items as [Bytes, Bytes]
    expect(reversalIn(reversal).of).toEqual({ slot: 2n, revision: 1 })
    expect(attributionIn(third)).toMatchObject({ slot: 2n, revision: 2, blockHash: two.hash })
  })

  it('gives way to a lower one that is asked about, and is asked about again in a round of its own', () => {
    const asked = run([word(four2, 0, 1), word(three2, 1, 1)], agreed, 50n).state
    expect(asked.contested).toBeNull()
    const branch = chainOf([[pay]], three.hash, 4n, 9)[0] as Made
    const higher = run([word(branch, 0, 1), word(branch, 1, 1)], agreed, 50n).state
    expect(higher.contested).toBe(4n)
    const lower = run([word(two2, 0, 1), word(two2, 3, 1)], higher, 60n).state
    expect(lower).toMatchObject({ contested: 2n, round: 1, number: 5n })
    const upheld = run([word(two, 1, 1), word(two, 2, 1)], lower, 70n).state
    const settled = run([word(two, 0, 2), word(two, 1, 2), word(two, 2, 2)], upheld, 80n).state
    expect(settled).toMatchObject({ contested: null, number: 5n })
    expect(run([word(branch, 0, 1), word(branch, 1, 1)], settled, 90n).state).toEqual(settled)
    expect(run([word(branch, 0, 3), word(branch, 1, 3)], settled, 90n).state.contested).toBe(4n)
  })

  it('of a committee of one gives way at its own word', () => {
    const single = committee(configOf(deep, 1))
    const { state } = single.run([...single.quorumOn([one, two], [0]), attribute(one), attribute(two)])
    const { items, state: after } = single.run([single.word(two2, 0, 1)], state, 20n)
    expect([items.length, after.number, after.hash, after.pending.length]).toEqual([1, 2n, two2.hash, 1])
  })

  it(`is for good once ${REVERSIBLE} stand above it`, () => {
    const long = chainOf(Array.from({ length: REVERSIBLE + 2 }, () => []))
    const { state } = run(quorumOn(long))
    expect([state.agreed.length, agreedAt(state, 2n), agreedAt(state, 3n)?.hash]).toEqual([REVERSIBLE, null, long[2]?.hash])
    const [second] = chainOf([[]], long[0]?.hash, 2n, 1) as [Made]
    const [third] = chainOf([[]], long[1]?.hash, 3n, 1) as [Made]
    expect(run(quorumOn([second], [0, 1, 2], 1), state, 900n).state).toEqual(state)
    const taken = run(quorumOn([third], [0, 1, 2], 1), state, 900n).state
    expect([taken.number, taken.hash, taken.agreed.length, taken.reopened.length]).toEqual([3n, third.hash, 1, REVERSIBLE])
  })
})

describe('the state at its bounds', () => {
  const zeros = new Uint8Array(32)
  const full = (members: number): TallyState => {
    const facts = { hash: zeros, parent: zeros, count: 256, omitted: 9, payments: zeros }
    const claims = Array.from({ length: members }, (_, member) => ({ member, facts }))
    const named = Array.from({ length: 256 }, (_, i) => bytesOf(`${i}`, 20))
    const block = { hash: zeros, parent: zeros, round: 1, revision: 1, named, claims }
    const waiting = { number: 1n, hash: zeros, count: 256, payments: zeros, revision: 1 }
    return {
      ...{ number: 9_999n, hash: zeros, contested: 9_990n, round: 3, met: 1n, claims },
      agreed: Array.from({ length: REVERSIBLE }, () => block),
      reopened: Array.from({ length: REVERSIBLE }, () => ({ round: 2, revision: 1 })),
      pending: Array.from({ length: MAX_PENDING }, () => waiting),
    }
  }

  it('fits a snapshot, and survives one', () => {
    const four = encode(stateCodec, full(4))
    const most = encode(stateCodec, full(64))
    expect(four.length).toBeLessThan(450_000)
    expect(most.length).toBeLessThan(1_000_000)
    expect(equal(encode(stateCodec, decode(stateCodec, most)), most)).toBe(true)
  })

  it('is taken back by one command that fits a block', () => {
    const named = [...Array.from({ length: 256 }, (_, i) => bytesOf(`${i}`, 20))].sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1))
    const long = chainOf(Array.from({ length: REVERSIBLE }, () => []))
    const { state } = run(quorumOn(long))
    const attributed = { ...state, agreed: state.agreed.map((entry) => ({ ...entry, named })) }
    const [first] = chainOf([[]], undefined, 1n, 3) as [Made]
    const { items } = run(quorumOn([first], [0, 1, 2], 1), attributed, 500n)
    expect(items.length).toBe(REVERSIBLE)
    expect(items.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(512_000)
    expect(refundsSpec.by[0]?.keys(decode(refundsSpec.item, items[0] as Bytes)).length).toBe(256)
  })
})
