import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { observationMessage } from '../../../client/groups/block.ts'
import type { Context, Effects } from '../../../client/groups/machine.ts'
import { ZEROS } from '../../../client/groups/roster.ts'
import { tallyBlock } from '../../../client/lattice/tally/block.ts'
import { verifyProofs } from '../../../client/lattice/tally/evidence.ts'
import {
  commandCodec,
  createMachine,
  MAX_PENDING,
  stateCodec,
  type TallyCommand,
  type TallyState,
} from '../../../client/lattice/tally/machine.ts'
import { blockFactsCodec, paymentsHash, QUESTION_KIND, subjectCodec } from '../../../client/lattice/tally/payment.ts'
import { LIMITS, refundCodec } from '../../../client/lattice/tally/refund.ts'
import { type Bytes, toHex } from '../../../client/primitives/bytes.ts'
import { decode, encode } from '../../../client/primitives/codec.ts'
import { verifyWithNoble } from '../../../client/primitives/ed25519.ts'
import {
  attributionIn,
  blockOf,
  bytesOf,
  CHAIN,
  chainOf,
  configOf,
  FEE_RECIPIENT,
  groupDouble,
  type Made,
  provider,
  type Spec,
  signer,
} from './fixtures.ts'

const MEMBERS = 4
const config = configOf({}, MEMBERS)
const machine = createMachine(config)
const { context } = groupDouble(config)
const at = (index: bigint): Context => ({ ...context, index, timeMs: 1_700_000_000_000n + index })

const observe = (block: Made, member: number, change: object = {}): TallyCommand => {
  const subject = encode(subjectCodec, { chainId: CHAIN, number: block.number })
  const value = encode(blockFactsCodec, tallyBlock(block, block.number, FEE_RECIPIENT).facts)
  const claim = { roster_id: context.rosterId, question: { kind: QUESTION_KIND, subject }, round: 0, until: 10_000n, value, ...change }
  return { kind: 'observe', value: { claim, member, signature: signer(member)(observationMessage(claim)) } }
}
const attribute = (block: Made): TallyCommand => ({
  kind: 'attribute',
  value: { number: block.number, proofs: tallyBlock(block, block.number, FEE_RECIPIENT).proofs },
})

const run = (commands: readonly TallyCommand[], from: TallyState = machine.genesis) => {
  const items: Bytes[] = []
  const blobs: Bytes[] = []
  let state = from
  commands.forEach((command, i) => {
    const effects: Effects<TallyState> = machine.apply(state, command, at(BigInt(i + 1)))
    state = effects.state
    items.push(...effects.append.map(({ item }) => item))
    blobs.push(...effects.blobs)
  })
  return { state, items, blobs }
}
const admitted = (command: TallyCommand): Promise<string> =>
  machine.admit(command, { ...context, verify: verifyWithNoble }).then(
    () => 'admitted',
    (error: Error) => error.name,
  )

const pay: Spec = { value: 10_001n, providers: [provider(1), provider(2)], bps: [3_333, 1_000] }
const [one, two, three] = chainOf([[pay, {}], [], [pay]]) as [Made, Made, Made]

describe('TAL-02 observations', () => {
  it('agree by a quorum of the roster on identical bytes, one of each member', () => {
    const { state } = run([observe(one, 0), observe(one, 0), observe(one, 0), observe(one, 3)])
    expect(state).toMatchObject({ number: 0n, claims: [{ member: 0 }, { member: 3 }] })
    const agreed = run([observe(one, 2)], state).state
    expect(agreed).toMatchObject({ number: 1n, hash: one.hash, claims: [], pending: [{ number: 1n, count: 2 }] })
  })

  it('do not agree on different bytes, however many speak', () => {
    const other = blockOf(1n, ZEROS, [pay], 9)
    const { state } = run([observe(one, 0), observe(other, 1), observe(one, 2), observe(other, 3)])
    expect(state.number).toBe(0n)
    expect(state.claims.length).toBe(4)
  })

  it('are taken in the order of blocks, each on the one agreed before', () => {
    const orphan = blockOf(2n, bytesOf('another parent'), [])
    const quorum = (block: Made) => [0, 1, 2].map((member) => observe(block, member))
    expect(run([...quorum(two), ...quorum(three)]).state).toEqual(machine.genesis)
    expect(run([...quorum(one), ...quorum(orphan)]).state.number).toBe(1n)
    expect(run([...quorum(one), ...quorum(two), ...quorum(three)]).state).toMatchObject({ number: 3n, hash: three.hash })
  })

  it('are no-ops when late, of another round or roster, or past the seats', () => {
    for (const change of [
      { until: 0n },
      { round: 1 },
      { roster_id: ZEROS },
      { question: { kind: 2, subject: new Uint8Array(16) } },
      { value: new Uint8Array(3) },
    ])
      expect(run([observe(one, 0, change)]).state).toEqual(machine.genesis)
    const seatless = observe(one, 0) as Extract<TallyCommand, { kind: 'observe' }>
    expect(run([{ kind: 'observe', value: { ...seatless.value, member: MEMBERS } }]).state).toEqual(machine.genesis)
  })

  it('are admitted only with a signature of the member over this question of this group', async () => {
    const good = observe(one, 1) as Extract<TallyCommand, { kind: 'observe' }>
    expect(await admitted(good)).toBe('admitted')
    const change = (value: Partial<typeof good.value>): TallyCommand => ({ kind: 'observe', value: { ...good.value, ...value } })
    expect(await admitted(change({ member: 2 }))).toBe('Tally.CommandError')
    expect(await admitted(change({ member: 200 }))).toBe('Tally.CommandError')
    expect(await admitted(change({ claim: { ...good.value.claim, until: 9n } }))).toBe('Tally.CommandError')
    for (const wrong of [{ roster_id: ZEROS }, { round: 1 }, { value: new Uint8Array(0) }])
      expect(await admitted(observe(one, 1, wrong))).toBe('Tally.CommandError')
    const elsewhere = encode(subjectCodec, { chainId: 1n, number: 1n })
    expect(await admitted(observe(one, 1, { question: { kind: QUESTION_KIND, subject: elsewhere } }))).toBe('Tally.CommandError')
  })

  it('stop when 1,024 blocks wait for their proofs: what nobody proves must not grow', () => {
    const waiting = Array.from({ length: MAX_PENDING }, (_, i) => ({
      number: BigInt(i),
      hash: ZEROS,
      count: 1,
      payments: ZEROS,
      revision: 0,
    }))
    const full = { ...machine.genesis, pending: waiting }
    expect(
      run(
        [0, 1, 2, 3].map((member) => observe(one, member)),
        full,
      ).state,
    ).toEqual(full)
    expect(decode(stateCodec, encode(stateCodec, full))).toEqual(full)
  })
})

describe('TAL-04 attributions', () => {
  const agreed = [one, two, three].flatMap((block) => [0, 1, 2].map((member) => observe(block, member)))

  it('are made of the oldest agreed block with payments, once, and of no other', () => {
    const early = run([attribute(one), ...agreed, attribute(three), attribute(two)])
    expect(early.items).toEqual([])
    const { items, blobs, state } = run([...agreed, attribute(one), attribute(one), attribute(three), attribute(three)])
    const slots = items.map((item) => attributionIn(item).slot)
    expect([slots, blobs.length, state.pending.length]).toEqual([[1n, 3n], 2, 0])
    expect(decode(refundCodec, items[0] as Bytes).value).toMatchObject({
      pool: 11_001n,
      residual: 11_001n - 500n - 3_333n - 1_000n,
      committedAt: at(10n).timeMs,
      evidence: { value: { txs: [0, 1], hash: one.hash } },
    })
  })

  it('TAL-05 are not made without the quorum, nor of another block or another list of payments', () => {
    const fork = blockOf(1n, ZEROS, [pay, {}], 5)
    const proofs = tallyBlock(one, 1n, FEE_RECIPIENT).proofs
    const short: TallyCommand = { kind: 'attribute', value: { number: 1n, proofs: { ...proofs, payments: proofs.payments.slice(1) } } }
    const refused = [attribute(fork), short, attribute(three)]
    expect(run([observe(one, 0), attribute(one)]).items).toEqual([])
    expect(run([...agreed, ...refused]).items).toEqual([])
    // The quorum counted one of two payments; proofs of the other are as true, and not what was agreed on.
    const { facts } = tallyBlock(one, 1n, FEE_RECIPIENT)
    const only = proofs.payments.map((proof) => verifyProofs({ ...proofs, payments: [proof] }, FEE_RECIPIENT).payments)
    const value = encode(blockFactsCodec, { ...facts, count: 1, omitted: 1, payments: paymentsHash(only[0] ?? []) })
    const said = [0, 1, 2].map((member) => observe(one, member, { value }))
    const show = (i: number): TallyCommand => ({
      kind: 'attribute',
      value: { number: 1n, proofs: { ...proofs, payments: proofs.payments.slice(i, i + 1) } },
    })
    expect(run([...said, show(1)]).items).toEqual([])
    expect(run([...said, show(1), show(0)]).items.length).toBe(1)
  })

  it('are refused before any vote when a proof does not hold', async () => {
    const good = attribute(one) as Extract<TallyCommand, { kind: 'attribute' }>
    expect(await admitted(good)).toBe('admitted')
    const { proofs } = good.value
    const broken = (change: Partial<typeof proofs>, number = 1n): TallyCommand => ({
      kind: 'attribute',
      value: { number, proofs: { ...proofs, ...change } },
    })
    const tampered = structuredClone(proofs.payments)
    const node = tampered[0]?.receipt[0] as Bytes
    node[5] = 0xff
    expect(await admitted(broken({}, 2n))).toBe('Tally.CommandError')
    expect(await admitted(broken({ payments: [] }))).toBe('Tally.ProofError')
    expect(await admitted(broken({ payments: [...proofs.payments].reverse() }))).toBe('Tally.ProofError')
    expect(await admitted(broken({ payments: tampered as never }))).toBe('Proof.MptError')
    expect(await admitted(broken({ header: three.header }))).toBe('Proof.MptError')
    expect(await admitted(attribute(blockOf(1n, ZEROS, [{ to: provider(9) }, pay])))).toBe('admitted')
  })

  it('fit the index, the block and the blob at the largest that a block counts', async () => {
    const many = Array.from({ length: 256 }, (_, i): Spec => {
      const providers = Array.from({ length: 4 }, (_, k) => provider((4 * i + k) % 256))
      return { value: 10n ** 18n + BigInt(i), ref: bytesOf(`ref ${i}`), providers, bps: [2_500, 2_500, 2_500, 2_500] }
    })
    const full = blockOf(1n, ZEROS, many)
    const command = attribute(full)
    const encoded = encode(commandCodec, command)
    expect(encoded.length).toBeLessThan(1_000_000)
    expect(await admitted(decode(commandCodec, encoded))).toBe('admitted')
    const { items, blobs } = run([...[0, 1, 2].map((member) => observe(full, member)), command])
    expect(attributionIn(items[0] as Bytes).recipients.length).toBe(LIMITS.pairs)
    expect((items[0] as Bytes).length).toBeLessThan(100_000)
    expect((blobs[0] as Bytes).length).toBeLessThanOrEqual(LIMITS.blob)
  })
})

/** Commands that fit, almost fit and do not fit, in any order. */
const blocks = [one, two, three, blockOf(1n, ZEROS, [pay], 3), blockOf(2n, one.hash, [pay], 3), blockOf(4n, three.hash, [{}])]
const pool = blocks.flatMap((block) =>
  [...[0, 1, 2, 3].map((member) => observe(block, member)), attribute(block)].filter(
    (command) => command.kind === 'observe' || command.value.proofs.payments.length > 0,
  ),
)
const commands = fc.array(fc.nat(pool.length - 1), { maxLength: 80 }).map((picks) => picks.map((i) => pool[i] as TallyCommand))
const snapshot = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each instanceof Uint8Array ? toHex(each) : each))

const frozen = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  for (const each of Object.values(value)) frozen(each)
  return Object.freeze(value)
}

describe('MSK-07 MSK-08 apply', () => {
  it('is total, deterministic and never mutates; the state survives its snapshot at any point', () => {
    fc.assert(
      fc.property(commands, fc.nat(80), (list, cut) => {
        const before = snapshot(pool)
        const whole = run(frozen(list), frozen(machine.genesis))
        const first = run(list.slice(0, cut))
        const restored = frozen(decode(stateCodec, encode(stateCodec, first.state)))
        const other = createMachine(structuredClone(config))
        let state: TallyState = restored
        const items = [...first.items]
        list.slice(cut).forEach((command, i) => {
          // Decoded anew, by a machine of its own: nothing that `admit` may have kept is needed.
          const effects = other.apply(
            state,
            decode(commandCodec, encode(commandCodec, command)),
            at(BigInt(Math.min(cut, list.length) + i + 1)),
          )
          state = frozen(effects.state)
          items.push(...effects.append.map(({ item }) => item))
        })
        expect(snapshot(state)).toBe(snapshot(whole.state))
        expect(items.map(toHex)).toEqual(whole.items.map(toHex))
        expect(snapshot(pool)).toBe(before)
      }),
      { numRuns: 60 },
    )
  })

  it('keeps every sum: Σ amounts + residual = pool in each item, each block at most once, in order', () => {
    fc.assert(
      fc.property(commands, (list) => {
        const items = run(list).items.map(attributionIn)
        for (const { pool, recipients, residual } of items)
          expect(recipients.reduce((sum, { amount }) => sum + amount, residual)).toBe(pool)
        const slots = items.map(({ slot }) => slot)
        expect(slots).toEqual([...new Set(slots)].sort((a, b) => Number(a - b)))
      }),
      { numRuns: 60 },
    )
  })

  it('passes over whatever decodes as a command, without a throw', () => {
    const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size }).map((each) => new Uint8Array(each))
    const anything = fc.oneof(
      fc.record({
        kind: fc.constant('observe' as const),
        value: fc.record({
          claim: fc.record({
            roster_id: fc.constantFrom(context.rosterId, ZEROS),
            question: fc.record({ kind: fc.constantFrom(1, 0, 255), subject: bytes(16) }),
            round: fc.constantFrom(0, 1),
            until: fc.constantFrom(0n, 100n),
            value: fc.uint8Array({ maxLength: 120 }).map((each) => new Uint8Array(each)),
          }),
          member: fc.nat(255),
          signature: bytes(64),
        }),
      }),
      fc.record({
        kind: fc.constant('attribute' as const),
        value: fc.record({
          number: fc.constantFrom(0n, 1n),
          proofs: fc.record({
            header: fc.uint8Array({ maxLength: 40 }).map((each) => new Uint8Array(each)),
            payments: fc.array(
              fc.record({
                index: fc.nat(9),
                transaction: fc.array(bytes(5), { maxLength: 2 }),
                receipt: fc.array(bytes(5), { maxLength: 2 }),
              }),
              { maxLength: 3 },
            ),
          }),
        }),
      }),
    )
    const state = run([0, 1, 2].map((member) => observe(one, member))).state
    fc.assert(
      fc.property(anything, (command) => {
        expect(snapshot(machine.apply(frozen(state), command as TallyCommand, at(1n)).state)).toBe(snapshot(state))
      }),
    )
  })

  it('asks no clock, no entropy and no network', () => {
    const refuse = (what: string) => () => {
      throw new Error(`${what} in apply`)
    }
    const spies = [
      vi.spyOn(Date, 'now').mockImplementation(refuse('a clock')),
      vi.spyOn(Math, 'random').mockImplementation(refuse('entropy')),
      vi.spyOn(crypto, 'getRandomValues').mockImplementation(refuse('entropy')),
      vi.spyOn(globalThis, 'fetch').mockImplementation(refuse('a network')),
      vi.spyOn(globalThis, 'setTimeout').mockImplementation(refuse('a timer')),
    ]
    try {
      expect(run(pool).items.length).toBeGreaterThan(0)
    } finally {
      for (const spy of spies) spy.mockRestore()
    }
  })
})

describe('MSK-06 the machine', () => {
  const FOLDER = new URL('../../../client/lattice/tally/', import.meta.url)
  const imports = async (file: URL, seen: Set<string>): Promise<Set<string>> => {
    seen.add(file.href)
    const text = await readFile(file, 'utf8')
    for (const [, type, name] of text.matchAll(/^(?:import|export) (type )?[^'\n]*?(?:\n[^'\n]*?)*?from '([^']+)'/gm)) {
      if (type !== undefined || name === undefined) continue
      if (!name.startsWith('.')) seen.add(name)
      else if (!seen.has(new URL(name, file).href)) await imports(new URL(name, file), seen)
    }
    return seen
  }

  it('imports nothing of the driver, whatever is between them', async () => {
    const found = [...(await imports(new URL('machine.ts', FOLDER), new Set()))]
    const local = found.filter((name) => name.startsWith(FOLDER.href)).map((name) => name.slice(FOLDER.href.length))
    expect(local.sort()).toEqual([
      'agreement.ts',
      'config.ts',
      'evidence.ts',
      'machine.ts',
      'payment.ts',
      'published.ts',
      'refund.ts',
      'state.ts',
    ])
    expect(found.filter((name) => !name.startsWith('file:')).every((name) => /^(@noble\/|micro-packed$)/.test(name))).toBe(true)
    const driver = [...(await imports(new URL('member.ts', FOLDER), new Set()))]
    expect(driver).toEqual(expect.arrayContaining([new URL('watch.ts', FOLDER).href, new URL('machine.ts', FOLDER).href]))
  })
})
