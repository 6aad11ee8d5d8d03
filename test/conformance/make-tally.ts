// Section 6: the tally's config and ids, its structs, its surface with both indexes, and its machine's commands.

import { encode, u64 } from './bcs.ts'
import { genesis, Header, Observation, observationMessage } from './blocks.ts'
import { Roster } from './committee.ts'
import { sign } from './ed25519.ts'
import { at, type Bytes, bytesOf, H, hex, u64le, unhex } from './hash.ts'
import { UNIVERSE, uniqueId } from './ids.ts'
import { both, hexOf, keyFor, type Row, signers, upTo } from './kit.ts'
import { makeAgreement } from './make-agreement.ts'
import { ruleOf } from './make-keys.ts'
import { FEE_RECIPIENT } from './make-payments.ts'
import { gate, refusedGates } from './make-tdx.ts'
import { pathOf } from './map.ts'
import { attributionOf, countPayments } from './payments.ts'
import { chainsOf, checkTail, indexRoot, type Keyed, proveTail, TailAnswer, TailQuery } from './tails.ts'
import {
  Acl,
  type Attribution,
  BlockFacts,
  BlockSubject,
  Content,
  checkAttribution,
  checkProofs,
  checkReversal,
  factsHash,
  MachineCommand,
  type PaymentFact,
  PaymentProofs,
  proofsHash,
  Refund,
  type Reversal,
  refundKeys,
  SIGNATURE,
  TALLY_SURFACES,
  tallyIds,
} from './tally.ts'
import { treeRoot } from './tree.ts'

// --- config

const scope = { network: UNIVERSE, group: H('the keys of a roster do not depend on the group') }
const four = () => signers(scope, 'tally', 4).roster

const CONTENT: Content = {
  signature: SIGNATURE,
  feeRecipient: FEE_RECIPIENT,
  origin: { number: 21_000_000n, hash: H('origin') },
  inclusion: { is: 'finalized', value: null },
  timers: { view_ms: 400, short_ms: 100, skew_ms: 500, heartbeat_ms: 10_000 },
  predecessor: null,
}

function configs(): Row[] {
  const acl: Acl = { roster: four(), admission: { is: 'roster', value: null }, readers: { is: 'anyone', value: null } }
  const one: Acl = { ...acl, roster: signers(scope, 'alone', 1).roster }
  const gated: Acl = { ...one, admission: { is: 'tdx', value: gate() } }
  const rows: [name: string, chainId: bigint, content: Content, acl: Acl][] = [
    ['ethereum.mainnet', 1n, CONTENT, acl],
    ['unichain.mainnet', 130n, CONTENT, acl],
    ['devnet', 31_337n, { ...CONTENT, inclusion: { is: 'depth', value: { blocks: 12 } }, predecessor: H('before') }, acl],
    ['gated', 1n, CONTENT, gated],
    ['oracle.γ', 2n ** 64n - 1n, { ...CONTENT, origin: { number: 0n, hash: new Uint8Array(32) } }, one],
  ]
  return rows.map(([name, chainId, content, list]) => {
    const ids = tallyIds(name, chainId, content, list)
    return {
      name,
      chainId: chainId.toString(),
      content: both(Content, content),
      acl: both(Acl, list),
      ids: Object.fromEntries(Object.entries(ids).map(([what, id]) => [what, hex(id)])),
    }
  })
}

/** Ids of which the identity rules give known answers. */
const ids = (): Row => ({
  universe: hex(UNIVERSE),
  hexText: hex(uniqueId('AB'.repeat(32))),
  emptyText: hex(uniqueId('')),
})

// --- the surface

const [alice, bob, carol] = upTo(3).map((i) => bytesOf(`provider ${i}`, 20)) as [Bytes, Bytes, Bytes]

function payments(block: number): PaymentFact[] {
  const base = { ref: H(`ref ${block % 2}`), bps: [6_000, 3_000] }
  const pay = (index: number, value: bigint, providers: Bytes[]): PaymentFact => ({ ...base, index, value, providers })
  if (block % 3 === 0) return [pay(1, 10n ** 15n, [alice, bob])]
  if (block % 3 === 1) return [pay(0, 77n, [bob, carol]), { ...pay(5, 1_000n, [bob, alice]), ref: H('ref 9') }]
  return [pay(2, 1n, [carol, alice])]
}

const PROOFS: PaymentProofs = {
  header: bytesOf('a header in RLP', 60),
  payments: [1, 200].map((index) => ({
    index,
    transaction: [bytesOf(`branch ${index}`, 40), bytesOf(`leaf ${index}`, 130)],
    receipt: [bytesOf(`receipt ${index}`, 70)],
  })),
}

function refunds(): Refund[] {
  const given = upTo(7).map((i) => {
    const block = 21_000_001n + BigInt(i)
    const counted = countPayments(payments(i))
    const circumstances = {
      chainId: 1n,
      block,
      hash: H(`block ${block}`),
      proofs: H(`proofs ${block}`),
      committedAt: 1_700_000_000_000n + BigInt(i),
    }
    return attributionOf(counted, circumstances)
  })
  // The last two are gone, and the sixth block has another one in its place: nobody is named in what the new one gives.
  const now = { number: at(given, 5).slot, hash: H('another block') }
  const reversals = given.slice(5).map((attribution) => reversalOf(attribution, now))
  const again: Attribution = { ...at(given, 5), revision: 1, blockHash: now.hash, recipients: [], residual: at(given, 5).pool }
  const evidence = { ...again.evidence, value: { ...again.evidence.value, hash: now.hash } }
  return [
    ...given.map((value): Refund => ({ is: 'attribution', value })),
    ...reversals.map((value): Refund => ({ is: 'reversal', value })),
    { is: 'attribution', value: { ...again, evidence } },
  ]
}

function reversalOf({ slot, revision, chainId, blockHash, recipients }: Attribution, now: { number: bigint; hash: Bytes }): Reversal {
  const named = [...new Set(recipients.map(({ addr }) => hex(addr)))].sort().map(unhex)
  const reason = { is: 'reorganised', value: now } as const
  return { of: { slot, revision }, chainId, blockHash, reason, addresses: named, committedAt: 1_700_000_009_000n }
}

function surface(): Row {
  const items = refunds().map((refund) => encode(Refund, refund))
  const keyed = (by: number): Keyed[] => items.map((item) => ({ item, keys: refundKeys(by, item) }))
  const query = (by: number, bits: number, path: Bytes): TailQuery => ({ surface: 0, by, bits, path, have: [], upto: [], max: 100 })
  const asked: TailQuery[] = [
    query(0, 256, pathOf(alice)),
    { ...query(0, 256, pathOf(bob)), max: 1 },
    query(0, 256, pathOf(FEE_RECIPIENT)),
    { ...query(0, 0, new Uint8Array(32)), max: 2 },
    query(1, 256, pathOf(encode(u64, 21_000_003n))),
  ]
  const roster = signers(scope, 'tally', 4).id
  const empty = genesis(roster, TALLY_SURFACES)
  const header: Header = {
    ...empty,
    index: 1n,
    view: 1n,
    surfaces: empty.surfaces.map((s) => ({
      ...s,
      size: BigInt(items.length),
      root: treeRoot(items),
      by: s.by.map((index, by) => ({ ...index, keys: BigInt(chainsOf(keyed(by)).length), root: indexRoot(keyed(by)) })),
    })),
  }
  return {
    genesis: both(Header, empty),
    items: items.map((item, i) => ({
      item: hex(item),
      value: Refund.show(at(refunds(), i)),
      keys: [0, 1].map((by) => refundKeys(by, item).map(hex)),
    })),
    header: both(Header, header),
    tails: asked.map((each) => {
      const answer = proveTail(keyed(each.by), each)
      const index = at(at(header.surfaces, 0).by, each.by)
      const context = {
        root: index.root,
        size: BigInt(items.length),
        keysOf: (item: Bytes) => refundKeys(each.by, item),
        continued: () => null,
      }
      checkTail(each, answer, context)
      return { query: hexOf(TailQuery, each), answer: hexOf(TailAnswer, answer) }
    }),
  }
}

// --- structs

function refusedRefunds(): Row[] {
  const rows: Row[] = []
  const [first, last] = [at(refunds(), 1), at(refunds(), 8)]
  if (first.is !== 'attribution' || last.is !== 'reversal') throw new Error('the second is an attribution, the ninth a reversal')
  const [good, taken] = [first.value, last.value]
  const add = (why: string, change: Partial<Attribution>) => {
    const value = { ...good, ...change }
    rows.push({
      type: 'Refund',
      stage: 'check',
      rule: ruleOf(() => checkAttribution(value)),
      why,
      hex: hexOf(Refund, { is: 'attribution', value }),
    })
  }
  const { recipients, pool, residual } = good
  add('recipients out of order', { recipients: [...recipients].reverse() })
  add('a recipient twice, its amount split', { recipients: halved(good), residual })
  const zeroed = at(recipients, 0)
  add('a recipient of nothing', { recipients: [{ ...zeroed, amount: 0n }, ...recipients.slice(1)], residual: residual + zeroed.amount })
  add('a residual too large', { residual: residual + 1n })
  add('a pool too small', { pool: pool - 1n })
  add('more for the recipients than the pool', { pool: 1n, residual: 0n })
  const { value } = good.evidence
  add('evidence of another block', { evidence: { is: 'public', value: { ...value, block: value.block + 1n } } })
  add('evidence of another hash', { evidence: { is: 'public', value: { ...value, hash: H('another block') } } })
  add('another slot', { slot: good.slot + 1n })
  add('another block hash', { blockHash: H('another block') })
  add('transactions out of order', { evidence: { is: 'public', value: { ...value, txs: [...value.txs].reverse() } } })
  add('a transaction twice', { evidence: { is: 'public', value: { ...value, txs: [...value.txs, at(value.txs, value.txs.length - 1)] } } })

  const turn = (why: string, change: Partial<Reversal>) => {
    const value: Reversal = { ...taken, ...change }
    const rule = ruleOf(() => checkReversal(value))
    rows.push({ type: 'Refund', stage: 'check', rule, why, hex: hexOf(Refund, { is: 'reversal', value }) })
  }
  turn('addresses out of order', { addresses: [...taken.addresses].reverse() })
  turn('an address twice', { addresses: [at(taken.addresses, 0), ...taken.addresses] })
  const above = { number: taken.of.slot + 1n, hash: H('above') }
  turn('a reason above the block', { reason: { is: 'reorganised', value: above } })

  const bytes = hexOf(Refund, at(refunds(), 1))
  const cut = (rule: string, why: string, hexText: string) => rows.push({ type: 'Refund', stage: 'decode', rule, why, hex: hexText })
  // Refund variant, slot, revision, chainId, blockHash, then the rule: its index stands 1 + 8 + 4 + 8 + 32 bytes in.
  const rule = 2 * (1 + 8 + 4 + 8 + 32)
  const reversed = hexOf(Refund, last)
  // Refund variant, slot and revision, chainId, blockHash, then the reason.
  const reason = 2 * (1 + 12 + 8 + 32)
  cut('variant', 'no such reason', `${reversed.slice(0, reason)}01${reversed.slice(reason + 2)}`)
  cut('trailing', 'a byte after a reversal', `${reversed}00`)
  cut('truncated', 'a reversal cut by a byte', reversed.slice(0, -2))
  cut('variant', 'no such refund', `02${bytes.slice(2)}`)
  for (const kept of [0, 1])
    cut('kept', `rule ${kept}, kept for a later version`, `${bytes.slice(0, rule)}0${kept}${bytes.slice(rule + 2)}`)
  cut('variant', 'no such rule', `${bytes.slice(0, rule)}03${bytes.slice(rule + 2)}`)
  // … the pool, the count of recipients, the first one's address and amount, then its kind.
  const kind = rule + 2 * (1 + 16 + 1 + 20 + 16)
  for (const kept of [0, 1, 2, 3])
    cut('kept', `kind ${kept}, kept for a later version`, `${bytes.slice(0, kind)}0${kept}${bytes.slice(kind + 2)}`)
  cut('variant', 'no such kind', `${bytes.slice(0, kind)}05${bytes.slice(kind + 2)}`)
  cut('trailing', 'a byte after it', `${bytes}00`)
  cut('truncated', 'cut by a byte', bytes.slice(0, -2))
  return rows
}

/** The first recipient split in two entries of one (ref, addr). */
function halved(good: Attribution): Attribution['recipients'] {
  const first = at(good.recipients, 0)
  return [{ ...first, amount: 1n }, { ...first, amount: first.amount - 1n }, ...good.recipients.slice(1)]
}

function facts(): Row {
  const member = keyFor('tally member 2 vote 0')
  const counted = countPayments(payments(1))
  const value: BlockFacts = {
    hash: H('block'),
    parent: H('parent'),
    count: counted.facts.length,
    omitted: 0,
    payments: factsHash(counted.facts),
  }
  const claim: Observation = {
    roster_id: signers(scope, 'tally', 4).id,
    question: { kind: 1, subject: encode(BlockSubject, { chainId: 1n, number: 21_000_001n }) },
    round: 0,
    until: 1_030n,
    value: encode(BlockFacts, value),
  }
  const later = { ...claim, round: 3 }
  const message = observationMessage(claim)
  const signature = sign(member, message)
  const unordered = (why: string, payments: PaymentProofs['payments']): Row => {
    const proofs = { ...PROOFS, payments }
    const rule = ruleOf(() => checkProofs(proofs))
    return { type: 'PaymentProofs', stage: 'check', rule, why, hex: hexOf(PaymentProofs, proofs) }
  }
  const commands: MachineCommand[] = [
    { is: 'observe', value: { claim, member: 2, signature } },
    { is: 'observe', value: { claim: later, member: 2, signature: sign(member, observationMessage(later)) } },
    { is: 'attribute', value: { number: 21_000_001n, proofs: PROOFS } },
    { is: 'attribute', value: { number: 0n, proofs: { header: new Uint8Array(0), payments: [] } } },
  ]
  return {
    subject: both(BlockSubject, { chainId: 1n, number: 21_000_001n }),
    value: both(BlockFacts, value),
    none: both(BlockFacts, { ...value, count: 0, payments: factsHash([]) }),
    observation: { ...both(Observation, claim), message: hex(message), public: hex(member.public), signature: hex(signature) },
    proofs: { ...both(PaymentProofs, PROOFS), hash: hex(proofsHash(PROOFS)) },
    commands: commands.map((command) => both(MachineCommand, command)),
    refused: [
      unordered('payments out of order', [...PROOFS.payments].reverse()),
      unordered('a payment twice', [at(PROOFS.payments, 0), ...PROOFS.payments]),
      { type: 'MachineCommand', stage: 'decode', rule: 'variant', why: 'no such command', hex: `02${hex(u64le(0n))}` },
      {
        type: 'MachineCommand',
        stage: 'decode',
        rule: 'trailing',
        why: 'a byte after it',
        hex: `${hexOf(MachineCommand, at(commands, 3))}00`,
      },
      {
        type: 'MachineCommand',
        stage: 'decode',
        rule: 'truncated',
        why: 'cut by a byte',
        hex: hexOf(MachineCommand, at(commands, 2)).slice(0, -2),
      },
    ],
  }
}

function refusedConfig(): Row[] {
  const content = hexOf(Content, CONTENT)
  const acl = hexOf(Acl, { roster: four(), admission: { is: 'roster', value: null }, readers: { is: 'anyone', value: null } })
  // All that stands before the admission, of a committee of one.
  const alone = hexOf(Roster, signers(scope, 'alone', 1).roster)
  const inclusion = 2 * (1 + SIGNATURE.length + 20 + 8 + 32)
  const row = (type: string, rule: string, why: string, bytes: string): Row => ({ type, stage: 'decode', rule, why, hex: bytes })
  return [
    row('Content', 'variant', 'no such inclusion', `${content.slice(0, inclusion)}02${content.slice(inclusion + 2)}`),
    row('Content', 'tag', 'a predecessor with tag 2', `${content.slice(0, -2)}02`),
    row('Content', 'trailing', 'a byte after it', `${content}00`),
    row('Acl', 'variant', 'no such admission', `${acl.slice(0, -4)}0200`),
    ...refusedGates().map(([rule, why, gate]) => row('Acl', rule, why, `${alone}01${gate}00`)),
    row('Acl', 'variant', 'no such readers', `${acl.slice(0, -2)}01`),
    row('Acl', 'truncated', 'no readers', acl.slice(0, -2)),
  ]
}

export const makeTally = (): Row => ({
  ids: ids(),
  configs: configs(),
  refusedConfigs: refusedConfig(),
  surface: surface(),
  refusedRefunds: refusedRefunds(),
  facts: facts(),
  agreement: makeAgreement(),
})
