import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { standing } from '../../../client/lattice/tally/index.ts'
import { stateCodec, type TallyCommand, type TallyState } from '../../../client/lattice/tally/machine.ts'
import { type RefundItem, refundCodec } from '../../../client/lattice/tally/refund.ts'
import { agreedAt, askedNumber, askedParent, oldestAgreed } from '../../../client/lattice/tally/state.ts'
import { binding } from '../../../client/lattice/tally/surface.ts'
import { type Bytes, equal, toHex } from '../../../client/primitives/bytes.ts'
import { decode, encode } from '../../../client/primitives/codec.ts'
import { chainOf, configOf, type Made, provider, type Spec } from './fixtures.ts'
import { attribute, committee } from './words.ts'

const { machine, at, word } = committee(configOf({ inclusion: { kind: 'depth', value: { blocks: 3 } } }, 4))
const LIAR = 3
const B = 1

const pay = (i: number): Spec => ({ value: 1_000n + BigInt(i), providers: [provider(i)], bps: [5_000] })
const TOP = 5
const trunk = chainOf([[pay(1)], [pay(2)], [], [pay(3)], [pay(4)]])
/** Chains of five blocks: the trunk, and branches off it and off one another. */
const branch = (from: readonly Made[], held: number, salt: number): Made[] => [
  ...from.slice(0, held),
  ...chainOf(
    Array.from({ length: TOP - held }, (_, i) => (i % 2 === 0 ? [pay(10 * salt + i)] : [])),
    from[held - 1]?.hash,
    BigInt(held + 1),
    salt,
  ),
]
const third = branch(trunk, 3, 2)
const views: readonly (readonly Made[])[] = [
  trunk,
  branch(trunk, 4, 1),
  third,
  branch(trunk, 1, 3),
  branch(third, 4, 4),
  branch(trunk, 0, 5),
]
const blocks = [...new Map(views.flat().map((block) => [toHex(block.hash), block])).values()]

/** An honest member, as docs/wire.md has it: what it sees of the chain, and what it has said, for good. */
interface Honest {
  readonly member: number
  view: readonly Made[]
  readonly said: Map<string, Made>
}

const lowestFork = (state: TallyState, view: readonly Made[]): bigint | null => {
  for (let number = oldestAgreed(state); number <= state.number; number++) {
    const found = view[Number(number) - 1]
    if (found !== undefined && !equal(found.hash, agreedAt(state, number)?.hash ?? found.hash)) return number
  }
  return null
}

/** The word that is due, or null; noted before it is said, and what was noted before is said instead. */
const wordOf = (state: TallyState, { member, view, said }: Honest, index: bigint): TallyCommand | null => {
  const say = (number: bigint, round: number, parent: Bytes | undefined): TallyCommand | null => {
    const seen = view[Number(number) - 1]
    if (seen === undefined || parent === undefined) return null
    const key = `${number}/${round}`
    const standing = said.get(key) ?? seen
    if (!said.has(key) && !equal(headerParent(seen), parent)) return null
    said.set(key, standing)
    return word(standing, member, round)
  }
  const fork = lowestFork(state, view)
  if (fork !== null && (state.contested === null || fork < state.contested)) {
    const entry = agreedAt(state, fork)
    const isHeard = entry === null || entry.claims.some((claim) => claim.member === member)
    return isHeard ? null : say(fork, entry.round + 1, entry.parent)
  }
  const number = askedNumber(state)
  const own = state.claims.find((claim) => claim.member === member)
  if (own === undefined) return say(number, state.round, askedParent(state))
  const seen = view[Number(number) - 1]
  const hasChanged = seen !== undefined && !equal(seen.hash, own.facts.hash)
  const isOpen = state.met !== null && index >= state.met + BigInt(B + 1)
  return hasChanged && isOpen ? say(number, state.round + 1, askedParent(state)) : null
}

const parents = new Map(views.flatMap((view) => view.map((block, i) => [block, view[i - 1]?.hash ?? new Uint8Array(32)] as const)))
const headerParent = (block: Made): Bytes => parents.get(block) as Bytes

type Step =
  | { readonly kind: 'reorg'; readonly view: number }
  | { readonly kind: 'view'; readonly member: number; readonly view: number }
  | { readonly kind: 'speak' | 'note'; readonly member: number }
  | { readonly kind: 'lie'; readonly block: number; readonly round: number }
  | { readonly kind: 'turn' | 'prove' | 'beat' }

const [member, view] = [fc.nat(2), fc.nat(views.length - 1)]
const lie = fc.record({ kind: fc.constant('lie' as const), block: fc.nat(blocks.length - 1), round: fc.nat(6) })
// Weighed so that most histories attribute several blocks and take some back.
const steps = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reorg' as const), view }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('view' as const), member, view }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('speak' as const), member }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('note' as const), member }) },
    { weight: 6, arbitrary: lie },
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('prove' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('beat' as const) }) },
  ),
  { minLength: 1, maxLength: 80, size: 'max' },
)

/** Three honest members, a liar and a log. */
const world = () => {
  const honest: readonly Honest[] = [0, 1, 2].map((each) => ({ member: each, view: trunk, said: new Map<string, Made>() }))
  const seen = new Set(trunk.map((block) => toHex(block.hash)))
  const items: RefundItem[] = []
  let state: TallyState = machine.genesis
  let index = 0n
  const apply = (command: TallyCommand | null): void => {
    index += 1n
    if (command === null) return
    const effects = machine.apply(state, command, at(index))
    // A snapshot at every point: bounds hold, and nothing is in a state that is not in its bytes.
    state = decode(stateCodec, encode(stateCodec, effects.state))
    items.push(...effects.append.map(({ item }) => decode(refundCodec, item)))
  }
  /** Brings the proofs of the oldest block that waits for them, of whatever chain it is. */
  const prove = (): void => {
    const [oldest] = state.pending
    const block = blocks.find(({ hash }) => oldest !== undefined && equal(hash, oldest.hash))
    if (block !== undefined) apply(attribute(block))
  }
  const look = (who: Honest, at: number): void => {
    who.view = views[at] as readonly Made[]
    for (const block of who.view) seen.add(toHex(block.hash))
  }
  const step = (each: Step): void => {
    if (each.kind === 'beat') apply(null)
    else if (each.kind === 'prove') prove()
    else if (each.kind === 'lie') apply(word(blocks[each.block] as Made, LIAR, each.round))
    else if (each.kind === 'turn') for (const who of honest) apply(wordOf(state, who, index + 1n))
    else if (each.kind === 'reorg') for (const who of honest) look(who, each.view)
    else if (each.kind === 'view') look(honest[each.member] as Honest, each.view)
    else if (each.kind === 'speak' || each.kind === 'note') {
      const due = wordOf(state, honest[each.member] as Honest, index + 1n)
      // Noted and not brought: a crash in between.
      if (each.kind === 'speak') apply(due)
    }
  }
  return { seen, items, step, state: () => state }
}

describe('TAL-02 TAL-05 one liar of four', () => {
  it('makes no attribution of a block that no honest member saw, and none of one slot and revision twice', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { items, seen, step } = world()
        for (const each of list) step(each)
        const current = new Map<string, Bytes>()
        const names = new Set<string>()
        for (const { kind, value } of items) {
          const of = kind === 'attribution' ? value : value.of
          const name = `${of.slot}/${of.revision}`
          if (kind === 'attribution') {
            expect(seen.has(toHex(value.blockHash))).toBe(true)
            expect(names.has(name) || current.has(`${of.slot}`)).toBe(false)
            current.set(`${of.slot}`, value.blockHash)
            names.add(name)
          } else {
            // What is taken back was given, stood until now, and is of that block.
            expect(toHex(current.get(`${of.slot}`) ?? new Uint8Array(0))).toBe(toHex(value.blockHash))
            current.delete(`${of.slot}`)
          }
        }
      }),
      { numRuns: 400 },
    )
  })

  it('takes nothing back of a chain that stays as it is', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { items, step } = world()
        for (const each of list) if (each.kind !== 'view' && each.kind !== 'reorg') step(each)
        expect(items.filter(({ kind }) => kind === 'reversal')).toEqual([])
      }),
      { numRuns: 200 },
    )
  })

  it('whatever was before: once the honest see one chain they agree on it, and each of its payments is attributed', () => {
    fc.assert(
      fc.property(steps, view, fc.array(lie), (list, last, lies) => {
        const { items, step, state } = world()
        for (const each of list) step(each)
        step({ kind: 'reorg', view: last })
        const chain = views[last] as readonly Made[]
        const isDone = () => equal(state().hash, (chain.at(-1) as Made).hash) && state().pending.length === 0 && state().contested === null
        for (let turn = 0; turn < 100 && !isDone(); turn++) {
          for (const each of [{ kind: 'turn' } as const, lies[turn] ?? ({ kind: 'beat' } as const), { kind: 'prove' } as const]) step(each)
        }
        expect(isDone()).toBe(true)
        const paid = chain.filter(({ transactions }) => transactions.length > 0).map(({ hash }) => toHex(hash))
        const counting = standing(items.map((item) => binding.datum(item as never, { position: 0n })))
        expect(counting.map(({ blockHash }) => toHex(blockHash)).sort()).toEqual(paid.sort())
      }),
      { numRuns: 300 },
    )
  })
})
